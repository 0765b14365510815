"""Undo an executed deletion: all that it deleted stands again, or nothing does and every hindrance is named."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from commands.door.command import Command
from commands.door.permission import require_admin
from commands.door.world import Decision, Result, World
from commands.intake.nested import overlapping, shared
from commands.requests.fallen import Fallen, fallen_by
from commands.requests.impact import STANDING, parts
from commands.requests.naming import name_of
from commands.requests.putting_back import put_back, without_their_place
from commands.requests.rules import Kind, kind_of
from commands.stored import holders_at, shares_probes
from ledger import log
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import ClusteringRestored, DeletionRestored, SessionRestored
from projections.records import Clustering, Deletion, Session
from projections.rows import Rows

R = TypeVar("R", Session, Clustering)


_NAMED = 3


class Blocked(Refusal):
    """``blockers`` has a sentence for each obstacle; ``standing`` are the records that would have to go first."""

    def __init__(self, number: int, blockers: list[str], standing: Sequence[str] = ()) -> None:
        more = f" And {len(blockers) - 1:,} more." if len(blockers) > 1 else ""
        super().__init__(
            "blocked",
            f"d{number} cannot be restored whole, so nothing was: {blockers[0]}{more}",
            "Delete what stands in the way, then restore again",
            *(NextStep("request-deletion", ref, {"reason": None}) for ref in standing[:_NAMED]),
            *(
                []
                if standing
                else [NextStep("request-deletion", arguments={"records": None, "reason": None})]
            ),
            NextStep("restore", f"d{number}"),
        )
        self.blockers = blockers


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Result):
    """How many records stand again, and how many of them are ``pending``, as they had never been inserted."""

    request: str
    kind: Kind
    status: Literal["restored"] = "restored"
    sessions: int
    clusterings: int
    pending: int
    next_steps: tuple[NextStep, ...] = ()


class RestoreDeletion(Command[Restored]):
    """Undoes a deletion or a correction. What waited for something is pending again."""

    request: int

    def authorise(self, world: World) -> None:
        row = world.state.deletions.get(self.request)
        subject = "" if row is None else row.subject
        require_admin(world, "restore", record=f"d{self.request}", subject=subject)

    def decide(self, world: World) -> Decision[Restored]:
        row = _executed(world, self.request)
        executed, fallen = fallen_by(world, row)
        blockers, standing = _blockers(world, fallen)
        if blockers:
            raise Blocked(row.id, blockers, standing)
        lab = put_back(world, fallen.taken_back, causation=executed)
        events = [*lab, *(_restored(record, fallen, causation=executed) for record in fallen.all())]
        body = DeletionRestored(sessions=len(fallen.sessions), clusterings=len(fallen.clusterings))
        events.append(
            NewEvent(f"deletion/{row.id}", body, row.version, row.subject, row.requested_by, executed)
        )
        pending = len(events) - 1 - len(lab) - len(fallen.inserted)
        result = Restored(
            request=f"d{row.id}",
            kind=kind_of(row),
            sessions=len(fallen.sessions),
            clusterings=len(fallen.clusterings),
            pending=pending,
            next_steps=(NextStep("work"),) if pending else (),
        )
        return Decision(events, result, correlation=f"d{row.id}")


def _executed(world: World, number: int) -> Deletion:
    row = world.state.deletions.get(number)
    if row is None:
        raise Refusal(
            "not-found",
            f"There is no request d{number}.",
            "",
            NextStep("list-requests", arguments={"all": "yes"}),
        )
    if row.kind in ("proposal", "addition", "mending", "role"):
        raise Refusal(
            "not-restorable",
            f"d{number} is a request of another kind ({row.kind}): it took nothing away.",
            "Mend what is wrong now",
            NextStep("show-request", f"d{number}"),
        )
    if row.kind == "redaction":
        raise Refusal(
            "not-restorable",
            f"d{number} is a redaction: what it removed is gone for good.",
            "Nothing can bring it back.",
        )
    if row.status != "executed":
        raise Refusal(
            "not-executed",
            f"d{number} is {row.status}; only what was executed can be restored.",
            "",
            NextStep("show-request", f"d{number}"),
        )
    return row


def _restored(record: Session | Clustering, fallen: Fallen, *, causation: int) -> NewEvent:
    is_session = isinstance(record, Session)
    stream = f"session/{record.id}" if is_session else f"clustering/{record.id}"
    status = "inserted" if stream in fallen.inserted else "pending"
    body = SessionRestored(status=status) if is_session else ClusteringRestored(status=status)
    return NewEvent(stream, body, record.version, record.subject, record.username, causation)


# --- what stands in the way ---------------------------------------------------------------------------------

Hindrance = tuple[str, Session | Clustering | None]
"""A sentence, and the record that it ends with."""


def _blockers(world: World, fallen: Fallen) -> tuple[list[str], list[str]]:
    """A sentence for each key that was taken since, and for each session that a clustering would miss; and which
    records stand in the way."""
    linked = _linked(world, fallen)
    found: list[Hindrance] = [
        *((f"{name} {why}", row) for name, standing in linked.items() for why, row in standing),
        *_taken_keys(world, fallen, {name: {row.id for _, row in rows} for name, rows in linked.items()}),
        *_missing_sessions(world, fallen),
        *_same_outputs(world, fallen),
        *((sentence, None) for sentence in _without_their_place(world, fallen)),
    ]
    since = log.read_positions(
        world.transaction, {row.status_position for _, row in found if row is not None}
    )
    sentences = []
    for sentence, row in found:
        if row is not None:
            time = since[row.status_position].recorded_at[:19].replace("T", " ")
            sentence += f" {name_of(row)} of {row.username}, {row.status} {time}Z"
        sentences.append(f"{sentence}.")
    standing = [name_of(row) for _, row in found if row is not None and row.status in STANDING]
    return sentences, list(dict.fromkeys(standing))


def _without_their_place(world: World, fallen: Fallen) -> Iterator[str]:
    return without_their_place(
        world, fallen.sessions.values(), fallen.clusterings.values(), fallen.taken_back
    )


def _linked(world: World, fallen: Fallen) -> dict[str, list[tuple[str, Session | Clustering]]]:
    """By name, what stands in the place of a record: a correction put it there, or another one in the place of that; or
    the record itself was put in the place of what was restored since. Its key may be free: a correction moves."""
    found: dict[str, list[tuple[str, Session | Clustering]]] = {}
    for link, sentence in (("replaced_by", "was replaced by"), ("replaces", "was put in the place of")):
        ends: dict[str, Session | Clustering] = {
            **_ends(world.state.sessions, fallen.sessions, link),
            **_ends(world.state.clusterings, fallen.clusterings, link),
        }
        for name, row in ends.items():
            if row.status in STANDING:
                found.setdefault(name, []).append((sentence, row))
    return found


def _ends(rows: Rows[R], records: Mapping[int, R], link: str) -> dict[str, R]:
    """Where a link of each of these records leads, over as many corrections as there were: to the first that stands,
    else to the last."""
    found = dict(records)
    following = {number: getattr(row, link) for number, row in records.items()}
    while following := {number: to for number, to in following.items() if to is not None}:
        rows.prefetch(following.values())
        found |= {number: rows[to] for number, to in following.items()}
        following = {
            number: getattr(found[number], link)
            for number in following
            if found[number].status not in STANDING
        }
    return {name_of(row): found[number] for number, row in records.items() if found[number] is not row}


def _taken_keys(world: World, fallen: Fallen, named: Mapping[str, Collection[int]]) -> Iterator[Hindrance]:
    """``named`` are those that were told of a record already."""
    times, groups = world.state.times, world.state.groups
    sessions, clusterings = fallen.sessions.values(), fallen.clusterings.values()
    texts = [text for row in sessions for text in (row.location, row.leads_to) if text is not None]
    holders, around = holders_at(world, texts), overlapping(world, texts)
    times.prefetch((row.subject, row.session_time) for row in sessions if row.session_time is not None)
    groups.prefetch(row.group_name for row in clusterings if row.group_name is not None)
    places = {
        row.id: held.session
        for row in sessions
        for held in shared(holders, row.location, row.leads_to)
        if held.session not in named.get(name_of(row), ())
        and (held.subject == row.subject or shares_probes(world, held.session, row.id))
    }
    nested = {
        row.id: held
        for row in sessions
        for held in shared(around, row.location, row.leads_to)
        if held.session not in named.get(name_of(row), ())
    }
    moments = {
        row.id: time.session
        for row in sessions
        if row.session_time is not None
        and (time := times.get((row.subject, row.session_time))) is not None
        and time.session not in (*named.get(name_of(row), ()), places.get(row.id))
    }
    names = {
        row.id: group.clustering
        for row in clusterings
        if row.group_name is not None
        and (group := groups.get(row.group_name)) is not None
        and group.clustering not in named.get(name_of(row), ())
    }
    world.state.sessions.prefetch(
        [*places.values(), *moments.values(), *(row.session for row in nested.values())]
    )
    world.state.clusterings.prefetch(names.values())
    for number, holder in places.items():
        location = fallen.sessions[number].location
        yield f"s{number}: location {location} is held by", world.state.sessions[holder]
    for number, row in nested.items():
        location = fallen.sessions[number].location
        yield (
            f"s{number}: location {location} lies around or inside {row.location} of",
            world.state.sessions[row.session],
        )
    for number, holder in moments.items():
        moment = fallen.sessions[number].session_time
        yield f"s{number}: session_time {moment} is held by", world.state.sessions[holder]
    for number, holder in names.items():
        name = fallen.clusterings[number].group_name
        yield f"c{number}: group_name {name} is held by", world.state.clusterings[holder]


def _missing_sessions(world: World, fallen: Fallen) -> Iterator[Hindrance]:
    """Of clusterings that stand on a session which another deletion deleted."""
    links = [(row.id, row.session) for row in fallen.clusterings.values() if row.session is not None]
    for some, marks in parts([row.id for row in fallen.clusterings.values() if row.session is None]):
        sql = f"SELECT clustering, session FROM {world.state.clustering_sessions.table} WHERE clustering IN ({marks})"
        links += world.transaction.run(sql, some).fetchall()
    elsewhere = sorted(link for link in links if link[1] not in fallen.sessions)
    world.state.sessions.prefetch(session for _, session in elsewhere)
    gone = {
        session: row.status_position
        for _, session in elsewhere
        if (row := world.state.sessions[session]).status == "deleted"
    }
    deleting = log.read_positions(world.transaction, set(gone.values()))
    for clustering, session in elsewhere:
        if session in gone:
            yield (
                f"c{clustering} stands on s{session}, which {deleting[gone[session]].correlation} deleted",
                None,
            )


def _same_outputs(world: World, fallen: Fallen) -> Iterator[Hindrance]:
    """Of single-session clusterings that were added to their session again since."""
    alone = {
        row.id: (row.session, row.location)
        for row in fallen.clusterings.values()
        if row.session is not None and row.session not in fallen.sessions
    }
    standing: dict[tuple[int | None, str], Clustering] = {}
    for some, marks in parts(sorted({session for session, _ in alone.values()})):
        for row in world.state.clusterings.where(f"session IN ({marks}) AND status = 'inserted'", some):
            standing[row.session, row.location] = row
    for number, (session, location) in alone.items():
        if (session, location) in standing:
            yield (
                f"c{number}: its session has a clustering at {location} again,",
                standing[session, location],
            )
