"""The rows that several answers share: lines of records, events, redactions, differences. Only shapes.

Ids are written with their letter (``s12``), subjects without the datasource where it is 0. Times of the log are UTC
(``2026-01-31T12:00:00.000000Z``), times of recordings naive local time. A field is there always; null where there is
nothing to say.
"""

from dataclasses import dataclass
from typing import Any, Literal

RecordKind = Literal["session", "clustering", "upload", "request"]
RecordStatus = Literal["pending", "waiting", "inserted", "error", "withdrawn", "deleted"]
UploadStatus = Literal["received", "validated", "rejected", "processed"]
RequestStatus = Literal["requested", "rejected", "cancelled", "executed", "restored"]
RequestKind = Literal["deletion", "correction", "redaction"]


# --- records --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session in one line. ``reason`` and ``message`` say what it waits for or failed by."""

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
class ClusteringLine:
    """A clustering in one line: of one ``session``, or over several, with a ``group_name``."""

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
class UploadLine:
    """An upload in one line. The counts say how its new entries stand; ``errors`` of a rejected file are those of its
    validation."""

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
class RequestLine:
    """A request in one line. ``sessions`` and ``clusterings`` count what would go as it was shown last, then what
    went."""

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
class DeletedBy:
    """The deletion or correction that took a record."""

    deletion: str
    kind: RequestKind
    requested_by: str
    reason: str
    approved_by: str | None
    at: str | None


# --- what a record consists of --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """``name`` is the probe's on disk, ``probe`` the one inserted in the subject."""

    name: str
    probe: str
    serial: str | None
    part_number: str | None
    shanks: int | None
    matched_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedObject:
    """``note`` may be left out in an input file."""

    object_name: str
    coord_x: float
    coord_y: float
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCard:
    card_name: str
    coord_x: float
    coord_y: float
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCurtain:
    start_point: str
    direction: str
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """Times in seconds from the start of the recording."""

    number: int
    task_type: str
    arena_apparatus: str | None
    task_start: float | None
    task_stop: float | None
    stop_inferred: bool
    notes: str | None
    light_level: str | None
    objects: list[PlacedObject] | None = None
    cue_cards: list[PlacedCard] | None = None
    curtains: list[DrawnCurtain] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeInsertionLine:
    """Naive local times."""

    probe: str
    insertion_time: str
    removal_time: str | None


# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event, its envelope and its body. ``via`` says how the actor came in: interface, version, host, os_user.
    ``body`` has the fields of its ``type``, in the newest schema version; ``redacted`` in it says who removed the
    payload, and why."""

    position: int
    stream: str
    stream_version: int
    type: str
    schema: int
    command_id: str
    correlation: str
    causation: int
    actor: str
    via: dict[str, str | None]
    recorded_at: str
    subject: str
    username: str
    body: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefEvent:
    """An event, as it is named beside what it did."""

    position: int
    type: str
    actor: str
    recorded_at: str
    correlation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionLine:
    """That a payload was removed: where the texts of a record are "(redacted)", this says why."""

    position: int
    type: str
    stream: str
    redacted_by: str
    requested_by: str
    redacted_at: str
    reason: str


# --- differences ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One field of an entry: what is stored, and what a file gives. Values as in the input format."""

    field: str
    stored: Any
    given: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDuplicate:
    """An entry of a file that is there already, and differs. One of ``session`` and ``clustering`` is set."""

    index: int
    session: str | None = None
    clustering: str | None = None
    differences: list[FieldDifference]
