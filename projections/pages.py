"""Pages of records by keyset: newest first, filtered, as of now or of an earlier moment, at a bounded cost.

A page stays the same while records are added: it begins after a record, not after a number of them. A page looks for
text in 10,000 records at most. As of a moment, a page that depends on what has changed since folds 2,000 records at
most. Where that limit cut it short, ``looked_back_to`` says where to go on.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ledger.database import Transaction
from ledger.log import Head
from projections.entries import left_out
from projections.lines import (
    ListedClustering,
    ListedSession,
    ListedUpload,
    RequestLine,
    clustering_line,
    deletion_line,
    session_line,
    subject_key,
    upload_line,
)
from projections.portions import marks, portions
from projections.queries import LISTED, Conditions, Kind, Query, check, conditions, folded, has_text
from projections.records import Clustering, Session, Upload

if TYPE_CHECKING:
    from projections.pages_then import PageThen
    from projections.past import Past

COUNTED = 10_000  # more is "10,000+"
TEXT_STEP = 10_000  # records that text is looked for in, for one page
_A_PAGE = 1_000  # of ``pages``
Line = ListedSession | ListedClustering | ListedUpload | RequestLine
L = TypeVar("L", ListedSession, ListedClustering, ListedUpload, RequestLine, Line)
_STILL = ("pending", "waiting")


@dataclass(frozen=True, slots=True)
class Count:
    """How many match on all pages; with ``or_more``, more than it is worth counting."""

    number: int
    or_more: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[L]):
    """``rows`` are newest first; ``first`` and ``last`` are their numbers, the cursors for ``before`` and ``after``,
    None on an empty page. ``more``: there are further ones in the direction that was asked for. ``count`` is None
    where counting would have to look at every record. ``looked_at``: how many records were looked at one by one.
    ``looked_back_to``: the record at which the search stopped short, as a cursor.
    """

    rows: list[L]
    first: int | None
    last: int | None
    more: bool
    count: Count | None
    position: int
    looked_at: int
    looked_back_to: int | None


def page(
    transaction: Transaction, head: Head, kind: Kind, query: Query, *, counted: bool = True
) -> Page[Any]:
    """The page as of now, or as of the moment of a reading of the past that is about ``Past.lists``. Raises Refusal."""
    check(kind, query)
    if query.limit is None:
        raise ValueError("a page has a limit; for all there is pages()")
    look = _Look(transaction, head, kind, query)
    limit = query.limit
    found = look.find(limit + 1)
    more = len(found) > limit
    found = found[:limit]
    if query.before is not None:
        found.reverse()
    whole = not more and look.stopped_at is None and query.after is None and query.before is None
    count = Count(len(found), or_more=False) if whole else look.count() if counted else None
    lines = look.lines(found)
    look.close()
    return Page(
        lines, found[0].id if found else None, found[-1].id if found else None, more, count, head.size,
        look.looked_at, look.stopped_at,
    )  # fmt: skip


def pages(transaction: Transaction, head: Head, kind: Kind, query: Query) -> Iterator[Page[Any]]:
    """Page after page, until everything that matches was given, or ``limit`` records, in the memory of one page."""
    left = query.limit
    while left is None or left > 0:
        limited = replace(query, limit=min(_A_PAGE, left or _A_PAGE))
        found = page(transaction, head, kind, limited, counted=False)
        yield found
        left = None if left is None else left - len(found.rows)
        end = found.first if query.before is not None else found.last
        cursor = found.looked_back_to if found.looked_back_to is not None else end if found.more else None
        if cursor is None:
            return
        query = replace(query, after=cursor) if query.before is None else replace(query, before=cursor)


def _then(past: "Past", kind: Kind, query: Query, asked: Conditions) -> "PageThen":
    from projections.pages_then import PageThen  # loads all that folds; the present does without

    return PageThen(past, kind, query, asked)


def _names_of_today(past: "Past", subject: str) -> set[str] | None:
    """What records of a subject of then may be of by now; None where no subject was ever renamed to or from it."""
    from projections.renamed import names_of_today

    transaction = past.refolding.transaction
    with transaction.present():
        return names_of_today(transaction, subject_key(subject))


class _Look:
    """One page being looked for."""

    def __init__(self, transaction: Transaction, head: Head, kind: Kind, query: Query) -> None:
        self._transaction = transaction
        self._slot = head.live_slot
        self._kind: Kind = kind
        self._listed = LISTED[kind]
        self._record = self._listed.record
        self._query = query
        self._text = None if query.text is None else folded(query.text)
        self._is_older = query.before is None
        past: Past | None = transaction.past
        if past is not None and past.has_all(self._record):
            past = None  # all of it is folded, and read like the present
        subjects = None if past is None or query.subject is None else _names_of_today(past, query.subject)
        self._conditions: Conditions = conditions(kind, query, self._slot, transaction.dialect, subjects)
        self._past = None if past is None else _then(past, kind, query, self._conditions)
        self.looked_at = 0
        self.stopped_at: int | None = None

    # --- which

    def find(self, wanted: int) -> list[Any]:
        """Nearest to the cursor first."""
        at = self._query.after if self._is_older else self._query.before
        if self._past is None:
            return self._in_range(at, None, wanted)
        if not self._conditions.moving and self._text is None:
            return self._next_then(self._past, at, wanted)
        return self._fold_and_find(self._past, at, wanted)

    def _fold_and_find(self, past: "PageThen", at: int | None, wanted: int) -> list[Any]:
        """Whether a record matches shows when it is folded: some at a time, until the page is full."""
        found: list[Any] = []
        for end in past.portions(at):
            found += self._in_range(at, end, wanted - len(found))
            if self.stopped_at is not None or len(found) >= wanted:
                break
            at = end
        else:
            self.stopped_at = past.stopped_at
            self.looked_at = past.looked_at if self.stopped_at is not None else self.looked_at
        return found

    def _in_range(self, at: int | None, end: int | None, wanted: int) -> list[Any]:
        """Those after ``at`` up to and including ``end``."""
        if self._text is None:
            return self._select(at, end, wanted)
        found: list[Any] = []
        most = TEXT_STEP - self.looked_at
        rows = self._select(at, end, most)
        for row in rows:
            self.looked_at += 1
            if has_text(row, self._listed.text, self._text):
                found.append(row)
                if len(found) == wanted:
                    return found
        if len(rows) == most:
            self.stopped_at = rows[-1].id
        return found

    def _select(self, at: int | None, end: int | None, most: int) -> list[Any]:
        parts: list[tuple[str, Sequence[Any]]] = [
            (self._conditions.fixed, self._conditions.fixed_values),
            (self._conditions.moving, self._conditions.moving_values),
            *self._between(at, end),
        ]
        if self._past is None:
            return self._rows([part for part in parts if part[0]], most)
        parts.append(self._past.unchanged())
        with self._present():
            rows = self._rows([part for part in parts if part[0]], most) + self._past.matching
        return sorted(rows, key=lambda row: row.id, reverse=self._is_older)[:most]

    def _rows(self, parts: list[tuple[str, Sequence[Any]]], most: int) -> list[Any]:
        names = self._record.__dataclass_fields__.keys() - {"TABLE", "KEY"}
        columns = ", ".join(f"row.{name}" for name in self._record.__dataclass_fields__ if name in names)
        where = " AND ".join(text for text, _ in parts) or "1 = 1"
        order = "DESC" if self._is_older else "ASC"
        table = f"{self._record.TABLE}_{self._slot}"
        sql = f"SELECT {columns} FROM {table} AS row WHERE {where} ORDER BY row.id {order} LIMIT ?"
        values = [value for _, some in parts for value in some]
        return [self._record(*row) for row in self._transaction.run(sql, [*values, most]).fetchall()]

    def _next_then(self, past: "PageThen", at: int | None, wanted: int) -> list[Any]:
        """The records that came next then come next today; those that have changed since are folded."""
        parts: list[tuple[str, Sequence[Any]]] = [("row.id <= ?", [past.position]), *self._between(at, None)]
        if self._conditions.fixed:
            parts.append((self._conditions.fixed, self._conditions.fixed_values))
        with self._present():
            return past.as_they_were(self._rows(parts, wanted))

    @contextmanager
    def _present(self) -> Iterator[None]:
        if self._past is None:
            yield
            return
        transaction: Any = self._transaction
        with transaction.present():
            yield

    # --- how many

    def count(self) -> Count | None:
        if self._text is not None or self.stopped_at is not None:
            return None
        if self._past is None:
            number = self._number([])
        elif not self._conditions.moving:
            number = self._number([("row.id <= ?", [self._past.position])])
        else:
            number, at = 0, None
            for end in self._past.portions(None):
                number += len(self._past.matching)
                number += self._number([self._past.unchanged(), *self._between(at, end)])
                if number > COUNTED:
                    break
                at = end
            else:
                if self._past.stopped_at is not None:
                    return None
        return Count(min(number, COUNTED), or_more=number > COUNTED)

    def _number(self, more: list[tuple[str, Sequence[Any]]]) -> int:
        """How many of today's rows match, these conditions included; counts no further than is worth it."""
        found = [(self._conditions.fixed, self._conditions.fixed_values), *more]
        found.append((self._conditions.moving, self._conditions.moving_values))
        parts = [part for part in found if part[0]]
        where = " AND ".join(text for text, _ in parts) or "1 = 1"
        table = f"{self._record.TABLE}_{self._slot}"
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {table} AS row WHERE {where} LIMIT ?) AS counted"
        values = [value for _, some in parts for value in some]
        with self._present():
            return int(self._transaction.run(sql, [*values, COUNTED + 1]).fetchone()[0])

    def _between(self, at: int | None, end: int | None) -> list[tuple[str, Sequence[Any]]]:
        before, behind = ("<", ">=") if self._is_older else (">", "<=")
        bounds: list[tuple[str, Sequence[Any]]] = []
        if at is not None:
            bounds.append((f"row.id {before} ?", [at]))
        if end is not None:
            bounds.append((f"row.id {behind} ?", [end]))
        return bounds

    # --- lines

    def lines(self, rows: list[Any]) -> list[Any]:
        if self._record is Session:
            counts = self._clusterings_of({row.id for row in rows})
            return [_session_line(row, counts.get(row.id, {})) for row in rows]
        if self._record is Clustering:
            counts = self._clusterings_of({row.session for row in rows if row.session is not None})
            return [_clustering_line(row, counts.get(row.session, {})) for row in rows]
        if self._record is Upload:
            if self._past is not None:
                rows, left = self._past.uploads(rows)
            else:
                left = left_out(self._transaction, self._slot, rows)
            return [ListedUpload(**(upload_line(row) | left[row.id])) for row in rows]
        return [RequestLine(**deletion_line(row)) for row in rows]

    def _clusterings_of(self, sessions: Collection[int]) -> dict[int, dict[str, int]]:
        """How many clusterings of their own these sessions have, by status."""
        if self._past is not None:
            return self._past.clusterings_of(sessions)
        counts: dict[int, dict[str, int]] = {}
        for some in portions(sessions):
            rows = self._transaction.run(
                f"SELECT session, status, count(*) FROM clusterings_{self._slot} WHERE session IN ({marks(some)}) "
                "GROUP BY session, status",
                some,
            )
            for session, status, number in rows.fetchall():
                counts.setdefault(session, {})[status] = number
        return counts

    def close(self) -> None:
        if self._past is not None:
            self._past.close()


def _session_line(row: Session, clusterings: dict[str, int]) -> ListedSession:
    return ListedSession(
        **session_line(row),
        clusterings_inserted=clusterings.get("inserted", 0),
        clusterings_waiting=sum(clusterings.get(status, 0) for status in _STILL),
    )


def _clustering_line(row: Clustering, clusterings: dict[str, int]) -> ListedClustering:
    standing = None if row.session is None else sum(clusterings.get(s, 0) for s in ("inserted", *_STILL))
    return ListedClustering(**clustering_line(row), clusterings_of_session=standing)
