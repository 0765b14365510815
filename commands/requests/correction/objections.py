"""What speaks against a plan to correct: each an error, with its place in the file. Reads nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from commands.inputfile.check import Checked
from commands.inputfile.findings import Finding
from commands.inputfile.known import Known
from commands.inputfile.read import ReadResult
from commands.requests.correction.plan import Plan, SessionChange
from ledger.events import (
    ClusteringInsertFailed,
    SessionInsertFailed,
)
from projections.records import Session


@dataclass(frozen=True, slots=True)
class Located:
    """Findings of a correction, with their places in the file."""

    read: ReadResult

    def error(self, stage: int, path: str, code: str, message: str, hint: str) -> Finding:
        line, column = self.read.position(path) or (None, None)
        return Finding(stage, "error", code, path, line, column, message, hint)


def references(plan: Plan, checked: Checked, located: Located) -> Iterator[Finding]:
    """Find what replaced clusterings will stand on. An entry whose new location was taken, or that stands on an
    entry which is not in the ledger, is an error."""
    by_index = {change.given.index: change.old.id for change in plan.sessions}
    others = {each.index: each.row.id for each in plan.left_out if isinstance(each.row, Session)}
    for session in checked.sessions:
        if session.entry.index in by_index and session.duplicate_of is not None:
            path = f"sessions[{session.entry.index}].location"
            message = f"location {session.location} is that of session s{session.duplicate_of}."
            yield located.error(2, path, "location-taken", message, "A session is entered once.")
    groups = {change.given.index: change for change in plan.groups}
    for clustering in checked.clusterings:
        change = groups.get(clustering.entry.index)
        if change is None:
            continue
        numbers: list[int] = []
        for reference in clustering.sessions:
            number = reference.session or (others | by_index).get(int(reference.index or 0))
            if number is None:
                path = f"clustering[{change.given.index}].sessions"
                message = f"sessions[{reference.index}], on which it stands, is not in the ledger yet."
                hint = "Upload the file first, then correct."
                yield located.error(2, path, "session-is-new", message, hint)
            else:
                numbers.append(number)
        change.sessions = tuple(numbers)


def _contradicted(plan: Plan, change: SessionChange, holder: int | None, located: Located) -> Finding | None:
    """A name or a place in the file counts only where the recording does not contradict it: it is not that of another
    session. ``holder`` has its session_time, unless that is replaced as well."""
    if change.matched_by not in ("name", "place") or change.inserted is None:
        return None
    time = change.inserted.session_time
    if holder in {c.old.id for c in plan.sessions}:
        holder = next((c.old.id for c in plan.sessions if c.old.session_time == time), None)
    elif holder not in {row.id for row in plan.absent}:
        return None  # the file has that too: this is a copy of it
    if holder is None or change.old.session_time == time:
        return None
    path = f"sessions[{change.given.index}].{'name' if change.matched_by == 'name' else 'location'}"
    by = f'name "{change.given.name}"' if change.matched_by == "name" else "place in the file"
    message = (
        f"By its {by} this is s{change.old.id}, but its recording began at {time}, as that of s{holder} did."
    )
    hint = (
        "If the recordings were only moved, upload the file: an upload knows them by what was recorded. Else give each "
        "entry the name that it had when it was uploaded."
    )
    return located.error(3, path, "match-contradicted", message, hint)


def _only_moved(change: SessionChange, located: Located) -> Finding | None:
    """An upload keeps the session and all that stands on it; a correction deletes it and inserts it again."""
    if [each["field"] for each in change.differences] != ["location"] or change.inserted is None:
        return None
    if change.old.status != "inserted" or change.inserted.session_time != change.old.session_time:
        return None
    path = f"sessions[{change.given.index}].location"
    line, column = located.read.position(path) or (None, None)
    message = f"s{change.old.id} was recorded at the same time: if its recordings were only moved, nothing has to go."
    hint = "Upload the file instead: an upload knows them, and the session keeps its number."
    return Finding(3, "warning", "only-moved", path, line, column, message, hint)


def failures(plan: Plan, known: Known, located: Located) -> Iterator[Finding]:
    """What would fail at stage 3."""
    for change in plan.sessions:
        path = f"sessions[{change.given.index}]"
        event = change.outcome.event if change.outcome is not None else None
        if isinstance(event, SessionInsertFailed):
            yield located.error(3, path, event.code, event.message, event.hint)
        if (moved := _only_moved(change, located)) is not None:
            yield moved
        if change.inserted is not None:
            holder = known.session_times.get(change.inserted.session_time)
            contradicted = _contradicted(plan, change, holder, located)
            if contradicted is not None:
                yield contradicted
            elif holder != change.old.id:
                name = plan.subject.partition("/")[2]
                message = f"Session s{holder} of subject {name} has the same session_time, "
                hint = "One of the two locations is a copy, or belongs to another subject."
                time = change.inserted.session_time
                yield located.error(3, f"{path}.location", "session-time-taken", f"{message}{time}.", hint)
    for group in plan.groups:
        if isinstance(group.outcome, ClusteringInsertFailed):
            outcome, path = group.outcome, f"clustering[{group.given.index}]"
            yield located.error(3, path, outcome.code, outcome.message, outcome.hint)
