"""Stage 3 of what is open: read the disk outside of any lock, then settle what was found in short transactions.

The ledger itself knows what is pending or waiting, so nothing else has to be remembered: after a crash the next run
finds the same work. Two workers may process the same entry; the stream's version lets only one of them settle it.
"""

import os
import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from commands.door.command import Command
from commands.door.incidents import folder_beside, record_beside
from commands.door.logs import LOG
from commands.door.permission import NotPermitted, may_settle_all, require_settler
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.canonical import group_clustering_from_json
from commands.intake import looks
from commands.intake.association import Implanted
from commands.intake.insertion import (
    Decided,
    Present,
    StoodOn,
    insert_group,
)
from commands.intake.looking import Batch, OpenSession, failure_of, look_at
from commands.intake.outcomes import Settling
from commands.intake.second_reader import looked_at_in_turn, second_reader
from commands.intake.settled import SettledSession
from commands.intake.unsettled import unfinished_uploads, unsettled_clusterings, unsettled_sessions
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from commands.stored import current_entries, experimenters, insertions, requested_groups, taken_at
from ledger.collector import without_garbage_collection
from ledger.envelope import NewEvent
from ledger.errors import IntegrityFailure, LedgerUnavailable, Refusal
from ledger.events import (
    ClusteringInserted,
    ClusteringInsertFailed,
    ClusteringWaiting,
    InputFileProcessed,
    SessionInsertFailed,
)
from projections.records import Clustering, Session
from projections.rows import requested_by

T = TypeVar("T")
BATCH = 500
_ROUNDS = 3
_UNSETTLED = ("pending", "waiting")
NOT_OF_AN_ENTRY = (LedgerUnavailable, IntegrityFailure, NotPermitted)
"""What stops all entries: everything else that is raised is about one."""


class SettleSessions(Command[Result]):
    sessions: list[SettledSession]

    def fingerprint(self) -> bytes:
        """Goes by the sessions and their versions, whatever is found of them the second time."""
        names = " ".join(f"{settled.session}:{settled.version}" for settled in self.sessions)
        return sha256(f"SettleSessions {self.command_id} {names}".encode()).digest()

    def authorise(self, world: World) -> None:
        world.state.sessions.prefetch(settled.session for settled in self.sessions)
        rows = [world.state.sessions.get(settled.session) for settled in self.sessions]
        require_settler(world, "process sessions", [row for row in rows if row is not None])

    def decide(self, world: World) -> Decision[Result]:
        world.state.sessions.prefetch(settled.session for settled in self.sessions)
        found = [(settled, world.state.sessions.get(settled.session)) for settled in self.sessions]
        todo = [
            (settled, row)
            for settled, row in found
            # else somebody was faster, or it changed: the next round looks at it anew
            if row is not None and row.version == settled.version and row.status in _UNSETTLED
        ]
        return Decision(Settling(world, todo).events(), Result())


class SettleClustering(Command[Result]):
    clustering: int
    version: int
    event: ClusteringInserted | ClusteringWaiting | ClusteringInsertFailed

    def authorise(self, world: World) -> None:
        row = world.state.clusterings.get(self.clustering)
        require_settler(world, "process clusterings", [] if row is None else [row])

    def decide(self, world: World) -> Decision[Result]:
        clustering = world.state.clusterings.get(self.clustering)
        if clustering is None or clustering.version != self.version or clustering.status not in _UNSETTLED:
            return Decision((), Result())
        if isinstance(self.event, ClusteringWaiting) and clustering.message == self.event.message:
            return Decision((), Result())
        event = NewEvent(
            f"clustering/{clustering.id}", self.event, clustering.version, clustering.subject, clustering.username,
            clustering.status_position, f"u{clustering.upload}",
        )  # fmt: skip
        return Decision([event], Result())


class FinishUpload(Command[Result]):
    """Record what became of the new entries of an upload, once stage 3 has looked at each."""

    upload: int

    def authorise(self, world: World) -> None:
        row = world.state.uploads.get(self.upload)
        require_settler(world, "finish uploads", [] if row is None else [row])

    def decide(self, world: World) -> Decision[Result]:
        upload = world.state.uploads.get(self.upload)
        if upload is None or upload.status != "validated":
            return Decision((), Result())
        sessions = requested_by(world.state.sessions, upload)
        clusterings = requested_by(world.state.clusterings, upload)
        if "pending" in [*(row.status for row in sessions), *(row.status for row in clusterings)]:
            return Decision((), Result())
        event = InputFileProcessed(
            sessions=[_became(session, "session", f"s{session.id}") for session in sessions],
            clusterings=[
                _became(clustering, "clustering", f"c{clustering.id}") for clustering in clusterings
            ],
        )
        stream = f"upload/{self.upload}"
        return Decision(
            [NewEvent(stream, event, upload.version, upload.subject, upload.username)],
            Result(),
            correlation=f"u{self.upload}",
        )


