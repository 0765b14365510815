"""Look at many session directories: one after the other where they answer at once, many together where they are slow.

A call on a file server takes milliseconds, in which this process only waits; on a local disk threads would get in each
other's way. Which it is, and how many at once it bears, is found by trying. The only module of this room that starts
threads: they look at the disk, and at nothing else.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from statistics import median
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST_AT_ONCE = 32
_FILES_EACH = 16  # folders and files that one look may have open
_FILES_ELSE = 64  # of the ledger, and whatever this process has open besides
_SLOW_S = 0.001  # for a look, as a rule; a local disk takes a tenth of that
_SURELY_SLOW_S = 0.02  # for each of some in a row: a busy machine holds one up now and then
_IN_A_ROW = 3
_JUDGED = 25
_TRIED = 512  # looks; then one is tried alone again, as the disk may be another one
_WORTH_IT = 1.2  # times as quick, for twice as many at once


def looked_at_each(todo: Sequence[T], look: Callable[[T], U]) -> Iterator[U]:
    """What ``look`` finds for each, in order. What it raises goes on to the caller, and no further look begins; so
    where entries stand alone, ``look`` returns its faults.
    """
    rest = iter(todo)
    at_once = 1
    while True:
        look_s = yield from _one_by_one(rest, look)
        if not look_s:
            return
        at_once = yield from _together(list(islice(rest, _TRIED)), look, at_once, 1 / look_s)


def _one_by_one(rest: Iterator[T], look: Callable[[T], U]) -> Generator[U, None, float]:
    """One after the other, as long as they answer at once. Returns how long a look takes where they do not, 0 behind
    the last one."""
    took: list[float] = []
    for each in rest:
        began = perf_counter()
        found = look(each)
        took.append(perf_counter() - began)
        yield found
        if len(took) >= _IN_A_ROW and (shortest := min(took[-_IN_A_ROW:])) > _SURELY_SLOW_S:
            return shortest
        if len(took) == _JUDGED:
            if (usual := median(took)) > _SLOW_S:
                return usual
            took.clear()
    return 0.0


def _together(
    some: Sequence[T], look: Callable[[T], U], at_once: int, best: float
) -> Generator[U, None, int]:
    """More and more at once, as long as that gains something, then the rest. ``best`` is how many a second there are
    one by one. Returns how many at once were best."""
    done, most = 0, most_at_once()
    while at_once < most and done < len(some):
        tried = min(2 * at_once, most) if at_once > 1 else min(4, most)
        part = some[done : done + 2 * tried]
        began = perf_counter()
        yield from _at_once(part, look, tried)
        rate = len(part) / (perf_counter() - began)
        done += len(part)
        if rate < _WORTH_IT * best:
            break
        at_once, best = tried, rate
    yield from _at_once(some[done:], look, at_once)
    return at_once


def _at_once(some: Sequence[T], look: Callable[[T], U], number: int) -> Iterator[U]:
    if number == 1 or not some:
        yield from map(look, some)
        return
    pool = ThreadPoolExecutor(number, thread_name_prefix="daybook-reading")
    try:
        yield from pool.map(look, some)
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C waits for the looks that have begun, and no others


def most_at_once() -> int:
    """As many as the open files of this process allow."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return MOST_AT_ONCE
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_AT_ONCE
    return max(1, min(MOST_AT_ONCE, (soft - _FILES_ELSE) // _FILES_EACH))
