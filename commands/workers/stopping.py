"""Signals that ask a program to end. The handler only writes down that it was asked.

It runs in the main thread, between any two steps of it: a handler that takes a lock, as that of an event does, waits
for ever where the main thread holds it.
"""

import signal
import time
from types import TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SLICE_S = 0.1


class Asked:
    """Whether it was asked to end, between ``with`` and its end."""

    def __init__(self) -> None:
        self.is_set = False
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def __enter__(self) -> "Asked":
        for number in _SIGNALS:
            signal.signal(number, self._write_down)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float) -> bool:
        """At most so long. Returns whether it was asked."""
        until = time.monotonic() + seconds
        while not self.is_set and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_S))
        return self.is_set

    def _write_down(self, *_: object) -> None:
        self.is_set = True
