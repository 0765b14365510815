"""Stage 3 of one entry: from the entry and what lies on disk to the event that says what became of it.

Reads session directories, and nothing else: no ledger, no clock. It runs outside of any transaction.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from commands.inputfile.canonical import entry_plain
from commands.inputfile.entries import ClusteringEntry, GroupClusteringEntry, SessionEntry, TaskEntry
from commands.recordings.clusterings import ClusteringOutput, NoClustering, find_clusterings
from commands.recordings.disk import Listing, read_file
from commands.recordings.locations import LocationError
from commands.recordings.readers import list_session, read_listed
from commands.recordings.roots import Roots, Search, normalise
from commands.recordings.session import ProbeOnDisk, SessionDirectory, SessionDirectoryError
from commands.recordings.sessions_txt import (
    SIZE_LIMIT,
    TaskRow,
    inherit,
    listed_sessions_txt,
    parse_sessions_txt,
)
from ledger.events import (
    ClusteringInserted,
    ClusteringInsertFailed,
    ClusteringWaiting,
    SessionInserted,
    SessionInsertFailed,
    SessionWaiting,
)

# Says nothing about the entry: a share that is away for an hour must not fail everything that waits.
_PASSING = ("root-not-mounted", "location-unreachable", "session-changing")


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """What stage 3 makes of a session; its clusterings are inserted with it."""

    event: SessionInserted | SessionWaiting | SessionInsertFailed
    clusterings: tuple[ClusteringInserted, ...] = ()


class _Waits(Exception):
    def __init__(self, event: SessionWaiting) -> None:
        super().__init__(event.message)
        self.event = event


class _Fails(SessionDirectoryError):
    """The entry and what lies on disk contradict each other."""


Find = Callable[[str], Path]
"""From a normalised location to the directory on disk, as ``Search.resolve``. Raises LocationError."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session directory that was walked once, and what its recordings say. ``location`` is normalised."""

    location: str
    root: str
    listing: Listing
    found: SessionDirectory


def open_session(location: str, find: Find, *, clusterings: bool = True) -> Opened:
    """Raises LocationError or SessionDirectoryError."""
    root = str(find(location))
    listing = list_session(root, clusterings=clusterings)
    return Opened(location, root, listing, read_listed(root, listing))


def insert_session(
    entry: SessionEntry,
    location: str,
    *,
    roots: Roots,
    find: Find,
    probes: Mapping[str, str | None],
    uploader: str,
    session: int,
) -> SessionOutcome:
    """``location`` is normalised; ``probes`` are all of the subject's with the times of their removal; ``session``
    is the session's id."""
    try:
        opened = open_session(location, find, clusterings=entry.clustering is True)
        found = opened.found
        if found.acquiring:
            raise _Waits(_still_acquiring(found))
        if found.start is None:
            raise _Fails(
                "no-start", f"{location} does not say when its recording began.", "Check its header files."
            )
        inserted = probes_at(time_text(found.start), probes)
        matches = associate(found.probes, entry.probe_association, inserted)
        tasks, sessions_txt = resolve_tasks(entry.tasks, opened)
        clusterings = _session_clusterings(entry, opened, roots, find, uploader, session)
    except (_Waits, SessionDirectoryError, LocationError) as problem:
        return SessionOutcome(_instead(problem))
    event = SessionInserted(
        session_time=time_text(found.start),
        system=found.system,
        recordings=[_plain(recording) for recording in found.recordings],
        probes=matches,
        tasks=tasks,
        sessions_txt=sessions_txt,
    )
    return SessionOutcome(event, clusterings)


def _instead(problem: Exception) -> SessionWaiting | SessionInsertFailed:
    """What becomes of a session that cannot be inserted now."""
    if isinstance(problem, _Waits):
        return problem.event
    assert isinstance(problem, SessionDirectoryError | LocationError)  # noqa: S101 - all that is raised here
    if problem.code in _PASSING:
        return SessionWaiting(reason=problem.code, message=problem.message)
    return SessionInsertFailed(code=problem.code, message=problem.message, hint=problem.hint)


def time_text(time: datetime) -> str:
    """Naive local time as it is stored everywhere: ``YYYY-MM-DD HH:MM:SS``, with a fraction only where there is one."""
    return time.isoformat(sep=" ")


