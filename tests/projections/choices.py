"""Where the choices of a random history come from: a seed, or hypothesis."""

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Seeded(random.Random):
    """The same choices again for the same seed."""

    def choose(self, options: Sequence[T]) -> T:
        return self.choice(options)

    def number(self, low: int, high: int) -> int:
        return self.randint(low, high)


class Choices(Protocol):
    """Where a history's choices come from."""

    def choose(self, options: Sequence[T]) -> T: ...

    def number(self, low: int, high: int) -> int: ...
