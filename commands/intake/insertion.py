"""Stage 3 of one entry: from the entry and the disk to the event that says what became of it.

Reads session directories, and nothing else: no ledger. It runs outside of any transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import orjson

from commands.inputfile.entries import SessionEntry
from commands.intake.association import Association, Implanted, associate
from commands.intake.inherited_tasks import Opened, outside, resolve_tasks
from commands.intake.plain_records import is_local_time, plain_record, time_text
from commands.intake.sortings import (
    PASSING,
    Find,
    Sorted,
    Sorting,
    StoodOn,
    WaitingClustering,
    insert_group,
    insert_single,
    waits_for,
)
from commands.intake.stopping import Waits
from commands.recordings.locations import LocationError
from commands.recordings.openephys import neighbours_serials
from commands.recordings.readers import list_session, read_listed
from commands.recordings.roots import Roots
from commands.recordings.search import Search, top_of
from commands.recordings.session import Missing, Recording, SessionDirectory, SessionDirectoryError
from ledger.events import ClusteringInserted, SessionInserted, SessionInsertFailed, SessionWaiting

__all__ = [
    "Decided", "Find", "Looked", "Opened", "Present", "SessionOutcome", "StoodOn", "WaitingClustering", "insert_group",
    "insert_session", "insert_single", "is_local_time", "look", "open_of", "open_session", "refuse_association",
    "remark", "remarks_on",
    "resolve_given_tasks", "sorting_of", "time_text", "waits_for",
]  # fmt: skip

CONTRADICTIONS = ("probe-of-another-subject", "serial-contradicts")
_DATA_MISSING = ("meta-missing", "structure-missing", "set-missing")
_OPEN_REMARKS = ("probe-not-on-disk", "lf-only", "data-left-out", "probe-left-out", "folder-gone")
"""Remarks on missing data: what they are about is looked for later."""

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """What stage 3 makes of a session; its clusterings are inserted with it, or wait."""

    event: SessionInserted | SessionWaiting | SessionInsertFailed
    clusterings: tuple[ClusteringInserted, ...] = ()
    waiting: tuple[WaitingClustering, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided on what the session waited for."""

    despite_dates: bool = False
    without: tuple[str, ...] = ()
    as_crashed: bool = False
    start: str | None = None
    despite_serial: bool = False

    @classmethod
    def of(cls, stored: str | None) -> "Decided":
        plain = orjson.loads(stored or "{}")
        return cls(**{**plain, "without": tuple(plain.get("without", ()))})


@dataclass(frozen=True, slots=True)
class Present:
    """What the ledger says about a session's surroundings at the moment of looking: the session is judged by it."""

    implanted: Implanted
    experimenters: Collection[str]
    decided: Decided = field(default_factory=Decided)


def open_session(
    location: str, find: Find, *, clusterings: bool = True, zone: tzinfo = UTC, now: datetime | None = None
) -> Opened:
    """Raises LocationError or SessionDirectoryError."""
    root = find(location)
    listing = list_session(root, clusterings=clusterings)
    return Opened(location, root, listing, read_listed(root, listing, zone=zone, now=now))


def insert_session(
    entry: SessionEntry,
    location: str,
    *,
    roots: Roots,
    find: Find,
    present: Present,
    uploader: str,
    session: int,
) -> SessionOutcome:
    """``location`` is normalised; ``session`` is the session's id."""
    try:
        now = datetime.now(roots.zone).replace(tzinfo=None)
        wanted = entry.clustering is not False and not isinstance(entry.clustering, tuple)
        opened = open_session(location, find, clusterings=wanted, zone=roots.zone, now=now)
        looked = look(entry, opened, roots, present)
        tasks, sessions_txt = resolve_tasks(entry.tasks, opened)
        sorting = sorting_of(entry, opened, roots, find, present, looked, uploader=uploader, session=session)
        sorted_ = sorting.of_entry(entry)
    except (Waits, SessionDirectoryError, LocationError) as problem:
        return SessionOutcome(instead(problem))
    remarks = [*looked.remarks, *outside(tasks, opened.found.duration_s)]
    event = SessionInserted(
        session_time=looked.start,
        system=opened.found.system,
        recordings=[plain_record(recording) for recording in looked.recordings],
        probes=looked.association.matches,
        tasks=tasks,
        sessions_txt=sessions_txt,
        remarks=remarks,
        open=open_of(remarks, sorted_),
    )
    return SessionOutcome(event, tuple(sorted_.inserted), tuple(sorted_.waiting))


