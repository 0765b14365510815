"""What a corrected file would change, as data: which records it replaces, with what, and what becomes of all that
stands on them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from commands.inputfile.entries import GroupClusteringEntry, SessionEntry
from commands.inputfile.findings import Finding
from commands.intake.insertion import (
    SessionOutcome,
)
from commands.intake.validation import Validation
from commands.recordings.insertions import Insertion
from commands.requests.correction.dependents import Dependent
from commands.requests.impact import Impact
from ledger.events import (
    ClusteringInserted,
    ClusteringInsertFailed,
    ClusteringWaiting,
    SessionInserted,
)
from projections.records import Clustering, Session


@dataclass(slots=True)
class SessionChange:
    """``given`` is the file's entry; ``entry`` the same with what commands have added since and the file does not
    contradict, which is ``kept``. ``location`` is normalised. ``outcome`` is what stage 3 makes of the entry."""

    old: Session
    matched_by: str
    given: SessionEntry
    entry: SessionEntry
    kept: dict[str, Any]
    location: str
    differences: list[dict[str, Any]]
    leads_to: str | None = None
    outcome: SessionOutcome | None = None

    @property
    def inserted(self) -> SessionInserted | None:
        event = self.outcome.event if self.outcome is not None else None
        return event if isinstance(event, SessionInserted) else None


@dataclass(slots=True)
class GroupChange:
    """Of a multi-session clustering. ``sessions`` are those that it will stand on, a replaced one for its
    replacement. ``outcome`` is None where it waits for one of them."""

    old: Clustering
    matched_by: str
    given: GroupClusteringEntry
    location: str
    differences: list[dict[str, Any]]
    sessions: tuple[int, ...] = ()
    outcome: ClusteringInserted | ClusteringWaiting | ClusteringInsertFailed | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry whose record is another person's: it differs, and stays as it is."""

    index: int
    row: Session | Clustering
    differences: list[dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """``sessions`` and ``groups`` are what is replaced; ``left_out`` are other people's records in a file that has some
    of the requester's too; ``unchanged_*`` and ``new_*`` are indexes of the file; ``absent`` are sessions of the same
    owners and subjects that the file does not have. ``statuses`` are those of the other sessions that replaced
    clusterings will stand on."""

    validation: Validation
    findings: tuple[Finding, ...]
    subject: str = ""
    at: int = 0
    probes: dict[str, str | None] = field(default_factory=dict)
    insertions: tuple[Insertion, ...] = ()
    experimenters: Collection[str] = frozenset()
    taken: dict[int, dict[str, str]] = field(default_factory=dict)
    sessions: list[SessionChange] = field(default_factory=list)
    groups: list[GroupChange] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    unchanged_sessions: list[int] = field(default_factory=list)
    unchanged_groups: list[int] = field(default_factory=list)
    new_sessions: list[int] = field(default_factory=list)
    new_groups: list[int] = field(default_factory=list)
    absent: list[Session] = field(default_factory=list)
    impact: Impact | None = None
    dependents: list[Dependent] = field(default_factory=list)
    statuses: dict[int, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def replaced(self) -> list[Session | Clustering]:
        return [*(change.old for change in self.sessions), *(change.old for change in self.groups)]

    def becoming(self, *fates: str) -> list[Dependent]:
        return [dependent for dependent in self.dependents if dependent.becomes in fates]
