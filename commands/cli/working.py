"""The verb that processes what is pending: ``work``."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import ENTRY_FAILED
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural
from commands.cli.progress import shown_progress
from commands.cli.records import write_clusterings, write_sessions
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.door.submit import Daybook

_INTERVAL_S = 10.0
_UNSETTLED = ("pending", "waiting")
Records = list[dict[str, Any]]


@click.command(cls=Verb)
@click.option("--watch", is_flag=True, help="Go on, and look again every --interval seconds, until Ctrl-C.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=_INTERVAL_S,
    show_default=True,
    metavar="S",
    help="Seconds between two looks of --watch.",
)
@pass_invocation
def work(invocation: Invocation, watch: bool, interval: float) -> int:
    """Process what is pending, look again at what waits.

    What was interrupted is finished, and what waited for a file or another session goes on where that is
    there now.
    """
    if watch and invocation.json:
        raise click.UsageError(
            "--watch never ends, so it cannot answer with one JSON document. Leave one of them out."
        )
    with invocation.daybook() as daybook:
        if not watch:
            return _once(invocation, daybook)
        output.say(f"Looking every {interval:g} s; Ctrl-C ends it.", err=True)
        while True:
            _, moved_sessions, moved_clusterings = _round(invocation, daybook)
            _write_moved(moved_sessions, moved_clusterings)
            time.sleep(interval)


def _once(invocation: Invocation, daybook: "Daybook") -> int:
    looked_at, sessions, clusterings = _round(invocation, daybook)
    still = _unsettled(daybook)
    waiting = len(still[0]) + len(still[1])

    def human() -> None:
        if not looked_at:
            output.say("Nothing is pending or waiting.")
            return
        _write_moved(sessions, clusterings)
        moved = len(sessions) + len(clusterings)
        after = " (see: daybook sessions --status waiting)" if waiting else ""
        output.say(
            f"Looked at {plural(looked_at, 'entry')}: {moved:,} moved on, {waiting:,} still waiting{after}."
        )

    document = {
        "ok": True,
        "looked_at": looked_at,
        "sessions": sessions,
        "clusterings": clusterings,
        "waiting": waiting,
    }
    invocation.answer(document, human)
    return ENTRY_FAILED if any(record["status"] == "error" for record in (*sessions, *clusterings)) else 0


def _round(invocation: Invocation, daybook: "Daybook") -> tuple[int, Records, Records]:
    """One look at everything unsettled: how many entries, and the sessions and clusterings that moved on."""
    from commands.intake.settling import work as work_off

    before = _unsettled(daybook)
    with shown_progress("processing") as progress:
        worked = work_off(daybook, invocation.settings.roots, progress=progress)
    after = _unsettled(daybook)
    return (
        worked.looked_at,
        _moved(daybook, "session", before[0], after[0]),
        _moved(daybook, "clustering", before[1], after[1]),
    )


def _unsettled(daybook: "Daybook") -> tuple[list[str], list[str]]:
    """The ids of the sessions and of the clusterings that are pending or waiting."""
    from projections import listings

    with daybook.reading() as world:
        transaction, slot = world.transaction, world.head.live_slot
        sessions = [
            row["session"] for s in _UNSETTLED for row in listings.sessions(transaction, slot, status=s)
        ]
        clusterings = [
            row["clustering"] for s in _UNSETTLED for row in listings.clusterings(transaction, slot, status=s)
        ]
    return sessions, clusterings


def _moved(daybook: "Daybook", kind: str, before: Sequence[str], after: Sequence[str]) -> Records:
    from projections.listings import clustering_line, session_line

    still = set(after)
    numbers = sorted(int(name[1:]) for name in before if name not in still)
    with daybook.reading() as world:
        if kind == "session":
            world.state.sessions.prefetch(numbers)
            return [session_line(world.state.sessions[number]) for number in numbers]
        world.state.clusterings.prefetch(numbers)
        return [clustering_line(world.state.clusterings[number]) for number in numbers]


def _write_moved(sessions: Records, clusterings: Records) -> None:
    if sessions:
        write_sessions(sessions)
    if clusterings:
        write_clusterings(clusterings)
