"""Blame: for each thing that a record says, which event said so, and where it stands in which uploaded file.

Reads the ledger; appends nothing. Lines come from the stored bytes, as far as they are there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from commands.answers.lines_of_file import Places, lines_of
from commands.answers.record import (
    ClusteringRecord,
    Record,
    SessionRecord,
    UploadRecord,
    record,
)
from commands.answers.rows import BriefEvent
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from projections.handlers.record_status import RESTORED, STATUS
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlamedField:
    """``value`` as the record has it; ``was`` what the record that it replaces said, null where that is the same or
    nothing was replaced. ``event`` gave the value. ``upload`` and ``path`` are where a file says so, ``line`` and
    ``column`` the place in its stored bytes, null where these are gone. ``recorded_in`` is the file of the recording
    that it was read from."""

    field: str
    value: Any
    was: Any
    event: BriefEvent
    upload: str | None
    path: str | None
    line: int | None
    column: int | None
    recorded_in: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The fields of the record ``ref`` that have a value, in the order of the record."""

    ref: str
    position: int
    fields: list[BlamedField]


@dataclass(slots=True)
class _Said:
    """Who said something last: an event, and where in which file."""

    event: StoredEvent
    upload: int | None = None
    path: str | None = None


_NOT_BLAMED = frozenset(
    {
        "ref", "kind", "position", "deleted_by", "redactions", "entry", "looked", "looked_for", "waiting_for",
        "requested_at", "changed_at", "session", "clustering", "upload", "findings", "more", "new_sessions",
        "new_clusterings", "changed_duplicates", "multi_session_clusterings", "curation_time_inherited", "moved_from",
    }
)  # fmt: skip
"""What tells of the record, and is not said by anybody."""
_READ = {
    "SessionInserted": (
        "session_time", "system", "recordings", "probes", "tasks", "sessions_txt", "remarks", "clusterings",
    ),
    "ClusteringInserted": ("curator", "location", "curation_time", "notes", "outputs", "remarks", "session"),
}  # fmt: skip
"""What is read from the disk when an entry is inserted."""


def blame(world: "World", reference: Reference) -> Blame:
    """Of a session, a clustering or an upload."""
    found = record(world, reference)
    events = log.read_stream(world.transaction, reference.stream)
    before = _replaced(world, reference, found)
    if isinstance(found, UploadRecord):
        said = _of_upload(events)
    else:
        said = _of_entry(world, found, events)
        said |= _of_parts(world, found)
    blamed = []
    for field in fields(found):
        name, value = field.name, getattr(found, field.name)
        if (
            name in _NOT_BLAMED
            or value in (None, [], {})
            or name in ("replaces", "replaced_by", "reason", "message")
        ):
            continue
        one = said.get(name) or said[""]
        line, column = _place(world, one)
        earlier = None if before is None else getattr(before, name, None)
        blamed.append(
            BlamedField(
                field=name, value=value, was=earlier if _may_differ(name) and earlier != value else None,
                event=_brief(one.event), upload=None if one.upload is None else f"u{one.upload}", path=one.path,
                line=line, column=column, recorded_in=_recorded_in(name, found),
            )
        )  # fmt: skip
    return Blame(ref=str(reference), position=world.head.size, fields=blamed)


def _may_differ(name: str) -> bool:
    return name not in ("status", "clusterings", "sessions")


def _replaced(world: "World", reference: Reference, found: Record) -> Record | None:
    ref = getattr(found, "replaces", None)
    return None if ref is None else record(world, Reference(reference.kind, int(ref[1:])))


def _brief(event: StoredEvent) -> BriefEvent:
    return BriefEvent(
        position=event.position, type=event.type, actor=event.actor, recorded_at=event.recorded_at,
        correlation=event.correlation,
    )  # fmt: skip


def _recorded_in(name: str, found: Record) -> str | None:
    if not isinstance(found, SessionRecord) or name != "session_time":
        return None
    return next((each.start_source for each in found.recordings if each.start_source), None)


# --- uploads --------------------------------------------------------------------------------------------------------


