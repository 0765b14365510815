"""Did you mean: the nearest of the valid words."""

from collections.abc import Iterable


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice with the fewest slips (a letter added, left out, exchanged, or two swapped) from ``word``.

    At most one slip in three letters; case and the choice among ``_``, ``-`` and blank count as half a slip
    in all. Among equals the first in order of the alphabet.
    """
    wanted = _folded(word)
    best: str | None = None
    best_distance = max(1.0, len(wanted) / 3) + 0.25
    for choice in sorted(choices):
        if choice == word:
            return choice
        distance = _slips(wanted, _folded(choice), best_distance) + 0.25
        if distance < best_distance or (distance == best_distance and best is None):
            best, best_distance = choice, distance
    return best


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint, empty where no choice is near."""
    found = nearest(word, choices)
    return f'Did you mean "{found}"?' if found is not None else ""


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def _slips(one: str, other: str, most: float) -> float:
    """Optimal string alignment distance (Damerau 1964), or ``most`` + 1 as soon as it must be larger than
    that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, its in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != its))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == its:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before_last, last = last, current
    return last[-1]