def is_local_time(text: str) -> bool:
    """Whether text is a naive local time in that form: texts then compare as times do."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    return time.tzinfo is None and time_text(time) == text


def _plain(record: Any) -> dict[str, Any]:
    """A flat record as plain data. (``dataclasses.asdict`` would copy every value, which takes longer than reading.)"""
    plain = {}
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        plain[name] = time_text(value) if value.__class__ is datetime else value
    return plain


def _still_acquiring(found: SessionDirectory) -> SessionWaiting:
    files = ", ".join(recording.file for recording in found.recordings if recording.acquiring)
    return SessionWaiting(
        reason="acquiring", message=f"The recording is still being acquired: {files} has no length yet."
    )


# --- probes ---------------------------------------------------------------------------------------------------------


def probes_at(time: str, probes: Mapping[str, str | None]) -> list[str]:
    """The probes that were not removed yet: a campaign may be uploaded after its end."""
    return [name for name, removal_time in probes.items() if removal_time is None or removal_time > time]


def associate(
    found: Sequence[ProbeOnDisk], given: Mapping[str, str] | None, inserted: Sequence[str]
) -> list[dict[str, Any]]:
    """Which probe of the subject each probe on disk is: as given, else by serial number, else the only one.

    Raises an internal signal that the caller turns into SessionWaiting or SessionInsertFailed.
    """
    given = given or {}
    names = [probe.name for probe in found]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise _Fails(
            "probe-not-on-disk",
            f'probe_association names "{unknown[0]}", but the probes on disk are: {_listed(names)}.',
            "Use the names on disk as keys.",
        )
    matches: list[dict[str, Any]] = []
    problems: list[str] = []
    for probe in found:
        match, how, problem = _match(probe, given, inserted, only=len(found) == len(inserted) == 1)
        if match is None:
            problems.append(problem)
        else:
            matches.append(
                {
                    "name": probe.name,
                    "probe": match,
                    "serial": probe.serial,
                    "part_number": probe.part_number,
                    "shanks": probe.shanks,
                    "matched_by": how,
                }
            )
    if problems:
        raise _Waits(
            SessionWaiting(
                reason="probe-association",
                message=f"Probe association is required: {'; '.join(problems)}.",
                found=[{"name": p.name, "serial": p.serial, "part_number": p.part_number} for p in found],
                inserted=list(inserted),
            )
        )
    _refuse_double_use(matches)
    return matches


def refuse_association(
    found: Sequence[ProbeOnDisk], given: Mapping[str, str] | None, inserted: Sequence[str]
) -> None:
    """Raises SessionDirectoryError where a session would fail, and not wait, with this association."""
    with suppress(_Waits):
        associate(found, given, inserted)


def _match(
    probe: ProbeOnDisk, given: Mapping[str, str], inserted: Sequence[str], *, only: bool
) -> tuple[str | None, str, str]:
    if probe.name in given:
        name = given[probe.name]
        if name in inserted:
            return name, "given", ""
        return (
            None,
            "",
            f'"{probe.name}" was associated with "{name}", which was not inserted in this subject then',
        )
    by_serial = [name for name in inserted if probe.serial and _names_serial(name, probe.serial)]
    if len(by_serial) == 1:
        return by_serial[0], "serial", ""
    if len(by_serial) > 1:
        return None, "", f'serial {probe.serial} of "{probe.name}" is in the names of {_listed(by_serial)}'
    if only:
        return inserted[0], "only-one", ""
    if not inserted:
        return None, "", f'"{probe.name}" has no counterpart: no probe was inserted in this subject then'
    if probe.serial:
        return (
            None,
            "",
            f'serial {probe.serial} of "{probe.name}" is in no name of the probes inserted, {_listed(inserted)}',
        )
    return None, "", f'"{probe.name}" may be any of {_listed(inserted)}'


def _names_serial(name: str, serial: str) -> bool:
    return serial in name and re.search(rf"(?<!\d){re.escape(serial)}(?!\d)", name) is not None


def _refuse_double_use(matches: Sequence[Mapping[str, Any]]) -> None:
    owner: dict[str, str] = {}
    for match in matches:
        other = owner.setdefault(match["probe"], match["name"])
        if other != match["name"]:
            raise _Fails(
                "probe-twice",
                f'"{other}" and "{match["name"]}" are both associated with probe "{match["probe"]}".',
                "Give each probe on disk a probe of its own in probe_association.",
            )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) or "none"


# --- tasks ----------------------------------------------------------------------------------------------------------


def resolve_tasks(
    tasks: Sequence[TaskEntry], opened: Opened
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The tasks with their times in seconds, and what they inherited from sessions.txt (None: nothing)."""
    resolved = [_task(task) for task in tasks]
    if not any(map(_inherits, tasks)):
        return resolved, None
    file = listed_sessions_txt(opened.listing)
    if file is None:
        raise _Waits(
            SessionWaiting(
                reason="sessions-txt",
                message=f"Tasks inherit from sessions.txt, which is not in {opened.location} yet.",
            )
        )
    table = parse_sessions_txt(read_file(opened.root, file, limit=SIZE_LIMIT))
    rows = inherit(
        _with_given_stops(table.rows, tasks),
        [task.task_type for task in tasks],
        recording_duration_s=opened.found.duration_s,
    )
    next_starts = [task.task_start for task in tasks[1:]] + [True]
    for task, target, row, next_start in zip(tasks, resolved, rows, next_starts, strict=True):
        if task.task_start is True:
            target["task_start"] = row.start_s
        if task.task_stop is True:
            # inferred is the start of the next task, which the input file may give otherwise than the table
            given = row.stop_inferred and next_start is not True
            target["task_stop"] = next_start if given else row.stop_s
            target["stop_inferred"] = row.stop_inferred
        if task.notes is True:
            target["notes"] = row.notes
    _refuse_overlap(resolved)
    return resolved, {"sha256": table.sha256, "rows": [_plain(row) for row in table.rows]}


