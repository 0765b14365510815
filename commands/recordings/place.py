"""The session directory that a reader is given: its listing, its name, and what a reader does with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from commands.recordings.disk import Found, Listing


@dataclass(frozen=True, slots=True)
class Place:
    """``root`` is the directory, ``name`` its name. ``zone`` is where times in UTC are put, under ``zone_name``."""

    root: str
    name: str
    listing: Listing
    zone: tzinfo
    zone_name: str

    def local(self, utc: datetime) -> datetime:
        """A time in UTC, as naive time of the zone."""
        return utc.astimezone(self.zone).replace(tzinfo=None)

    def named(self, found: Found) -> str:
        """The name of the folder that holds a file."""
        return found.folder.rpartition("/")[2] or self.name

    def having(self, endings: tuple[str, ...]) -> Sequence[Found]:
        """The listed files whose names, in lower case, end like that."""
        return [found for found in self.listing.found if found.name.lower().endswith(endings)]
