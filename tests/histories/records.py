"""The records of the model, as values in memory: what there is, who owns it, and what stands on what."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.histories.scene import TASKS_ADDED, Entry, File, Folder, GroupEntry

STANDING = ("pending", "waiting", "inserted")
OPEN = ("pending", "waiting")
NEVER_INSERTED = ("pending", "waiting", "error")
ADMIN, RESEARCHER, AUDITOR = "admin", "researcher", "auditor"


class Refused(Exception):
    """One of ``codes``: where several things are wrong, which is said first is of no account here."""

    def __init__(self, *codes: str) -> None:
        super().__init__(", ".join(codes))
        self.codes = frozenset(codes)


@dataclass(eq=False)
class Upload:
    owner: str
    file: File
    errors: frozenset[str] = frozenset()
    id: int = 0


@dataclass(eq=False)
class Record:
    owner: str
    subject: str
    upload: Upload
    status: str = "pending"
    id: int = 0
    replaces: "Record | None" = None
    replaced_by: "Record | None" = None

    @property
    def stands(self) -> bool:
        return self.status in STANDING

    def later(self) -> Iterator["Record"]:
        """What corrections put in its place, one after the other."""
        if self.replaced_by is not None:
            yield self.replaced_by
            yield from self.replaced_by.later()

    def earlier(self) -> Iterator["Record"]:
        if self.replaces is not None:
            yield self.replaces
            yield from self.replaces.earlier()


@dataclass(eq=False)
class Session(Record):
    """``time`` once it was inserted; ``probe`` where a user said which it is; ``completed``: tasks were added."""

    folder: Folder = field(kw_only=True)
    name: str = field(kw_only=True)
    room: str = field(kw_only=True)
    time: str | None = None
    probe: str | None = None
    completed: bool = False

    @property
    def key(self) -> object:
        return self.folder

    @property
    def tasks(self) -> int:
        return TASKS_ADDED if self.completed and self.time is not None else 0

    @property
    def entry(self) -> Entry:
        return Entry(self.folder, self.name, self.room)


@dataclass(eq=False)
class Single(Record):
    """The clustering that came with a session."""

    session: Session = field(kw_only=True)


@dataclass(eq=False)
class Group(Record):
    """A multi-session clustering."""

    name: str = field(kw_only=True)
    sessions: tuple[Session, ...] = field(kw_only=True)
    notes: str = ""

    @property
    def key(self) -> object:
        return self.name


@dataclass(frozen=True)
class Impact:
    records: frozenset[Record]
    tasks: int

    def exceeds(self, shown: "Impact") -> bool:
        return bool(self.records - shown.records) or self.tasks > shown.tasks


@dataclass(eq=False)
class Request:
    """``named`` are the records and uploads that a deletion is about; ``sessions`` and ``groups`` what entries of a
    corrected file stand for. ``first`` is the impact when it was requested, ``shown`` that which was shown last."""

    kind: str
    by: str
    first: Impact
    named: tuple[Record | Upload, ...] = ()
    upload: Upload | None = None
    sessions: dict[Entry, Session] = field(default_factory=dict)
    groups: dict[GroupEntry, Group] = field(default_factory=dict)
    status: str = "requested"
    id: int = 0
    gone: dict[Record, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shown = self.first


@dataclass
class Plan:
    """What a correction would replace, what of it is impossible, and what each new session comes to."""

    sessions: dict[Session, Entry]
    groups: dict[Group, GroupEntry]
    outcomes: dict[Session, str]
    errors: frozenset[str]
