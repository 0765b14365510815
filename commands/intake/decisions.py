"""A person's decision on what a session waits for: the only way past what the disk says, with a reason, in the log."""

from datetime import datetime
from typing import Any

from commands.door.submit import Daybook
from commands.intake.completing import ACTIONS, CompletedSession, Order, current_session
from commands.intake.completion import require_reason
from commands.intake.insertion import is_local_time, open_session, time_text
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from commands.recordings.session import SessionDirectory, SessionDirectoryError
from ledger.errors import NextStep, Refusal
from ledger.events import SessionSettled
from projections.records import Session

_SETTLES = {
    "starts-apart": "despite_dates",
    "data-missing": "without",
    "acquiring": "as_crashed",
    "no-start": "start",
}
"""What a session waits for, and the decision that ends it."""


def settle_session(
    daybook: Daybook,
    session: int,
    *,
    roots: Roots,
    reason: str,
    despite_dates: bool = False,
    without: tuple[str, ...] = (),
    as_crashed: bool = False,
    start: str | None = None,
    command_id: str | None = None,
) -> CompletedSession:
    """Decide, and try the session again at once. Several things can be decided together.

    Raises Refusal where a session is not waiting, or where the disk gives nothing to decide.
    """
    names = tuple(dict.fromkeys(without))
    given: dict[str, Any] = {
        "despite_dates": despite_dates, "without": names, "as_crashed": as_crashed, "start": start, "reason": reason,
    }  # fmt: skip
    order = Order(daybook, session, command_id, ACTIONS[SessionSettled], given)
    if order.done is not None:
        return order.session(roots)
    current = current_session(daybook, session, ACTIONS[SessionSettled])
    require_reason(reason or None)
    if not (despite_dates or names or as_crashed or start):
        raise Refusal(
            "nothing-given", "There is nothing decided.", "Say what is.", NextStep("why", f"s{session}")
        )
    if start is not None and not is_local_time(start):
        raise Refusal(
            "date-time",
            f'start "{start}" is not a local time.',
            "Write it as in 2023-04-05 12:13:14, without a time zone.",
        )
    if current.row.status not in ("pending", "waiting"):
        raise Refusal(
            "not-waiting",
            f"Session s{session} is {current.row.status}: it waits for no decision.",
            "",
            NextStep("why", f"s{session}"),
        )
    _refuse_what_is_not_so(current.row, roots, despite_dates, names, as_crashed, start)
    event = SessionSettled(
        despite_dates=despite_dates,
        without=list(names),
        as_crashed=as_crashed,
        start=start,
        reason=reason.strip(),
    )
    order.submit(current, event)
    return order.session(roots)


def _refuse_what_is_not_so(
    row: Session,
    roots: Roots,
    despite_dates: bool,
    without: tuple[str, ...],
    as_crashed: bool,
    start: str | None,
) -> None:
    """A decision is about what the disk says now: a slip must neither leave out good data nor apply to later ones."""
    try:
        found = open_session(row.location, Search(roots).directory, clusterings=False, zone=roots.zone).found
    except (SessionDirectoryError, LocationError) as error:
        raise Refusal(error.code, error.message, error.hint) from error
    why = NextStep("why", f"s{row.id}")
    if despite_dates and not found.far_apart:
        raise Refusal("dates-agree", f"The recordings of s{row.id} do not start far apart.", "", why)
    if as_crashed and not found.acquiring:
        raise Refusal("not-acquiring", f"No recording of s{row.id} is open: none has crashed.", "", why)
    lacking = {one.name for one in found.missing}
    unknown = next((name for name in without if name not in lacking), None)
    if unknown is not None:
        known = ", ".join(f'"{name}"' for name in sorted(lacking)) or "nothing"
        raise Refusal(
            "not-missing", f'"{unknown}" is not among what is missing in s{row.id}: {known}.', "", why
        )
    if start is not None:
        _refuse_start(row, found, start)


def _refuse_start(row: Session, found: SessionDirectory, start: str) -> None:
    doubtful = found.start is None or found.start_inferred
    doubtful = doubtful or any(remark.code == "clock-in-doubt" for remark in found.remarks)
    if not doubtful:
        stated = time_text(found.start or datetime.fromisoformat(start))
        raise Refusal(
            "start-stated",
            f"The recording of s{row.id} states its start, {stated}, and nothing speaks against it.",
            "",
            NextStep("why", f"s{row.id}"),
        )


def decision_for(reason: str | None) -> str | None:
    """Which decision ends a waiting for this reason; None where no decision does."""
    return _SETTLES.get(reason or "")
