"""The rows of every projection, one class per table: the only definition of their columns.

A field without None is NOT NULL; ``KEY`` names the primary key. Sessions, clusterings and uploads are numbered by the
position of their first event. A subject is written ``datasource_id/name``. JSON columns hold compact text.
"""

from dataclasses import dataclass
from typing import ClassVar

import orjson

from ledger import head


def compact_json(value: object) -> str:
    """The text that a JSON column holds."""
    return orjson.dumps(value).decode()


@dataclass(slots=True)
class Upload:
    """``status``: validated, rejected or processed. The counts say how its new entries stand now;
    ``duplicates`` and ``errors`` of a rejected file are those of its validation.

    Its new records are numbered right after its first two events, or from ``first_record`` on where a correction
    inserted them later. ``replays`` is the upload whose bytes it took again.
    """

    TABLE: ClassVar[str] = "uploads"
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    id: int
    username: str
    subject: str
    filename: str
    sha256: str
    size_bytes: int
    status: str
    sessions: int
    clusterings: int
    inserted: int
    duplicates: int
    waiting: int
    errors: int
    received_at: str
    processed_at: str | None
    version: int
    first_record: int | None
    replays: int | None
    changed_at: str


@dataclass(slots=True)
class Session:
    """``status``: pending, waiting, inserted, error, withdrawn or deleted, with the ``reason`` and message of
    waiting and error. A correction links the session that it deleted and the one that it inserted instead by
    ``replaced_by`` and ``replaces``.

    ``status_position`` is the event that set it. ``entry`` is the input file's entry as completed by commands since,
    or None while it is as requested. ``leads_to`` is where its location leads over links, and held beside it;
    ``moved_from`` is where it lay before, oldest first. ``session_time`` is naive local time. ``decided`` is what a
    person decided on what it waited for, ``remarks`` the codes of what stays with it, ``open`` what is looked for later
    (clustering, data), ``look_next`` when: JSON, or None where there is nothing.
    """

    TABLE: ClassVar[str] = "sessions"
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    id: int
    upload: int
    entry_index: int
    subject: str
    username: str
    location: str
    name: str | None
    status: str
    reason: str | None
    message: str | None
    status_position: int
    session_time: str | None
    system: str | None
    room: str | None
    project: str
    experimenter: str
    entry: str | None
    requested_at: str
    changed_at: str
    version: int
    replaces: int | None
    replaced_by: int | None
    decided: str | None
    remarks: str | None
    open: str | None
    open_since: str | None
    look_next: str | None
    leads_to: str | None
    moved_from: str | None


@dataclass(slots=True)
class SessionTask:
    """``start_s`` and ``stop_s`` in seconds from the start of the recording. ``detail``: objects, cards, curtains."""

    TABLE: ClassVar[str] = "session_tasks"
    KEY: ClassVar[tuple[str, ...]] = ("session", "number")
    session: int
    number: int
    task_type: str
    arena_apparatus: str | None
    start_s: float | None
    stop_s: float | None
    stop_inferred: int
    notes: str | None
    light_level: str | None
    detail: str | None


@dataclass(slots=True)
class SessionProbe:
    """``name`` is the probe's name on disk, ``probe`` the inserted probe. ``matched_by``: given, serial or only-one."""

    TABLE: ClassVar[str] = "session_probes"
    KEY: ClassVar[tuple[str, ...]] = ("session", "name")
    session: int
    name: str
    probe: str
    serial: str | None
    part_number: str | None
    shanks: int | None
    matched_by: str


@dataclass(slots=True)
class Clustering:
    """A single-session clustering has a ``session``, a multi-session one a ``group_name``."""

    TABLE: ClassVar[str] = "clusterings"
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    id: int
    session: int | None
    group_name: str | None
    upload: int
    entry_index: int
    subject: str
    username: str
    curator: str
    location: str
    curation_time: str | None
    notes: str | None
    status: str
    reason: str | None
    message: str | None
    status_position: int
    requested_at: str
    changed_at: str
    version: int
    replaces: int | None
    replaced_by: int | None


@dataclass(slots=True)
class ClusteringSession:
    """A session that a multi-session clustering stands on."""

    TABLE: ClassVar[str] = "clustering_sessions"
    KEY: ClassVar[tuple[str, ...]] = ("clustering", "session")
    clustering: int
    session: int


@dataclass(slots=True)
class Duplicate:
    """An upload that brought a session or a clustering again with differences, and the first entry that did.
    Duplicates without differences are index ranges in the log, not records.
    """

    TABLE: ClassVar[str] = "duplicates"
    KEY: ClassVar[tuple[str, ...]] = ("record", "upload")
    record: int
    upload: int
    entry_index: int


@dataclass(slots=True)
class Subject:
    TABLE: ClassVar[str] = "subjects"
    KEY: ClassVar[tuple[str, ...]] = ("subject",)
    subject: str
    registered_at: str
    registered_by: str


