"""The verb that tells what workers have to do: ``jobs``."""

from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.times import shown
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.jobs import Looked

_STATUSES = ("queued", "looking", "waiting", "resting", "failed")
_COLUMNS = (
    Column("record"), Column("status", is_status=True), Column("looks"), Column("last (UTC)"),
    Column("next (UTC)"), Column("by"), Column("location", "middle"), Column("why", "below"),
)  # fmt: skip


@click.command(cls=Verb)
@click.option("--status", type=click.Choice(_STATUSES), help="Only with this status.")
@click.option("--folder", metavar="FOLDER", help="Only what lies there.")
@click.option("--host", metavar="HOST", help="Only what this host, or one of its workers, looked at last.")
@click.option("--after", metavar="ID", help="The page behind this record.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="So many."
)
@pass_invocation
def jobs(
    invocation: Invocation,
    status: str | None,
    folder: str | None,
    host: str | None,
    after: str | None,
    limit: int,
) -> None:
    """What is pending or waits: each look, the next, and who works.

    queued: nobody has looked yet. looking: somebody does now. waiting: for the next look. resting: the disk did not
    answer, and is asked again later. failed: no worker looks again; daybook work REF does.
    """
    found = invocation.ask("jobs", status=status, folder=folder, host=host, after=_number(after), limit=limit)

    def human() -> None:
        if not found.jobs:
            output.say_instead("Nothing is pending or waiting.")
        else:
            rows = []
            for job in found.jobs:
                look = job.looked
                error = None if look is None else look.error
                rows.append(
                    [
                        job.record, job.status, 0 if look is None else look.attempts,
                        None if look is None else shown(look.last), None if look is None else shown(look.next),
                        None if look is None else look.by, job.location, error or job.message,
                    ]
                )  # fmt: skip
            output.write_table(_COLUMNS, rows)
        if found.more:
            output.say(f"There are more: daybook jobs --after {found.jobs[-1].record}", err=True)
        there = [worker for worker in found.workers if worker.is_there]
        for worker in there:
            folders = ", ".join(worker.folders) or "nothing that it can reach"
            output.say(printable(f"{worker.name} works as {worker.actor}: {folders}"))
        if found.nobody:
            output.say("No worker is running. Start one: daybook work --follow; or look now: daybook work")

    invocation.answer(found, human)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.strip().lstrip("sc")
    if not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter(f'"{text}" is no record. Expected an id such as s123.', param_hint="--after")
    return int(digits[:18])


def looks_in_words(look: "Looked") -> str:
    """``It was looked at 3 times, last … by host:123; the next look is due …``"""
    times = "" if look.attempts == 1 else f"{plural(look.attempts, 'time')}, last "
    text = f"It was looked at {times}{shown(look.last)} by {look.by}"
    if look.next is not None:
        text += f"; the next look is due {shown(look.next)}"
    return f"{text}." if look.error is None else f"{text}. {look.error}"