def _became(record: Session | Clustering, kind: str, name: str) -> dict[str, object]:
    return {"index": record.entry_index, kind: name, "outcome": record.status, "reason": record.reason}


def settle(
    daybook: Daybook,
    roots: Roots,
    steps: Steps,
    *,
    sessions: Collection[int] | None = None,
    clusterings: Collection[int] | None = None,
    before: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    noted: bool = True,
) -> None:
    """Process what is pending, look again at what waits, and finish the uploads of which nothing is pending.

    All of it (for an actor who is no admin, what he or she uploaded), or what is numbered below ``before``; or,
    where entries are named, those and the multi-session clusterings that stand on the named sessions. A fault of the
    program in one entry fails that entry, under an incident, and the others go on. ``noted``: when each was looked at
    is kept, unless who calls keeps it.
    """
    everything = sessions is None and clusterings is None
    named = None if everything else frozenset(sessions or ())
    daybook.require(lambda world: require_settler(world, "process entries"))
    with daybook.reading() as world:
        owner = None if may_settle_all(world) else world.owner
        todo = [n for n in unsettled_sessions(world, named, owner) if before is None or n < before]
    _settle_sessions(daybook, roots, steps, todo, progress)
    with daybook.reading() as world:
        groups = unsettled_clusterings(world, named, frozenset(clusterings or ()), owner)
    for clustering in groups:
        if before is None or clustering < before:
            _settle_clustering(daybook, roots, steps, clustering)
    if noted:
        with left_open(daybook):
            _note(daybook, roots, todo, groups)
    with daybook.reading() as world:
        unfinished = unfinished_uploads(world, owner)
    for upload in unfinished:
        if before is None or upload < before:
            with left_open(daybook):
                steps.submit(FinishUpload(upload=upload))


@contextmanager
def left_open(daybook: Daybook) -> Iterator[None]:
    """What a fault of the program keeps from being done here is done by the next run; the others go on."""
    try:
        yield
    except NOT_OF_AN_ENTRY:
        raise
    except Exception as fault:  # noqa: BLE001 - it holds up no other
        incident = record_beside(fault, verb="stage 3", database=daybook.database)
        LOG.error("incident", extra={"refusal": incident})


def _note(daybook: Daybook, roots: Roots, sessions: Sequence[int], clusterings: Sequence[int]) -> None:
    """When these were looked at, beside the log. Where that cannot be kept, the work is done all the same."""
    waiting: dict[str, str] = {}
    settled: list[str] = []
    with daybook.reading() as world:
        for letter, rows, numbers in (
            ("s", world.state.sessions, sessions), ("c", world.state.clusterings, clusterings),
        ):  # fmt: skip
            open_ = _places(world, rows.table, "status IN ('pending', 'waiting')", numbers)
            waiting |= {f"{letter}{number}": looks.folder_of(place, roots) for number, place in open_.items()}
            settled += [f"{letter}{number}" for number in numbers if number not in open_]
    with suppress(Refusal):
        looks.note(daybook.database, waiting, settled, f"{platform.node()}:{os.getpid()}")


def _settle_sessions(
    daybook: Daybook, roots: Roots, steps: Steps, todo: list[int], progress: Callable[[int, int], None]
) -> None:
    total, looked_at = len(todo), 0
    here, prepare = partial(_looked_at, daybook, roots), partial(_asked, daybook)
    with second_reader(total, roots, folder_beside(daybook.database)) as reader:
        for _ in range(_ROUNDS):
            overtaken: list[int] = []
            for batch, found in looked_at_in_turn(_batches(todo, BATCH), reader, prepare, here):
                _submit_sessions(daybook, steps, found)
                overtaken += _still_pending(daybook, found)
                if total > looked_at:
                    looked_at += len(batch)
                    progress(looked_at, total)
            if not overtaken:
                return
            todo = overtaken


def _submit_sessions(daybook: Daybook, steps: Steps, found: list[SettledSession]) -> None:
    """All of them at once; where that fails, one by one, so that only the entry at fault fails."""
    try:
        steps.submit(SettleSessions(sessions=found))
    except NOT_OF_AN_ENTRY:
        raise
    except Exception as fault:
        if len(found) > 1:
            for settled in found:
                _submit_sessions(daybook, steps, [settled])
            return
        if not found:
            raise
        failed = {"event": _failed_session(daybook, fault), "clusterings": [], "waiting": []}
        with left_open(daybook):
            steps.submit(SettleSessions(sessions=[found[0].model_copy(update=failed)]))