def open_of(remarks: Sequence[Plain], sorted_: Sorted) -> list[str]:
    """What is looked for later."""
    names = ["clustering"] if sorted_.is_open or sorted_.waiting else []
    return names + (["data"] if any(remark["code"] in _OPEN_REMARKS for remark in remarks) else [])


def sorting_of(
    entry: SessionEntry,
    opened: Opened,
    roots: Roots,
    find: Find,
    present: Present,
    looked: "Looked",
    *,
    uploader: str,
    session: int,
) -> Sorting:
    return Sorting(
        opened=opened,
        roots=roots,
        find=find,
        names={match["name"] for match in looked.association.matches},
        session=session,
        uploader=uploader,
        experimenter=entry.experimenter,
        experimenters=present.experimenters,
        start=datetime.fromisoformat(looked.start),
    )


def instead(problem: Exception) -> SessionWaiting | SessionInsertFailed:
    """What becomes of a session that cannot be inserted now."""
    if isinstance(problem, Waits):
        return problem.event
    assert isinstance(problem, SessionDirectoryError | LocationError)  # noqa: S101 - all that is raised here
    if problem.code in PASSING:
        return SessionWaiting(reason=problem.code, message=problem.message)
    if problem.code in _DATA_MISSING:
        return SessionWaiting(reason="data-missing", message=str(problem))
    return SessionInsertFailed(code=problem.code, message=problem.message, hint=problem.hint)


# --- what a session directory must have before its tasks and clusterings are looked at ------------------------------


@dataclass(frozen=True, slots=True)
class Looked:
    """``start`` is the session_time. ``remarks`` stay with the session."""

    start: str
    recordings: tuple[Recording, ...]
    association: Association
    remarks: list[Plain]


def look(entry: SessionEntry, opened: Opened, roots: Roots, present: Present) -> Looked:
    """Raises Waits or Fails."""
    found, decided = opened.found, present.decided
    missing = [one for one in found.missing if one.name not in decided.without]
    if missing:
        raise Waits(_data_missing(missing))
    if found.acquiring and not decided.as_crashed:
        raise Waits(_still_acquiring(found))
    if found.far_apart and not decided.despite_dates:
        raise Waits(_starts_apart(found))
    if found.start is None and decided.start is None:
        message = f"{opened.location} does not say when its recording began."
        raise Waits(SessionWaiting(reason="no-start", message=message))
    start = decided.start or time_text(found.start)  # type: ignore[arg-type]
    try:
        association = associate(
            found.probes,
            entry.probe_association,
            present.implanted,
            time=start,
            despite_serial=decided.despite_serial,
            missing=[one.name for one in found.missing],
            suggested=_suggested(opened, roots) if _is_open(found, entry) else None,
        )
    except Waits as waits:
        starts = [{"start": start, "file": found.recordings[0].file}]
        raise Waits(waits.event.model_copy(update={"starts": starts})) from None
    return Looked(
        start, _own(found, association), association, remarks_on(found, association, decided, start)
    )


def _is_open(found: SessionDirectory, entry: SessionEntry) -> bool:
    given = entry.probe_association or {}
    return any(probe.serial is None and probe.name not in given for probe in found.probes)


def _suggested(opened: Opened, roots: Roots) -> Mapping[str, str]:
    """The serial numbers of the neighbouring session, where this one has none."""
    if opened.found.system != "openephys":
        return {}
    suggestion = neighbours_serials(opened.root, opened.found, within=top_of(Path(opened.root), roots))
    return {} if suggestion is None else suggestion.serials


def _own(found: SessionDirectory, association: Association) -> tuple[Recording, ...]:
    """Without the recordings of probes that are left out."""
    names = {match["name"] for match in association.matches}
    others = {file for probe in found.probes if probe.name not in names for file in _files(probe)}
    own = {file for probe in found.probes if probe.name in names for file in _files(probe)}
    return tuple(r for r in found.recordings if _key(r) in own or _key(r) not in others)


def _files(probe: Any) -> list[str]:
    return list(probe.streams or probe.recordings)


def _key(recording: Recording) -> str:
    return recording.stream or recording.file


