"""Verbs about subjects and their probes: ``subject add|list``, ``probe insert|remove``."""

from typing import Any

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column
from commands.cli.times import as_of_option, local_time
from commands.cli.verbs import VerbGroup


@click.group(cls=VerbGroup)
def subject() -> None:
    """Register subjects, and see them with their probes."""


@click.group(cls=VerbGroup)
def probe() -> None:
    """Record that a probe was inserted or removed."""


@subject.command()
@click.argument("name")
@pass_invocation
def add(invocation: Invocation, name: str) -> None:
    """Register a subject."""
    from commands.lab.subjects import RegisterSubject

    if not name.strip() or not name.isprintable():
        raise click.UsageError("A subject needs a name, without control characters.")
    with invocation.daybook() as daybook:
        added = daybook.submit(RegisterSubject(name=name)).result["added"]

    def human() -> None:
        output.say(f"Registered subject {name}." if added else f"Subject {name} is registered already.")
        if added:
            output.say(
                f"Next: daybook probe insert {name} PROBE --at TIME (input files need at least one probe)"
            )

    invocation.answer({"ok": True, "added": added}, human)


@subject.command("list")
@as_of_option
@pass_invocation
def list_subjects(invocation: Invocation, as_of: int | str | None) -> None:
    """List the subjects and their probes."""
    from projections.listings import subjects
    from projections.past import Past

    with invocation.reading(as_of, Past.lab) as world:
        found = subjects(world.transaction, world.head.live_slot)

    def human() -> None:
        if not found:
            output.say("There are no subjects yet. Register one: daybook subject add NAME")
            return
        columns = [
            Column("subject"),
            Column("probe", "middle"),
            Column("inserted (local time)"),
            Column("removed (local time)"),
        ]
        output.write_table(columns, [row for one in found for row in _rows(one)])

    invocation.answer({"ok": True, "subjects": found}, human)


def _rows(one: dict[str, Any]) -> list[list[object]]:
    rows: list[list[object]] = [
        ["" if i else one["subject"], p["probe"], p["insertion_time"], p["removal_time"]]
        for i, p in enumerate(one["probes"])
    ]
    return rows or [[one["subject"], "none yet", None, None]]


@probe.command()
@click.argument("subject")
@click.argument("probe")
@click.option("--at", "time", metavar="TIME", callback=local_time, required=True, help="When, in local time.")
@pass_invocation
def insert(invocation: Invocation, subject: str, probe: str, time: str) -> None:
    """Record that a probe was inserted in a subject."""
    from commands.lab.subjects import InsertProbe

    with invocation.daybook() as daybook:
        command = InsertProbe(subject=subject, probe=probe, insertion_time=time)
        added = daybook.submit(command).result["added"]

    def human() -> None:
        start = "Recorded" if added else "On record already"
        output.say(f"{start}: probe {probe} was inserted in subject {subject} at {time}.")

    invocation.answer({"ok": True, "added": added}, human)


@probe.command()
@click.argument("subject")
@click.argument("probe")
@click.option("--at", "time", metavar="TIME", callback=local_time, required=True, help="When, in local time.")
@pass_invocation
def remove(invocation: Invocation, subject: str, probe: str, time: str) -> None:
    """Record that a probe was removed from a subject."""
    from commands.lab.subjects import RemoveProbe

    with invocation.daybook() as daybook:
        removed = daybook.submit(RemoveProbe(subject=subject, probe=probe, removal_time=time)).result[
            "removed"
        ]

    def human() -> None:
        start = f"Recorded: at {time}," if removed else "On record already:"
        output.say(f"{start} probe {probe} was removed from subject {subject}.")

    invocation.answer({"ok": True, "removed": removed}, human)
