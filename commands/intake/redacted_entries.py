"""Entries in whose place only stands that they were redacted: what is said of them, and who refers to them. Reads the
ledger.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from commands.door.memory import ABOVE, LOCATION, Memory, record_number
from commands.door.world import World
from commands.inputfile.blanking import record_of
from commands.inputfile.entries import InputFile
from commands.inputfile.findings import Finding
from commands.inputfile.known import Overlap
from commands.intake.recognised import when
from commands.recordings.locations import above
from projections.records import Redaction


def redacted_entries(
    world: World, input_file: InputFile, position: Callable[[str], tuple[int, int] | None]
) -> Iterator[Finding]:
    """What is said of each. The bytes that are kept have them too, so a file that is taken again says it again."""
    rows = _redactions_of(world, [(_stream(entry.list, entry.record)) for entry in input_file.redacted])
    for entry in input_file.redacted:
        row, path = rows.get(_stream(entry.list, entry.record)), f"{entry.list}[{entry.index}]"
        line, column = position(path) or (None, None)
        name = f"{'s' if entry.list == 'sessions' else 'c'}{entry.record}"
        if row is None:
            said = f"{path} says that {name} was redacted, which it was not."
            yield Finding(2, "error", "not-redacted", path, line, column, said, "Write the entry itself.")
            continue
        said = (
            f"This is {name}, which was redacted {when(row)}: nothing is inserted for it, and its lines are"
        )
        said += " not kept."
        yield Finding(2, "notice", "redacted-entry", path, line, column, said, "Take it out of the file.")


def redacted_sessions(world: World, input_file: InputFile, subject: str) -> frozenset[int]:
    """Those of the subject that the file refers to, by what stands there instead of their names."""
    numbers = {
        number for entry in input_file.clustering for text in entry.sessions if (number := record_of(text))
    }
    rows = _redactions_of(world, [_stream("sessions", number) for number in numbers])
    world.state.sessions.prefetch(numbers)
    found = {
        number: world.state.sessions.get(number) for number in numbers if _stream("sessions", number) in rows
    }
    return frozenset(number for number, row in found.items() if row is not None and row.subject == subject)


def redacted_around(world: World, memory: Memory, locations: Iterable[str]) -> list[Overlap]:
    """Redacted sessions whose recordings lie around or inside of one of these locations."""
    found = {}
    for location in locations if memory.has(LOCATION) else ():
        rows = [(row, True) for name in above(location) for row in memory.all_of(LOCATION, name)]
        rows += [(row, False) for row in memory.all_of(ABOVE, location)]
        for row, outer in rows:
            session = world.state.sessions[record_number(row)]
            if session.status == "inserted":
                found[session.id] = Overlap(session.location, session.id, session.username, outer)
    return list(found.values())


def _redactions_of(world: World, streams: Collection[str]) -> dict[str, Redaction]:
    """The first redaction in each of these streams."""
    if not streams:
        return {}
    found: dict[str, Redaction] = {}
    for row in world.state.redactions.where("position > ?", [0]):  # few: two admins agreed on each
        if row.stream in streams:
            found.setdefault(row.stream, row)
    return found


def _stream(its_list: str, record: int) -> str:
    return f"{'session' if its_list == 'sessions' else 'clustering'}/{record}"
