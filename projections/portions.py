"""Many values for one statement: so many at a time that it can name them."""

from collections.abc import Collection, Iterator
from typing import Any

_AT_ONCE = 500


def portions(items: Collection[int] | Collection[str]) -> Iterator[list[Any]]:
    """So many at a time that one statement can name them."""
    ordered: list[Any] = sorted(items)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
