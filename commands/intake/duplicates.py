"""How the entries of a file that stand in the ledger already differ from what is stored, field by field.

It compares what the user wrote with what is stored now, as completed by commands. Two spellings of one location are
no difference.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from commands.door.world import World
from commands.inputfile.blanking import record_of
from commands.inputfile.canonical import (
    differences,
    entry_json,
    group_clustering_from_json,
    session_entry_from_json,
)
from commands.inputfile.check import CheckedClustering, CheckedSession
from commands.inputfile.entries import GroupClusteringEntry, SessionEntry
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from commands.stored import current_entries, requested_groups
from ledger.ranges import ranges
from projections.records import Session


@dataclass(slots=True)
class Compared:
    """``unchanged`` holds inclusive ranges of indexes; ``changed`` says of the others how they differ:
    ``{"index", "session" | "clustering", "differences"}``."""

    unchanged: list[tuple[int, int]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)


def compare_sessions(
    world: World, sessions: Iterable[CheckedSession], subject: str, roots: Roots
) -> Compared:
    """``subject`` is the key of the file's subject: a location may be held by a session of another one."""
    duplicates = [(s.entry, s.duplicate_of) for s in sessions if s.duplicate_of is not None]
    world.state.sessions.prefetch(number for _, number in duplicates)
    rows = [world.state.sessions[number] for _, number in duplicates]
    same, changed = [], []
    for (entry, _), row, stored in zip(duplicates, rows, current_entries(world, rows), strict=True):
        found = session_differences(row, stored, entry, subject, roots)
        if found:
            changed.append({"index": entry.index, "session": f"s{row.id}", "differences": found})
        else:
            same.append(entry.index)
    return Compared(ranges(same), changed)


def session_differences(
    row: Session, stored: str, entry: SessionEntry, subject: str, roots: Roots
) -> list[dict[str, Any]]:
    """``stored`` is the session's entry as it stands, in its canonical form."""
    found: list[dict[str, Any]] = []
    if row.subject != subject:
        found += [{"field": "subject", "stored": _name(row.subject), "given": _name(subject)}]
    if stored != entry_json(entry):
        before = placed(session_entry_from_json(stored, entry.index), roots)
        found += differences(entry_json(before), placed(entry, roots))
    return found


@dataclass(frozen=True, slots=True)
class Meant:
    """Which session a text means in a file: by the ``names`` of its entries, None for a new one, by a session_time of
    its subject, or by what stands for a redacted name."""

    names: Mapping[str, int | None]
    times: Mapping[str, int]

    def by(self, texts: Iterable[str]) -> list[int | None] | None:
        """The sessions that these texts mean; None where one of them means none, such as a time that was corrected."""
        found = [
            self.names[text] if text in self.names else self.times.get(text) or record_of(text) or 0
            for text in texts
        ]
        return None if 0 in found else found


def compare_clusterings(
    world: World, clusterings: Sequence[CheckedClustering], meant: Meant, roots: Roots
) -> Compared:
    """``meant`` says what the file means by its sessions."""
    duplicates = [(c.entry, c.duplicate_of) for c in clusterings if c.duplicate_of is not None]
    stored = requested_groups(world, [number for _, number in duplicates])
    links = stands_on(world, [number for _, number in duplicates])
    same, changed = [], []
    for entry, number in duplicates:
        found = group_differences(stored[number], entry, links[number], meant, roots)
        if found:
            changed.append({"index": entry.index, "clustering": f"c{number}", "differences": found})
        else:
            same.append(entry.index)
    return Compared(ranges(same), changed)


def group_differences(
    stored: str, entry: GroupClusteringEntry, links: Collection[int], meant: Meant, roots: Roots
) -> list[dict[str, Any]]:
    """Compared by the sessions that it stands on (``links``): the same words may mean other sessions than before,
    and other words the same ones. Texts are compared only where one means no session.
    """
    found: list[dict[str, Any]] = []
    if stored != entry_json(entry):
        before = placed_group(group_clustering_from_json(stored, entry.index), roots)
        found = differences(entry_json(before), placed_group(entry, roots))
    sessions = meant.by(entry.sessions)
    if sessions is None:
        return found
    found = [each for each in found if each["field"].partition("[")[0] != "sessions"]
    if set(sessions) != set(links):
        shown = [f"s{n}" if n else text for n, text in zip(sessions, entry.sessions, strict=True)]
        found.append({"field": "sessions", "stored": [f"s{n}" for n in sorted(links)], "given": shown})
    return found


def stands_on(world: World, clusterings: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The sessions of each of these clusterings over several sessions."""
    found: dict[int, tuple[int, ...]] = dict.fromkeys(clusterings, ())
    numbers = list(found)
    for start in range(0, len(numbers), 500):
        some = numbers[start : start + 500]
        marks = ", ".join("?" * len(some))
        for link in world.state.clustering_sessions.where(f"clustering IN ({marks})", some):
            found[link.clustering] = (*found[link.clustering], link.session)
    return found


def _name(subject: str) -> str:
    return subject.partition("/")[2]


def placed(entry: SessionEntry, roots: Roots) -> SessionEntry:
    """The entry with normalised locations: the form in which two entries are compared."""
    clustering = entry.clustering
    if isinstance(clustering, tuple):
        clustering = tuple(replace(each, location=place(each.location, roots)) for each in clustering)
    return replace(entry, location=place(entry.location, roots), clustering=clustering)


def placed_group(entry: GroupClusteringEntry, roots: Roots) -> GroupClusteringEntry:
    return replace(entry, location=place(entry.location, roots))


def place(location: str, roots: Roots) -> str:
    """The normalised location; of a root that is no longer configured, the text itself."""
    try:
        return normalise(location, roots)
    except LocationError:
        return location
