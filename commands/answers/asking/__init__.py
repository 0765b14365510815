"""Ask the questions of ``questions`` for faces that do not word them: typed parameters in, an answer out.

A moment of the ledger is opened for the answer, and stays open until whoever asked has read it to its end.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from commands.inputfile.limits import Limits
from commands.recordings.roots import LocationError, Roots, normalise
from ledger.moments import Moment

if TYPE_CHECKING:
    from pathlib import Path

    from commands.door.settings import Checkpoints
    from commands.door.submit import Daybook
    from commands.door.world import World
    from projections.past import About, Past
    from projections.references import Reference


@dataclass
class Asking:
    """Who asks, of which moment (None: now), and where things are on this machine: the ledger's ``url``, ``key_at``,
    which says where its signing key would be (None: nothing is signed), ``checkpoints``, where these are kept by
    themselves, ``public_url``, where people reach its server. ``then`` is the position of the moment and the time of
    its last event, once it was found."""

    daybook: "Daybook"
    url: str
    roots: Roots
    limits: Limits
    key_at: "Callable[[], Path | None]"
    checkpoints: "Checkpoints | None" = None
    as_of: Moment | None = None
    public_url: str | None = None
    progress: Callable[[int, int], None] = lambda done, total: None
    then: tuple[int, str] | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def key_file(self) -> "Path | None":
        return self.key_at()

    @contextmanager
    def opened(self) -> Iterator["Asking"]:
        """What ``world`` opens is closed at the end."""
        with self._open:
            yield self

    def world(self, about: "str | About" = "everything") -> "World":
        """The ledger now, or then; ``about`` says what of the past is read, as a name of ``projections.past.Past``."""
        if self.as_of is None:
            return self._open.enter_context(self.daybook.reading())
        from projections.past import Past

        reading: About = getattr(Past, about) if isinstance(about, str) else about
        world = self._open.enter_context(self.daybook.reading_past(self.as_of, reading))
        self.then = world.head.size, world.head.recorded_at
        return world

    def found(self, text: str, *, bound_up: bool = False, of_lab: bool = False) -> "tuple[World, Reference]":
        """The record that somebody means; a location may be spelled in any way. ``bound_up``: with all of its
        subject. ``of_lab``: with subjects, probes and reference values.
        """
        from projections.references import find

        location = self.location(text)

        def about(past: "Past") -> None:
            (past.named if bound_up else past.one)(text, location)
            if of_lab:
                past.lab()

        world = self.world(about)
        return world, find(world.transaction, world.head.live_slot, text, location=location)

    def stream(self, text: str) -> str:
        """Of a record that somebody means; or the stream itself, by its name in the log."""
        from ledger import log
        from projections.references import find

        with self.daybook.reading() as world:
            if "/" in text and log.stored_stream(world.transaction, text):
                return text
            location = self.location(text)
            return find(world.transaction, world.head.live_slot, text, location=location).stream

    def location(self, text: str) -> str | None:
        try:
            return normalise(text, self.roots)
        except LocationError:
            return None
