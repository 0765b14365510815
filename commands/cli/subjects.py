"""Verbs about subjects and their probes: ``subject add|list|rename|take-back``,
``probe insert|remove|mend|take-back``.
"""

from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.changes import change
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
    """Record that a probe was inserted or removed; mend what was recorded wrong."""


reason_option = click.option("--reason", required=True, metavar="TEXT", help="What was wrong; kept for good.")


another_option = click.option(
    "--another", is_flag=True, help="The name was another animal's, which is called otherwise since."
)


@subject.command(cls=WritingVerb)
@click.argument("name")
@another_option
@pass_invocation
def add(invocation: Invocation, name: str, another: bool) -> None:
    """Register a subject."""
    if not name.strip() or not name.isprintable():
        raise click.UsageError("A subject needs a name, without control characters.")
    result = invocation.do("register-subject", name=name, another=another)

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
    found = invocation.ask("subjects", as_of=as_of)

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
    result = invocation.do("insert-probe", subject=subject, probe=probe, insertion_time=time)

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
    result = invocation.do("remove-probe", subject=subject, probe=probe, removal_time=time)

    def human() -> None:
        start = f"Recorded: at {time}," if result.removed else "On record already:"
        output.say(f"{start} probe {probe} was removed from subject {subject}.")

    invocation.answer(result, human)


@subject.command(cls=WritingVerb)
@click.argument("name")
@click.argument("new_name", metavar="NEW")
@reason_option
@another_option
@pass_invocation
def rename(invocation: Invocation, name: str, new_name: str, reason: str, another: bool) -> None:
    """Give a subject its right name.

    At once where you recorded all of it and nothing stands on it. Else it is a request, which shows what does; when
    it is approved, its records are of NEW, and keep their numbers. A file that says the old name is rejected, and
    says what to write.
    """
    change(invocation, "rename-subject", subject=name, new_name=new_name, reason=reason, another=another)


@subject.command("take-back", cls=WritingVerb)
@click.argument("name")
@reason_option
@pass_invocation
def take_back_subject(invocation: Invocation, name: str, reason: str) -> None:
    """Take back a subject that was registered by mistake, with its probe insertions.

    At once where you recorded all of it and nothing stands on it. Else it is a request, which shows the sessions
    and clusterings that would go with it: daybook request show ID.
    """
    change(invocation, "take-back-subject", subject=name, reason=reason)


@probe.command("take-back", cls=WritingVerb)
@click.argument("subject")
@click.argument("probe")
@reason_option
@pass_invocation
def take_back_insertion(invocation: Invocation, subject: str, probe: str, reason: str) -> None:
    """Take back that a probe was inserted in a subject: it never was.

    Of several insertions the last one. At once where you recorded it and nothing stands on it. Else it is a
    request, which shows the sessions that would go with it: daybook request show ID.
    """
    change(invocation, "take-back-insertion", subject=subject, probe=probe, reason=reason)


@probe.command(cls=WritingVerb)
@click.argument("subject")
@click.argument("probe")
@click.option(
    "--inserted", metavar="TIME", callback=local_time, help="The right time of insertion, in local time."
)
@click.option(
    "--removed", metavar="TIME", callback=local_time, help="The right time of removal, in local time."
)
@click.option("--still-in", is_flag=True, help="It was not removed.")
@reason_option
@pass_invocation
def mend(
    invocation: Invocation,
    subject: str,
    probe: str,
    inserted: str | None,
    removed: str | None,
    still_in: bool,
    reason: str,
) -> None:
    """Mend the times of a probe insertion.

    Of several insertions the last one. At once where you recorded it and no session with the probe was recorded
    outside of the new times; else it is a request.
    """
    if still_in and removed is not None:
        raise click.UsageError("Give --removed or --still-in, not both.")
    if inserted is None and removed is None and not still_in:
        raise click.UsageError("There is nothing to mend. Give --inserted, --removed or --still-in.")
    change(
        invocation, "mend-insertion", subject=subject, probe=probe, insertion_time=inserted, removal_time=removed,
        still_in=still_in, reason=reason,
    )  # fmt: skip