def _with_given_stops(rows: Sequence[TaskRow], tasks: Sequence[TaskEntry]) -> list[TaskRow]:
    """A stop that the input file gives need not be in the table, nor be inferred."""
    stops = [task.task_stop for task in tasks] + [True] * len(rows)
    return [
        replace(row, end_s=stop) if row.end_s is None and stop is not True and stop > row.start_s else row
        for row, stop in zip(rows, stops, strict=False)
    ]


def resolve_given_tasks(
    entry: SessionEntry, location: str, roots: Roots
) -> tuple[list[dict[str, Any]], dict[str, Any] | None] | SessionOutcome:
    """The tasks of a session that is inserted already; a SessionOutcome says why they cannot be resolved now."""
    try:
        return resolve_tasks(entry.tasks, open_session(location, Search(roots).resolve))
    except (_Waits, SessionDirectoryError, LocationError) as problem:
        return SessionOutcome(_instead(problem))


def _inherits(task: TaskEntry) -> bool:
    return task.task_start is True or task.task_stop is True or task.notes is True


def _task(task: TaskEntry) -> dict[str, Any]:
    """A task with what it was given: what it inherits, and what it leaves out, is not there yet."""
    plain = entry_plain(task)
    return {name: value for name, value in plain.items() if value is not True}


def _refuse_overlap(tasks: Sequence[Mapping[str, Any]]) -> None:
    last_stop = float("-inf")
    for number, task in enumerate(tasks, start=1):
        start, stop = task["task_start"], task["task_stop"]
        if stop is not None and stop <= start:
            raise _Fails("task-order", f"Task {number} stops at {stop} s, before it starts at {start} s.", "")
        if start < last_stop:
            raise _Fails(
                "tasks-overlap", f"Task {number} starts at {start} s, before task {number - 1} stops.", ""
            )
        last_stop = start if stop is None else stop


# --- clusterings ----------------------------------------------------------------------------------------------------


def _session_clusterings(
    entry: SessionEntry, opened: Opened, roots: Roots, find: Find, uploader: str, session: int
) -> tuple[ClusteringInserted, ...]:
    if entry.clustering is False:
        return ()
    if entry.clustering is True:
        try:
            outputs = find_clusterings(opened.root, opened.found.probes, listing=opened.listing)
        except NoClustering:
            return ()
        inherited = ClusteringEntry(curator=uploader, location=opened.location)
        return (_inserted(inherited, opened.location, outputs, session),)
    return tuple(
        insert_single(clustering, roots=roots, find=find, probes=opened.found.probes, session=session)
        for clustering in entry.clustering
    )


def insert_single(
    entry: ClusteringEntry, *, roots: Roots, find: Find, probes: Sequence[ProbeOnDisk], session: int
) -> ClusteringInserted:
    """One single-session clustering. Raises SessionDirectoryError or LocationError where there is none."""
    location = normalise(entry.location, roots)
    return _inserted(entry, location, find_clusterings(find(location), probes), session)


def _inserted(
    entry: ClusteringEntry | GroupClusteringEntry,
    location: str,
    outputs: Sequence[ClusteringOutput],
    session: int | None,
) -> ClusteringInserted:
    inherited = entry.curation_time is True
    return ClusteringInserted(
        session=session,
        curator=entry.curator,
        location=location,
        curation_time=time_text(max(output.modified for output in outputs))
        if inherited
        else str(entry.curation_time),
        curation_time_inherited=inherited,
        notes=entry.notes,
        outputs=[_plain(output) for output in outputs],
    )


def insert_group(
    entry: GroupClusteringEntry,
    location: str,
    *,
    find: Find,
    sessions: Mapping[int, tuple[str, str | None]],
) -> ClusteringInserted | ClusteringWaiting | ClusteringInsertFailed:
    """A multi-session clustering; ``sessions`` gives status and message of each session that it stands on."""
    for session, (status, message) in sessions.items():
        if status in ("error", "withdrawn", "deleted"):
            return ClusteringInsertFailed(
                code="session-failed",
                message=f"Session s{session} was not inserted ({message or status}).",
                hint="Mend the session, then upload again.",
            )
    missing = [session for session, (status, _) in sessions.items() if status != "inserted"]
    if missing:
        return waits_for(missing)
    try:
        return _inserted(entry, location, find_clusterings(find(location), ()), None)
    except (SessionDirectoryError, LocationError) as error:
        if error.code in _PASSING:
            return ClusteringWaiting(reason=error.code, message=error.message)
        return ClusteringInsertFailed(code=error.code, message=error.message, hint=error.hint)


def waits_for(sessions: Iterable[int]) -> ClusteringWaiting:
    """Of a multi-session clustering that stands on sessions which are not inserted yet."""
    missing = ", ".join(f"s{session}" for session in sessions)
    return ClusteringWaiting(
        reason="clustering-sessions", message=f"Its sessions are not all inserted yet: {missing}."
    )
