"""What changed between two moments, record by record, in the memory of a few records.

First the log between the two is read, without its payloads, for the streams to which something happened. Then their
records are folded, some at a time, up to the first moment and up to the second, and compared. An upload that was
there before is reported without its counts: they follow from its entries, which are reported themselves.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import Any

from ledger import log
from ledger.collector import without_garbage_collection
from ledger.database import Transaction
from ledger.envelope import StoredEvent
from projections.concerned import with_needed
from projections.differences import COUNTS, Difference, Folding, Key, Plain, about, compare
from projections.lines import subject_key
from projections.portions import marks, portions

_SCANNED = 20_000  # events at once, a few columns of each
_RECORDS = 250  # at once
_ENTRIES = 1_000  # uploads at once
_KINDS = {"upload": "upload", "session": "session", "clustering": "clustering", "deletion": "request"}


@dataclass(slots=True)
class Touched:
    """The streams to which something happened. Records that were new then are numbered by the position of their first
    event: ``made`` has their numbers in ascending order, ``other`` those of the others."""

    made: dict[str, "array[int]"] = field(default_factory=dict)
    other: dict[str, set[int]] = field(default_factory=dict)
    lab: set[str] = field(default_factory=set)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, position: int, stream: str, version: int) -> None:
        kind, _, rest = stream.partition("/")
        if kind not in _KINDS:
            self.lab.add(stream)
            return
        number = int(rest)
        if version == 1 and number == position:
            self.made.setdefault(kind, array("q")).append(number)
        elif number not in self.other.setdefault(kind, set()) and not self._is_made(kind, number):
            self.other[kind].add(number)

    def _is_made(self, kind: str, number: int) -> bool:
        numbers = self.made.get(kind, ())
        at = bisect_left(numbers, number)
        return at < len(numbers) and numbers[at] == number

    def numbers(self, kind: str) -> Iterator[int]:
        return merge(sorted(self.other.get(kind, ())), self.made.get(kind, ()))


class Changes:
    """``events`` happened in between. ``differences`` come one by one, in the order of kinds and names. Only after
    all of them were read is it known which events made no record differ: ``others``.
    """

    def __init__(
        self,
        transaction: Transaction,
        slot: str,
        size: int,
        span: tuple[int, int],
        condition: str,
        values: Sequence[str],
    ) -> None:
        self._transaction = transaction
        self._slot = slot
        self._first, self._second = span
        self._is_now = span[1] == size
        self._touched = self._look(condition, values)
        self._told: Counter[tuple[str, str]] = Counter()
        self.events = self._touched.events.total()
        self.differences = self._differences()

    def others(self) -> Iterator[Plain]:
        """``{"actor", "type", "events"}``, to be read after the differences."""
        for (actor, kind), count in sorted(self._touched.events.items()):
            left = count - self._told[actor, kind]
            if left > 0:
                yield {"actor": actor, "type": kind, "events": left}

    # --- which

    def _look(self, condition: str, values: Sequence[str]) -> Touched:
        found, after = Touched(), self._first
        while after < self._second:
            rows = self._transaction.run(
                "SELECT position, stream, stream_version, actor, type FROM events "
                f"WHERE position > ? AND position <= ?{condition} ORDER BY position LIMIT {_SCANNED}",
                (after, self._second, *values),
            ).fetchall()
            for position, stream, version, actor, kind in rows:
                found.add(position, stream, version)
                found.events[actor, kind] += 1
            if len(rows) < _SCANNED:
                break
            after = rows[-1][0]
        return found

    # --- what

    def _differences(self) -> Iterator[Difference]:
        if self._touched.lab:
            roles = any(stream.startswith("user/") for stream in self._touched.lab)
            streams = self._touched.lab | ({"ledger"} if roles else set())  # it says who was admin first
            yield from self._compared(streams, self._touched.lab, ("subject", "reference value", "user"))
        for kind, told in _KINDS.items():
            for numbers in self._portions(kind):
                own = {f"{kind}/{number}" for number in numbers}
                streams = with_needed(self._transaction, self._slot, own)
                if kind == "upload" and not self._is_now:
                    streams |= self._entries(numbers)
                yield from self._compared(streams, own, (told,))

    def _portions(self, kind: str) -> Iterator[list[int]]:
        numbers = self._touched.numbers(kind)
        some: list[int] = []
        for number in numbers:
            some.append(number)
            if len(some) == _RECORDS:
                yield from self._bounded(kind, some)
                some = []
        if some:
            yield from self._bounded(kind, some)

    def _bounded(self, kind: str, numbers: list[int]) -> Iterator[list[int]]:
        """Uploads bring their entries with them: fewer at once where they have many."""
        if kind != "upload" or self._is_now:
            yield numbers
            return
        sql = f"SELECT id, sessions + clusterings FROM uploads_{self._slot} WHERE id IN ({marks(numbers)})"
        sizes = dict(self._transaction.run(sql, numbers).fetchall())
        some, entries = [], 0
        for number in numbers:
            some.append(number)
            entries += sizes.get(number, 0)
            if entries > _ENTRIES:
                yield some
                some, entries = [], 0
        if some:
            yield some

    def _entries(self, uploads: Collection[int]) -> set[str]:
        """The streams of what these uploads asked for: what their counts count."""
        found: set[str] = set()
        for kind in ("session", "clustering"):
            for some in portions(uploads):
                sql = f"SELECT id FROM {kind}s_{self._slot} WHERE upload IN ({marks(some)})"
                found.update(f"{kind}/{row[0]}" for row in self._transaction.run(sql, some).fetchall())
        return with_needed(self._transaction, self._slot, found)

    def _compared(
        self, streams: Collection[str], own: Collection[str], kinds: Sequence[str]
    ) -> Iterator[Difference]:
        events: dict[int, Plain] = {}
        happened: dict[Key, list[int]] = {}
        with without_garbage_collection():
            before, after = self._folded(streams, self._noted(own, events, happened), kinds)
        if "upload" in kinds and self._is_now:
            self._count(after)
        told: set[int] = set()
        for one in compare(before, after):
            positions = happened.get((one.kind, one.name), [])
            if one.kind == "upload" and one.change == "changed":
                _without_counts(one)
            if positions and (one.fields or one.change != "changed"):
                one.events = [events[position] for position in positions]
                self._told.update(
                    (events[at]["actor"], events[at]["type"]) for at in positions if at not in told
                )
                told.update(positions)
                yield one

    def _folded(
        self, streams: Collection[str], noted: Any, kinds: Sequence[str]
    ) -> tuple[Mapping[Key, Plain], dict[Key, Plain]]:
        folding = Folding()
        before: Mapping[Key, Plain] = {}
        stored = log.read_streams(self._transaction, streams, self._second)
        for is_later, some in groupby(stored, key=lambda event: event.position > self._first):
            if is_later and self._first:
                before = folding.described(kinds)
            if is_later:
                some = noted(some)
            folding.apply(some)
        return before, folding.described(kinds)

    def _noted(self, own: Collection[str], events: dict[int, Plain], happened: dict[Key, list[int]]) -> Any:
        def noted(later: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
            for event in later:
                if event.stream in own:
                    events[event.position] = _line(event)
                    for key in about(event):
                        happened.setdefault(key, []).append(event.position)
                yield event

        return noted

    def _count(self, uploads: dict[Key, Plain]) -> None:
        """The list of uploads says how the entries stand at present."""
        numbers = [int(name[1:]) for kind, name in uploads if kind == "upload"]
        for some in portions(numbers):
            sql = f"SELECT id, {', '.join(COUNTS)} FROM uploads_{self._slot} WHERE id IN ({marks(some)})"
            for number, *counts in self._transaction.run(sql, some).fetchall():
                uploads["upload", f"u{number}"].update(zip(COUNTS, counts, strict=True))


def between(
    transaction: Transaction,
    slot: str,
    size: int,
    first: int,
    second: int,
    *,
    subject: str | None = None,
    user: str | None = None,
) -> Changes:
    """What the events after position ``first`` up to ``second`` changed, in a ledger of ``size`` events. Where a
    subject or a user is named, only the events about that subject or that user's records.
    """
    given = (("subject", None if subject is None else subject_key(subject)), ("username", user))
    wanted = [(column, value) for column, value in given if value is not None]
    condition = "".join(f" AND {column} = ?" for column, _ in wanted)
    return Changes(transaction, slot, size, (first, second), condition, [value for _, value in wanted])


def _line(event: StoredEvent) -> Plain:
    return {
        "position": event.position,
        "type": event.type,
        "actor": event.actor,
        "recorded_at": event.recorded_at,
        "correlation": event.correlation,
    }


def _without_counts(one: Difference) -> None:
    """Not all of its entries were folded."""
    for name in COUNTS:
        one.fields.pop(name, None)
    one.record = {name: value for name, value in one.record.items() if name not in COUNTS}
