"""Records that were different at an earlier position, folded again from their events.

Records never vanish: every session, clustering and upload of then has its row today, with the same number, subject,
user and location, and ``changed_at`` tells whether anything has happened to it since. Reads today's tables.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from ledger import log
from ledger.database import PastTransaction
from projections.apply import apply, apply_to_records
from projections.entries import KINDS as KINDS_OF_ENTRIES
from projections.entries import spans, standing, within
from projections.handlers.record_status import COUNTED
from projections.portions import marks, portions
from projections.records import (
    RECORDS,
    Clustering,
    ClusteringGroup,
    ClusteringSession,
    Deletion,
    ProbeInsertion,
    ReferenceValue,
    Session,
    SessionLocation,
    SessionProbe,
    SessionTask,
    SessionTime,
    Subject,
    Upload,
    User,
)
from projections.rows import Rows, State
from projections.shadows import IN_LIST

OWNERS: dict[Any, str] = {
    Session: "id", SessionTask: "session", SessionProbe: "session", SessionLocation: "session",
    SessionTime: "session", Clustering: "id", ClusteringSession: "clustering", ClusteringGroup: "clustering",
    Upload: "id",
}  # fmt: skip
"""Whose row it is: folded, kept and counted with its record."""
KINDS: tuple[Any, ...] = (Session, Clustering, Upload)
LAB = (Subject, ProbeInsertion, ReferenceValue, User)
Condition = tuple[str, list[Any]]


class Refolding:
    """``rows`` are the folded rows, by their class and key; ``folded`` are the numbers of the records."""

    def __init__(self, transaction: PastTransaction, slot: str, position: int, next_at: str) -> None:
        self.position = position
        self.transaction = transaction
        self.slot = slot
        self.next = next_at  # when the first event after the position was recorded
        self.rows: dict[Any, dict[Any, Any]] = {record: {} for record in RECORDS}
        self.folded: set[int] = set()
        self.entries: dict[int, dict[str, int]] = {}  # how many entries of folded uploads have which status
        self._today: dict[Any, Rows[Any]] = {}
        self._uploads_changed: list[int] | None = None
        self._uploads_unchanged: set[int] = set()

    # --- what has changed since

    def has_changed(self, record: Any, alias: str = "") -> Condition:
        """Whether something may have happened to a record since, as its own row says. Times never decrease along the
        log, and several events can have the same time: a record that changed at that very time is folded to see.
        """
        if record is Deletion:
            return "1 = 1", []
        if record is Upload:
            return f"({alias}received_at >= ? OR {alias}processed_at >= ?)", [self.next, self.next]
        return f"{alias}changed_at >= ?", [self.next]

    def changed(self, record: Any, where: str = "1 = 1", values: Sequence[Any] = ()) -> list[int]:
        """The sessions or clusterings of then that something may have happened to since, ascending."""
        condition, times = self.has_changed(record)
        sql = (
            f"SELECT id FROM {record.TABLE}_{self.slot} WHERE id <= ? AND {condition} AND {where} ORDER BY id"
        )
        return [row[0] for row in self.transaction.run(sql, [self.position, *times, *values]).fetchall()]

    def today(self, record: Any) -> Rows[Any]:
        """Today's rows, each read once."""
        if record not in self._today:
            self._today[record] = Rows(record, self.slot)
            self._today[record].attach(self.transaction)
        return self._today[record]

    def then(self, record: Any, number: int) -> Any:
        """A session or clustering as it was, after ``fold`` where it had to be folded; None where it was not there."""
        if number > self.position:
            return None
        folded = self.rows[record].get((number,))
        return folded if folded is not None else self.today(record).get(number)

    def known(self, record: Any) -> dict[Any, Any]:
        """Rows of then that were folded, or that were read and have not changed since."""
        if record not in (Session, Clustering):
            return {}
        today = self.today(record).known()
        found = {n: row for n, row in today.items() if n <= self.position and row.changed_at < self.next}
        return found | {key[0]: row for key, row in self.rows[record].items()}

    def changed_of(self, record: Any, numbers: Collection[int]) -> list[int]:
        """Those of these sessions or clusterings of then that something may have happened to since."""
        today = self.today(record)
        if len(numbers) > 1:
            today.prefetch(numbers)
        rows = [row for row in map(today.get, numbers) if row is not None]
        return [row.id for row in rows if row.id <= self.position and row.changed_at >= self.next]

    def fold_changed(self, record: Any, numbers: Collection[int]) -> None:
        """Fold those of these records that have changed since."""
        if record is Upload:
            self.fold_uploads(numbers)
        else:
            self.fold({record: self.changed_of(record, numbers)})

    def all_changed_uploads(self) -> list[int]:
        """An upload changes by its own events and by those of its records, which it counts; also by a correction,
        which makes new records in the same append.
        """
        if self._uploads_changed is None:
            later = [self.next]
            found = self.transaction.run(
                f"SELECT id FROM uploads_{self.slot} WHERE received_at >= ? OR processed_at >= ? "
                f"UNION SELECT upload FROM sessions_{self.slot} WHERE changed_at >= ? "
                f"UNION SELECT upload FROM clusterings_{self.slot} WHERE changed_at >= ? AND group_name IS NOT NULL",
                later * 4,
            ).fetchall()
            self._uploads_changed = sorted(row[0] for row in found if row[0] <= self.position)
        return self._uploads_changed

    def still_so(self, record: Any) -> Condition:
        """The condition under which today's row, ``row``, was there then."""
        owner = OWNERS[record]
        if record is Upload:
            in_list = IN_LIST[self.transaction.dialect]
            if self._uploads_changed is None:
                return f"row.id IN {in_list}", [orjson.dumps(sorted(self._uploads_unchanged)).decode()]
            changed = [number for number in self._uploads_changed if number not in self._uploads_unchanged]
            listed = orjson.dumps(changed).decode()
            return f"row.id <= ? AND row.id NOT IN {in_list}", [self.position, listed]
        if owner == "id":
            return "row.changed_at < ?", [self.next]
        of = Session if owner == "session" else Clustering
        table = f"{self.transaction.durable}{of.TABLE}_{self.slot}"
        same = f"owner.id = row.{owner} AND owner.changed_at < ?"
        return f"EXISTS (SELECT 1 FROM {table} AS owner WHERE {same})", [self.next]

    # --- folding

    def fold(self, numbers: dict[Any, Collection[int]], streams: Iterable[str] = ()) -> None:
        """Fold these sessions, clusterings and requests to delete, and whatever stands in these other streams."""
        wanted = {record: set(some) - self.folded for record, some in numbers.items() if some}
        named = {f"{record.__name__.lower()}/{number}" for record, some in wanted.items() for number in some}
        named.update(streams)
        if not named:
            return
        state = self.state(named, clusterings=wanted.get(Clustering, ()))
        new = {number for some in wanted.values() for number in some}
        self.folded |= new
        for record, owner in OWNERS.items():
            if record is not Upload:
                self.keep(record, (row for row in state.of(record) if getattr(row, owner) in new))
        for record in (*LAB, Deletion):
            self.keep(record, state.of(record))

    def state(
        self, streams: Collection[str], *, clusterings: Collection[int] = (), counted: bool = False
    ) -> "_Then":
        """What the events of these streams add up to. A clustering takes from its session what never changes."""
        state = _Then(self.slot, self.today(Session).known())
        state.sessions.attach(self.transaction)
        for some in portions(clusterings) if len(clusterings) > 1 else ():
            of = f"SELECT session FROM clusterings_{self.slot} WHERE id IN ({marks(some)})"
            state.sessions.where(f"id IN ({of})", some)
        add_up = apply if counted else apply_to_records
        add_up(state, log.read_streams(self.transaction, streams, self.position))
        return state

    def keep(self, record: Any, rows: Iterable[Any]) -> None:
        self.rows[record].update((tuple(getattr(row, name) for name in record.KEY), row) for row in rows)

    def forget(self) -> None:
        """Whatever was folded."""
        self.rows = {record: {} for record in RECORDS}
        self.folded = set()
        self.entries = {}
        self._uploads_unchanged = set()
        self._today = {}

    # --- uploads, which count how their entries stand

    def fold_uploads(self, numbers: Collection[int]) -> None:
        """These uploads, with whatever of their entries has changed since."""
        today = self.today(Upload)
        wanted = set(numbers) - self.folded - self._uploads_unchanged
        if len(wanted) > 1:
            today.prefetch(wanted)
        rows = [row for row in map(today.get, wanted) if row is not None and row.id <= self.position]
        if not rows:
            return
        entries = {
            record: self._entries_changed(record, of_several, rows) for record, of_several in KINDS_OF_ENTRIES
        }
        self.fold({record: [number for number, _ in found] for record, found in entries.items()})
        changed = {upload for found in entries.values() for _, upload in found}
        changed |= {row.id for row in rows if self._has_changed_itself(row)}
        self._uploads_unchanged.update(row.id for row in rows if row.id not in changed)
        self._fold_changed_uploads([row for row in rows if row.id in changed])

    def _has_changed_itself(self, row: Upload) -> bool:
        corrected_later = (row.first_record or 0) > self.position
        return corrected_later or row.received_at >= self.next or (row.processed_at or "") >= self.next

    def _entries_changed(self, record: Any, of_several: str, uploads: list[Upload]) -> list[tuple[int, int]]:
        """The entries of these uploads that may have changed since, each with its upload."""
        wanted = {row.id for row in uploads}
        found: list[tuple[int, int]] = []
        for inside, numbers in within(spans(uploads)):
            sql = f"SELECT id, upload FROM {record.TABLE}_{self.slot} WHERE {inside} AND changed_at >= ?{of_several}"
            found += self.transaction.run(sql, [*numbers, self.next]).fetchall()
        return [row for row in found if row[0] <= self.position and row[1] in wanted]

    def _fold_changed_uploads(self, uploads: list[Upload]) -> None:
        numbers = {row.id for row in uploads}
        streams = {f"upload/{number}" for number in numbers}
        for some in portions(numbers):  # a correction numbers the records of its upload
            sql = f"SELECT id FROM deletions_{self.slot} WHERE upload IN ({marks(some)}) AND id <= ?"
            rows = self.transaction.run(sql, [*some, self.position]).fetchall()
            streams.update(f"deletion/{row[0]}" for row in rows)
        state = self.state(streams)
        folded = {row.id: row for row in state.of(Upload) if row.id in numbers}
        self._count_entries(folded, uploads)
        self.folded |= numbers
        self.keep(Upload, folded.values())

    def _count_entries(self, folded: dict[int, Upload], uploads: list[Upload]) -> None:
        """Of the folded ones, and of those that are as they were."""
        counts = standing(self.transaction, self.slot, uploads, "changed_at < ?", [self.next])
        for record, _ in KINDS_OF_ENTRIES:
            for entry in self.rows[record].values():
                if entry.upload in counts and (record is Session or entry.group_name is not None):
                    of = counts[entry.upload]
                    of[entry.status] = of.get(entry.status, 0) + 1
        for number, row in folded.items():
            if row.status != "rejected":
                for status, column in COUNTED.items():
                    setattr(row, column, counts[number].get(status, 0))
            self.entries[number] = counts[number]


