"""The records that uploads asked for, found by their numbers: they stand right after the upload's first two events,
or one after the other from ``first_record`` on. That takes no index of uploads.

The upload's row does not say how many entries of the file are new: the span of its numbers is the longest possible,
and may run into the next upload's.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ledger import log
from ledger.bodies import body_of
from ledger.database import Transaction
from projections.handlers.record_status import RESTORED, STATUS
from projections.portions import Span, marks, portions, within
from projections.records import Clustering, Session, Upload

KINDS: tuple[tuple[Any, str], ...] = ((Session, ""), (Clustering, " AND group_name IS NOT NULL"))
"""An upload asks for sessions, and for clusterings over several."""
LEFT_OUT = ("pending", "withdrawn", "deleted")


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


def by_status(
    transaction: Transaction,
    slot: str,
    uploads: Collection[Upload],
    condition: str = "1 = 1",
    values: Sequence[Any] = (),
) -> Iterator[tuple[int, str, int, str]]:
    """Of the entries of each of these uploads for which ``condition`` holds: how many have which status, and when one
    of those changed last."""
    wanted = {row.id for row in uploads}
    for record, of_several in KINDS:
        for inside, numbers in within(spans(uploads)):
            rows = transaction.run(
                f"SELECT upload, status, count(*), max(changed_at) FROM {record.TABLE}_{slot} "
                f"WHERE {inside} AND {condition}{of_several} GROUP BY upload, status",
                [*numbers, *values],
            ).fetchall()
            yield from (row for row in rows if row[0] in wanted)


def as_they_were(
    transaction: Transaction, kind: str, numbers: Collection[int], position: int
) -> dict[int, tuple[str, str]]:
    """The status that each of these sessions or clusterings had at a position, and when it had changed last. Which
    events there were says it; what stands in them is read of no more than the last."""
    found: dict[int, list[Any]] = {}
    for some in portions(numbers):
        rows = transaction.run(
            f"SELECT position, stream, type, recorded_at FROM events WHERE stream IN ({marks(some)}) "
            "AND +position <= ? ORDER BY position",
            [*(f"{kind}/{number}" for number in some), position],
        ).fetchall()
        for at, stream, name, recorded_at in rows:
            number = int(stream[len(kind) + 1 :])
            if name in STATUS or name in RESTORED or number not in found:
                found[number] = [at, name, recorded_at]
            found[number][2] = recorded_at
    restored = log.read_positions(transaction, [at for at, name, _ in found.values() if name in RESTORED])
    return {
        number: (body_of(restored[at])["status"] if name in RESTORED else STATUS[name], recorded_at)
        for number, (at, name, recorded_at) in found.items()
    }


def left_out(transaction: Transaction, slot: str, uploads: Collection[Upload]) -> dict[int, dict[str, int]]:
    """How many of each upload's new entries are in none of the counts of its row. Looks for them only where the
    counts do not add up.
    """
    counts: dict[int, dict[str, int]] = {}
    for upload, status, number, _ in by_status(transaction, slot, [u for u in uploads if not _adds_up(u)]):
        add(counts, upload, status, number)
    return {row.id: left_out_of(row, counts.get(row.id, {})) for row in uploads}


def add(counts: dict[int, dict[str, int]], upload: int, status: str, number: int) -> None:
    of = counts.setdefault(upload, {})
    of[status] = of.get(status, 0) + number


def left_out_of(upload: Upload, counts: dict[str, int]) -> dict[str, int]:
    """From how many of its entries have which status."""
    if _adds_up(upload):
        return dict.fromkeys(LEFT_OUT, 0)
    return {status: counts.get(status, 0) for status in LEFT_OUT}


def _adds_up(row: Upload) -> bool:
    known = row.inserted + row.duplicates + row.waiting + row.errors
    return row.status == "rejected" or known >= row.sessions + row.clusterings
