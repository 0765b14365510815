"""Waiting in tests: for facts, however long a busy machine takes to bring them about."""

import time
from collections.abc import Callable

PATIENCE_S = 600
"""What no test's outcome depends on: only how long one that hangs is waited for."""


def until(is_so: Callable[[], bool]) -> None:
    given_up = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < given_up, "it did not come about"
        time.sleep(0.005)