class _Uncounted(Rows[Upload]):
    """Sessions and clusterings are folded without the uploads that count them: those are counted from their rows."""

    def __getitem__(self, key: Any) -> Upload:
        found = self.get(key)
        return found if found is not None else self.add(Upload(key, *[0] * 17))  # type: ignore[arg-type]


_NAMES = {value.record: name for name, value in vars(State("")).items() if isinstance(value, Rows)}
_RECORDS = {name: record for record, name in _NAMES.items()}


class _Then(State):
    """Rows that exist nowhere else; each table is made when somebody asks for it, as most foldings are of a record
    or two. Only today's sessions are looked up, for what a clustering takes from them.
    """

    def __init__(self, slot: str, sessions: dict[int, Session]) -> None:
        self.slot = slot
        self.uploads = _Uncounted(Upload, slot, complete=True)
        self.sessions = Rows(Session, slot)
        self.sessions.know(sessions)

    def __getattr__(self, name: str) -> Rows[Any]:
        if name not in _RECORDS:
            raise AttributeError(name)
        rows: Rows[Any] = Rows(_RECORDS[name], self.slot, complete=True)
        setattr(self, name, rows)
        return rows

    def of(self, record: Any) -> list[Any]:
        rows: Rows[Any] | None = vars(self).get(_NAMES[record])
        return [] if rows is None else rows.every()
