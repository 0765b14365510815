"""Stage 3 for what is pending: read the disk outside of any lock, then settle what was found in short transactions.

The ledger itself knows what is pending or waiting, so nothing else has to be remembered: after a crash the next run
finds the same work. Two workers may process the same entry; the stream's version lets only one of them settle it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from time import perf_counter
from typing import TypeVar

import orjson
from pydantic import BaseModel, ConfigDict

from commands.door.permission import is_admin, require_owner, require_writer
from commands.door.submit import Daybook
from commands.door.world import Command, Decision, World
from commands.inputfile.canonical import group_clustering_from_json, session_entry_from_json
from commands.intake.insertion import Find, SessionOutcome, insert_group, insert_session, probes_at
from commands.recordings.roots import Roots, Search
from commands.stored import current_entries, probes_of
from ledger import log
from ledger.envelope import NewEvent
from ledger.errors import Refusal
from ledger.events import (
    ClusteringInserted,
    ClusteringInsertFailed,
    ClusteringWaiting,
    InputFileProcessed,
    SessionInserted,
    SessionInsertFailed,
    SessionWaiting,
)
from projections.rebuild import without_garbage_collection
from projections.records import Clustering, Session
from projections.rows import requested_by

T = TypeVar("T")
U = TypeVar("U")

BATCH = 500
_READ_AT_ONCE = 4  # batches of
_READ_TOGETHER = 25  # sessions
_SLOW_S = 0.001  # for one session; a local disk takes a tenth of that, and threads would only get in each other's way
_ROUNDS = 3
_UNSETTLED = ("pending", "waiting")


class SettledSession(BaseModel):
    """What stage 3 found for one session, decided on the session as it was at ``version``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    session: int
    version: int
    event: SessionInserted | SessionWaiting | SessionInsertFailed
    clusterings: list[ClusteringInserted] = []


class SettleSessions(Command):
    sessions: list[SettledSession]

    def authorise(self, world: World) -> None:
        world.state.sessions.prefetch(settled.session for settled in self.sessions)
        rows = [world.state.sessions.get(settled.session) for settled in self.sessions]
        require_owner(world, "process sessions", [row for row in rows if row is not None])

    def decide(self, world: World) -> Decision:
        world.state.sessions.prefetch(settled.session for settled in self.sessions)
        events: list[NewEvent] = []
        taken: dict[tuple[str, str], int] = {}
        for settled in self.sessions:
            session = world.state.sessions.get(settled.session)
            if session is None or session.version != settled.version or session.status not in _UNSETTLED:
                continue  # somebody else was faster, or it changed: the next round looks at it anew
            events += _settle(world, session, settled, world.next_position + len(events), taken)
        return Decision(events)


def _settle(
    world: World, session: Session, settled: SettledSession, position: int, taken: dict[tuple[str, str], int]
) -> list[NewEvent]:
    event = settled.event
    if isinstance(event, SessionInserted):
        gone = [
            p["probe"]
            for p in event.probes
            if not _is_inserted(world, session.subject, p["probe"], event.session_time)
        ]
        if gone:
            return []  # a probe was removed while the disk was read: decided anew in the next round
        key = (session.subject, event.session_time)
        holder = world.state.times.get(key)
        other = holder.session if holder is not None else taken.get(key)
        if other is not None:
            event = SessionInsertFailed(
                code="session-time-taken",
                message=f"Session s{other} of this subject has the same session_time, {event.session_time}.",
                hint="One of the two locations is a copy, or belongs to another subject.",
            )
        else:
            taken[key] = session.id
    elif isinstance(event, SessionWaiting) and (session.reason, session.message) == (
        event.reason,
        event.message,
    ):
        return []
    owner = {"subject": session.subject, "username": session.username, "correlation": f"u{session.upload}"}
    causation = session.status_position
    events = [NewEvent(f"session/{session.id}", event, session.version, **owner, causation=causation)]
    if isinstance(event, SessionInserted):
        events += [
            NewEvent(f"clustering/{position + offset}", clustering, 0, **owner, causation=position)
            for offset, clustering in enumerate(settled.clusterings, start=1)
        ]
    return events


def _is_inserted(world: World, subject: str, probe: str, session_time: str) -> bool:
    insertion = world.state.insertions.get((subject, probe))
    return insertion is not None and bool(probes_at(session_time, {probe: insertion.removal_time}))


class SettleClustering(Command):
    clustering: int
    version: int
    event: ClusteringInserted | ClusteringWaiting | ClusteringInsertFailed

    def authorise(self, world: World) -> None:
        row = world.state.clusterings.get(self.clustering)
        require_owner(world, "process clusterings", [] if row is None else [row])

    def decide(self, world: World) -> Decision:
        clustering = world.state.clusterings.get(self.clustering)
        if clustering is None or clustering.version != self.version or clustering.status not in _UNSETTLED:
            return Decision(())
        if isinstance(self.event, ClusteringWaiting) and clustering.message == self.event.message:
            return Decision(())
        event = NewEvent(
            f"clustering/{clustering.id}", self.event, clustering.version, clustering.subject, clustering.username,
            clustering.status_position, f"u{clustering.upload}",
        )  # fmt: skip
        return Decision([event])


