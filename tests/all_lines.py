"""All records of a kind in the lines of lists, as plain data: what the tests of the past compare."""

from typing import Any

from ledger.database import Transaction
from projections.entries import left_out
from projections.lines import clustering_line, deletion_line, session_line, upload_line
from projections.records import Clustering, Deletion, Session, Upload
from projections.rows import Rows

Plain = dict[str, Any]


def sessions(transaction: Transaction, slot: str, *, subject: str | None = None) -> list[Plain]:
    """Oldest first, as all of these."""
    return [session_line(row) for row in _all(transaction, slot, Session) if subject in (None, row.subject)]


def clusterings(transaction: Transaction, slot: str) -> list[Plain]:
    return [clustering_line(row) for row in _all(transaction, slot, Clustering)]


def uploads(transaction: Transaction, slot: str) -> list[Plain]:
    found = _all(transaction, slot, Upload)
    counts = left_out(transaction, slot, found)
    return [upload_line(row) | counts[row.id] for row in found]


def requests(transaction: Transaction, slot: str) -> list[Plain]:
    return [deletion_line(row) for row in _all(transaction, slot, Deletion)]


def _all(transaction: Transaction, slot: str, record: type[Any]) -> list[Any]:
    rows: Rows[Any] = Rows(record, slot)
    rows.attach(transaction)
    return sorted(rows.where("id > 0", []), key=lambda row: row.id)