def _settle_clustering(daybook: Daybook, roots: Roots, steps: Steps, number: int) -> None:
    with daybook.reading() as world:
        clustering = world.state.clusterings[number]
    try:
        steps.submit(_look_at_clustering(daybook, roots, number))
    except NOT_OF_AN_ENTRY:
        raise
    except Exception as fault:  # noqa: BLE001 - at stage 3 each entry stands alone
        event = ClusteringInsertFailed(**_failure(daybook, fault))
        with left_open(daybook):
            steps.submit(SettleClustering(clustering=number, version=clustering.version, event=event))


def _failed_session(daybook: Daybook, fault: Exception) -> SessionInsertFailed:
    return SessionInsertFailed(**_failure(daybook, fault))


def _failure(daybook: Daybook, fault: Exception) -> dict[str, Any]:
    return failure_of(fault, folder_beside(daybook.database))


def _still_pending(daybook: Daybook, looked_at: Sequence[SettledSession]) -> list[int]:
    """Those that changed, or whose probes changed, while the disk was read."""
    numbers = [settled.session for settled in looked_at]
    with daybook.reading() as world:
        pending = _places(world, world.state.sessions.table, "status = 'pending'", numbers)
    return [number for number in numbers if number in pending]


def _places(world: World, table: str, condition: str, numbers: Collection[int]) -> dict[int, str]:
    """The location of each of these records for which a condition holds."""
    if not numbers:
        return {}
    rows = world.transaction.run(
        f"SELECT id, location FROM {table} WHERE id BETWEEN ? AND ? AND {condition}",
        (min(numbers), max(numbers)),
    ).fetchall()
    among = frozenset(numbers)
    return {number: location for number, location in rows if number in among}


def _looked_at(daybook: Daybook, roots: Roots, batch: Sequence[int]) -> list[SettledSession]:
    """All of them at once; where what the ledger says of one of them cannot be used, one by one."""
    try:
        with without_garbage_collection():
            return look_at(_asked(daybook, batch), roots, folder_beside(daybook.database))
    except NOT_OF_AN_ENTRY:
        raise
    except Exception as fault:  # noqa: BLE001 - each stands alone
        if len(batch) > 1:
            return [settled for number in batch for settled in _looked_at(daybook, roots, [number])]
        with daybook.reading() as world:
            row = world.state.sessions[batch[0]]
        return [SettledSession(session=row.id, version=row.version, event=_failed_session(daybook, fault))]


def _asked(daybook: Daybook, numbers: Sequence[int]) -> Batch:
    """What has to be known of these sessions to look at them. What another worker has settled meanwhile is left
    alone."""
    with daybook.reading() as world:
        world.state.sessions.prefetch(numbers)
        sessions = [row for n in numbers if (row := world.state.sessions[n]).status in _UNSETTLED]
        entries, taken = current_entries(world, sessions), taken_at(world, sessions)
        return Batch(
            tuple(
                OpenSession(
                    session=row.id, version=row.version, entry_index=row.entry_index, subject=row.subject,
                    username=row.username, location=row.location, entry=entry, decided=row.decided,
                    taken=taken.get(row.id, {}),
                )
                for row, entry in zip(sessions, entries, strict=True)
            ),
            insertions(world),
            experimenters(world),
        )  # fmt: skip


def present_for(world: World, sessions: Sequence[Session]) -> dict[int, Present]:
    """What each of these sessions is judged by besides its entry and the disk."""
    everywhere, people, taken = insertions(world), experimenters(world), taken_at(world, sessions)
    return {
        row.id: Present(
            Implanted(row.subject, everywhere, taken.get(row.id, {})), people, Decided.of(row.decided)
        )
        for row in sessions
    }


def _look_at_clustering(daybook: Daybook, roots: Roots, number: int) -> SettleClustering:
    with daybook.reading() as world:
        clustering = world.state.clusterings[number]
        entry = requested_groups(world, [number])[number]
        links = world.state.clustering_sessions.where("clustering = ?", [number])
        sessions = {link.session: world.state.sessions[link.session] for link in links}
    event = insert_group(
        group_clustering_from_json(entry, clustering.entry_index),
        clustering.location,
        roots=roots,
        find=Search(roots).directory,
        sessions={
            number: StoodOn(session.status, session.message, session.session_time)
            for number, session in sessions.items()
        },
    )
    return SettleClustering(clustering=clustering.id, version=clustering.version, event=event)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
