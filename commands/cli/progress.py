"""A progress line on the terminal, for work that takes more than a moment. Writes to standard error only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from commands.cli.output import plain_wanted

QUIET_S = 0.7
_EVERY_S = 0.1
_CELLS = 24


class Progress:
    """Called with what is done and what there is to do. Shows nothing in the first moments of a job."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._began = self._drawn = monotonic()
        self._visible = False

    def __call__(self, done: int, total: int) -> None:
        now = monotonic()
        if total <= 0 or now - self._began < QUIET_S or now - self._drawn < _EVERY_S:
            return
        self._drawn, self._visible = now, True
        full = min(_CELLS, _CELLS * done // total)
        bar = "#" * full + "." * (_CELLS - full)
        left = (now - self._began) * (total - done) / done if done else 0
        sys.stderr.write(f"\r{self._label} [{bar}] {done:,} of {total:,}, {left:.0f} s left \x1b[K")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _nothing(done: int, total: int) -> None:
    """For when nobody watches."""


@contextmanager
def shown_progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress line while the block runs, gone when it ends; silent where standard error is no terminal, or one whose
    cursor is not to be moved."""
    if sys.stderr is None or not sys.stderr.isatty() or plain_wanted():
        yield _nothing
        return
    progress = Progress(label)
    try:
        yield progress
    finally:
        progress.clear()
