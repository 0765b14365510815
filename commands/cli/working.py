"""The verb that processes what is pending: ``work``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.failures import ENTRY_FAILED
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import sentence
from commands.cli.output import plural, printable
from commands.cli.progress import shown_progress
from commands.cli.records import write_clusterings, write_sessions
from commands.cli.verbs import WritingVerb

if TYPE_CHECKING:
    from commands.door.submit import Daybook
    from commands.intake.working import Worked
    from ledger.errors import LedgerUnavailable

_INTERVAL_S = 10.0


def _finite(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if value != value:  # NaN is within every range
        raise click.BadParameter("expected a number of seconds.")
    return value


@click.command(cls=WritingVerb)
@click.argument("references", metavar="[REF]...", nargs=-1)
@click.option("--watch", is_flag=True, help="Go on, and look again every --interval seconds, until Ctrl-C.")
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 86_400),
    callback=_finite,
    default=_INTERVAL_S,
    show_default=True,
    metavar="S",
    help="Seconds between two looks of --watch.",
)
@pass_invocation
def work(invocation: Invocation, references: tuple[str, ...], watch: bool, interval: float) -> int:
    """Process what is pending, look again at what waits.

    What was interrupted is finished, and what waited for a file or another session goes on where that is
    there now. What is open of inserted sessions (sorted output, a probe that was missing) is looked for an hour, a
    day and a week after they were inserted, then monthly for a year. With REF (a session, clustering or upload) only
    that is looked at, and at once.
    """
    if watch and references:
        raise click.UsageError("--watch is for everything. Leave it or REF out.")
    if watch and invocation.json:
        raise click.UsageError(
            "--watch never ends, so it cannot answer with one JSON document. Leave one of them out."
        )
    if watch and invocation.command_id is not None:
        raise click.UsageError("--command-id is for one look, and --watch looks again and again.")
    if watch:
        with invocation.daybook() as daybook:
            return _watch(invocation, daybook, interval)
    with invocation.answering(at_work=True) as ledger, shown_progress("processing") as progress:
        worked = ledger.do(
            "work", command_id=invocation.command_id, progress=progress, records=list(references) or None
        ).answer
    invocation.answer(worked, lambda: _write(worked))
    return ENTRY_FAILED if worked.failed else 0


def _watch(invocation: Invocation, daybook: "Daybook", interval: float) -> int:
    """Ctrl-C is how it is meant to end."""
    from commands.intake.working import Worked, watch

    def tell(what: "Worked | LedgerUnavailable | None") -> None:
        if isinstance(what, Worked):
            _write_moved(what)
            invocation.keep_checkpoint(daybook, at_work=True)
        elif what is None:
            invocation.note("the ledger can be reached again.")
        else:
            why = printable(f"{what.message} {sentence(what.hint, what.steps)}".rstrip())
            invocation.note(f"{why} Looking again every {interval:g} s.")

    try:
        output.say(f"Looking every {interval:g} s; Ctrl-C ends it.", err=True)
        watch(daybook, invocation.settings.roots, interval_s=interval, tell=tell)
    except KeyboardInterrupt:
        output.say("Stopped.", err=True)
    return 0


def _write(worked: "Worked") -> None:
    _write_moved(worked)
    if worked.looked_again:
        output.say(f"Looked at the disk of {plural(worked.looked_again, 'session')} again{_news(worked)}")
    if not worked.looked_at:
        if not worked.looked_again:
            output.say("Nothing is pending or waiting.")
        return
    moved = len(worked.sessions) + len(worked.clusterings)
    after = " (see: daybook sessions --status waiting)" if worked.waiting else ""
    output.say(
        f"Looked at {plural(worked.looked_at, 'entry')}: {moved:,} moved on, {worked.waiting:,} still waiting{after}."
    )


def _news(worked: "Worked") -> str:
    found = len(worked.found) + sum(one.session is not None for one in worked.clusterings)
    return "." if found else ": nothing new."


def _write_moved(worked: "Worked") -> None:
    for one in worked.found:
        for probe in one.probes:
            output.say(printable(f"{one.session}: probe {probe} was found, and went in."))
        for message in one.messages:
            output.say(printable(f"{one.session}: {message}"))
    if worked.sessions:
        write_sessions([asdict(session) for session in worked.sessions])
    if worked.clusterings:
        write_clusterings([asdict(clustering) for clustering in worked.clusterings])
