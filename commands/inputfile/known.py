"""What the ledger already knows, as far as an input file is checked against it. Only shapes: the caller fills
them, for one subject and one moment. Ids are those of the ledger: a session's and a clustering's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

REFERENCE_TABLES = (
    "reference.Experimenter",
    "reference.ExperimentRoom",
    "reference.Probe",
    "reference.ArenaApparatus",
    "reference.ArenaObject",
    "reference.CueCard",
    "acquisition.Project",
    "behavior.TaskType",
    "behavior.TaskLightLevel",
)


@dataclass(frozen=True, slots=True)
class HeldLocation:
    """The session that holds a location, and where it stands (``inserted``, ``waiting`` ...). ``subject`` is the name
    of its subject where that is another than the file's."""

    session: int
    username: str
    status: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A held location that lies around or inside another one, and the session that holds it. Of a redacted one nobody
    knows where it is, only on which side: ``outer``, or not."""

    location: str
    session: int
    username: str
    outer: bool | None = None


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """The multi-session clustering that holds a group_name."""

    clustering: int
    subject: str
    datasource_id: int = 0
    username: str = ""


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a subject is called now, and since when by whom, for a sentence."""

    name: str
    since: str


@dataclass(frozen=True, slots=True)
class Known:
    """The ledger's side of stage 2.

    ``reference`` maps a table to its current values and ``retired`` to those that were valid once.
    ``arena_not_required`` are the task types registered so. ``subjects`` are the names that are registered;
    ``probes`` those inserted in the file's subject, ``session_times`` (``YYYY-MM-DD HH:MM:SS[.ffffff]``) its
    sessions. ``locations`` maps a normalised location, ``groups`` a group_name to who holds it;
    ``leads_to`` maps a location of the file to the one that it leads to over links; ``overlaps`` one that nobody
    holds to those that lie around or inside it; ``similar_groups`` maps the folded form (``look_alikes.folded``) of
    a name in the file to a held group_name. ``renewed`` and ``renewed_groups`` are the indexes of entries that are held
    and were never inserted, which the file now says otherwise of: they are checked like new ones. ``redacted`` are
    sessions of the subject that the file refers to by what stands for their redacted names. ``proposed`` maps a table
    and a value that waits for an admin's decision to its request. ``renamed`` is said of a subject that is called
    otherwise than the file says.
    """

    reference: Mapping[str, Collection[str]] = field(default_factory=dict)
    retired: Mapping[str, Collection[str]] = field(default_factory=dict)
    arena_not_required: Collection[str] = frozenset()
    subjects: Collection[str] = frozenset()
    probes: Collection[str] = frozenset()
    session_times: Mapping[str, int] = field(default_factory=dict)
    locations: Mapping[str, HeldLocation] = field(default_factory=dict)
    leads_to: Mapping[str, str] = field(default_factory=dict)
    overlaps: Mapping[str, Collection[Overlap]] = field(default_factory=dict)
    renewed: Collection[int] = frozenset()
    groups: Mapping[str, HeldGroup] = field(default_factory=dict)
    renewed_groups: Collection[int] = frozenset()
    similar_groups: Mapping[str, str] = field(default_factory=dict)
    redacted: Collection[int] = frozenset()
    proposed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    renamed: Renamed | None = None
