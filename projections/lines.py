"""A record in one line, typed: a session, a clustering, an upload, a request. What answers hold, whatever the face.

``Listed…`` is a line of a list, which also counts what belongs to the record. Ids are written with their letter
(``s12``), subjects without the datasource where it is 0. Times of the log are UTC, times of recordings naive and
local.
"""

from dataclasses import dataclass
from typing import Any, Literal

import orjson

from projections.records import Clustering, Deletion, Session, Upload

Plain = dict[str, Any]
RecordStatus = Literal["pending", "waiting", "inserted", "error", "withdrawn", "deleted"]
UploadStatus = Literal["received", "validated", "rejected", "processed"]
RequestStatus = Literal["requested", "rejected", "cancelled", "executed", "restored"]
RequestKind = Literal[
    "deletion", "correction", "redaction", "proposal", "addition", "mending", "taking-back", "role"
]


def in_words(status: str) -> str:
    """What follows the name of a record: ``is waiting``, ``failed``."""
    return "failed" if status == "error" else f"is {status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """``reason`` and ``message`` say what it waits for or failed by."""

    session: str
    status: RecordStatus
    subject: str
    session_time: str | None
    location: str
    name: str | None
    username: str
    upload: str
    replaces: str | None
    replaced_by: str | None
    system: str | None
    experimenter: list[str]
    room: str | None
    project: list[str]
    reason: str | None
    message: str | None
    requested_at: str
    changed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession(SessionLine):
    """The counts are of its own clusterings, not of those over several sessions; ``clusterings_waiting`` are those
    that are not inserted yet."""

    clusterings_inserted: int
    clusterings_waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringLine:
    """A clustering of one ``session``, or over several, with a ``group_name``."""

    clustering: str
    status: RecordStatus
    subject: str
    group_name: str | None
    session: str | None
    curator: str
    curation_time: str | None
    location: str
    username: str
    upload: str
    replaces: str | None
    replaced_by: str | None
    notes: str | None
    reason: str | None
    message: str | None
    requested_at: str
    changed_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedClustering(ClusteringLine):
    """``clusterings_of_session``: how many its session has that are inserted or may still be, itself among them; None
    where it stands on several sessions."""

    clusterings_of_session: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLine:
    """The counts say how its new entries stand; the ``errors`` of a rejected file are those of its validation."""

    upload: str
    status: UploadStatus
    subject: str
    username: str
    filename: str
    sha256: str
    size_bytes: int
    sessions: int
    clusterings: int
    inserted: int
    duplicates: int
    waiting: int
    errors: int
    received_at: str
    processed_at: str | None
    replays: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedUpload(UploadLine):
    """How its new entries stand, in full."""

    pending: int
    withdrawn: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """``sessions`` and ``clusterings`` count what would go, as it was shown last; later, what went."""

    request: str
    kind: RequestKind
    status: RequestStatus
    subject: str
    records: list[str]
    sessions: int
    clusterings: int
    upload: str | None
    requested_by: str
    requested_at: str
    reason: str
    decided_by: str | None
    decided_at: str | None
    decision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionLine:
    """A payload that was removed, and who agreed on that: it says why texts of a record are "(redacted)"."""

    position: int
    type: str
    stream: str
    redacted_by: str
    requested_by: str
    redacted_at: str
    reason: str


def subject_key(name: str) -> str:
    return name if "/" in name else f"0/{name}"


def subject_name(key: str) -> str:
    return key.removeprefix("0/")


def session_line(row: Session) -> Plain:
    """All that a record's row says of its line."""
    return {
        "session": f"s{row.id}",
        "status": row.status,
        "subject": subject_name(row.subject),
        "session_time": row.session_time,
        "location": row.location,
        "name": row.name,
        "username": row.username,
        "upload": f"u{row.upload}",
        "replaces": _linked("s", row.replaces),
        "replaced_by": _linked("s", row.replaced_by),
        "system": row.system,
        "experimenter": orjson.loads(row.experimenter),
        "room": row.room,
        "project": orjson.loads(row.project),
        "reason": row.reason,
        "message": row.message,
        "requested_at": row.requested_at,
        "changed_at": row.changed_at,
    }


def clustering_line(row: Clustering) -> Plain:
    return {
        "clustering": f"c{row.id}",
        "status": row.status,
        "subject": subject_name(row.subject),
        "group_name": row.group_name,
        "session": _linked("s", row.session),
        "curator": row.curator,
        "curation_time": row.curation_time,
        "location": row.location,
        "username": row.username,
        "upload": f"u{row.upload}",
        "replaces": _linked("c", row.replaces),
        "replaced_by": _linked("c", row.replaced_by),
        "notes": row.notes,
        "reason": row.reason,
        "message": row.message,
        "requested_at": row.requested_at,
        "changed_at": row.changed_at,
    }


def upload_line(row: Upload) -> Plain:
    return {
        "upload": f"u{row.id}",
        "status": row.status,
        "subject": subject_name(row.subject),
        "username": row.username,
        "filename": row.filename,
        "sha256": row.sha256,
        "size_bytes": row.size_bytes,
        "sessions": row.sessions,
        "clusterings": row.clusterings,
        "inserted": row.inserted,
        "duplicates": row.duplicates,
        "waiting": row.waiting,
        "errors": row.errors,
        "received_at": row.received_at,
        "processed_at": row.processed_at,
        "replays": _linked("u", row.replays),
    }


def deletion_line(row: Deletion) -> Plain:
    return {
        "request": f"d{row.id}",
        "kind": row.kind,
        "status": row.status,
        "subject": subject_name(row.subject),
        "records": orjson.loads(row.records),
        "sessions": row.sessions,
        "clusterings": row.clusterings,
        "upload": _linked("u", row.upload),
        "requested_by": row.requested_by,
        "requested_at": row.requested_at,
        "reason": row.reason,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "decision": row.decision,
    }


def _linked(letter: str, number: int | None) -> str | None:
    return None if number is None else f"{letter}{number}"
