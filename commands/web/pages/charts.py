"""Bars over time as a drawing, each with the table that has the same figures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

_WIDE, _HIGH, _LEFT, _BASE = 640, 204, 30, 180
_TICKS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    look: str
    says: str


@dataclass(frozen=True, slots=True)
class Chart:
    """``lines`` are (y, figure) of the scale; ``names`` (x, text) below."""

    width: int
    height: int
    bars: list[Bar]
    lines: list[tuple[float, int]]
    names: list[tuple[float, str]]
    titles: tuple[str, str]
    rows: list[tuple[str, int, int]]


def stacked(rows: Sequence[tuple[str, int, int]], titles: tuple[str, str]) -> Chart | None:
    """``rows``: a name, a figure, and another that stands on it. None where there is nothing to draw."""
    highest = max((one + other for _, one, other in rows), default=0)
    if not highest:
        return None
    top = _round_up(highest)
    scale = (_BASE - 20) / top
    step = (_WIDE - _LEFT - 6) / len(rows)
    bars = []
    for number, (name, one, other) in enumerate(rows):
        x, width = round(_LEFT + 6 + number * step, 1), round(min(step * 0.7, 40), 1)
        y = _BASE - one * scale
        says = f"{name}: {one:,} {titles[0]}, {other:,} {titles[1]}"
        bars.append(Bar(x, round(y, 1), width, round(one * scale, 1), "bar", says))
        if other:
            bars.append(Bar(x, round(y - other * scale, 1), width, round(other * scale, 1), "bar2", says))
    half = [(round(_BASE - top / 2 * scale, 1), top // 2)] if top % 2 == 0 else []
    lines = [(float(_BASE), 0), *half, (round(_BASE - top * scale, 1), top)]
    every = max(len(rows) // 6, 1)
    names = [(bars_x(number, step), rows[number][0]) for number in range(0, len(rows), every)]
    return Chart(_WIDE, _HIGH, bars, lines, names, titles, list(rows))


def bars_x(number: int, step: float) -> float:
    return round(_LEFT + 6 + number * step, 1)


def _round_up(highest: int) -> int:
    """The next 1, 2 or 5 with noughts behind it."""
    unit = 1
    while True:
        for tick in _TICKS:
            if tick * unit >= highest:
                return tick * unit
        unit *= 10
