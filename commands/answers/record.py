"""One whole record: a session, a clustering or an upload, with all that belongs to it. Reads; appends nothing.

The only place where a record's plain data become typed. Requests have an answer of their own.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from commands.answers.jobs import Looked, looked
from commands.answers.rows import ChangedDuplicate, DeletedBy, ProbeLine, TaskLine
from commands.answers.typed import read
from commands.inputfile.findings import Finding
from commands.inputfile.kept_findings import MoreFindings
from projections.lines import (
    ClusteringLine,
    RedactionLine,
    SessionLine,
    UploadLine,
    clustering_line,
    session_line,
)
from projections.listings import whole
from projections.records import Clustering, Session
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingLine:
    """One file set of a session, as it was read. ``start`` is naive local time, in ``zone`` where the recording gave it
    in UTC; ``start_source`` says which file or name it is from."""

    system: str
    name: str
    file: str
    serial: str | None = None
    part_number: str | None = None
    shanks: int | None = None
    start: str | None = None
    duration_s: float | None = None
    file_bytes: int | None = None
    acquiring: bool = False
    derived: bool = False
    start_inferred: bool = False
    start_source: str | None = None
    zone: str | None = None
    stream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTableRow:
    """``valid_times`` are pairs of seconds, from and to."""

    number: int
    name: str
    start_s: float
    end_s: float | None = None
    valid_times: list[list[float]] | None = None
    flags: list[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTable:
    """The sessions.txt that tasks were inherited from."""

    sha256: str | None
    rows: list[TaskTableRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProbe:
    """A probe on disk."""

    name: str
    serial: str | None = None
    part_number: str | None = None
    suggested_serial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BelongingProbe:
    """A probe on disk that is another subject's, by what the ledger says."""

    name: str
    serial: str | None = None
    probe: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingData:
    """Recorded data that cannot be taken as they are, and what would mend it."""

    name: str
    code: str
    files: list[str]
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStart:
    """When the recording in a file started, in naive local time."""

    start: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFor:
    """What a session waits for. Of its probes: those on disk, those of the subject, and those that are another's;
    ``suggested_serial`` is that of the neighbouring session. Of its data: what is missing. ``starts``: when its
    recordings began."""

    found: list[FoundProbe] | None = None
    inserted: list[str] | None = None
    belongs: list[BelongingProbe] | None = None
    missing: list[MissingData] | None = None
    starts: list[RecordingStart] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkLine:
    """A fact that stays with a record. ``name`` is what it is about."""

    code: str
    name: str
    files: list[str]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputLine:
    """What a clustering was read from. ``units`` counts the clusters of each group; ``modified`` is
    naive time of ``zone``."""

    location: str
    method: str
    probe_name: str | None = None
    units: dict[str, int] | None = None
    modified: str
    modified_file: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord(SessionLine):
    """A session, whole. ``entry`` is the input file's entry as it stands now; ``looked_for`` what is looked for again
    later: clustering, data; ``looked`` tells of the looks at it while it waited. ``moved_from`` is where it lay before,
    oldest first."""

    ref: str
    kind: Literal["session"] = "session"
    position: int
    deleted_by: DeletedBy | None
    moved_from: list[str]
    notes: str | bool | None
    probes: list[ProbeLine]
    tasks: list[TaskLine]
    recordings: list[RecordingLine]
    sessions_txt: TaskTable | None
    clusterings: list[ClusteringLine]
    multi_session_clusterings: list[ClusteringLine]
    waiting_for: WaitingFor | None
    remarks: list[RemarkLine]
    looked_for: list[str]
    looked: Looked | None
    entry: dict[str, Any]
    redactions: list[RedactionLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringRecord(ClusteringLine):
    """A clustering, whole, with the sessions that it stands on."""

    ref: str
    kind: Literal["clustering"] = "clustering"
    position: int
    deleted_by: DeletedBy | None
    outputs: list[OutputLine]
    curation_time_inherited: bool | None
    remarks: list[RemarkLine]
    looked: Looked | None
    sessions: list[SessionLine]
    redactions: list[RedactionLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRecord(UploadLine):
    """An upload, whole: what was found in its file, and what its new entries became."""

    ref: str
    kind: Literal["upload"] = "upload"
    position: int
    pending: int
    withdrawn: int
    deleted: int
    findings: list[Finding]
    more: MoreFindings
    new_sessions: list[SessionLine]
    new_clusterings: list[ClusteringLine]
    changed_duplicates: list[ChangedDuplicate]
    redactions: list[RedactionLine]


Record = SessionRecord | ClusteringRecord | UploadRecord


def record(world: "World", reference: Reference) -> Record:
    """The session, clustering or upload; a request has an answer of its own, ``commands.answers.request``."""
    if reference.kind == "session":
        return session_record(world, reference.id)
    if reference.kind == "clustering":
        return clustering_record(world, reference.id)
    return upload_record(world, reference.id)


def session_record(world: "World", number: int) -> SessionRecord:
    plain = plain_record(world, Reference("session", number))
    own = {"waiting_for": plain["waiting_for"] or None, "looked": _looked(world, f"s{number}")}
    return read(SessionRecord, plain | own)


def clustering_record(world: "World", number: int) -> ClusteringRecord:
    plain = plain_record(world, Reference("clustering", number))
    return read(ClusteringRecord, plain | {"looked": _looked(world, f"c{number}")})


def _looked(world: "World", name: str) -> dict[str, Any] | None:
    looks = looked(world, name)
    return None if looks is None else asdict(looks)


def upload_record(world: "World", number: int) -> UploadRecord:
    return read(UploadRecord, plain_record(world, Reference("upload", number)))


def plain_record(world: "World", reference: Reference) -> dict[str, Any]:
    found = whole(world.transaction, world.head.live_slot, reference)
    return found | {"ref": str(reference), "position": world.head.size}


def line_of(row: Session | Clustering) -> SessionLine | ClusteringLine:
    if isinstance(row, Session):
        return read(SessionLine, session_line(row))
    return read(ClusteringLine, clustering_line(row))
