"""How all entries of a checked file that stand in the ledger differ from it: sessions first, then clusterings by the
sessions that they stand on. Reads the ledger."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from commands.door.world import World
from commands.inputfile.canonical import entry_json
from commands.inputfile.check import Checked
from commands.intake.checking import Difference, DifferingEntry
from commands.intake.duplicates import (
    Compared,
    Meant,
    compare_clusterings,
    compare_sessions,
    session_differences,
)
from commands.intake.known import session_times
from commands.intake.moved import Move, Moves
from commands.intake.renewing import Renewals
from commands.recordings.roots import Roots


def compared(
    world: World, checked: Checked, subject: str, roots: Roots, moves: Mapping[int, Move]
) -> tuple[Compared, Compared]:
    """Of the sessions, and of the multi-session clusterings. A session that is moved differs by what the file says
    otherwise then, and has ``moved``: where it lay."""
    sessions = compare_sessions(world, checked.sessions, subject, roots)
    if moves:
        entries = {session.entry.index: session.entry for session in checked.sessions}
        for each in sessions.changed:
            move = moves.get(each["index"])
            if move is not None:
                stored = entry_json(move.completed)
                entry = entries[each["index"]]
                each["differences"] = session_differences(move.session, stored, entry, subject, roots)
                each["moved"] = move.session.location
    names = {s.entry.name: s.duplicate_of for s in checked.sessions if s.entry.name is not None}
    meant = Meant(names, session_times(world, subject))
    return sessions, compare_clusterings(world, checked.clusterings, meant, roots)


def differing_entries(
    world: World, checked: Checked, subject: str, roots: Roots, renewed: Renewals, moves: Moves
) -> list[DifferingEntry]:
    sessions, clusterings = compared(world, checked, subject, roots, moves.own)
    return [
        *_told(sessions, "session", world.state.sessions, renewed.sessions),
        *_told(clusterings, "clustering", world.state.clusterings, renewed.clusterings),
    ]


def _told(found: Compared, kind: str, rows: Any, renewed: Collection[int]) -> Iterator[DifferingEntry]:
    rows.prefetch(int(each[kind][1:]) for each in found.changed)
    for each in found.changed:
        yield DifferingEntry(
            index=each["index"],
            record=each[kind],
            username=rows[int(each[kind][1:])].username,
            differences=[Difference(**difference) for difference in each["differences"]],
            renewed=each["index"] in renewed,
            moved_from=each.get("moved"),
        )
