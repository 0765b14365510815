"""The rows that several answers share, besides the lines of ``projections.lines``: events, differences, the parts of
a record. Only shapes.

Ids are written with their letter (``s12``), subjects without the datasource where it is 0. Times of the log are UTC
(``2026-01-31T12:00:00.000000Z``), times of recordings naive local time. A field is there always; null where there is
nothing to say.
"""

from dataclasses import dataclass
from typing import Any, Literal

from projections.lines import RequestKind

RecordKind = Literal["session", "clustering", "upload", "request"]


# --- records --------------------------------------------------------------------------------------------------------


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
    """An event, its envelope and its body. ``via`` says how the actor came in: interface, version, host, os_user,
    authentication (os, claimed, password, second-factor, token, oidc), with a token its public id.
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
    """An event as it is named beside its effect."""

    position: int
    type: str
    actor: str
    recorded_at: str
    correlation: str


# --- differences ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """One field of an entry: what is stored, and what a file gives. Values as in the input format."""

    field: str
    stored: Any
    given: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDuplicate:
    """An entry of a file that is there already, and differs. One of ``session`` and ``clustering`` is set. Of one that
    took what the file says, ``renewed`` is; of one that moved, ``moved`` is where it lay."""

    index: int
    session: str | None = None
    clustering: str | None = None
    differences: list[FieldDifference]
    renewed: bool = False
    moved: str | None = None
