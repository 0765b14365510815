"""The clusterings of one session at stage 3, and those over several: what can be inserted now, and what has to wait.

A clustering that is not there yet, or is there twice, never holds up its session: it waits as a record of its own.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from commands.inputfile.canonical import clustering_plain
from commands.inputfile.curation_times import doubtful_curation_time
from commands.inputfile.entries import ClusteringEntry, GroupClusteringEntry, SessionEntry
from commands.intake.inherited_tasks import Opened
from commands.intake.plain_records import plain_record, time_text
from commands.recordings.clusterings import (
    ClusteringOutput,
    Clusterings,
    find_clusterings,
    look_for_clusterings,
)
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise, sorted_place
from commands.recordings.session import ProbeOnDisk, SessionDirectoryError
from ledger.events import ClusteringInserted, ClusteringInsertFailed, ClusteringWaiting

# Says nothing about the entry: a share that is away for an hour must not fail everything that waits.
PASSING = ("root-not-mounted", "location-unreachable", "session-changing")

Find = Callable[[str], str]
"""From a normalised location to the directory on disk, as ``Search.directory``. Raises LocationError."""


@dataclass(frozen=True, slots=True)
class WaitingClustering:
    """A clustering of one session that cannot be inserted yet. ``entry`` is as in an input file; that of an
    inherited clustering has the session's location. ``location`` is normalised.
    """

    entry: dict[str, Any]
    location: str
    event: ClusteringWaiting


@dataclass(slots=True)
class Sorted:
    """``is_open``: nothing was sorted yet, and nobody said that it was: it is looked for again, silently."""

    inserted: list[ClusteringInserted]
    waiting: list[WaitingClustering]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Sorting:
    """What clusterings of one session are looked for with. ``names`` are those of its probes on disk that went in,
    ``start`` is its session_time."""

    opened: Opened
    roots: Roots
    find: Find
    names: Collection[str]
    session: int
    uploader: str
    experimenter: Sequence[str]
    experimenters: Collection[str]
    start: datetime

    def of_entry(self, entry: SessionEntry) -> Sorted:
        if entry.clustering is False:
            return Sorted([], [])
        if isinstance(entry.clustering, tuple):
            found = Sorted([], [])
            for listed in entry.clustering:
                self._sort(found, *self.listed(listed))
            return found
        return self._inherited(asked=entry.clustering is True)

    @staticmethod
    def _sort(found: Sorted, one: ClusteringInserted | WaitingClustering) -> None:
        if isinstance(one, ClusteringInserted):
            found.inserted.append(one)
        else:
            found.waiting.append(one)

    def listed(self, entry: ClusteringEntry) -> tuple[ClusteringInserted | WaitingClustering]:
        location = entry.location
        try:
            location = normalise(entry.location, self.roots)
            found = self._own(
                look_for_clusterings(self.find(location), self.opened.found.probes, zone=self.roots.zone)
            )
            if problem := found.problem:
                raise problem
        except (SessionDirectoryError, LocationError) as problem:
            return (self._waits(entry, location, problem.code, _said(problem)),)
        return (self.inserted(entry, location, found.outputs),)

    def inherited(self) -> ClusteringInserted | WaitingClustering:
        """The session's own, or that in the place where the settings say that sorted output lies."""
        return self._made_of(*self._looked())

    def _looked(self) -> tuple[str, Clusterings | SessionDirectoryError | LocationError]:
        try:
            return self._anywhere()
        except (SessionDirectoryError, LocationError) as problem:
            return self.opened.location, problem

    def _made_of(
        self, location: str, found: Clusterings | SessionDirectoryError | LocationError
    ) -> ClusteringInserted | WaitingClustering:
        entry = ClusteringEntry(curator=self.uploader, location=location)
        if not isinstance(found, Clusterings):
            return self._waits(entry, location, found.code, _said(found))
        if problem := found.problem:
            return self._waits(entry, location, problem.code, _said(problem))
        if self.uploader not in self.experimenters:
            offered = ", ".join(self.experimenter)
            message = (
                f"{self.uploader} is not in reference.Experimenter, so the curator of {location} is not known; "
                f"the session's {'experimenter is' if len(self.experimenter) == 1 else 'experimenters are'} {offered}."
            )
            return self._waits(entry, location, "curator", message)
        return self.inserted(entry, location, found.outputs)

    def _inherited(self, *, asked: bool) -> Sorted:
        location, found = self._looked()
        if not asked and isinstance(found, Clusterings) and found.is_empty:
            return Sorted([], [], is_open=True)
        result = Sorted([], [])
        self._sort(result, self._made_of(location, found))
        return result

    def _anywhere(self) -> tuple[str, Clusterings]:
        opened, zone = self.opened, self.roots.zone
        probes = opened.found.probes
        here = self._own(look_for_clusterings(opened.root, probes, listing=opened.listing, zone=zone))
        elsewhere = sorted_place(opened.location, self.roots)
        if elsewhere is None or not here.is_empty:
            return opened.location, here
        try:
            return elsewhere, self._own(look_for_clusterings(self.find(elsewhere), probes, zone=zone))
        except LocationError as problem:
            if problem.code in PASSING:
                raise
            return opened.location, here

    def _own(self, found: Clusterings) -> Clusterings:
        """Leaves out what was sorted of probes that did not go in."""
        return replace(
            found,
            probes=tuple(probe for probe in found.probes if probe.probe_name in self.names),
            outputs=tuple(output for output in found.outputs if output.probe_name in self.names),
        )

    def _waits(self, entry: ClusteringEntry, location: str, code: str, message: str) -> WaitingClustering:
        return WaitingClustering(
            clustering_plain(entry), location, ClusteringWaiting(reason=code, message=message)
        )

    def inserted(
        self, entry: ClusteringEntry, location: str, outputs: Sequence[ClusteringOutput]
    ) -> ClusteringInserted:
        recordings = [("its session", self.start)]
        return inserted(entry, location, outputs, self.session, self.roots, recordings)