def _of_upload(events: list[StoredEvent]) -> dict[str, _Said]:
    """What came with the file, and what became of it since."""
    said = {"": _Said(events[0])}
    for event in events[1:]:
        if event.type in ("InputFileValidated", "InputFileRejected"):
            said |= dict.fromkeys(
                ("status", "subject", "sessions", "clusterings", "duplicates", "errors"), _Said(event)
            )
        elif event.type == "UploadSubjectRenamed":
            said["subject"] = _Said(event)
        else:
            said |= dict.fromkeys(
                ("status", "inserted", "waiting", "pending", "withdrawn", "deleted", "processed_at"),
                _Said(event),
            )
    return said


# --- sessions and clusterings ---------------------------------------------------------------------------------------


def _of_entry(
    world: "World", found: SessionRecord | ClusteringRecord, events: list[StoredEvent]
) -> dict[str, _Said]:
    upload = int(found.upload[1:])
    said = {"": _Said(events[0])}
    entry: Plain = {}
    for event in events:
        body = body_of(event)
        place: tuple[int, str] | None = None
        if event.type.endswith("InsertRequested"):
            place = upload, f"{_list_of(body)}[{body.get('entry_index', 0)}]"
            said |= {"subject": _Said(event, upload, "subject.name"), "username": _Said(event)}
        elif event.type.endswith("EntryRenewed"):
            place = _renewed_in(world, event, body.get("entry") or {})
        later = body.get("completed") or body.get("entry") or {}
        for name, value in later.items():
            if entry.get(name) != value and value not in (None, [], {}):
                said[name] = _Said(event) if place is None else _Said(event, place[0], _path(place[1], name))
        entry |= later
        _tell_what_was_read(said, event, body)
        status = STATUS.get(event.type) or (body["status"] if event.type in RESTORED else None)
        if status == found.status:
            said["status"] = _Said(event)
    return said


def _path(entry: str, name: str) -> str | None:
    return f"{entry}.{name}" if entry else None


def _list_of(body: Plain) -> str:
    return "clustering" if "sessions" in body and body.get("session") is None else "sessions"


def _tell_what_was_read(said: dict[str, _Said], event: StoredEvent, body: Plain) -> None:
    """What a file says, and the disk completes, is where the file says it, since the event that read the disk."""
    names: Iterable[str] = _READ.get(event.type, ())
    if event.type in ("MoreFound", "TasksAdded", "SessionAmended"):
        names = [
            name for name in ("recordings", "probes", "tasks", "remarks", "sessions_txt") if body.get(name)
        ]
    elif event.type.endswith("SubjectRenamed"):
        names = ["subject"]
    elif event.type.endswith("Moved"):
        names = ["location"]
    elif event.type == "ClusteringAmended":
        names = ["curator"]
    elif event.type == "ClusteringCarriedOver":
        names = ["sessions"]
    for name in names:
        before = said.get("probe_association" if name == "probes" and "probes" not in said else name)
        keeps = before is not None and event.type in _READ and before.path is not None
        said[name] = _Said(event, before.upload, before.path) if keeps and before else _Said(event)


def _renewed_in(world: "World", event: StoredEvent, entry: Plain) -> tuple[int, str] | None:
    """The entry of a later upload that the record took its values from: the one of that location, or group name."""
    if not event.correlation.startswith("u"):
        return None
    upload = int(event.correlation[1:])
    named = str(entry.get("group_name") or entry.get("location"))
    return upload, _places(world, upload).entries.get(named, "")


def _of_parts(world: "World", found: SessionRecord | ClusteringRecord) -> dict[str, _Said]:
    """The clusterings of a session are told by the newest of them."""
    if not isinstance(found, SessionRecord) or not found.clusterings:
        return {}
    newest = max(int(each.clustering[1:]) for each in found.clusterings)
    event = log.read_positions(world.transaction, [newest]).get(newest)
    return {} if event is None else {"clusterings": _Said(event)}


def _places(world: "World", upload: int) -> Places:
    row = world.state.uploads.get(upload)
    if row is not None:
        return lines_of(world.transaction, row.sha256, row.filename)
    received = log.read_positions(world.transaction, [upload]).get(
        upload
    )  # of the past, other records are not read
    body = {} if received is None else body_of(received)
    return lines_of(world.transaction, str(body.get("sha256")), str(body.get("filename", "")))


def _place(world: "World", said: _Said) -> tuple[int | None, int | None]:
    if said.upload is None or said.path is None:
        return None, None
    return _places(world, said.upload).of(said.path)
