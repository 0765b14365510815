"""How the entries of a file that stand in the ledger already differ from what is stored, field by field.

Compared is what the user wrote with what is stored now, completed by commands since. Two spellings of one location
are no difference.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from commands.door.world import World
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


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an entry, such as ``tasks[0].notes``: what is stored, and what was given. Values as in the input
    format."""

    field: str
    stored: Any
    given: Any


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


def compare_clusterings(world: World, clusterings: Sequence[CheckedClustering], roots: Roots) -> Compared:
    duplicates = [(c.entry, c.duplicate_of) for c in clusterings if c.duplicate_of is not None]
    stored = requested_groups(world, [number for _, number in duplicates])
    same, changed = [], []
    for entry, number in duplicates:
        found = group_differences(stored[number], entry, roots)
        if found:
            changed.append({"index": entry.index, "clustering": f"c{number}", "differences": found})
        else:
            same.append(entry.index)
    return Compared(ranges(same), changed)


def group_differences(stored: str, entry: GroupClusteringEntry, roots: Roots) -> list[dict[str, Any]]:
    if stored == entry_json(entry):
        return []
    before = placed_group(group_clustering_from_json(stored, entry.index), roots)
    return differences(entry_json(before), placed_group(entry, roots))


def _name(subject: str) -> str:
    return subject.partition("/")[2]


def placed(entry: SessionEntry, roots: Roots) -> SessionEntry:
    """The entry with normalised locations: what two entries are compared in."""
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
