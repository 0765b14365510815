"""A probe in a subject, from when to when: recordings are judged by it. Only the shape."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Insertion:
    """A probe in a subject. Times are naive local time; ``subject`` is its key."""

    subject: str
    probe: str
    insertion_time: str
    removal_time: str | None

    def before_removal(self, time: str) -> bool:
        """A campaign may be uploaded after its end, and the clock of a rig may be years behind."""
        return self.removal_time is None or self.removal_time > time

    def at(self, time: str) -> bool:
        return self.insertion_time <= time and self.before_removal(time)
