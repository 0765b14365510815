"""The entries of an input file, typed: what stage 1 makes of a document. Only shapes, no behaviour.

Names and defaults follow the published format. Text is kept exactly as the user wrote it. A date-time is naive
local time, as text ``YYYY-MM-DD HH:MM:SS`` (with ``.ffffff`` where the fraction is not zero). ``True`` means
*inherit* wherever a field admits it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SubjectEntry:
    name: str
    datasource_id: int = 0


@dataclass(frozen=True, slots=True)
class ArenaObject:
    object_name: str
    coord_x: float
    coord_y: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class CueCard:
    card_name: str
    coord_x: float
    coord_y: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Curtain:
    start_point: str
    direction: str
    coverage: float


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """``task_start`` and ``task_stop`` are seconds from the start of the session's recording."""

    task_type: str
    arena_apparatus: str | None = None
    task_start: float | Literal[True] = True
    task_stop: float | Literal[True] = True
    notes: str | Literal[True] | None = None
    light_level: str | None = None
    objects: tuple[ArenaObject, ...] = ()
    cue_cards: tuple[CueCard, ...] = ()
    curtains: tuple[Curtain, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusteringEntry:
    """One single-session clustering."""

    curator: str
    location: str
    curation_time: str | Literal[True] = True
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """``index`` is the entry's place in the file's ``sessions`` list, from 0. ``clustering`` None is left out: it is
    inherited as with True, but without a word where nothing is sorted yet."""

    index: int
    location: str
    experimenter: tuple[str, ...]
    tasks: tuple[TaskEntry, ...]
    clustering: bool | tuple[ClusteringEntry, ...] | None = None
    probe_association: dict[str, str] | None = None
    room: str | None = None
    project: tuple[str, ...] = ()
    notes: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class GroupClusteringEntry:
    """One multi-session clustering. ``sessions`` are names in this file or session times, as text."""

    index: int
    curator: str
    location: str
    group_name: str
    sessions: tuple[str, ...]
    curation_time: str | Literal[True] = True
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class RedactedEntry:
    """In the place of an entry of this list: it was taken out, because that of ``record`` was redacted."""

    list: Literal["sessions", "clustering"]
    index: int
    record: int


@dataclass(frozen=True, slots=True)
class InputFile:
    """What one input file says. Entries that failed stage 1 are left out; indexes are those of the file."""

    subject: SubjectEntry
    sessions: tuple[SessionEntry, ...] = ()
    clustering: tuple[GroupClusteringEntry, ...] = ()
    redacted: tuple[RedactedEntry, ...] = ()