class FinishUpload(Command):
    """Say what became of the new entries of an upload, once stage 3 has looked at each."""

    upload: int

    def authorise(self, world: World) -> None:
        row = world.state.uploads.get(self.upload)
        require_owner(world, "finish uploads", [] if row is None else [row])

    def decide(self, world: World) -> Decision:
        upload = world.state.uploads.get(self.upload)
        if upload is None or upload.status != "validated":
            return Decision(())
        sessions = requested_by(world.state.sessions, upload)
        clusterings = requested_by(world.state.clusterings, upload)
        if "pending" in [*(row.status for row in sessions), *(row.status for row in clusterings)]:
            return Decision(())
        event = InputFileProcessed(
            sessions=[_became(session, "session", f"s{session.id}") for session in sessions],
            clusterings=[
                _became(clustering, "clustering", f"c{clustering.id}") for clustering in clusterings
            ],
        )
        stream = f"upload/{self.upload}"
        return Decision(
            [NewEvent(stream, event, upload.version, upload.subject, upload.username)],
            correlation=f"u{self.upload}",
        )


def _became(record: Session | Clustering, kind: str, name: str) -> dict[str, object]:
    return {"index": record.entry_index, kind: name, "outcome": record.status, "reason": record.reason}


@dataclass(slots=True)
class Worked:
    """How many entries were looked at, and how many events said that something became of them."""

    looked_at: int = 0
    settled: int = 0
    faults: list[Exception] = field(default_factory=list)


