"""What the ledger keeps of a record that is there: its entry, its probes, its bytes. Reads; appends nothing."""

from collections.abc import Collection, Iterable, Sequence

import orjson

from commands.door.world import World
from ledger import input_files, log
from ledger.errors import NextStep, Refusal
from projections.records import Session, SessionLocation, Upload

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
    """Which sessions hold each of these locations, of whatever subjects: two animals may share a run."""
    found: dict[str, list[SessionLocation]] = {}
    wanted = list(dict.fromkeys(locations))
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for row in world.state.locations.where(f"location IN ({', '.join('?' * len(some))})", some):
            found.setdefault(row.location, []).append(row)
    return found


def held(world: World, subject: str, locations: Iterable[str]) -> dict[str, SessionLocation]:
    """Who holds each of these locations: a session of the subject, else one of another."""
    return {
        location: next((row for row in rows if row.subject == subject), rows[0])
        for location, rows in holders_at(world, locations).items()
    }


def shares_probes(world: World, one: int, other: int) -> bool:
    """Whether two sessions at one location have a probe on disk in common; of what is not inserted nobody knows."""
    names = [{row.name for row in world.state.probes.where("session = ?", [n])} for n in (one, other)]
    return not (names[0] and names[1] and names[0].isdisjoint(names[1]))


def requested_groups(world: World, numbers: Collection[int]) -> dict[int, str]:
    """The entries of multi-session clusterings, in their canonical form."""
    requests = log.read_positions(world.transaction, numbers)
    return {
        number: orjson.dumps(orjson.loads(request.payload or "{}")["entry"]).decode()
        for number, request in requests.items()
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
