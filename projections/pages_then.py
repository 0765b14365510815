"""The records of a page as they were: what has changed since is folded while the page is put together.

Which records there were then, and what never changes in them, is read from today's tables, as is everything that
nothing has happened to since. The other records are folded and asked in memory.
"""

from collections.abc import Collection, Iterator
from typing import Any

import orjson

from ledger.collector import without_garbage_collection
from projections.entries import left_out, left_out_of
from projections.past import Past
from projections.portions import marks, portions
from projections.queries import LISTED, Conditions, Kind, Parts, Query, holds
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
        self._record = LISTED[kind].record
        self._query = query
        self._conditions = conditions
        self._is_older = query.before is None
        self._asks_for_clusterings = "clusterings" in query.missing
        self._looked_into: list[int] = []  # sessions of the portion whose clusterings have changed
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
        if not self._asks_for_clusterings:
            return "row.changed_at < ?", [now]
        listed = IN_LIST[self._transaction.dialect]
        return f"row.changed_at < ? AND row.id NOT IN {listed}", [
            now,
            orjson.dumps(self._looked_into).decode(),
        ]

    def _fold_behind(self, at: int | None, most: int) -> int | None:
        """Fold the next ``most`` that have changed since; returns the last of them, None where there were no more."""
        changed, times = self._folding.has_changed("row.")
        parts = [self._changed(f"{self._record.TABLE}_{self._slot} AS row", changed, times, at)]
        if self._asks_for_clusterings:
            # today's table also has those that came later
            of = f"clusterings_{self._slot} AS own JOIN sessions_{self._slot} AS row ON row.id = own.session"
            parts.append(self._changed(of, "own.changed_at >= ?", [self._folding.next], at))
        order = "DESC" if self._is_older else "ASC"
        rows = self._transaction.run(
            f"SELECT DISTINCT listed FROM ({' UNION ALL '.join(text for text, _ in parts)}) AS changed "
            f"ORDER BY listed {order} LIMIT ?",
            [*(value for _, values in parts for value in values), most],
        ).fetchall()
        numbers = [row[0] for row in rows]
        self.looked_at += len(numbers)
        self.matching = self._match(numbers)
        return numbers[-1] if len(numbers) == most else None

    def _changed(self, table: str, changed: str, times: list[Any], at: int | None) -> tuple[str, list[Any]]:
        conditions, values = ["row.id <= ?", changed], [self.position, *times]
        if self._conditions.fixed:
            conditions.append(self._conditions.fixed)
            values += self._conditions.fixed_values
        if at is not None:
            conditions.append(f"row.id {'<' if self._is_older else '>'} ?")
            values.append(at)
        return f"SELECT row.id AS listed FROM {table} WHERE {' AND '.join(conditions)}", values

    def _match(self, numbers: list[int]) -> list[Any]:
        folding = self._folding
        if self._record is Upload:
            state = folding.state({f"upload/{number}" for number in numbers})
            matching = [row.id for row in state.of(Upload) if holds(self._query, row, Parts())]
            # see ``uploads``: what they counted then is found out for those on the page
            today = folding.today(Upload)
            today.prefetch(matching)
            return [today[number] for number in matching]
        if self._record is not Session:
            folding.fold({self._record: numbers})
            rows = [folding.rows[self._record][number,] for number in numbers]
            return [row for row in rows if holds(self._query, row, Parts())]
        self._looked_into = numbers
        folding.fold_changed(Session, numbers)
        rows = [folding.then(Session, number) for number in numbers]
        parts = self._parts(numbers)
        return [row for row in rows if holds(self._query, row, parts[row.id])]

    def _parts(self, sessions: list[int]) -> dict[int, Parts]:
        """What these sessions had, as far as the query asks."""
        query = self._query
        asks_for_tasks = query.task is not None or "tasks" in query.missing
        tasks = self._of_sessions(SessionTask, "task_type", sessions) if asks_for_tasks else {}
        probes = self._of_sessions(SessionProbe, "probe", sessions) if query.probe is not None else {}
        clusterings = self.clusterings_of(sessions) if self._asks_for_clusterings else {}
        return {
            number: Parts(
                tasks.get(number, ()), probes.get(number, ()), clusterings.get(number, {}).get("inserted", 0)
            )
            for number in sessions
        }

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


def _count(counts: Counts, session: int, status: str) -> None:
    of = counts.setdefault(session, {})
    of[status] = of.get(status, 0) + 1
