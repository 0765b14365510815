"""The paths of an input file against the disk."""

from collections.abc import Callable

from commands.inputfile.check.said import Parts, Said
from commands.inputfile.entries import SessionEntry
from commands.inputfile.twice import Twice
from commands.recordings.roots import LocationError, Roots, normalise


class Places:
    """``find`` looks for a normalised location, and raises LocationError."""

    def __init__(self, said: Said, roots: Roots, find: Callable[[str], object]) -> None:
        self._said, self._roots, self._find = said, roots, find

    def normalised(self, written: str, parts: Parts) -> str | None:
        """None, and an error, where it is no location."""
        try:
            return normalise(written, self._roots)
        except LocationError as problem:
            self.location_error(parts, problem)
            return None

    def twice(self, entry: SessionEntry, problem: Twice | None) -> None:
        """What would be in twice if this location went in."""
        if problem is not None:
            self._said.error(("sessions", entry.index, "location"), *problem)

    def location_error(self, parts: Parts, problem: LocationError) -> None:
        self._said.error((*parts, "location"), problem.code, problem.message, problem.hint)

    def look_for(self, parts: Parts, location: str, written: str) -> None:
        try:
            self._find(location)
        except LocationError as problem:
            self.location_error(parts, problem)
        self._said.refuse_cut((*parts, "location"), "location", written, self.is_there)

    def is_there(self, written: str) -> bool:
        try:
            self._find(normalise(written, self._roots))
        except LocationError:
            return False
        return True
