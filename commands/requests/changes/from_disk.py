"""Take in what the disk says of an inserted session by now: another start, other times of its tasks. Reads the disk.

A clock that was set right, a sessions.txt that was mended: the session keeps its number. Where the clock on the disk is
the wrong one, a person says when it began. It goes in at once where nothing of another person stands on the session,
else by a request.
"""

from hashlib import sha256
from typing import Any

from commands.door.command import checked_command_id
from commands.door.submit import Daybook
from commands.inputfile.canonical import entry_plain
from commands.intake.completing import Current, current_session, require_session_owner
from commands.intake.completion import require_reason, resolve_tasks
from commands.intake.insertion import is_local_time, open_session, time_text
from commands.intake.settling import present_for
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from commands.recordings.session import SessionDirectoryError
from commands.requests.changes.additions import ACTION, AmendSession
from commands.requests.changes.asking import ChangeMade
from commands.stored import standing_session
from ledger.errors import NextStep, Refusal

_THE_DISK = "The disk says so by now."


def amend_from_disk(
    daybook: Daybook,
    session: int,
    *,
    roots: Roots,
    start: str | None = None,
    reason: str | None = None,
    command_id: str | None = None,
) -> ChangeMade:
    """``start``: the disk is wrong about that, and a person says when it began, with a reason. Raises Refusal where the
    disk says what is on record."""
    asked = sha256(repr((start, reason)).encode()).hexdigest()
    known_id = checked_command_id(command_id)
    if command_id is not None:
        daybook.require(lambda world: require_session_owner(world, ACTION, session))
        again = AmendSession.model_construct(command_id=known_id, session=session, asked=asked)
        earlier = daybook.earlier(again)
        if earlier is not None:
            return earlier.result
    current = current_session(daybook, session, ACTION)
    _refuse_what_cannot_be(current, start)
    require_reason(reason if start is not None else "")
    time = _start_on_disk(daybook, current, roots) if start is None else start
    tasks, table, remarks = _tasks_on_disk(daybook, current, roots) if start is None else (None, None, [])
    if time == current.row.session_time:
        time = None
    if time is None and tasks is None:
        raise Refusal(
            "nothing-to-add", f"The disk says of session s{session} what is on record.", "",
            NextStep("show", f"s{session}"),
        )  # fmt: skip
    command = AmendSession(
        command_id=known_id,
        session=session,
        version=current.row.version,
        fields={},
        completed=entry_plain(current.entry),
        tasks=tasks,
        remarks=remarks,
        session_time=time,
        start=start,
        sessions_txt=table,
        asked=asked,
        reason=reason or _THE_DISK,
    )
    return daybook.submit(command).result


def _refuse_what_cannot_be(current: Current, start: str | None) -> None:
    if current.row.status != "inserted":
        raise Refusal(
            "not-inserted",
            f"Session s{current.row.id} is {current.row.status}: the disk is read when it is inserted.",
            "",
            NextStep("why", f"s{current.row.id}"),
        )
    if start is not None and not is_local_time(start):
        raise Refusal(
            "date-time",
            f'start "{start}" is not a local time.',
            "Write it as in 2023-04-05 12:13:14, without a time zone.",
        )


def _start_on_disk(daybook: Daybook, current: Current, roots: Roots) -> str | None:
    """None where a person has said when it began, or the disk does not say."""
    with daybook.reading() as world:
        decided = present_for(world, [current.row])[current.row.id].decided
    if decided.start is not None:
        return None
    try:
        opened = open_session(
            current.row.location, Search(roots).directory, clusterings=False, zone=roots.zone
        )
    except (SessionDirectoryError, LocationError) as error:
        raise Refusal(error.code, error.message, error.hint) from error
    if opened.found.far_apart and not decided.despite_dates:
        raise Refusal(
            "starts-apart",
            f"The recordings of s{current.row.id} start far apart: nothing is taken from that.",
            "If a clock was wrong, say when it began",
            NextStep("amend", f"s{current.row.id}", {"start": None, "reason": None}),
        )
    return None if opened.found.start is None else time_text(opened.found.start)


def _tasks_on_disk(
    daybook: Daybook, current: Current, roots: Roots
) -> tuple[list[dict[str, Any]] | None, dict[str, Any] | None, list[dict[str, Any]]]:
    """The tasks with the times of now, the table that they come from, and remarks on them; nothing where that table is
    on record."""
    with daybook.reading() as world:
        inserted, _ = standing_session(world, current.row.id)
    before = inserted.get("sessions_txt")
    if before is None:
        return None, None, []
    tasks, table, remarks = resolve_tasks(current, current.entry, roots)
    if table is None or table["sha256"] == before["sha256"]:
        return None, None, []
    return tasks, table, remarks
