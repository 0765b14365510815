"""Ask the questions of ``questions`` for a face that does not word them: typed parameters in, an answer out.

A moment of the ledger is opened for the answer, and stays open until whoever asked has read it to its end.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from commands.inputfile.limits import Limits
from commands.recordings.roots import LocationError, Roots, normalise
from ledger.moments import Moment
from projections.references import Reference, find

if TYPE_CHECKING:
    from pathlib import Path

    from commands.door.submit import Daybook
    from commands.door.world import World
    from projections.past import About


@dataclass
class Asking:
    """Who asks, of which moment (None: now), and where things are on this machine: the ledgers ``url``,
    and ``key_file``, where its signing key would be."""

    daybook: "Daybook"
    url: str
    roots: Roots
    limits: Limits
    key_file: "Path"
    as_of: Moment | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def opened(self) -> Iterator["Asking"]:
        """What ``world`` opens is closed at the end."""
        with self._open:
            yield self

    def world(self, about: "About | None" = None) -> "World":
        """The ledger now, or then; ``about`` says what of the past is read."""
        if self.as_of is None:
            return self._open.enter_context(self.daybook.reading())
        return self._open.enter_context(self.daybook.reading_past(self.as_of, about))

    def found(self, text: str, *, bound_up: bool = False) -> "tuple[World, Reference]":
        """The record that somebody means; a location may be in any spelling. ``bound_up``: with all of its subject."""
        location = self.location(text)
        world = self.world(lambda past: (past.named if bound_up else past.one)(text, location))
        return world, find(world.transaction, world.head.live_slot, text, location=location)

    def location(self, text: str) -> str | None:
        try:
            return normalise(text, self.roots)
        except LocationError:
            return None