@dataclass(slots=True)
class ProbeInsertion:
    TABLE: ClassVar[str] = "probe_insertions"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "probe")
    subject: str
    probe: str
    insertion_time: str
    removal_time: str | None


@dataclass(slots=True)
class ReferenceValue:
    TABLE: ClassVar[str] = "reference_values"
    KEY: ClassVar[tuple[str, ...]] = ("reference", "value")
    reference: str
    value: str
    attributes: str
    retired: int


@dataclass(slots=True)
class SessionLocation:
    """The dedup key of sessions, while a request or a session holds it. Two animals may have been recorded in one
    run: then each probe on disk belongs to one of the sessions.
    """

    TABLE: ClassVar[str] = "session_locations"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "location")
    subject: str
    location: str
    username: str
    session: int


@dataclass(slots=True)
class SessionTime:
    """A subject has one session at a time."""

    TABLE: ClassVar[str] = "session_times"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "session_time")
    subject: str
    session_time: str
    session: int


@dataclass(slots=True)
class ClusteringGroup:
    """The dedup key of multi-session clusterings. ``looks_like`` is the same for names that look alike."""

    TABLE: ClassVar[str] = "clustering_groups"
    KEY: ClassVar[tuple[str, ...]] = ("group_name",)
    group_name: str
    subject: str
    clustering: int
    looks_like: str


@dataclass(slots=True)
class User:
    """``role``: researcher, admin, auditor, or empty: never granted, or revoked. The user "everyone" stands for all
    who were granted no role.

    ``account``: invited (until ``invited_until``), active (since ``joined_at``), disabled, or empty where there is
    none; that of "everyone" is required where the ledger takes no command without authentication. A service account
    has an ``owner``, who answers for it. ``second_factor``: "on" or empty; that of "everyone" names the roles that
    need one, with blanks between. ``rights`` is a JSON list of what a
    service account may do besides its role: work, and on-behalf-of with a user.
    """

    TABLE: ClassVar[str] = "users"
    KEY: ClassVar[tuple[str, ...]] = ("username",)
    username: str
    role: str
    granted_by: str
    granted_at: str
    account: str
    owner: str
    invited_until: str | None
    joined_at: str | None
    second_factor: str
    rights: str


@dataclass(slots=True)
class Deletion:
    """A request to delete records, to replace them by a corrected file's (``upload``), or to redact a payload.

    ``kind``: deletion, correction or redaction. ``status``: requested, rejected, cancelled, executed or restored.
    ``records`` is a JSON list of what was named. The counts are those of the impact that was shown last, then of
    what was executed. ``shown_position`` is the event that shows the impact.
    """

    TABLE: ClassVar[str] = "deletions"
    KEY: ClassVar[tuple[str, ...]] = ("id",)
    id: int
    kind: str
    status: str
    subject: str
    requested_by: str
    requested_at: str
    reason: str
    records: str
    sessions: int
    clusterings: int
    upload: int | None
    shown_position: int
    decided_by: str | None
    decided_at: str | None
    decision: str | None
    version: int
    changed_at: str


@dataclass(slots=True)
class Redaction:
    """``position`` is the event whose payload is gone, ``event`` the event that says so. ``marks`` are those by which
    it is known when it comes again, by their kind (JSON), ``key`` the id of their key: None where there are none."""

    TABLE: ClassVar[str] = "redactions"
    KEY: ClassVar[tuple[str, ...]] = ("position",)
    position: int
    stream: str
    type: str
    reason: str
    requested_by: str
    approved_by: str
    redacted_at: str
    event: int
    key: str | None
    marks: str | None


@dataclass(slots=True)
class Activity:
    """How many events of a type a user caused on a day (UTC) about a subject and about a user's records.

    ``project`` is the JSON list of a session's projects, empty for what is about no session. ``authentication`` is how
    the user was authenticated.
    """

    TABLE: ClassVar[str] = "activity"
    KEY: ClassVar[tuple[str, ...]] = (
        "actor", "username", "subject", "project", "day", "type", "authentication",
    )  # fmt: skip
    actor: str
    username: str
    subject: str
    project: str
    day: str
    type: str
    authentication: str
    events: int
    last_at: str


RECORDS = (
    Upload, Session, SessionTask, SessionProbe, Clustering, ClusteringSession, Duplicate, Subject, ProbeInsertion,
    ReferenceValue, SessionLocation, SessionTime, ClusteringGroup, User, Deletion, Redaction, Activity,
)  # fmt: skip

SLOTS = head.SLOTS

VERSIONS = dict.fromkeys((record.TABLE for record in RECORDS), 2) | {
    "sessions": 5, "session_locations": 4, "clusterings": 3, "uploads": 4, "clustering_groups": 3, "deletions": 3,
    "users": 5, "activity": 3, "redactions": 3,
}  # fmt: skip
"""Raise a projection's number when what its handlers make of the events changes: the ledger then rebuilds it."""