def insert_single(
    entry: ClusteringEntry,
    *,
    roots: Roots,
    find: Find,
    probes: Sequence[ProbeOnDisk],
    session: int,
    start: datetime,
) -> ClusteringInserted:
    """One single-session clustering. Raises SessionDirectoryError or LocationError where there is none."""
    location = normalise(entry.location, roots)
    outputs = find_clusterings(find(location), probes, zone=roots.zone)
    return inserted(entry, location, outputs, session, roots, [("its session", start)])


def inserted(
    entry: ClusteringEntry | GroupClusteringEntry,
    location: str,
    outputs: Sequence[ClusteringOutput],
    session: int | None,
    roots: Roots,
    recordings: Iterable[tuple[str, datetime]],
) -> ClusteringInserted:
    inherited = entry.curation_time is True
    time = time_text(max(output.modified for output in outputs)) if inherited else str(entry.curation_time)
    now = datetime.now(roots.zone).replace(tzinfo=None)
    doubt = doubtful_curation_time(time, now=now, recordings=recordings)
    remarks = [] if doubt is None else [{"code": doubt[0], "name": time, "files": [], "message": doubt[1]}]
    return ClusteringInserted(
        session=session,
        curator=entry.curator,
        location=location,
        curation_time=time,
        curation_time_inherited=inherited,
        notes=entry.notes,
        outputs=[plain_record(output) for output in outputs],
        remarks=remarks,
    )


def _said(problem: SessionDirectoryError | LocationError) -> str:
    return str(problem)


# --- over several sessions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoodOn:
    """A session that a clustering stands on. ``start`` is its session_time, once it is inserted."""

    status: str
    message: str | None = None
    start: str | None = None


def insert_group(
    entry: GroupClusteringEntry,
    location: str,
    *,
    roots: Roots,
    find: Find,
    sessions: Mapping[int, StoodOn],
) -> ClusteringInserted | ClusteringWaiting | ClusteringInsertFailed:
    """A multi-session clustering. That its output is not there yet, or is there twice, is no reason to fail."""
    for session, one in sessions.items():
        if one.status in ("error", "withdrawn", "deleted"):
            return ClusteringInsertFailed(
                code="session-failed",
                message=f"Session s{session} was not inserted ({one.message or one.status}).",
                hint="Mend the session, then upload again.",
            )
    missing = [session for session, one in sessions.items() if one.status != "inserted"]
    if missing:
        return waits_for(missing)
    recordings = [
        (f"session s{session}", datetime.fromisoformat(one.start))
        for session, one in sessions.items()
        if one.start is not None
    ]
    try:
        outputs = find_clusterings(find(location), (), zone=roots.zone)
    except (SessionDirectoryError, LocationError) as problem:
        return ClusteringWaiting(reason=problem.code, message=_said(problem))
    return inserted(entry, location, outputs, None, roots, recordings)


def waits_for(sessions: Iterable[int]) -> ClusteringWaiting:
    """Of a multi-session clustering that stands on sessions which are not inserted yet."""
    missing = ", ".join(f"s{session}" for session in sessions)
    return ClusteringWaiting(
        reason="clustering-sessions", message=f"Its sessions are not all inserted yet: {missing}."
    )
