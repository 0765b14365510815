"""Time two things in turn, several times, and compare their medians: a ratio travels, a second does not."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

Timed = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """``ratio`` is of times (ours / theirs) where ``at_most``, else of rates (ours / theirs)."""

    name: str
    against: str
    ratio: float
    aim: float
    at_most: bool
    ours: str
    theirs: str

    @property
    def met(self) -> bool:
        return self.ratio <= self.aim if self.at_most else self.ratio >= self.aim


def seconds(work: Timed) -> float:
    """Without the garbage collector, for both sides: when it runs is chance, and ours rests it where it counts."""
    gc.collect()
    gc.disable()
    try:
        began = perf_counter()
        work()
        return perf_counter() - began
    finally:
        gc.enable()


def in_turn(ours: Timed, theirs: Timed, *, rounds: int = 5) -> tuple[float, float]:
    """Median seconds of each; they take turns, so that a slow moment of the machine hits both."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def slower(name: str, against: str, pair: tuple[float, float], aim: float) -> Measure:
    """At most ``aim`` times as long."""
    return Measure(name, against, pair[0] / pair[1], aim, True, _time(pair[0]), _time(pair[1]))


def faster(name: str, against: str, pair: tuple[float, float], count: int, aim: float) -> Measure:
    """At least ``aim`` times as many ``count`` per second."""
    ours, theirs = count / pair[0], count / pair[1]
    return Measure(name, against, ours / theirs, aim, False, f"{ours:,.0f}/s", f"{theirs:,.0f}/s")


def _time(value: float) -> str:
    if value < 0.001:
        return f"{value * 1_000_000:.0f} µs"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"
