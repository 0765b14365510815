"""A strip of time for each probe of a subject: when it was in there, and the sessions that were recorded. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ledger.plurals import plural

_WIDE, _LEFT, _HIGH = 640, 8, 46
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Strip:
    """``x`` and ``width`` say when the probe was in there; ``open``: it still is."""

    probe: str
    says: str
    y: int
    x: float
    width: float
    open: bool


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    session: str
    time: str


@dataclass(frozen=True, slots=True)
class Strips:
    """``says`` is the same in words."""

    width: int
    height: int
    strips: list[Strip]
    marks: list[Mark]
    first: str
    last: str
    says: str


def strips(probes: Sequence[Any], sessions: Sequence[tuple[datetime, str, str]]) -> Strips:
    """``probes`` with their naive local times; ``sessions`` are (time, id, status)."""
    times = [datetime.fromisoformat(each.insertion_time) for each in probes]
    times += [datetime.fromisoformat(each.removal_time) for each in probes if each.removal_time]
    times += [time for time, _, _ in sessions]
    first, last = min(times), max(times)
    if last - first < timedelta(days=1):
        last = first + timedelta(days=1)
    scale = 0.99 * (_WIDE - 2 * _LEFT) / (last - first).total_seconds()  # room for the last mark

    def x(time: datetime) -> float:
        return round(_LEFT + (time - first).total_seconds() * scale, 1)

    found = []
    for row, each in enumerate(probes):
        start = x(datetime.fromisoformat(each.insertion_time))
        end = x(datetime.fromisoformat(each.removal_time)) if each.removal_time else float(_WIDE - _LEFT)
        until = f"removed {each.removal_time[:10]}" if each.removal_time else "still in there"
        says = f"inserted {each.insertion_time[:10]}, {until}"
        width = max(end - start, 2.0)
        found.append(Strip(each.probe, says, row * _HIGH, start, round(width, 1), not each.removal_time))
    marks = [Mark(x(time), session, f"{time:%Y-%m-%d %H:%M}") for time, session, _ in sessions]
    said = "; ".join(f"{each.probe}, {each.says}" for each in found)
    return Strips(
        _WIDE, len(found) * _HIGH + 16, found, marks, f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}",
        f"{said}; {plural(len(marks), 'session')}",
    )  # fmt: skip
