"""What the ledger keeps of a record: its entry, its probes, its bytes. Reads; appends nothing."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import orjson

from commands.door.world import World
from commands.recordings.insertions import Insertion
from ledger import input_files, log
from ledger.bodies import body_of
from ledger.errors import NextStep, Refusal
from projections.records import Clustering, Session, SessionLocation, Upload
from projections.rows import Rows

_AT_ONCE = 500  # values in one query


def current_entries(world: World, sessions: Sequence[Session]) -> list[str]:
    """The input file's entry of each session, as completed since, in its canonical JSON form."""
    requested = log.read_positions(world.transaction, [s.id for s in sessions if s.entry is None])
    return [
        session.entry
        if session.entry is not None
        else orjson.dumps(orjson.loads(requested[session.id].payload or "{}")["entry"]).decode()
        for session in sessions
    ]


def probes_of(world: World, subject: str) -> dict[str, str | None]:
    """Every probe that was inserted in the subject, and when it was removed again; None: it is still in there."""
    return {row.probe: row.removal_time for row in world.state.insertions.where("subject = ?", [subject])}


def holders_at(world: World, locations: Iterable[str]) -> dict[str, list[SessionLocation]]:
    """Which sessions hold each of these locations, whatever their subjects: two animals may share a run."""
    found: dict[str, list[SessionLocation]] = {}
    wanted = list(dict.fromkeys(locations))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for row in world.state.locations.where(f"location IN ({', '.join('?' * len(some))})", some):
            found.setdefault(row.location, []).append(row)
    return found


def held(world: World, subject: str, locations: Iterable[str]) -> dict[str, SessionLocation]:
    """Which session each of these locations belongs to: first one of the subject, which may wait and hold nothing,
    else one of another subject.
    """
    wanted = list(locations)
    holders = holders_at(world, wanted)
    waiting = _waiting_at(world, subject, [one for one in wanted if not _own(holders.get(one, ()), subject)])
    return {
        location: _own(holders.get(location, ()), subject) or waiting.get(location) or holders[location][0]
        for location in dict.fromkeys([*holders, *waiting])
    }


def _own(rows: Iterable[SessionLocation], subject: str) -> SessionLocation | None:
    return next((row for row in rows if row.subject == subject), None)


def _waiting_at(world: World, subject: str, locations: Collection[str]) -> dict[str, SessionLocation]:
    """The subject's sessions that wait and hold no location."""
    if not locations:
        return {}
    wanted = set(locations)
    rows = world.transaction.run(
        f"SELECT location, username, id FROM {world.state.sessions.table} "
        "WHERE status IN ('pending', 'waiting') AND subject = ? ORDER BY id",
        (subject,),
    )
    return {
        location: SessionLocation(subject, location, username, number)
        for location, username, number in rows.fetchall()
        if location in wanted
    }


F = TypeVar("F", Session, Clustering)


def failures(
    rows: Rows[F], column: str, keys: Iterable[str], subject: str, username: str
) -> dict[str, list[F]]:
    """The failures of these entries that no later one has superseded, by location or group name, oldest first."""
    found: dict[str, list[F]] = {}
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        condition = f"status = 'error' AND {column} IN ({', '.join('?' * len(some))})"
        for row in rows.where(condition, some):
            if (row.subject, row.username, row.replaced_by) == (subject, username, None):
                found.setdefault(str(getattr(row, column)), []).append(row)
    return found


def shares_probes(world: World, one: int, other: int) -> bool:
    """Whether two sessions at one location share a probe on disk. Of a session that is not inserted, nobody knows."""
    names = [{row.name for row in world.state.probes.where("session = ?", [n])} for n in (one, other)]
    return not (names[0] and names[1] and names[0].isdisjoint(names[1]))


def insertions(world: World) -> tuple[Insertion, ...]:
    """All probe insertions of the lab: a serial number may be that of another subject's probe."""
    rows = world.state.insertions.where("subject >= ?", [""])
    return tuple(Insertion(row.subject, row.probe, row.insertion_time, row.removal_time) for row in rows)


def experimenters(world: World) -> frozenset[str]:
    rows = world.state.reference.where("reference = ?", ["reference.Experimenter"])
    return frozenset(row.value for row in rows if not row.retired)


