"""The verb that processes what is pending: ``work``."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import ENTRY_FAILED, interrupted
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import sentence
from commands.cli.output import plural, printable
from commands.cli.progress import shown_progress
from commands.cli.records import write_clusterings, write_sessions
from commands.cli.verbs import WritingVerb
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.door.submit import Daybook
    from commands.intake.working import Worked
    from ledger.errors import LedgerUnavailable

_INTERVAL_S = 10.0


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and value != value:  # NaN is within every range
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
@click.option("--follow", is_flag=True, help="Follow the ledger: work as a worker of it, until Ctrl-C.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Of --follow: batches at once. [default: 2]",
)
@click.option(
    "--folders",
    "folders",
    multiple=True,
    metavar="FOLDER",
    help="Of --follow: only what lies there; again for more.",
)
@click.option(
    "--refill", is_flag=True, help="Of --follow: queue whatever is not queued, if the queue was lost."
)
@click.option(
    "--give-up",
    type=click.FloatRange(1, 86_400),
    callback=_finite,
    metavar="S",
    help="Of --follow: seconds until a read of a batch is given up. [default: 300]",
)
@click.option(
    "--lease",
    type=click.FloatRange(1, 3600),
    callback=_finite,
    metavar="S",
    help="Of --follow: seconds until a worker that is not heard of is taken for dead. [default: 30]",
)
@pass_invocation
def work(
    invocation: Invocation, references: tuple[str, ...], watch: bool, interval: float, follow: bool,
    concurrency: int | None, folders: tuple[str, ...], refill: bool, give_up: float | None, lease: float | None,
) -> int:  # fmt: skip
    """Process what is pending, look again at what waits.

    What was interrupted is finished, and what waited for a file or another session goes on where that is
    there now. What is open of inserted sessions (sorted output, a probe that was missing) is looked for an hour, a
    day and a week after they were inserted, then monthly for a year. With REF (a session, clustering or upload) only
    that is looked at, and at once.
    """
    given = {
        "concurrency": concurrency, "folders": folders or None, "refill": refill or None, "patience_s": give_up,
        "lease_s": lease,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None}
    if follow:
        _refuse_beside_follow(invocation, references, watch)
        return _follow(invocation, options)
    if options:
        raise click.UsageError(
            "--concurrency, --folders, --refill, --give-up and --lease are for --follow: give it too."
        )
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
    except BaseException as error:
        if not interrupted(error):
            raise
        output.say("Stopped.", err=True)
    return 0


def _refuse_beside_follow(invocation: Invocation, references: tuple[str, ...], watch: bool) -> None:
    if watch or references:
        raise click.UsageError("--follow is for everything, as it comes. Leave --watch or REF out.")
    if invocation.json:
        raise click.UsageError("--follow never ends, so it cannot answer with one JSON document.")
    if invocation.command_id is not None:
        raise click.UsageError("--command-id is for one look, and --follow looks again and again.")


def _follow(invocation: Invocation, options: "dict[str, Any]") -> int:
    """The only place of the command line that loads the workers. A token in the environment says who works."""
    import os

    from commands.remote.tokens import IN_ENVIRONMENT

    try:
        from commands.workers.reading import Who
        from commands.workers.running import Options, Told, run
    except ImportError as error:
        raise _not_installed(error) from None

    def tell(told: "Told") -> None:
        outcome = told.outcome
        match told.what:
            case "begun":
                output.say("Working. Ctrl-C ends it.", err=True)
            case "done":
                place = printable(told.folder) or "the ledger"
                if outcome.settled or outcome.open:  # else somebody was there before
                    output.say(f"{place}: {outcome.settled:,} moved on, {outcome.open:,} still open")
            case "lost":
                invocation.note(f"the ledger cannot be reached. {printable(outcome.message)}".rstrip())
            case "found":
                invocation.note("the ledger can be reached again.")
            case _:
                invocation.warn(f"{told.folder}: {outcome.message}")
        sys.stdout.flush()

    address = invocation.address
    token = os.environ.get(IN_ENVIRONMENT, "").strip() or None
    try:
        who = Who(invocation.actor, token)
        run(
            address, invocation.settings.roots, who, Options(**options), tell,
            lambda daybook: invocation.keep_checkpoint(daybook, at_work=True),
        )  # fmt: skip
    except ImportError as error:
        raise _not_installed(error) from None
    output.say("Stopped.", err=True)
    return 0


def _not_installed(error: ImportError) -> Refusal:
    return Refusal(
        "no-workers",
        f"A worker on PostgreSQL needs {error.name}, which is not installed.",
        'Install it: pip install "daybook-ledger[workers]"',
    )


def _write(worked: "Worked") -> None:
    _write_moved(worked)
    if worked.looked_again:
        output.say(f"Looked at the disk of {plural(worked.looked_again, 'session')} again{_news(worked)}")
    if not worked.looked_at:
        if worked.clusterings_waiting:
            output.say(
                f"Nothing is pending. {plural(worked.clusterings_waiting, 'clustering')} of inserted sessions "
                f"{'waits' if worked.clusterings_waiting == 1 else 'wait'}: daybook clusterings --status waiting"
            )
        elif not worked.looked_again:
            output.say("Nothing is pending or waiting.")
        return
    moved = [one.status for one in worked.sessions] + [one.status for one in worked.clusterings]
    failed = moved.count("error")
    told = [f"{len(moved) - failed:,} moved on"] if len(moved) > failed or not failed else []
    told += [f"{failed:,} failed"] if failed else []
    after = " (see: daybook sessions --status waiting)" if worked.waiting else ""
    output.say(
        f"Looked at {plural(worked.looked_at, 'entry')}: {', '.join(told)}, {worked.waiting:,} still waiting{after}."
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
