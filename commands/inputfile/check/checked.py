"""What stage 2 makes of a file."""

from dataclasses import dataclass

from commands.inputfile.entries import GroupClusteringEntry, SessionEntry
from commands.inputfile.findings import Finding
from commands.inputfile.kept_findings import NO_MORE, MoreFindings


@dataclass(frozen=True, slots=True)
class CheckedSession:
    """``location`` is normalised. ``duplicate_of`` is the session that is there already, whoever owns it.
    ``leads_to`` is where a location leads over links, if nobody holds it as it is written.
    """

    entry: SessionEntry
    location: str
    duplicate_of: int | None
    leads_to: str | None = None


@dataclass(frozen=True, slots=True)
class SessionReference:
    """A session of a multi-session clustering: one of the ledger's, or the one with ``index`` in this file."""

    session: int | None
    index: int | None


@dataclass(frozen=True, slots=True)
class CheckedClustering:
    """``location`` is normalised; of a duplicate it is None and ``sessions`` is empty, unless it is renewed."""

    entry: GroupClusteringEntry
    location: str | None
    duplicate_of: int | None
    sessions: tuple[SessionReference, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What stage 2 hands on. Entries with an unusable location or reference are left out; each is an error.

    ``findings`` are in the order of the file, and ``more`` is what there is beyond those that are kept. The findings
    about times of tasks are of stage 1.
    """

    sessions: tuple[CheckedSession, ...]
    clusterings: tuple[CheckedClustering, ...]
    findings: tuple[Finding, ...]
    more: MoreFindings = NO_MORE
