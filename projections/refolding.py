"""Records that were different at an earlier position, folded again from their events.

Records never vanish: every session, clustering and upload of then has its row today, with the same number and user,
and ``changed_at`` tells whether anything has happened to it since. Reads today's tables.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import orjson

from ledger import log
from ledger.database import PastTransaction
from projections.apply import apply, apply_to_records
from projections.concerned import changed_since
from projections.entries import KINDS as KINDS_OF_ENTRIES
from projections.entries import add, as_they_were, by_status, spans
from projections.handlers.record_status import COUNTED
from projections.portions import marks, portions, within
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
from projections.shadows import IN_TEXTS

OWNERS: dict[Any, str] = {
    Session: "id", SessionTask: "session", SessionProbe: "session", SessionLocation: "session",
    SessionTime: "session", Clustering: "id", ClusteringSession: "clustering", ClusteringGroup: "clustering",
    Upload: "id", Deletion: "id",
}  # fmt: skip
"""Whose row it is: folded and kept with its record."""
KINDS: tuple[Any, ...] = (Session, Clustering, Upload, Deletion)
LAB: dict[Any, tuple[str, str]] = {
    Subject: ("subject", "subject"), ProbeInsertion: ("subject", "subject"),
    ReferenceValue: ("reference", "reference"), User: ("user", "username"),
}  # fmt: skip
"""The kind of stream whose events make these rows, and the column that names which."""
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
        self._lab_changed: set[str] = set()
        self._today: dict[Any, Rows[Any]] = {}

    # --- what has changed since

    def has_changed(self, alias: str = "") -> Condition:
        """Whether something may have happened to a record since: by its own row. Times never decrease along the log,
        and several events can have the same: a record that changed at that very time is folded to see."""
        return f"{alias}changed_at >= ?", [self.next]

    def changed(self, record: Any, where: str = "1 = 1", values: Sequence[Any] = ()) -> list[int]:
        """The records of then that something may have happened to since, ascending."""
        condition, times = self.has_changed()
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
        """Those of these records of then that something may have happened to since."""
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

    def still_so(self, record: Any) -> Condition:
        """The condition under which a row of today, ``row``, is one of then."""
        if record in LAB:
            kind, column = LAB[record]
            changed = [
                name for stream in self._lab_changed if (name := stream.removeprefix(f"{kind}/")) != stream
            ]
            listed = IN_TEXTS[self.transaction.dialect]
            return f"row.{column} NOT IN {listed}", [orjson.dumps(changed).decode()]
        owner = OWNERS[record]
        if owner == "id":
            return "row.changed_at < ?", [self.next]
        of = Session if owner == "session" else Clustering
        table = f"{self.transaction.durable}{of.TABLE}_{self.slot}"
        same = f"owner.id = row.{owner} AND owner.changed_at < ?"
        return f"EXISTS (SELECT 1 FROM {table} AS owner WHERE {same})", [self.next]

    # --- folding

    def fold(self, numbers: dict[Any, Collection[int]]) -> None:
        """Fold these sessions, clusterings and requests."""
        wanted = {record: set(some) - self.folded for record, some in numbers.items() if some}
        named = {f"{record.__name__.lower()}/{number}" for record, some in wanted.items() for number in some}
        if not named:
            return
        state = self.state(named, clusterings=wanted.get(Clustering, ()))
        new = {number for some in wanted.values() for number in some}
        self.folded |= new
        for record, owner in OWNERS.items():
            if record is not Upload:
                self.keep(record, (row for row in state.of(record) if getattr(row, owner) in new))

    def fold_lab(self, streams: Collection[str]) -> None:
        """Those streams of subjects, reference tables and users to which something has happened since."""
        changed = changed_since(self.transaction, streams, self.position)
        users = {stream for stream in streams if stream.startswith("user/")}
        if "ledger" in changed:  # which says who was admin first, and what holds for everybody
            changed |= users
        self._lab_changed = changed
        if not changed:
            return
        state = self.state(changed if changed.isdisjoint(users) else {"ledger", *changed})
        for record, (kind, column) in LAB.items():
            self.keep(
                record, (row for row in state.of(record) if f"{kind}/{getattr(row, column)}" in changed)
            )

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
        self._today = {}

    # --- uploads, which count how their entries stand

    def fold_uploads(self, numbers: Collection[int]) -> None:
        """Those of these uploads that have changed since. Of their entries only what is counted is found out."""
        changed = self.changed_of(Upload, set(numbers) - self.folded)
        if not changed:
            return
        streams = {f"upload/{number}" for number in changed}
        for some in portions(changed):  # a correction numbers the records of its upload
            sql = f"SELECT id FROM deletions_{self.slot} WHERE upload IN ({marks(some)}) AND id <= ?"
            rows = self.transaction.run(sql, [*some, self.position]).fetchall()
            streams.update(f"deletion/{row[0]}" for row in rows)
        state = self.state(streams)
        folded = {row.id: row for row in state.of(Upload) if row.id in changed}
        self._count_entries(folded, [self.today(Upload)[number] for number in changed])
        self.folded.update(changed)
        self.keep(Upload, folded.values())

    def fold_entries(self, uploads: Collection[int]) -> None:
        """The entries of these uploads that have changed since."""
        rows = [row for number in uploads if (row := self.today(Upload).get(number)) is not None]
        self.fold(
            {
                record: self._entries_changed(record, of_several, rows)
                for record, of_several in KINDS_OF_ENTRIES
            }
        )

    def sessions_of_uploads(self, uploads: Collection[int]) -> dict[int, set[int]]:
        """The sessions of then that each of these brought."""
        found: dict[int, set[int]] = {number: set() for number in uploads}
        for inside, numbers in within(spans([self.today(Upload)[number] for number in uploads])):
            sql = f"SELECT id, upload FROM {Session.TABLE}_{self.slot} WHERE {inside} AND id <= ?"
            for number, upload in self.transaction.run(sql, [*numbers, self.position]).fetchall():
                if upload in found:
                    found[upload].add(number)
        return found

    def stood_on(self, clusterings: Collection[int]) -> dict[int, set[int]]:
        """The sessions under each of these clusterings over several: of those that were folded, and of today's."""
        found: dict[int, set[int]] = {number: set() for number in clusterings}
        for link in self.rows[ClusteringSession].values():
            if link.clustering in found:
                found[link.clustering].add(link.session)
        for some in portions(set(clusterings) - self.folded):
            sql = f"SELECT clustering, session FROM clustering_sessions_{self.slot} WHERE clustering IN ({marks(some)})"
            for number, session in self.transaction.run(sql, some).fetchall():
                found[number].add(session)
        return found

    def _entries_changed(self, record: Any, of_several: str, uploads: list[Upload]) -> dict[int, int]:
        """The entries of these uploads that may have changed since, each with its upload."""
        wanted = {row.id for row in uploads}
        found: dict[int, int] = {}
        for inside, numbers in within(spans(uploads)):
            sql = f"SELECT id, upload FROM {record.TABLE}_{self.slot} WHERE {inside} AND changed_at >= ?{of_several}"
            found |= dict(self.transaction.run(sql, [*numbers, self.next]).fetchall())
        return {
            number: upload for number, upload in found.items() if number <= self.position and upload in wanted
        }

    def _count_entries(self, folded: dict[int, Upload], uploads: list[Upload]) -> None:
        """Of those that have changed since, and of those that stand as today."""
        counts: dict[int, dict[str, int]] = {row.id: {} for row in uploads}
        for number, status, count, changed_at in self._standing(uploads):
            add(counts, number, status, count)
            folded[number].changed_at = max(folded[number].changed_at, changed_at)
        for number, row in folded.items():
            if row.status != "rejected":
                for status, column in COUNTED.items():
                    setattr(row, column, counts[number].get(status, 0))
            self.entries[number] = counts[number]

    def _standing(self, uploads: list[Upload]) -> Iterator[tuple[int, str, int, str]]:
        """Of each upload how many entries had which status, and when one of them had changed last."""
        yield from by_status(self.transaction, self.slot, uploads, "changed_at < ?", [self.next])
        for record, of_several in KINDS_OF_ENTRIES:
            changed = self._entries_changed(record, of_several, uploads)
            kind = record.__name__.lower()
            for number, was in as_they_were(self.transaction, kind, changed, self.position).items():
                yield changed[number], was[0], 1, was[1]


class _Uncounted(Rows[Upload]):
    """Sessions and clusterings are folded without the uploads that count them: those are counted from their rows."""

    def __getitem__(self, key: Any) -> Upload:
        found = self.get(key)
        return found if found is not None else self.add(Upload(key, *[0] * (len(Upload.__slots__) - 1)))  # type: ignore[arg-type]


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
