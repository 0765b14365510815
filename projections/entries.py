"""The records that uploads asked for, found by their numbers: they stand right after the upload's first two events,
or one after the other from ``first_record`` on. That takes no index of uploads.

The upload's row does not say how many entries of the file are new: the span of its numbers is the longest possible,
and may run into the next upload's.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ledger.database import Transaction
from projections.records import Clustering, Session, Upload

Span = tuple[int, int]
KINDS: tuple[tuple[Any, str], ...] = ((Session, ""), (Clustering, " AND group_name IS NOT NULL"))
"""An upload asks for sessions, and for clusterings over several."""
LEFT_OUT = ("pending", "withdrawn", "deleted")
_AT_ONCE = 100


def spans(uploads: Collection[Upload]) -> list[Span]:
    """From the first to the last number that entries of these uploads can have. Spans that touch are joined."""
    found: list[Span] = []
    for row in sorted(uploads, key=_first):
        first, count = _first(row), row.sessions + row.clusterings
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], first + count - 1))
        elif count:
            found.append((first, first + count - 1))
    return found


def _first(upload: Upload) -> int:
    return upload.first_record or upload.id + 2


def within(found: Sequence[Span]) -> Iterator[tuple[str, list[int]]]:
    """SQL conditions that a record is in one of these spans, as many at a time as a statement can hold."""
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        condition = f"({' OR '.join(['id BETWEEN ? AND ?'] * len(some))})"
        yield condition, [number for span in some for number in span]


def standing(
    transaction: Transaction,
    slot: str,
    uploads: Collection[Upload],
    condition: str = "1 = 1",
    values: Sequence[Any] = (),
) -> dict[int, dict[str, int]]:
    """How many entries of each of these uploads have which status, of those for which ``condition`` holds."""
    wanted = {row.id for row in uploads}
    counts: dict[int, dict[str, int]] = {number: {} for number in wanted}
    for record, of_several in KINDS:
        for inside, numbers in within(spans(uploads)):
            rows = transaction.run(
                f"SELECT upload, status, count(*) FROM {record.TABLE}_{slot} "
                f"WHERE {inside} AND {condition}{of_several} GROUP BY upload, status",
                [*numbers, *values],
            ).fetchall()
            for upload, status, number in rows:
                if upload in wanted:
                    counts[upload][status] = counts[upload].get(status, 0) + number
    return counts


def left_out(transaction: Transaction, slot: str, uploads: Collection[Upload]) -> dict[int, dict[str, int]]:
    """How many of each upload's new entries are in none of the counts of its row. Looks for them only where the
    counts do not add up.
    """
    counts = standing(transaction, slot, [row for row in uploads if not _adds_up(row)])
    return {row.id: left_out_of(row, counts.get(row.id, {})) for row in uploads}


def left_out_of(upload: Upload, counts: dict[str, int]) -> dict[str, int]:
    """From how many of its entries have which status."""
    return {status: 0 if _adds_up(upload) else counts.get(status, 0) for status in LEFT_OUT}


def _adds_up(row: Upload) -> bool:
    known = row.inserted + row.duplicates + row.waiting + row.errors
    return row.status == "rejected" or known >= row.sessions + row.clusterings
