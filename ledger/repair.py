"""Make a damaged head row anew from the events. Anything else that is damaged is left as it is, for ``verify`` to
name.

Only the head row can contradict the events and be wrong by itself, as its tree follows from them. So it is made anew
only where the events, their nodes, receipts, files and checkpoints agree with each other without it.
"""

from collections.abc import Callable
from contextlib import suppress

import orjson

from ledger.database import Database, Transaction
from ledger.errors import IntegrityFailure, LedgerUnavailable, NextStep
from ledger.head import REDACTED, SLOTS, Head, fault, insert_head, lock, store_head, stored
from ledger.log import NODES_EVERY
from ledger.merkle import CompactRange
from ledger.plurals import plural
from ledger.proofs import StoredTree
from ledger.verify import Report, examine

_PAGE = 1 << NODES_EVERY << NODES_EVERY
_Progress = Callable[[int, int], None]


def repair_head(url: str, progress: _Progress = lambda done, total: None) -> list[str]:
    """What was wrong with the head row and was mended, as sentences; none where it holds. The lists have to be made
    anew afterwards. Where the events do not agree with each other it raises IntegrityFailure and changes nothing.
    """
    database = Database(url, role=None)  # a row that is gone can be put back by the owner alone
    try:
        with database.reading() as transaction:
            transaction.read_broken_text(True)
            found = _fault(transaction)
            if found is None:
                return []
            head = _made_anew(transaction)
            _require_sound(examine(transaction, url, progress=progress, head=head))
        with database.writing() as transaction:
            transaction.read_broken_text(True)
            lock(transaction)
            _, last = stored(transaction)
            if last is None or last[0] != head.size:
                raise IntegrityFailure("head-moved", "The ledger was written to meanwhile.", "Try again.")
            (rows,) = transaction.run("SELECT count(*) FROM head").fetchone()
            (store_head if rows else insert_head)(transaction, head)
    finally:
        database.close()
    return [
        f"The head row was damaged: {found}. It was made anew from {plural(head.size, 'event')}, in which nothing "
        f"contradicts anything: root {head.compact_range.root().hex()}.",
        "Whether they are the events that were written, only a checkpoint that was kept elsewhere can tell.",
    ]


def _fault(transaction: Transaction) -> str | None:
    """Includes what only the nodes of the tree show."""
    rows, last = stored(transaction)
    if last is None:
        raise LedgerUnavailable(
            "no-ledger", "The database holds no event.", "Create a ledger", NextStep("init")
        )
    found = fault(rows, last)
    with suppress(IntegrityFailure):  # missing nodes are no fault of the head
        if found is None and StoredTree(transaction).compact_range(last[0]).to_bytes() != rows[0][3]:
            found = "its tree is not that of the events"
    return found


def _made_anew(transaction: Transaction) -> Head:
    rows, last = stored(transaction)
    position, recorded_at, _ = last or (0, "", b"")
    tree = CompactRange()
    while tree.size < position:
        leaves = transaction.run(
            "SELECT position, leaf_sha256 FROM events WHERE position > ? ORDER BY position LIMIT ?",
            (tree.size, _PAGE),
        ).fetchall()
        if [row[0] for row in leaves] != list(range(tree.size + 1, tree.size + 1 + len(leaves))):
            raise _not_sound("a position is missing")
        tree = _extended(tree, [row[1] for row in leaves])
    slot = rows[0][5] if rows and rows[0][5] in SLOTS else SLOTS[0]
    removed = transaction.run("SELECT count(*) FROM events WHERE type = 'PayloadRedacted'").fetchone()[0]
    # nobody knows any more whether the slot that is not live still holds what was redacted: it is emptied again
    return Head(_origin(transaction), position, tree, recorded_at, slot, REDACTED if removed else "", "")


def _extended(tree: CompactRange, leaves: list[object]) -> CompactRange:
    try:
        return tree.extend([bytes(leaf) for leaf in leaves])  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise _not_sound(f"a leaf is none ({error})") from error


def _origin(transaction: Transaction) -> str:
    row = transaction.run("SELECT payload FROM events WHERE position = 1").fetchone()
    try:
        return str(orjson.loads(row[0])["origin"])
    except (TypeError, ValueError, KeyError) as error:
        raise _not_sound("event 1 does not say which ledger it is") from error


def _require_sound(report: Report) -> None:
    if report.problems:
        first = report.problems[0]
        where = "" if first.position is None else f"position {first.position}: "
        raise _not_sound(f"{where}{first.message.rstrip('.')}")


def _not_sound(what: str) -> IntegrityFailure:
    return IntegrityFailure(
        "not-repairable",
        "The head row of the ledger is damaged, and cannot be made anew from events that do not hold themselves: "
        f"{what}.",
        "Restore a backup, and compare it with a checkpoint that was kept elsewhere",
        NextStep("verify", arguments={"checkpoint": None}),
    )
