"""How all entries of a checked file that stand in the ledger differ from it: sessions first, then clusterings by the
sessions that they stand on. Reads the ledger."""

from collections.abc import Collection, Iterator
from typing import Any

from commands.door.world import World
from commands.inputfile.check import Checked
from commands.intake.checking import Difference, DifferingEntry
from commands.intake.duplicates import Compared, Meant, compare_clusterings, compare_sessions
from commands.intake.known import session_times
from commands.intake.renewing import Renewals
from commands.recordings.roots import Roots


def compared(world: World, checked: Checked, subject: str, roots: Roots) -> tuple[Compared, Compared]:
    """Of the sessions, and of the multi-session clusterings."""
    sessions = compare_sessions(world, checked.sessions, subject, roots)
    names = {s.entry.name: s.duplicate_of for s in checked.sessions if s.entry.name is not None}
    meant = Meant(names, session_times(world, subject))
    return sessions, compare_clusterings(world, checked.clusterings, meant, roots)


def differing_entries(
    world: World, checked: Checked, subject: str, roots: Roots, renewed: Renewals
) -> list[DifferingEntry]:
    sessions, clusterings = compared(world, checked, subject, roots)
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
        )
