"""New entries of a file whose session was deleted before: says so, with the deletion and its reason. Reads the
ledger.
"""

from collections.abc import Callable, Iterator

from commands.door.world import World
from commands.inputfile.entries import InputFile
from commands.inputfile.fields import clipped
from commands.inputfile.findings import Finding
from commands.inputfile.known import Known
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from ledger import log

_AT_ONCE = 500  # locations in a query
_TOLD = 20  # entries of a file
_REASON = 200  # characters


def returning(
    world: World,
    input_file: InputFile,
    known: Known,
    roots: Roots,
    position: Callable[[str], tuple[int, int] | None],
) -> list[Finding]:
    """A warning for each, no more than anybody would read."""
    new: dict[str, int] = {}
    for entry in input_file.sessions:
        try:
            place = normalise(entry.location, roots)
        except LocationError:
            continue  # a finding of stage 2
        if place not in known.locations:
            new.setdefault(place, entry.index)
    return list(_told(world, new, position))


def _told(
    world: World, new: dict[str, int], position: Callable[[str], tuple[int, int] | None]
) -> Iterator[Finding]:
    gone = _deleted(world, list(new))
    shown = sorted(gone.items(), key=lambda each: new[each[0]])[:_TOLD]
    events = log.read_positions(world.transaction, [at for _, (_, at) in shown])
    for place, (session, at) in shown:
        by = events[at].correlation
        request = world.state.deletions.get(int(by[1:])) if by[:1] == "d" else None
        why = "" if request is None else f": {clipped(request.reason, _REASON)}"
        path = f"sessions[{new[place]}].location"
        line, column = position(path) or (None, None)
        when = f"{events[at].recorded_at[:19].replace('T', ' ')}Z"
        message = f"Here stood s{session}, which {by} deleted at {when}{why}"
        hint = "It is inserted anew. Where it should not be, take the entry out of the file."
        yield Finding(2, "warning", "deleted-before", path, line, column, f"{message.rstrip('.')}.", hint)


def _deleted(world: World, places: list[str]) -> dict[str, tuple[int, int]]:
    """The newest session that was deleted at each of these locations, and the position that says so; none that a
    correction replaced."""
    found: dict[str, tuple[int, int]] = {}
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        rows = world.transaction.run(
            f"SELECT location, id, status_position FROM {world.state.sessions.table} WHERE status = 'deleted' "
            f"AND replaced_by IS NULL AND location IN ({', '.join('?' * len(some))}) ORDER BY id",
            some,
        )
        found |= {location: (session, at) for location, session, at in rows.fetchall()}
    return found