def remarks_on(
    found: SessionDirectory, association: Association, decided: Decided, start: str
) -> list[Plain]:
    remarks = [plain_record(one) for one in found.remarks]
    if decided.start is not None:
        remarks = [one for one in remarks if one["code"] != "clock-in-doubt"]
        remarks.append(remark("start-given", start, f"A person said that it started at {start}."))
    elif found.start_inferred:
        source = next((r.start_source for r in found.recordings if r.start == found.start), None)
        remarks.append(
            remark("start-inferred", start, f"No header states the start {start}: it is from {source}.")
        )
    for one in (each for each in found.missing if each.name in decided.without):
        message = f"{one.name} is left out, as a person decided: {one.message}"
        remarks.append(remark("data-left-out", one.name, message, one.files))
    if found.acquiring:
        remarks.append(
            remark("crashed", "", "Its acquisition crashed, as a person said; its length is not known.")
        )
    if found.far_apart:
        remarks.append(
            remark("starts-apart", start, "Its recordings start far apart, and are one session by decision.")
        )
    remarks += association.left_out
    for name in association.absent:
        message = f'Probe "{name}" is inserted in the subject, and no data of it lie here.'
        remarks.append(remark("probe-not-on-disk", name, message))
    for insertion in association.early:
        when = insertion.insertion_time
        message = f'The recording starts at {start}, before probe "{insertion.probe}" was inserted ({when}).'
        remarks.append(remark("before-insertion", insertion.probe, message))
    for match in association.matches:
        if decided.despite_serial and match["matched_by"] == "given":
            message = f'"{match["name"]}" is "{match["probe"]}" despite its serial number, as a person said.'
            remarks.append(remark("despite-serial", match["name"], message))
    return remarks


def remark(code: str, name: str, message: str, files: Sequence[str] = ()) -> Plain:
    return {"code": code, "name": name, "files": list(files), "message": message}


def _data_missing(missing: Sequence[Missing]) -> SessionWaiting:
    said = " ".join(f"{one.message} {one.hint}".rstrip() for one in missing)
    return SessionWaiting(
        reason="data-missing",
        message=f"Recorded data lie there that cannot be taken as they are. {said}",
        missing=[plain_record(one) for one in missing],
    )


def _still_acquiring(found: SessionDirectory) -> SessionWaiting:
    files = ", ".join(recording.file for recording in found.recordings if recording.acquiring)
    message = f"The recording is still being acquired: {files} has no length yet."
    if found.last_written is not None:
        message += f" It was last written at {found.last_written:%Y-%m-%d %H:%M} UTC."
    return SessionWaiting(reason="acquiring", message=message)


def _starts_apart(found: SessionDirectory) -> SessionWaiting:
    starts = found.starts
    shown = "; ".join(f"{time_text(start)} ({file})" for start, file in starts[:5])
    more = f"; and {len(starts) - 5:,} more" if len(starts) > 5 else ""
    return SessionWaiting(
        reason="starts-apart",
        message=f"Its recordings start more than 12 hours apart, so they are no one session: {shown}{more}.",
        starts=[{"start": time_text(start), "file": file} for start, file in starts],
        holds=False,
    )


def resolve_given_tasks(
    entry: SessionEntry, location: str, roots: Roots
) -> tuple[list[Plain], Plain | None, list[Plain]] | SessionOutcome:
    """The tasks of a session that is inserted already, and the remarks on them; a SessionOutcome says why they cannot
    be resolved now."""
    try:
        opened = open_session(location, Search(roots).directory, clusterings=False, zone=roots.zone)
        tasks, sessions_txt = resolve_tasks(entry.tasks, opened)
    except (Waits, SessionDirectoryError, LocationError) as problem:
        return SessionOutcome(instead(problem))
    return tasks, sessions_txt, outside(tasks, opened.found.duration_s)


def refuse_association(
    entry: SessionEntry, location: str, roots: Roots, present: Present
) -> SessionWaiting | None:
    """What contradicts an association, if anything does. Raises SessionDirectoryError or LocationError where a session
    would fail by it."""
    opened = open_session(location, Search(roots).directory, clusterings=False, zone=roots.zone)
    found = opened.found
    start = present.decided.start or (time_text(found.start) if found.start else "9999")
    try:
        associate(
            found.probes,
            entry.probe_association,
            present.implanted,
            time=start,
            despite_serial=present.decided.despite_serial,
            missing=[one.name for one in found.missing],
        )
    except Waits as waits:
        return waits.event if waits.event.reason in CONTRADICTIONS else None
    return None
