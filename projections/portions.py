"""Many values for a statement, as many at a time as it can name."""

from collections.abc import Collection, Iterator
from typing import Any

_AT_ONCE = 500


def portions(items: Collection[int] | Collection[str]) -> Iterator[list[Any]]:
    """As many at a time as one statement can name."""
    ordered: list[Any] = sorted(items)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