def taken_at(world: World, sessions: Sequence[Session]) -> dict[int, dict[str, str]]:
    """For each of these sessions, the probes on disk at its location that another session has, and which."""
    holders = holders_at(world, [row.location for row in sessions])
    return {
        row.id: probes_held(world, [one for one in holders.get(row.location, ()) if one.session != row.id])
        for row in sessions
    }


def probes_held(world: World, holders: Iterable[SessionLocation]) -> dict[str, str]:
    """The probes on disk that these sessions have, and which of them."""
    return {
        probe.name: f"s{holder.session} of subject {holder.subject.removeprefix('0/')}"
        for holder in holders
        for probe in world.state.probes.where("session = ?", [holder.session])
    }


def standing_session(world: World, session: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What was inserted of a session, with the table that its tasks inherit from by now, and the remarks that stay."""
    inserted: dict[str, Any] = {}
    remarks: list[dict[str, Any]] = []
    for event in log.read_stream(world.transaction, f"session/{session}"):
        if event.type in ("SessionInserted", "MoreFound"):
            body = body_of(event)
            remarks = body["remarks"]
            inserted = body if event.type == "SessionInserted" else inserted
        elif event.type in ("TasksAdded", "SessionAmended"):
            table = body_of(event)["sessions_txt"]
            inserted = inserted if table is None else inserted | {"sessions_txt": table}
    return inserted, remarks


def standing_remarks(world: World, session: int) -> tuple[list[dict[str, Any]], list[str]]:
    """What stays with an inserted session: its remarks, and what is looked for later."""
    remarks: list[dict[str, Any]] = []
    names: list[str] = []
    for event in log.read_stream(world.transaction, f"session/{session}"):
        if event.type in ("SessionInserted", "MoreFound"):
            body = body_of(event)
            remarks, names = body["remarks"], body["open"]
    return remarks, names


def requested_groups(world: World, numbers: Collection[int]) -> dict[int, str]:
    """The entries of multi-session clusterings, in their canonical form, as a file said them last; with the
    curator's name and the location of now."""
    world.state.clusterings.prefetch(numbers)
    found = {}
    for number, text in _said(world, "clustering", "ClusteringEntryRenewed", numbers).items():
        entry, row = orjson.loads(text), world.state.clusterings.get(number)
        now = {} if row is None else {"curator": row.curator, "location": row.location}
        found[number] = orjson.dumps(entry | now).decode()
    return found


def requested_entries(world: World, sessions: Iterable[Session]) -> dict[int, str]:
    """The entries of sessions as a file said them last, before commands completed them."""
    return _said(world, "session", "SessionEntryRenewed", [row.id for row in sessions])


def _said(world: World, kind: str, renewed: str, numbers: Collection[int]) -> dict[int, str]:
    newest = {number: number for number in numbers}
    wanted = list(newest)
    for start in range(0, len(wanted), _AT_ONCE):
        some = [f"{kind}/{number}" for number in wanted[start : start + _AT_ONCE]]
        rows = world.transaction.run(
            f"SELECT stream, max(position) FROM events WHERE stream IN ({', '.join('?' * len(some))}) "
            "AND type = ? AND position <= ? GROUP BY stream",
            [*some, renewed, world.head.size],
        )
        newest |= {int(stream.partition("/")[2]): position for stream, position in rows.fetchall()}
    events = log.read_positions(world.transaction, list(newest.values()))
    return {
        number: orjson.dumps(orjson.loads(events[position].payload or "{}")["entry"]).decode()
        for number, position in newest.items()
    }


def stored_bytes(world: World, row: Upload) -> bytes:
    """The bytes of an upload as they came. Raises Refusal where a redaction erased them."""
    try:
        return input_files.fetch(world.transaction, row.sha256)
    except Refusal as refusal:
        if refusal.code != "bytes-erased":
            raise
    raise Refusal(
        "bytes-erased",
        f"The stored bytes of u{row.id} were erased by a redaction.",
        "Whoever has the file itself can upload it. When it was erased",
        NextStep("history", f"u{row.id}"),
    )
