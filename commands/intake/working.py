"""Go on with what is open, once or again and again, and say what moved."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from commands.door.command import checked_command_id
from commands.door.permission import may_settle_all, require_settler
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import Result, World
from commands.intake.looking_again import FAULT, due, look_again
from commands.intake.settling import settle
from commands.intake.unsettled import unsettled_clusterings, unsettled_sessions
from commands.recordings.roots import Roots
from ledger import log
from ledger.bodies import body_of
from ledger.connection_errors import MAY_PASS
from ledger.errors import LedgerUnavailable, NextStep, Refusal
from projections.lines import subject_name
from projections.records import Clustering, Session
from projections.references import find
from projections.rows import requested_by

_MOVES = ("SessionInserted", "SessionInsertFailed", "ClusteringInserted", "ClusteringInsertFailed")


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedSession:
    """A session that no longer waits. ``reason`` and ``message`` say why it failed, ``incident`` where that was a
    fault of the program.
    """

    session: str
    status: str
    subject: str
    session_time: str | None
    location: str
    username: str
    upload: str
    reason: str | None
    message: str | None
    incident: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedClustering:
    """A multi-session clustering that no longer waits, or one of a ``session`` that was found later."""

    clustering: str
    status: str
    subject: str
    group_name: str | None
    session: str | None
    curator: str
    curation_time: str | None
    location: str
    username: str
    upload: str
    reason: str | None
    message: str | None
    incident: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLater:
    """What a later look at an inserted session found: ``probes`` that went in (their names), and all that is to be said
    of it now. ``incident``: it could not be looked at, by a fault of the program."""

    session: str
    probes: list[str]
    messages: list[str]
    incident: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked(Result):
    """What moved on, and how many entries are ``waiting`` still; ``looked_at`` counts both. ``looked_again`` counts the
    inserted sessions whose disk was looked at again, ``found`` says what was new there; clusterings that were found
    stand among ``clusterings``. ``clusterings_waiting`` are those of one session, for which its disk is looked at."""

    looked_at: int
    sessions: list[MovedSession]
    clusterings: list[MovedClustering]
    waiting: int
    looked_again: int
    found: list[FoundLater]
    clusterings_waiting: int = 0

    @property
    def failed(self) -> bool:
        records: list[MovedSession | MovedClustering] = [*self.sessions, *self.clusterings]
        at_fault = any(one.incident is not None for one in self.found)
        return at_fault or any(record.status == "error" for record in records)


def work(
    daybook: Daybook,
    roots: Roots,
    *,
    named: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    command_id: str | None = None,
) -> Worked:
    """Process what is pending and look again at what waits: all of it, or of an actor who is no admin, his or her own.

    ``named`` are ids of sessions, clusterings and uploads: these alone, and at once, also where nothing is open of
    them. Else what is open of inserted sessions is looked for after an hour, a day, a week, and monthly for a year.

    The same command id again finishes what a crash left of the first time, takes up nothing that came since, and
    answers as the first time.
    """
    steps = Steps(daybook, checked_command_id(command_id), repeatable=command_id is not None)
    before = steps.spans[0][0] if steps.spans else None
    with daybook.reading() as world:
        owner = None if may_settle_all(world) else world.owner
        chosen = _chosen(world, named) if named else None
    if chosen is not None:
        daybook.require(lambda world: require_settler(world, "process entries", _rows(world, *chosen)))
    with daybook.reading() as world:
        again = due(world, owner, datetime.now(UTC)) if chosen is None else chosen[0]
    if chosen is None:
        settle(daybook, roots, steps, before=before, progress=progress)
    else:
        settle(daybook, roots, steps, sessions=chosen[0], clusterings=chosen[1], progress=progress)
    look_again(daybook, roots, steps, again, scheduled=chosen is None)
    with daybook.reading() as world:
        position = steps.last_position() or world.head.size
        moved = _moved(world, steps)
    with daybook.reading_at(position, now=not steps.repeatable) as world:
        world.state.sessions.prefetch(moved["session"])
        world.state.clusterings.prefetch(moved["clustering"])
        clusterings = [world.state.clusterings[number] for number in moved["clustering"]]
        faults = incidents(world, [*(world.state.sessions[n] for n in moved["session"]), *clusterings])
        sessions = [_session(world.state.sessions[n], faults) for n in moved["session"]]
        fresh = set(moved["session"])
        groups = [_clustering(row, faults) for row in clusterings if row.session not in fresh]
        found = _found(world, steps)
        waiting = len(unsettled_sessions(world, None, owner)) + len(
            unsettled_clusterings(world, None, (), owner)
        )
        resting = world.state.clusterings.where("session IS NOT NULL AND status = 'waiting'", [])
    return Worked(
        position=position,
        looked_at=len(sessions) + len(groups) + waiting,
        sessions=sessions,
        clusterings=groups,
        waiting=waiting,
        looked_again=len(again),
        found=found,
        clusterings_waiting=sum(owner is None or row.username == owner for row in resting),
    )


def _chosen(world: World, named: Sequence[str]) -> tuple[list[int], list[int]]:
    """The sessions and the multi-session clusterings that are meant. Raises Refusal for anything else."""
    sessions: list[int] = []
    clusterings: list[int] = []
    for text in named:
        reference = find(world.transaction, world.head.live_slot, text)
        if reference.kind == "session":
            sessions.append(reference.id)
        elif reference.kind == "clustering":
            row = world.state.clusterings[reference.id]
            (clusterings if row.session is None else sessions).append(row.session or row.id)
        elif reference.kind == "upload":
            sessions += [
                row.id for row in requested_by(world.state.sessions, world.state.uploads[reference.id])
            ]
        else:
            raise Refusal(
                "not-work", f"{reference} is no session, clustering or upload.", "", NextStep("list-sessions")
            )
    return list(dict.fromkeys(sessions)), list(dict.fromkeys(clusterings))


def _rows(world: World, sessions: Iterable[int], clusterings: Iterable[int]) -> list[Session | Clustering]:
    return [*(world.state.sessions[n] for n in sessions), *(world.state.clusterings[n] for n in clusterings)]


def _found(world: World, steps: Steps) -> list[FoundLater]:
    found = []
    for span in steps.spans:
        rows = world.transaction.run(
            "SELECT position FROM events WHERE position >= ? AND position <= ? AND type = 'MoreFound'", span
        ).fetchall()
        for event in log.read_positions(world.transaction, [row[0] for row in rows]).values():
            body = body_of(event)
            found.append(
                FoundLater(
                    session=f"s{event.stream.rpartition('/')[2]}",
                    probes=[str(probe["probe"]) for probe in body["probes"]],
                    messages=[str(one["message"]) for one in body["remarks"]],
                    incident=next(
                        (str(one["name"]) for one in body["remarks"] if one["code"] == FAULT), None
                    ),
                )
            )
    return found


def watch(
    daybook: Daybook,
    roots: Roots,
    *,
    interval_s: float,
    tell: Callable[[Worked | LedgerUnavailable | None], None],
) -> None:
    """Work, and look again, for ever. ``tell`` is called with what moved; once with the reason why the ledger cannot
    be reached, and once with None when it can be reached again.
    """
    lost = False
    while True:
        try:
            worked = work(daybook, roots)
        except LedgerUnavailable as unavailable:
            if unavailable.code not in MAY_PASS:
                raise
            if not lost:
                tell(unavailable)
            lost = True
        else:
            if lost:
                tell(None)
            lost = False
            tell(worked)
        time.sleep(interval_s)


def _moved(world: World, steps: Steps) -> dict[str, list[int]]:
    """The numbers of the sessions and clusterings that these steps brought to an end, in order."""
    found: dict[str, set[int]] = {"session": set(), "clustering": set()}
    marks = ", ".join("?" * len(_MOVES))
    for span in steps.spans:
        rows = world.transaction.run(
            f"SELECT stream FROM events WHERE position >= ? AND position <= ? AND type IN ({marks})",
            (*span, *_MOVES),
        )
        for (stream,) in rows.fetchall():
            kind, _, number = stream.partition("/")
            found[kind].add(int(number))
    return {kind: sorted(numbers) for kind, numbers in found.items()}


def incidents(world: World, rows: Iterable[Session | Clustering]) -> dict[int, str]:
    """The incidents under which entries failed, by the number of the record."""
    failed = {
        row.id: row.status_position for row in rows if (row.status, row.reason) == ("error", "incident")
    }
    events = log.read_positions(world.transaction, list(failed.values())) if failed else {}
    return {number: str(body_of(events[position])["incident"]) for number, position in failed.items()}


def _session(row: Session, faults: dict[int, str]) -> MovedSession:
    return MovedSession(
        session=f"s{row.id}",
        status=row.status,
        subject=subject_name(row.subject),
        session_time=row.session_time,
        location=row.location,
        username=row.username,
        upload=f"u{row.upload}",
        reason=row.reason,
        message=row.message,
        incident=faults.get(row.id),
    )


def _clustering(row: Clustering, faults: dict[int, str]) -> MovedClustering:
    return MovedClustering(
        clustering=f"c{row.id}",
        status=row.status,
        subject=subject_name(row.subject),
        group_name=row.group_name,
        session=None if row.session is None else f"s{row.session}",
        curator=row.curator,
        curation_time=row.curation_time,
        location=row.location,
        username=row.username,
        upload=f"u{row.upload}",
        reason=row.reason,
        message=row.message,
        incident=faults.get(row.id),
    )
