"""Ids as events hold them: inclusive ranges, so that ten thousand sessions of one upload take a line. Pure."""

from collections.abc import Iterable, Iterator


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending numbers as inclusive ranges: ten thousand sessions of one upload take a line."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def expanded(found: Iterable[tuple[int, int]]) -> Iterator[int]:
    for first, last in found:
        yield from range(first, last + 1)
