"""A write-behind cache over the projection tables of one slot. The only module that writes them.

Handlers get, add, change and remove rows here; ``flush`` writes what changed in bulk, removals first, so that a key
that one record gives up can be taken by another in the same batch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ledger.database import Transaction
from projections import records
from projections.portions import Span, within


class Record(Protocol):
    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


R = TypeVar("R")


_TYPES = {  # of PostgreSQL
    "<class 'int'>": "int8",
    "int | None": "int8",
    "<class 'str'>": "text",
    "str | None": "text",
    "float | None": "float8",
}


class _Layout:
    """The statements of one table and how its rows are taken apart; made once."""

    def __init__(self, record: type[Record], slot: str) -> None:
        self.table = f"{record.TABLE}_{slot}"
        self.key_columns = record.KEY
        self.columns = tuple(field.name for field in fields(record))  # type: ignore[arg-type]
        self.types = [_TYPES[str(field.type)] for field in fields(record)]  # type: ignore[arg-type]
        others = [column for column in self.columns if column not in record.KEY]
        self.key: Callable[[Any], Any] = attrgetter(*record.KEY)
        self.values: Callable[[Any], tuple[Any, ...]] = attrgetter(*self.columns)
        self.updated: Callable[[Any], tuple[Any, ...]] = attrgetter(*others, *record.KEY)
        where = " AND ".join(f"{column} = ?" for column in record.KEY)
        assignments = ", ".join(f"{column} = ?" for column in others)
        # names are ours, never a user's: nothing here can be injected
        self.select = f"SELECT {', '.join(self.columns)} FROM {self.table}"
        self.select_one = f"{self.select} WHERE {where}"
        self.update = f"UPDATE {self.table} SET {assignments} WHERE {where}"
        self.delete = f"DELETE FROM {self.table} WHERE {where}"


_LAYOUTS: dict[tuple[Any, str], _Layout] = {}


def _layout(record: Any, slot: str) -> _Layout:
    layout = _LAYOUTS.get((record, slot))
    if layout is None:
        layout = _LAYOUTS[record, slot] = _Layout(record, slot)
    return layout


class Rows(Generic[R]):
    """The rows of one table. A key is the value of its column, or a tuple where it has several columns.

    While ``complete``, the cache holds every row that the table has: a miss needs no look-up.
    """

    def __init__(self, record: type[R], slot: str, *, complete: bool = False) -> None:
        self._record = record
        self._layout = _layout(record, slot)
        self.complete = complete
        self._known: dict[Any, R | None] = {}
        self._new: dict[Any, R] = {}
        self._changed: dict[Any, R] = {}
        self._removed: set[Any] = set()
        self._transaction: Transaction | None = None

    @property
    def table(self) -> str:
        return self._layout.table

    def attach(self, transaction: Transaction) -> None:
        self._transaction = transaction
        if transaction.past is not None:  # no need to ask the database for what is in memory
            self.know(transaction.past.known(self._record))

    @property
    def record(self) -> type[R]:
        return self._record

    def know(self, rows: Mapping[Any, R]) -> None:
        """Take in rows that the table has, by their keys, so that they are not looked up."""
        self._known.update(rows)

    def known(self) -> dict[Any, R]:
        return {key: record for key, record in self._known.items() if record is not None}

    def get(self, key: Any) -> R | None:
        try:
            return self._known[key]
        except KeyError:
            if self.complete:
                return None
            row = self._run(self._layout.select_one, self._as_tuple(key)).fetchone()
            record = None if row is None else self._record(*row)
            self._known[key] = record
            return record

    def __getitem__(self, key: Any) -> R:
        record = self._known.get(key) or self.get(key)
        if record is None:
            raise KeyError(f"{self.table}: {key}")
        return record

    def prefetch(self, keys: Iterable[Any]) -> None:
        """Load rows in bulk, so that the ``get`` of each is free. Where a key has several columns, all but the last
        should repeat: each combination of them is a query.
        """
        if self.complete:
            return
        *leading, last = self._layout.key_columns
        groups: dict[Any, list[Any]] = {}
        for key in dict.fromkeys(keys):
            if key not in self._known:
                self._known[key] = None
                *same, value = self._as_tuple(key)
                groups.setdefault(tuple(same), []).append(value)
        equal = "".join(f"{column} = ? AND " for column in leading)
        for same, wanted in groups.items():
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                self.where(f"{equal}{last} IN ({', '.join('?' * len(some))})", [*same, *some])

    def where(self, condition: str, values: Iterable[Any]) -> list[R]:
        """The rows that match an SQL condition, in key order, as they are in the cache. Not for tables with
        unwritten rows.
        """
        sql = f"{self._layout.select} WHERE {condition} ORDER BY {', '.join(self._layout.key_columns)}"
        found = []
        for row in self._run(sql, list(values)).fetchall():
            record = self._record(*row)
            key = self._layout.key(record)
            known = self._known.get(key)
            if known is None and key not in self._removed:
                self._known[key] = known = record
            if known is not None:
                found.append(known)
        return found

    def within(self, spans: Sequence[Span], condition: str) -> list[R]:
        """The rows whose number is in one of these spans, as they are in the cache, and of those that are not there yet
        the ones for which an SQL condition holds."""
        for inside, numbers in () if self.complete else within(spans):
            self.where(f"{inside} AND {condition}", numbers)
        known = self._known
        found: list[R | None] = []
        for first, last in spans:
            if last - first < len(known):
                found += map(known.get, range(first, last + 1))
            else:
                found += (row for number, row in known.items() if first <= number <= last)
        return [row for row in found if row is not None]

    def every(self) -> list[R]:
        """All rows of a complete cache, in no particular order."""
        return [record for record in self._known.values() if record is not None]

    def add(self, record: R) -> R:
        key = self._layout.key(record)
        self._known[key] = record
        self._new[key] = record
        return record

    def change(self, key: Any) -> R:
        """The row with this key, which the caller is about to change."""
        record = self._new.get(key)
        if record is None:
            record = self._changed[key] = self[key]
        return record

    def remove(self, key: Any) -> None:
        self._known[key] = None
        self._changed.pop(key, None)
        if self._new.pop(key, None) is None:
            self._removed.add(key)

    @property
    def is_dirty(self) -> bool:
        return bool(self._new or self._changed or self._removed)

    def flush_removed(self) -> None:
        if self._removed:
            self._open().run_many(self._layout.delete, [self._as_tuple(key) for key in self._removed])
            self._removed = set()

    def flush(self, most: int | None = None) -> int:
        """Write changed rows and at most ``most`` new ones. Returns how many were written."""
        written = len(self._changed)
        if self._changed:
            self._open().run_many(
                self._layout.update, list(map(self._layout.updated, self._changed.values()))
            )
            self._changed = {}
        if self._new:
            new = self._new
            if most is not None and len(new) > most:
                self._new = dict(islice(new.items(), most, None))
                new = dict(islice(new.items(), most))
            else:
                self._new = {}
            values = list(map(self._layout.values, new.values()))
            self._open().insert_many(self.table, self._layout.columns, values, self._layout.types)
            written += len(values)
        return written

    def forget(self, *, beyond: int) -> None:
        """Drop the cache where it holds more than ``beyond`` rows. Call it only after a flush."""
        if len(self._known) > beyond:
            self._known = {}
            self.complete = False

    def __len__(self) -> int:
        return len(self._new) + len(self._changed) + len(self._removed)

    def _open(self) -> Transaction:
        if self._transaction is None:
            raise RuntimeError(f"{self.table} is not attached to a transaction")
        return self._transaction

    def _run(self, sql: str, values: Any) -> Any:
        return self._open().run(sql, values)

    def _as_tuple(self, key: Any) -> tuple[Any, ...]:
        return key if len(self._layout.key_columns) > 1 else (key,)


U = TypeVar("U", records.Session, records.Clustering)


def requested_by(rows: Rows[U], upload: records.Upload) -> list[U]:
    """The sessions, or the multi-session clusterings, that an upload asked for: their numbers follow each other."""
    first = upload.first_record or upload.id + 2
    last = first - 1 + upload.sessions + upload.clusterings
    found = rows.where("id BETWEEN ? AND ? AND upload = ?", [first, last, upload.id])
    return [row for row in found if isinstance(row, records.Session) or row.group_name is not None]


class State:
    """All projections of one slot, through their caches."""

    def __init__(self, slot: str, transaction: Transaction | None = None, *, complete: bool = False) -> None:
        self.slot = slot
        self.uploads = Rows(records.Upload, slot, complete=complete)
        self.sessions = Rows(records.Session, slot, complete=complete)
        self.tasks = Rows(records.SessionTask, slot, complete=complete)
        self.probes = Rows(records.SessionProbe, slot, complete=complete)
        self.clusterings = Rows(records.Clustering, slot, complete=complete)
        self.clustering_sessions = Rows(records.ClusteringSession, slot, complete=complete)
        self.duplicates = Rows(records.Duplicate, slot, complete=complete)
        self.subjects = Rows(records.Subject, slot, complete=complete)
        self.insertions = Rows(records.ProbeInsertion, slot, complete=complete)
        self.reference = Rows(records.ReferenceValue, slot, complete=complete)
        self.locations = Rows(records.SessionLocation, slot, complete=complete)
        self.times = Rows(records.SessionTime, slot, complete=complete)
        self.groups = Rows(records.ClusteringGroup, slot, complete=complete)
        self.users = Rows(records.User, slot, complete=complete)
        self.deletions = Rows(records.Deletion, slot, complete=complete)
        self.redactions = Rows(records.Redaction, slot, complete=complete)
        self.activity = Rows(records.Activity, slot, complete=complete)
        self.all: tuple[Rows[Any], ...] = tuple(
            value for value in vars(self).values() if isinstance(value, Rows)
        )
        if transaction is not None:
            self.attach(transaction)

    def attach(self, transaction: Transaction) -> None:
        for rows in self.all:
            rows.attach(transaction)

    def flush(self, *, keys: bool = True, most: int | None = None) -> None:
        """Write what changed; ``most`` is roughly how many rows are enough for now. Without ``keys`` the dedup keys,
        which all subjects share, stay in memory.
        """
        todo = [rows for rows in self._to_write(keys) if rows.is_dirty]
        for rows in todo:
            rows.flush_removed()
        for rows in todo:
            written = rows.flush(most)
            if most is not None and (most := most - written) <= 0:
                return

    def forget(self, *, beyond: int) -> None:
        for rows in self.all:
            if not rows.is_dirty:
                rows.forget(beyond=beyond)

    def complete(self) -> bool:
        return all(rows.complete for rows in self.all)

    def dirty(self, *, keys: bool = True) -> int:
        """How many rows are still to be written."""
        return sum(map(len, self._to_write(keys)))

    def _to_write(self, keys: bool) -> list[Rows[Any]]:
        return [rows for rows in self.all if keys or (rows is not self.locations and rows is not self.groups)]