def work(
    daybook: Daybook,
    roots: Roots,
    *,
    sessions: Collection[int] | None = None,
    clusterings: Collection[int] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Worked:
    """Process what is pending, look again at what waits, and finish the uploads of which nothing is pending.

    All of it (of an actor who is no admin, what he or she uploaded); or, where entries are named, those and the
    multi-session clusterings that stand on the named sessions.
    A fault of ours in one entry leaves that one pending and is raised when the others are done.
    """
    worked = Worked()
    everything = sessions is None and clusterings is None
    named = None if everything else frozenset(sessions or ())
    daybook.require(lambda world: require_writer(world, "process entries"))
    with daybook.reading() as world:
        owner = None if is_admin(world) else world.actor
    _work_on_sessions(daybook, roots, _unsettled_sessions(daybook, named, owner), worked, progress)
    for clustering in _unsettled_clusterings(daybook, named, frozenset(clusterings or ()), owner):
        worked.looked_at += 1
        try:
            command = _look_at_clustering(daybook, roots, clustering)
        except Refusal:
            raise
        except Exception as fault:  # noqa: BLE001 - at stage 3 each entry stands alone
            worked.faults.append(fault)
        else:
            worked.settled += daybook.submit(command).last > 0
    for upload in _unfinished_uploads(daybook, owner):
        daybook.submit(FinishUpload(upload=upload))
    if worked.faults:
        raise worked.faults[0]
    return worked


def _work_on_sessions(
    daybook: Daybook, roots: Roots, todo: list[int], worked: Worked, progress: Callable[[int, int], None]
) -> None:
    total = len(todo)
    for _ in range(_ROUNDS):
        overtaken: list[int] = []
        for batch in _batches(todo, BATCH):
            with without_garbage_collection():
                looked_at = list(_look_at_sessions(daybook, roots, batch, worked.faults))
            receipt = daybook.submit(SettleSessions(sessions=looked_at))
            overtaken += _still_pending(daybook, looked_at)
            worked.settled += receipt.last - receipt.first + 1 if receipt.last else 0
            if total > worked.looked_at:
                worked.looked_at += len(batch)
                progress(worked.looked_at, total)
        if not overtaken:
            return
        todo = overtaken


def _still_pending(daybook: Daybook, looked_at: Sequence[SettledSession]) -> list[int]:
    """Those that changed, or whose probes changed, while the disk was read."""
    numbers = [settled.session for settled in looked_at]
    with daybook.reading() as world:
        world.state.sessions.prefetch(numbers)
        return [number for number in numbers if world.state.sessions[number].status == "pending"]


def _unsettled_sessions(daybook: Daybook, named: Collection[int] | None, owner: str | None) -> list[int]:
    with daybook.reading() as world:
        rows = world.transaction.run(
            f"SELECT id, username FROM {world.state.sessions.table} "
            "WHERE status IN ('pending', 'waiting') ORDER BY id"
        ).fetchall()
    return [
        number
        for number, user in rows
        if (named is None or number in named) and (owner is None or user == owner)
    ]


def _unsettled_clusterings(
    daybook: Daybook, sessions: Collection[int] | None, named: Collection[int], owner: str | None
) -> list[int]:
    """All of them, or those that are named or stand on one of ``sessions``; of one owner where one is given."""
    with daybook.reading() as world:
        rows = world.transaction.run(
            f"SELECT c.id, l.session, c.username FROM {world.state.clusterings.table} c "
            f"JOIN {world.state.clustering_sessions.table} l ON l.clustering = c.id "
            "WHERE c.status IN ('pending', 'waiting') ORDER BY c.id"
        ).fetchall()
    wanted = [
        number
        for number, session, user in rows
        if (sessions is None or number in named or session in sessions) and (owner is None or user == owner)
    ]
    return list(dict.fromkeys(wanted))


def _unfinished_uploads(daybook: Daybook, owner: str | None) -> list[int]:
    """Those of which nothing is pending any more, but which do not say so yet."""
    with daybook.reading() as world:
        uploads = world.transaction.run(
            f"SELECT id, username FROM {world.state.uploads.table} WHERE status = 'validated' ORDER BY id"
        ).fetchall()
        pending: set[int] = set()
        for table in (world.state.sessions.table, world.state.clusterings.table) if uploads else ():
            # the first condition is that of the partial index, which the second alone would not use
            rows = world.transaction.run(
                f"SELECT upload FROM {table} WHERE status IN ('pending', 'waiting') AND status = 'pending'"
            )
            pending.update(row[0] for row in rows.fetchall())
    return [number for number, user in uploads if number not in pending and (owner is None or user == owner)]


def _look_at_sessions(
    daybook: Daybook, roots: Roots, batch: Sequence[int], faults: list[Exception]
) -> Iterator[SettledSession]:
    """Read the directories of a batch; several at once where they answer slowly, as on a file server."""
    with daybook.reading() as world:
        world.state.sessions.prefetch(batch)
        sessions = [world.state.sessions[number] for number in batch]
        entries = current_entries(world, sessions)
        probes = {subject: probes_of(world, subject) for subject in {s.subject for s in sessions}}
    find = Search(roots).resolve  # of one batch: it remembers the directories above the sessions'

    def look(found: tuple[Session, str]) -> SettledSession | Exception:
        row, text = found
        return _look_at_session(row, text, roots, find, probes[row.subject])

    # what another worker has settled meanwhile is left alone
    todo = [pair for pair in zip(sessions, entries, strict=True) if pair[0].status in _UNSETTLED]
    for settled in looked_at_each(todo, look):
        if isinstance(settled, Exception):
            faults.append(settled)
        else:
            yield settled


def looked_at_each(todo: Sequence[T], look: Callable[[T], U]) -> Iterator[U]:
    """What ``look`` finds in each session directory, in order; it reads several at once where they answer slowly."""

    def look_at_some(some: Sequence[T]) -> list[U]:
        return [look(each) for each in some]

    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        began = perf_counter()
        first = look_at_some(todo[:_READ_TOGETHER])
        is_slow = perf_counter() - began > _SLOW_S * len(first)
        rest = _batches(todo[_READ_TOGETHER:], _READ_TOGETHER)
        yield from first
        yield from chain.from_iterable((pool.map if is_slow else map)(look_at_some, rest))


def _look_at_session(
    session: Session, entry: str, roots: Roots, find: Find, probes: dict[str, str | None]
) -> SettledSession | Exception:
    try:
        outcome: SessionOutcome = insert_session(
            session_entry_from_json(entry, session.entry_index),
            session.location,
            roots=roots,
            find=find,
            probes=probes,
            uploader=session.username,
            session=session.id,
        )
    except Exception as fault:  # noqa: BLE001 - at stage 3 each entry stands alone
        return fault
    return SettledSession(
        session=session.id,
        version=session.version,
        event=outcome.event,
        clusterings=list(outcome.clusterings),
    )


def _look_at_clustering(daybook: Daybook, roots: Roots, number: int) -> SettleClustering:
    with daybook.reading() as world:
        clustering = world.state.clusterings[number]
        request = log.read_positions(world.transaction, [number])[number]
        links = world.state.clustering_sessions.where("clustering = ?", [number])
        sessions = {link.session: world.state.sessions[link.session] for link in links}
    entry = orjson.loads(request.payload or "{}")["entry"]
    event = insert_group(
        group_clustering_from_json(orjson.dumps(entry).decode(), clustering.entry_index),
        clustering.location,
        find=Search(roots).resolve,
        sessions={number: (session.status, session.message) for number, session in sessions.items()},
    )
    return SettleClustering(clustering=clustering.id, version=clustering.version, event=event)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
