"""Did you mean: the nearest of the valid words."""

import re
from collections.abc import Collection, Iterable

from commands.inputfile.fields import clipped
from ledger.look_alikes import difference, folded

_MEANT = re.compile(r'Did you mean "([^"\n]+)"\?')
_CUT = "\u2026"
LONGEST = 80  # letters of a word, and of a choice, that are compared
MOST = 400  # choices that are compared with one word


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice with the fewest slips (a letter added, left out, exchanged, or two swapped) from ``word``.

    At most one slip in three letters; case, the kind of blanks and dashes, and the choice among ``_``, ``-`` and
    blank count as half a slip in all. Among equals the first in order of the alphabet. Of many choices only so
    many are compared, those with the same first letter before the others.
    """
    if len(word) > LONGEST:
        return None
    wanted = _folded(word)
    best: str | None = None
    best_distance = max(1.0, len(wanted) / 3) + 0.25
    slack = best_distance + 2
    near = [choice for choice in choices if len(choice) <= LONGEST and abs(len(choice) - len(word)) <= slack]
    if len(near) > MOST:
        near = [choice for choice in near if _folded(choice[:1]) == wanted[:1]]
    for choice in sorted(near)[:MOST]:
        if choice == word:
            return choice
        distance = _slips(wanted, _folded(choice), best_distance) + 0.25
        if distance < best_distance or (distance == best_distance and best is None):
            best, best_distance = choice, distance
    return best


def steps(word: str, choices: Collection[str]) -> int:
    """How many letters are at most laid beside how many others to find the nearest of ``choices``."""
    compared = 0 if len(word) > LONGEST else min(MOST, len(choices)) * len(word) ** 2
    return len(choices) + compared


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint, empty where no choice is near."""
    found = nearest(word, choices)
    return mean(word, found) if found is not None else ""


def mean(word: str, meant: str) -> str:
    """The question, and how the two differ where that is hard to see."""
    return f'Did you mean "{clipped(meant, LONGEST)}"? {difference(word, meant)}'.rstrip()


def meant_by(hint: str) -> str | None:
    """The word that such a hint names; None where it names none, or not the whole of it."""
    found = _MEANT.match(hint)
    return None if found is None or found[1].endswith(_CUT) else found[1]


def _folded(word: str) -> str:
    return folded(word).replace("-", "_").replace(" ", "_")


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
