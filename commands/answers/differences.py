"""The rows of answers that compare two states of the ledger: ``diff`` and ``what-if``. Only shapes."""

from dataclasses import dataclass
from typing import Any, Literal

from commands.answers.lab import ReferenceValueLine
from commands.answers.rows import BriefEvent, ProbeInsertionLine, ProbeLine, TaskLine
from commands.answers.typed import read
from projections.differences import Difference
from projections.lines import ClusteringLine, RequestLine, SessionLine, UploadStatus

Kind = Literal["subject", "reference value", "user", "upload", "session", "clustering", "request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectState:
    subject: str
    probes: list[ProbeInsertionLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserState:
    """``role`` is empty after it was revoked. ``account``: invited, active, disabled, or empty where there is none; of
    the user "everyone" it is required where a claim is not enough. ``owner`` answers for a service account."""

    user: str
    role: Literal["researcher", "admin", "auditor", ""]
    account: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadState:
    """An upload without its counts where it was there before: they follow from its entries, which are told
    themselves."""

    upload: str
    status: UploadStatus
    subject: str
    username: str
    filename: str
    sha256: str
    size_bytes: int
    sessions: int
    clusterings: int
    inserted: int | None = None
    duplicates: int | None = None
    waiting: int | None = None
    errors: int | None = None
    received_at: str
    processed_at: str | None
    replays: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState(SessionLine):
    notes: str | bool | None
    probe_association: dict[str, str] | None
    probes: list[ProbeLine]
    tasks: list[TaskLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringState(ClusteringLine):
    """``sessions`` are those that it stands on, of one over several."""

    sessions: list[str]


State = (
    SubjectState | ReferenceValueLine | UserState | UploadState | SessionState | ClusteringState | RequestLine
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """The values of a field, as the record has them."""

    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceLine:
    """``name`` is the record's id, or what names it otherwise. ``record`` is the record after the change, or before
    where it is gone. ``fields`` are those that differ, of one that is there before and after. ``events`` did it."""

    kind: Kind
    name: str
    change: Literal["added", "removed", "changed"]
    fields: dict[str, FieldChange]
    record: State
    events: list[BriefEvent]


_STATES: dict[str, type[Any]] = {
    "subject": SubjectState,
    "reference value": ReferenceValueLine,
    "user": UserState,
    "upload": UploadState,
    "session": SessionState,
    "clustering": ClusteringState,
    "request": RequestLine,
}


def difference_line(one: Difference) -> DifferenceLine:
    return DifferenceLine(
        kind=one.kind,  # type: ignore[arg-type]
        name=one.name,
        change=one.change,
        fields={
            name: FieldChange(before=before, after=after) for name, (before, after) in one.fields.items()
        },
        record=read(_STATES[one.kind], one.record),
        events=[BriefEvent(**event) for event in one.events],
    )
