"""The records of a page as they were: what has changed since is folded while the page is put together.

Which records there were then, and what never changes in them, is read from today's tables, as is everything that
nothing has happened to since. The other records are folded and asked in memory.
"""

from collections.abc import Collection, Iterator
from itertools import accumulate
from typing import Any

import orjson

from ledger.collector import without_garbage_collection
from projections.asked_of_sessions import Parts, is_asked
from projections.entries import left_out, left_out_of
from projections.past import Past
from projections.portions import marks, portions
from projections.queries import LISTED, Conditions, Kind, Query, holds
from projections.records import Clustering, Session, SessionProbe, SessionTask, Upload
from projections.shadows import IN_LIST

FOLDED_AT_MOST = 2_000  # records, for one page
_CHUNK = 500
Counts = dict[int, dict[str, int]]


class PageThen:
    """``matching``: those records of the present portion that have changed since, and matched as they were.
    ``looked_at``: how many were folded to see whether they match; ``stopped_at``: the last of them, where there
    would have been more.
    """

    def __init__(self, past: Past, kind: Kind, query: Query, conditions: Conditions) -> None:
        self._past = past
        self._folding = past.refolding
        self._transaction = past.refolding.transaction
        self._slot = past.refolding.slot
        self._kind: Kind = kind
        self._record = LISTED[kind].record
        self._query = query
        self._conditions = conditions
        self._is_older = query.before is None
        self._beside = _beside(kind, query, self._slot)
        self._looked_into: list[int] = []  # of the portion: folded to see, whatever their own rows say
        self.matching: list[Any] = []
        self.looked_at = 0
        self.stopped_at: int | None = None

    @property
    def position(self) -> int:
        return self._past.position

    def as_they_were(self, rows: list[Any]) -> list[Any]:
        """These records of today; those that have changed since are folded. For uploads see ``uploads``."""
        if self._record is Upload:
            return rows
        changed = [row for row in rows if row.changed_at >= self._folding.next]
        with without_garbage_collection():
            self._folding.fold({self._record: [row.id for row in changed]})
        folded = self._folding.rows[self._record]
        return [folded.get((row.id,), row) for row in rows]

    # --- which have changed, and match

    def portions(self, at: int | None) -> Iterator[int | None]:
        """Fold what has changed after ``at``, some at a time; yields the last record of each portion, None at the
        end of the list.
        """
        left = FOLDED_AT_MOST
        self.looked_at, self.stopped_at = 0, None
        while True:
            with self._transaction.present(), without_garbage_collection():
                end = self._fold_behind(at, min(left, _CHUNK))
            yield end
            if end is None:
                return
            at, left = end, left - _CHUNK
            if left <= 0:
                self.stopped_at = end
                return

    def unchanged(self) -> tuple[str, list[Any]]:
        """The condition that a row of today was there then, and was not looked at yet."""
        now = self._folding.next
        if not self._beside:
            return "row.changed_at < ?", [now]
        listed = IN_LIST[self._transaction.dialect]
        looked_into = orjson.dumps(self._looked_into).decode()
        return f"row.changed_at < ? AND row.id NOT IN {listed}", [now, looked_into]

    def _fold_behind(self, at: int | None, most: int) -> int | None:
        """Fold the next ``most`` that have changed since; returns the last of them, None where there were no more."""
        changed, times = self._folding.has_changed("row.")
        parts = [self._changed(f"{self._record.TABLE}_{self._slot} AS row", changed, times, at, most)]
        changed, times = self._folding.has_changed("own.")
        parts += [self._changed(table, changed, times, at, most) for table in self._beside]
        rows = self._transaction.run(
            f"SELECT DISTINCT listed FROM ({' UNION ALL '.join(text for text, _ in parts)}) AS changed "
            f"ORDER BY listed {self._order} LIMIT ?",
            [*(value for _, values in parts for value in values), most],
        ).fetchall()
        numbers = [row[0] for row in rows]
        some = self._with_so_many_sessions(numbers, most)
        self.looked_at += len(some)
        self.matching = self._match(some)
        return some[-1] if len(numbers) == most or len(some) < len(numbers) else None

    @property
    def _order(self) -> str:
        return "DESC" if self._is_older else "ASC"

    def _changed(
        self, table: str, changed: str, times: list[Any], at: int | None, most: int
    ) -> tuple[str, list[Any]]:
        """The next records for which ``changed`` holds: of each table no more than are needed of all."""
        conditions, values = ["row.id <= ?", changed], [self.position, *times]
        if self._conditions.fixed:
            conditions.append(self._conditions.fixed)
            values += self._conditions.fixed_values
        if at is not None:
            conditions.append(f"row.id {'<' if self._is_older else '>'} ?")
            values.append(at)
        found = (
            f"SELECT DISTINCT row.id AS listed FROM {table} WHERE {' AND '.join(conditions)} "
            f"ORDER BY listed {self._order} LIMIT ?"
        )
        return f"SELECT listed FROM ({found}) AS part", [*values, most]

    def _with_so_many_sessions(self, numbers: list[int], most: int) -> list[int]:
        """Of uploads whose sessions are asked about, those that bring no more sessions than that; the first whole."""
        if self._record is not Upload or not is_asked(self._query):
            return numbers
        today = self._folding.today(Upload)
        today.prefetch(numbers)
        sums = accumulate(today[number].sessions for number in numbers)
        return numbers[: max(1, sum(sum_ <= most for sum_ in sums))]

    def _match(self, numbers: list[int]) -> list[Any]:
        self._looked_into = numbers
        rows = self._then(numbers)
        parts = self._sessions_of(rows) if is_asked(self._query) else {}
        matching = [row for row in rows if holds(self._kind, self._query, row, parts.get(row.id, ()))]
        if self._record is not Upload:
            return matching
        # see ``uploads``: what they counted then is found out for those on the page
        today = self._folding.today(Upload)
        today.prefetch(row.id for row in matching)
        return [today[row.id] for row in matching]

    def _then(self, numbers: list[int]) -> list[Any]:
        """These records as they were, uploads without their counts."""
        folding = self._folding
        if self._record is Upload:
            state = folding.state({f"upload/{number}" for number in numbers})
            return [row for row in state.of(Upload) if row.id in numbers]
        folding.fold_changed(self._record, numbers)
        rows = (folding.then(self._record, number) for number in numbers)
        return [row for row in rows if row is not None]

    def _sessions_of(self, rows: list[Any]) -> dict[int, list[Parts]]:
        """The sessions of each of these records, with as much of them as is asked about."""
        of = self._numbers_of_sessions(rows)
        sessions = sorted({number for some in of.values() for number in some})
        self._folding.fold_changed(Session, sessions)
        parts = self._parts(sessions)
        return {record: [parts[number] for number in some if number in parts] for record, some in of.items()}

    def _numbers_of_sessions(self, rows: list[Any]) -> dict[int, set[int]]:
        if self._record is Session:
            return {row.id: {row.id} for row in rows}
        if self._record is Upload:
            return self._folding.sessions_of_uploads([row.id for row in rows])
        found = {row.id: {row.session} for row in rows if row.session is not None}
        return found | self._folding.stood_on([row.id for row in rows if row.session is None])

    def _parts(self, sessions: list[int]) -> dict[int, Parts]:
        query = self._query
        asks_for_tasks = query.task is not None or "tasks" in query.missing
        tasks = self._of_sessions(SessionTask, "task_type", sessions) if asks_for_tasks else {}
        probes = self._of_sessions(SessionProbe, "probe", sessions) if query.probe is not None else {}
        clusterings = self.clusterings_of(sessions) if "clusterings" in query.missing else {}
        found = {}
        for number in sessions:
            row = self._folding.then(Session, number)
            if row is not None:
                inserted = clusterings.get(number, {}).get("inserted", 0)
                found[number] = Parts(row, tasks.get(number, ()), probes.get(number, ()), inserted)
        return found

    def _of_sessions(self, record: Any, column: str, sessions: list[int]) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for row in self._folding.rows[record].values():
            found.setdefault(row.session, set()).add(getattr(row, column))
        for some in portions(set(sessions) - self._folding.folded):
            sql = (
                f"SELECT session, {column} FROM {record.TABLE}_{self._slot} WHERE session IN ({marks(some)})"
            )
            for session, value in self._transaction.run(sql, some).fetchall():
                found.setdefault(session, set()).add(value)
        return found

    # --- what stands on a line

    def clusterings_of(self, sessions: Collection[int]) -> Counts:
        """How many clusterings of their own these sessions had, by status."""
        folding = self._folding
        counts: Counts = {}
        changed: list[int] = []
        with self._transaction.present(), without_garbage_collection():
            for some in portions(sessions):
                sql = (
                    f"SELECT id, session, status, changed_at FROM clusterings_{self._slot} "
                    f"WHERE session IN ({marks(some)}) AND id <= ?"
                )
                rows = self._transaction.run(sql, [*some, self.position]).fetchall()
                for number, session, status, changed_at in rows:
                    if changed_at >= folding.next:
                        changed.append(number)
                    else:
                        _count(counts, session, status)
            folding.fold({Clustering: changed})
        for number in changed:
            row = folding.rows[Clustering][number,]
            _count(counts, row.session, row.status)
        return counts

    def uploads(self, rows: list[Upload]) -> tuple[list[Upload], Counts]:
        """These uploads with what they counted then, and how many of their entries are in none of those counts."""
        folding = self._folding
        with self._transaction.present(), without_garbage_collection():
            folding.today(Upload).know({row.id: row for row in rows})
            folding.fold_uploads([row.id for row in rows])
            found = [folding.rows[Upload].get((row.id,)) for row in rows]
            unchanged = [row for row, then in zip(rows, found, strict=True) if then is None]
            left = left_out(self._transaction, self._slot, unchanged)
        left |= {then.id: left_out_of(then, folding.entries[then.id]) for then in found if then is not None}
        return [row if then is None else then for row, then in zip(rows, found, strict=True)], left

    def close(self) -> None:
        """Nothing that was folded for the page is kept."""
        self._past.close()


def _beside(kind: Kind, query: Query, slot: str) -> list[str]:
    """Where a record, ``row``, can match otherwise than then although nothing has happened to it: by what has happened
    to something of its own, ``own``. An upload changes with its entries."""
    if not is_asked(query):
        return []
    by_clusterings = "clusterings" in query.missing
    if kind == "sessions":
        # a clustering that came later is on the table of today as well
        of = f"clusterings_{slot} AS own JOIN sessions_{slot} AS row ON row.id = own.session"
        return [of] if by_clusterings else []
    if kind == "uploads":
        of = f"clusterings_{slot} AS own JOIN uploads_{slot} AS row ON row.id = own.upload"
        return [of] if by_clusterings else []
    links = f"sessions_{slot} AS own JOIN clustering_sessions_{slot} AS link ON link.session = own.id"
    return [
        f"sessions_{slot} AS own JOIN clusterings_{slot} AS row ON row.session = own.id",
        f"{links} JOIN clusterings_{slot} AS row ON row.id = link.clustering",
    ]


def _count(counts: Counts, session: int, status: str) -> None:
    of = counts.setdefault(session, {})
    of[status] = of.get(status, 0) + 1
