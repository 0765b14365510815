"""Many values for a statement, as many at a time as it can name."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

_AT_ONCE = 500
_SPANS = 100
Span = tuple[int, int]
"""From the first to the last number."""


def portions(items: Collection[int] | Collection[str]) -> Iterator[list[Any]]:
    """As many at a time as one statement can name."""
    ordered: list[Any] = sorted(items)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def within(spans: Sequence[Span]) -> Iterator[tuple[str, list[int]]]:
    """The SQL condition that a record is in one of these spans, with its values."""
    for start in range(0, len(spans), _SPANS):
        some = spans[start : start + _SPANS]
        condition = f"({' OR '.join(['id BETWEEN ? AND ?'] * len(some))})"
        yield condition, [number for span in some for number in span]
