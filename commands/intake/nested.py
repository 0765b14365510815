"""Which held locations lie around or inside others, and where a location leads: the recordings would be in twice.

A link is resolved once, when an entry is new, and what it leads to counts from then on beside what was written.
"""

from collections.abc import Iterable, Mapping

from commands.door.world import World
from commands.intake.reading import looked_at_each
from commands.recordings.locations import LocationError, above
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from commands.stored import holders_at
from projections.records import SessionLocation

_RANGES = 20  # in one query: of many directories those above them are looked through
Found = str | LocationError


class Finder:
    """One run's look at the disk, which asks for each location once."""

    def __init__(self, roots: Roots) -> None:
        self._search = Search(roots)
        self._found: dict[str, Found] = {}

    def find(self, location: str) -> str:
        """As ``Search.directory``. Raises LocationError."""
        found = self._found.get(location)
        if found is None:
            found = self._found[location] = self._look(location)
        if isinstance(found, LocationError):
            raise found
        return found

    def _look(self, location: str) -> Found:
        try:
            return self._search.directory(location)
        except LocationError as problem:
            return problem

    def links(self, locations: Iterable[str]) -> dict[str, str]:
        """What those of these normalised locations lead to that are links, or lie behind one."""
        wanted = list(locations)
        new = [location for location in dict.fromkeys(wanted) if location not in self._found]
        self._found.update(zip(new, looked_at_each(new, self._look), strict=True))
        found = {}
        for location in wanted:
            try:
                there = self._search.named(self.find(location))
            except LocationError:
                continue  # a finding of stage 2
            if there != location:
                found[location] = there
        return found


def overlapping(world: World, locations: Iterable[str]) -> dict[str, list[SessionLocation]]:
    """The held locations that lie around or inside each of these; of what stands alone there is nothing."""
    lies_in = {location: above(location) for location in locations}
    wanted = list(lies_in)
    around = holders_at(world, {name for names in lies_in.values() for name in names})
    inside: dict[str, list[SessionLocation]] = {}
    its_own = set(wanted)
    for row in _below(world, wanted):
        for name in above(row.location):
            if name in its_own:
                inside.setdefault(name, []).append(row)
    found = {}
    for location in wanted:
        rows = [row for name in lies_in[location] for row in around.get(name, ())]
        rows += inside.get(location, ())
        if rows:
            found[location] = rows
    return found


def _below(world: World, locations: Iterable[str]) -> list[SessionLocation]:
    """What is held inside of the directories of these locations: their neighbours too, which costs one query."""
    stems = {(above(location) or [location])[0] for location in locations}
    while len(stems) > _RANGES:
        higher = {(above(stem) or [stem])[0] for stem in stems}
        if higher == stems:
            break
        stems = higher
    # texts are compared by their signs here: a server may sort a slash anywhere else
    column = "location" + (' COLLATE "C"' if world.transaction.dialect == "postgresql" else "")
    found: list[SessionLocation] = []
    ordered = sorted(stems)
    for start in range(0, len(ordered), _RANGES):
        some = ordered[start : start + _RANGES]
        condition = " OR ".join([f"({column} >= ? AND {column} < ?)"] * len(some))
        values = [edge for stem in some for edge in (f"{stem.rstrip('/')}/", f"{stem.rstrip('/')}0")]
        found += world.state.locations.where(condition, values)
    return found


def shared(
    held: Mapping[str, list[SessionLocation]], location: str, leads_to: str | None
) -> list[SessionLocation]:
    """What overlaps with a location, or with what it leads to."""
    rows = [*held.get(location, ()), *(held.get(leads_to, ()) if leads_to is not None else ())]
    return list({row.session: row for row in rows}.values())
