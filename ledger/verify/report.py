"""What was read of the log, and the problems that were found in it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ledger.hashing import Chunk, Problem
from ledger.merkle import CompactRange

_MOST = 100  # problems of one code that are reported
_ONCE = frozenset({"time-ahead"})  # everything after it has that time too


@dataclass(slots=True)
class Report:
    """``latest`` is the latest time that an event has."""

    events: int
    root: str
    problems: list[Problem] = field(default_factory=list)
    latest: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class ReadLog:
    """What was read of the log, and the head row that it is compared with. ``changed``: positions whose leaf is another
    now, or which are missing."""

    size: int
    origin: Any
    recorded_at: Any
    compact_range: Any
    report: Report
    trees: dict[int, CompactRange] = field(default_factory=dict)
    tiles: list[bytes] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    @property
    def is_cut(self) -> bool:
        return any(chunk.is_cut for chunk in self.chunks)

    def first(self, first: int, last: int) -> int:
        """The position to name where something in this range is wrong."""
        return next((position for position in self.changed if first <= position <= last), first)

    def problem(self, code: str, position: int | None, message: str) -> None:
        self.take([Problem(code, position, message)])

    def take(self, problems: Iterable[Problem]) -> None:
        """Where the same thing is wrong all over, the first places are reported."""
        for problem in problems:
            self.told[problem.code] += 1
            if self.told[problem.code] <= (1 if problem.code in _ONCE else _MOST):
                self.report.problems.append(problem)


def plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
