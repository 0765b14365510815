"""The verb that follows the log: ``tail``. It appends no event."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.answers.phrases import phrase
from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import sentence
from commands.cli.output import printable
from commands.cli.times import shown
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.answering import Answering
    from commands.answers.log import Log
    from commands.answers.rows import EventLine
    from ledger.errors import Refusal

_BEFORE = 10  # events, where nobody says from where on


@click.command(cls=Verb)
@click.option(
    "--from", "start", metavar="POSITION", type=click.IntRange(1, 2**63 - 1), help="Begin with this position."
)
@click.option(
    "--cursor",
    metavar="FILE",
    help="Go on behind the position in FILE, and keep it there. Where there is no FILE yet, begin with --from or 1.",
)
@click.option("--once", is_flag=True, help="End where the log ends, and do not wait for more.")
@pass_invocation
def tail(invocation: Invocation, start: int | None, cursor: str | None, once: bool) -> None:
    """Every event in order, and those to come, until Ctrl-C.

    With --json one event a line. Without --from and --cursor it begins ten events before the end. Each event comes at
    least once: the position in FILE moves on when the lines were written, so who is killed in between sees the last of
    them again.

    \b
    daybook tail --json --from 1
    daybook tail --json --cursor seen.cursor
    """
    from commands.answers.following import PASSING, CursorFile, follow_pages
    from commands.remote.faults import Unreachable

    def tell(why: "Refusal | None") -> None:
        if why is None:
            invocation.note("the ledger can be reached again.")
        else:
            invocation.note(f"{why.message} {sentence(why.hint, why.steps)}".rstrip() + " Trying again.")

    file = CursorFile(Path(cursor)) if cursor is not None else None
    try:
        with invocation.answering() as ledger:
            after = start - 1 if start is not None else 0 if file is not None else _near_the_end(ledger)
            for page in follow_pages(
                ledger, file, after=after, ends=once, pause=time.sleep, tell=tell,
                passing=(*PASSING, Unreachable),
            ):  # fmt: skip
                _write(invocation, page)
    except KeyboardInterrupt:
        if once:
            raise


def _near_the_end(ledger: "Answering") -> int:
    found: Log = ledger.ask("log", limit=_BEFORE)
    first = next(iter(found.events), None)
    return found.position if first is None else first.position - 1


def _write(invocation: Invocation, page: "list[EventLine]") -> None:
    """Handed on whole when this returns: nothing stays in a buffer of ours."""
    from commands.answers.document import json_text

    if invocation.json:
        output.say(b"\n".join(json_text(event, indent=False) for event in page))
        return
    for event in page:
        words = f"{event.position}  {shown(event.recorded_at)}  {event.actor}  {event.type}  {event.stream}"
        output.say(printable(f"{words}  {phrase(event.type, event.body)}".rstrip()))
