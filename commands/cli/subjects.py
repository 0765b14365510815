"""Verbs about subjects and their probes: ``subject add|list``, ``probe insert|remove``."""

from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import Column
from commands.cli.times import as_of_option, local_time
from commands.cli.verbs import VerbGroup, WritingVerb

if TYPE_CHECKING:
    from commands.answers.lab import SubjectLine


@click.group(cls=VerbGroup)
def subject() -> None:
    """Register subjects, and see them with their probes."""


@click.group(cls=VerbGroup)
def probe() -> None:
    """Record that a probe was inserted or removed."""


@subject.command(cls=WritingVerb)
@click.argument("name")
@pass_invocation
def add(invocation: Invocation, name: str) -> None:
    """Register a subject."""
    from commands.lab.subjects import RegisterSubject

    if not name.strip() or not name.isprintable():
        raise click.UsageError("A subject needs a name, without control characters.")
    with invocation.daybook() as daybook:
        result = daybook.submit(RegisterSubject(**invocation.repeatable, name=name)).result

    def human() -> None:
        known = f"Subject {name} is registered already."
        output.say(f"Registered subject {name}." if result.added else known)
        for step in result.next_steps:
            output.say(f"Next: {worded(step)} (input files need at least one probe)")

    invocation.answer(result, human)


@subject.command("list")
@as_of_option
@pass_invocation
def list_subjects(invocation: Invocation, as_of: int | str | None) -> None:
    """List the subjects and their probes."""
    from commands.answers.lab import subjects
    from projections.past import Past

    with invocation.reading(as_of, Past.lab) as world:
        found = subjects(world)

    def human() -> None:
        if not found.subjects:
            output.say("There are no subjects yet. Register one: daybook subject add NAME")
            return
        columns = [
            Column("subject"),
            Column("probe"),
            Column("inserted (local time)"),
            Column("removed (local time)"),
        ]
        output.write_table(columns, [row for one in found.subjects for row in _rows(one)])

    invocation.answer(found, human)


def _rows(one: "SubjectLine") -> list[list[object]]:
    rows: list[list[object]] = [
        ["" if i else one.subject, p.probe, p.insertion_time, p.removal_time]
        for i, p in enumerate(one.probes)
    ]
    return rows or [[one.subject, "none yet", None, None]]


@probe.command(cls=WritingVerb)
@click.argument("subject")
@click.argument("probe")
@click.option("--at", "time", metavar="TIME", callback=local_time, required=True, help="When, in local time.")
@pass_invocation
def insert(invocation: Invocation, subject: str, probe: str, time: str) -> None:
    """Record that a probe was inserted in a subject."""
    from commands.lab.subjects import InsertProbe

    with invocation.daybook() as daybook:
        command = InsertProbe(**invocation.repeatable, subject=subject, probe=probe, insertion_time=time)
        result = daybook.submit(command).result

    def human() -> None:
        start = "Recorded" if result.added else "On record already"
        output.say(f"{start}: probe {probe} was inserted in subject {subject} at {time}.")

    invocation.answer(result, human)


@probe.command(cls=WritingVerb)
@click.argument("subject")
@click.argument("probe")
@click.option("--at", "time", metavar="TIME", callback=local_time, required=True, help="When, in local time.")
@pass_invocation
def remove(invocation: Invocation, subject: str, probe: str, time: str) -> None:
    """Record that a probe was removed from a subject."""
    from commands.lab.subjects import RemoveProbe

    with invocation.daybook() as daybook:
        command = RemoveProbe(**invocation.repeatable, subject=subject, probe=probe, removal_time=time)
        result = daybook.submit(command).result

    def human() -> None:
        start = f"Recorded: at {time}," if result.removed else "On record already:"
        output.say(f"{start} probe {probe} was removed from subject {subject}.")

    invocation.answer(result, human)
