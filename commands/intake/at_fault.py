"""Which entries of a file the program itself stumbles over: they fail, under an incident, and the others go on.

A look at a file asks the ledger and the disk for all entries together. Where it ends in a fault, it is repeated with
parts of the file until the entries are known that it cannot be made with.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from commands.door.incidents import record_beside
from commands.door.submit import Daybook
from commands.inputfile.check import CheckedClustering, CheckedSession
from commands.inputfile.entries import GroupClusteringEntry, InputFile, SessionEntry
from commands.inputfile.findings import FAULT, Finding
from commands.intake.settled import REPORT_IT
from commands.recordings.roots import Roots, normalise
from ledger.errors import Refusal

T = TypeVar("T")
Place = tuple[str, int]
"""``sessions`` or ``clustering``, and the index there."""
Entry = SessionEntry | GroupClusteringEntry


@dataclass(slots=True)
class AtFault:
    """The entries of one file that are at fault, each with its incident."""

    daybook: Daybook
    entries: dict[Place, Entry] = field(default_factory=dict)
    incidents: dict[Place, str] = field(default_factory=dict)

    def look(self, input_file: InputFile, look: Callable[[InputFile], T]) -> T:
        """``look`` at the file without the entries at fault. Raises what it raises of no single entry."""
        rest = self._without(input_file)
        try:
            return look(rest)
        except Refusal:
            raise
        except Exception:
            found = dict(_found(look, rest, list(_entries(rest))))
            if not found:
                raise
            for place, (entry, fault) in found.items():
                self.entries[place] = entry
                self.incidents[place] = record_beside(fault, verb="stage 2", database=self.daybook.database)
            return self.look(input_file, look)

    def _without(self, input_file: InputFile) -> InputFile:
        return _part(input_file, [each for each in _entries(input_file) if each[0] not in self.entries])

    def sessions(self, roots: Roots) -> list[CheckedSession]:
        """As if they had been checked, and were new."""
        return [
            CheckedSession(entry, location_of(entry, roots), None)
            for place in sorted(self.entries)
            if isinstance(entry := self.entries[place], SessionEntry)
        ]

    def clusterings(self, roots: Roots) -> list[CheckedClustering]:
        return [
            CheckedClustering(entry, location_of(entry, roots), None, ())
            for place in sorted(self.entries)
            if isinstance(entry := self.entries[place], GroupClusteringEntry)
        ]

    def findings(self, position: Callable[[str], tuple[int, int] | None]) -> Iterator[Finding]:
        """One for each: what the others have of it."""
        for (name, index), incident in sorted(self.incidents.items()):
            path = f"{name}[{index}]"
            line, column = position(path) or (None, None)
            message = (
                f"The entry cannot be checked, by a fault of daybook itself (incident {incident}): it fails."
            )
            yield Finding(2, "warning", FAULT, path, line, column, message, REPORT_IT)


def location_of(entry: Entry, roots: Roots) -> str:
    """Normalised; as it is written where that is what the program stumbles over."""
    try:
        return normalise(entry.location, roots)
    except Exception:  # noqa: BLE001 - the entry has failed already
        return entry.location


def _entries(input_file: InputFile) -> Iterator[tuple[Place, Entry]]:
    for session in input_file.sessions:
        yield ("sessions", session.index), session
    for clustering in input_file.clustering:
        yield ("clustering", clustering.index), clustering


def _part(input_file: InputFile, some: list[tuple[Place, Entry]]) -> InputFile:
    return replace(
        input_file,
        sessions=tuple(entry for _, entry in some if isinstance(entry, SessionEntry)),
        clustering=tuple(entry for _, entry in some if isinstance(entry, GroupClusteringEntry)),
    )


def _found(
    look: Callable[[InputFile], object], input_file: InputFile, some: list[tuple[Place, Entry]]
) -> Iterator[tuple[Place, tuple[Entry, Exception]]]:
    """The entries among ``some`` that cannot be looked at even alone."""
    try:
        look(_part(input_file, some))
    except Refusal:
        raise
    except Exception as fault:  # noqa: BLE001 - it is looked for
        if len(some) == 1:
            yield some[0][0], (some[0][1], fault)
        for half in (some[: len(some) // 2], some[len(some) // 2 :]) if len(some) > 1 else ():
            yield from _found(look, input_file, half)
