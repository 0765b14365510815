"""Seeds of random histories that hold what a test needs: looked for, so that a new kind of event needs no new numbers."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from itertools import chain, count

from tests.projections.catalogue_history import Step
from tests.projections.choices import Seeded
from tests.projections.whole_history import WholeHistory

STEPS = 200


def batches(history: WholeHistory, choices: Seeded, steps: int) -> Iterator[list[Step]]:
    """The steps, as many at a time as are appended at once; a redaction is a command of its own."""
    while steps > 0:
        batch: list[Step] = []
        most = min(steps, choices.choose([1, 1, 2, 3, 10]))
        while len(batch) < most:
            batch.append(history.step())
            if batch[-1].redacted:
                break
        steps -= len(batch)
        if batch[-1].redacted and batch[:-1]:
            yield batch[:-1]
            batch = batch[-1:]
        yield batch


@lru_cache(maxsize=200)
def simulated(seed: int) -> WholeHistory:
    """The history of so many steps that a ledger would get from this seed."""
    choices = Seeded(seed)
    history = WholeHistory(choices, 1, "x")
    for _ in batches(history, choices, STEPS):
        choices.choose([None, None])  # whether an append goes on from rows in memory
    return history


def covering(kinds: Collection[str], hints: Iterable[int]) -> list[int]:
    """Seeds whose histories together hold all these kinds of events. ``hints`` are looked at first."""
    chosen, left = list[int](), set(kinds)
    for seed in chain(hints, count()):
        new = left & {type(event.body).__name__ for event in simulated(seed).log.values()}
        if new:
            chosen.append(seed)
            left -= new
        if not left:
            return chosen
    raise AssertionError("unreachable")


def first_seed(fits: Callable[[WholeHistory], bool], hint: int) -> int:
    return next(seed for seed in chain([hint], count()) if fits(simulated(seed)))
