"""Recompute everything from raw rows and say what does not hold.

The rows are hashed in ``ledger.hashing``. Here the tree over them is compared with the head row, with its stored
nodes and with every checkpoint, and everything else that belongs to the log is checked: streams, receipts, input
files, and what redactions removed (``ledger.gaps``).

A problem is reported at the first position that it concerns. Where the tree over a range does not fit, that is the
first event of the range that is damaged by itself; if none is, the first of the range.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ledger import checkpoint
from ledger.database import Database, Transaction
from ledger.hashing import CHUNK, Problem
from ledger.head import Head
from ledger.head import stored as stored_head
from ledger.verify.belongings import (
    check_ends,
    check_extent,
    check_kinds,
    check_receipts,
    check_removals,
    check_streams,
    check_times,
)
from ledger.verify.checkpoints import check_checkpoints, stored_checkpoints
from ledger.verify.report import ReadLog, Report
from ledger.verify.tree import check_head, check_nodes, check_tree, hash_all

__all__ = ["CHUNK", "Problem", "Report", "examine", "verify"]


def verify(
    url: str,
    *,
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Check the whole ledger, and that it continues the checkpoints in ``kept``, which were out of the owner's
    reach.

    Raises LedgerUnavailable where the ledger cannot be read at all, CheckpointError for a text that is no
    checkpoint.
    """
    database = Database(url)
    try:
        with database.reading() as transaction:
            return examine(transaction, url, kept=kept, progress=progress)
    finally:
        database.close()


def examine(
    transaction: Transaction,
    url: str,
    *,
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    head: Head | None = None,
) -> Report:
    """As ``verify``, in a transaction; ``url`` is for the processes that share the work on a long log. ``head`` is one
    that was made anew, to be judged in the place of the one that is stored."""
    elsewhere = [(checkpoint.parse(text).checkpoint.size, text) for text in kept]
    transaction.read_broken_text(True)
    rows, last = stored_head(transaction)
    if head is None and not rows:
        return Report(0, "", [Problem("head-missing", None, "The head row is gone: the log has no end.")])
    log = _log(rows[0] if head is None else None, head, last)
    if head is None:
        check_head(rows, log)
    stored = stored_checkpoints(transaction, log)
    hash_all(url, transaction, {at for at, _ in (*stored, *elsewhere)}, log, progress)
    key, origin = check_ends(transaction, log)
    check_extent(transaction, log)
    check_streams(transaction, log)
    check_kinds(log)
    check_times(log)
    check_removals(transaction, log)
    check_receipts(transaction, log)
    held = check_checkpoints(stored, elsewhere, origin, key, log)
    check_nodes(transaction, log)
    if log.size in log.trees:
        log.report.root = log.trees[log.size].root().hex()
        check_tree(log.trees[log.size], log.compact_range, held, log)
    # nothing that a damaged head row says of the log counts
    log.report.problems.sort(key=lambda problem: (problem.code != "head-changed", *_order(problem.position)))
    return log.report


def _log(row: tuple[Any, ...] | None, head: Head | None, last: tuple[Any, ...] | None) -> ReadLog:
    if head is not None:
        return ReadLog(
            head.size, head.origin, head.recorded_at, head.compact_range.to_bytes(), Report(head.size, "")
        )
    _, origin, size, compact_range, recorded_at, *_ = row or (None,) * 5
    if (
        type(size) is not int
    ):  # SQLite keeps a text where a number was; that the row was changed is said of it
        size = last[0] if last is not None else 0
    return ReadLog(size, origin, recorded_at, compact_range, Report(size, ""))


def _order(position: int | None) -> tuple[bool, bool, int]:
    return position is None, position is not None and position < 1, position or 0
