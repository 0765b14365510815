"""A pool for rebuilding in two shares without processes: faster, in a chosen order, in portions that a test has set."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class InTurn:
    """Runs each call in this process when it is submitted."""

    def __init__(self, size: int, *modules: str) -> None:
        pass

    def __enter__(self) -> "InTurn":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, call: Callable[..., float], *arguments: Any) -> Future[float]:
        future: Future[float] = Future()
        future.set_result(call(*arguments))
        return future
