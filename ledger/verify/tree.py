"""The tree over the rows, compared with the head row and with the nodes that are stored."""

from collections.abc import Callable, Sequence
from typing import Any

from ledger.database import Transaction
from ledger.hashing import TILE, chunks
from ledger.head import fault_of_lists, is_as_written
from ledger.log import NODES_EVERY
from ledger.merkle import CompactRange, subtree_root
from ledger.verify.report import ReadLog, plain


def hash_all(
    url: str, transaction: Transaction, sizes: set[int], log: ReadLog, progress: Callable[[int, int], None]
) -> None:
    """The tree at the head and at each of the other sizes that it has reached."""
    (highest,) = transaction.run("SELECT max(position) FROM events").fetchone()
    size = max(0, min(log.size, (highest or 0) + 1))  # one more: that one is missing
    wanted = {each for each in sizes if 0 <= each <= size} | {size}
    tree = CompactRange(0, ())
    log.trees[0] = tree
    for chunk in chunks(url, transaction, size, wanted):
        log.chunks.append(chunk)
        log.take(chunk.problems)
        log.changed += chunk.changed
        log.tiles += chunk.tiles
        if len(chunk.leaves) == chunk.count:
            for stop in sorted({n for n in wanted if tree.size < n < chunk.after + chunk.count}):
                tree = tree.extend(chunk.leaves[tree.size - chunk.after : stop - chunk.after])
                log.trees[stop] = tree
            tree = tree.extend(chunk.leaves[tree.size - chunk.after :])
        else:
            for tile in chunk.tiles:
                tree = tree.append_subtree(NODES_EVERY, tile)
            tree = tree.extend(chunk.leaves)
        log.trees[tree.size] = tree
        progress(tree.size, size)
        if chunk.is_cut:
            return  # what follows is out of place


def check_head(rows: Sequence[tuple[Any, ...]], log: ReadLog) -> None:
    if len(rows) > 1:
        log.problem("head-changed", None, "There is more than one head row.")
    elif not is_as_written(rows[0]):
        log.problem("head-changed", None, "The head row is not the one that was written.")
    elif (found := fault_of_lists(rows[0])) is not None:
        log.problem("head-mismatch", None, f"The head row is damaged: {found}.")


def check_tree(tree: CompactRange, stored_range: Any, held: int, log: ReadLog) -> None:
    """The head row's compact range has a root for each of the largest subtrees. The first that differs, after the
    last checkpoint that holds, tells between which positions an envelope was changed.
    """
    try:
        stored = CompactRange.from_bytes(tree.size, stored_range if isinstance(stored_range, bytes) else b"")
    except ValueError as error:
        log.problem("head-mismatch", None, f"The head row is damaged: {error}.")
        return
    first = 1
    for height in reversed(range(tree.size.bit_length())):
        if not tree.size >> height & 1:
            continue
        last = first + (1 << height) - 1
        at = (tree.size >> height + 1).bit_count()
        if stored.hashes[at] != tree.hashes[at]:
            first = max(first, min(held + 1, last))
            message = (
                f"The events {first} to {last} do not have the tree that the head row holds: one of them was "
                "changed, or the head row was."
            )
            log.problem("head-mismatch", log.first(first, last), message)
            return
        first = last + 1


def check_nodes(transaction: Transaction, log: ReadLog) -> None:
    """The stored nodes, which proofs are made from, are those of the events. Where an event was changed, that is
    reported of the event.
    """
    expected: dict[tuple[int, int], bytes] = {}
    level, height = log.tiles, NODES_EVERY
    while level:
        expected.update({(height, number): node for number, node in enumerate(level)})
        whole = len(level) - len(level) % TILE
        level = [subtree_root(level[at : at + TILE]) for at in range(0, whole, TILE)]
        height += NODES_EVERY
    rows = transaction.run("SELECT height, number, hash FROM tree_nodes").fetchall()
    stored = {(height, number): plain(node) for height, number, node in rows}
    for (height, number), node in sorted(expected.items()):
        first, last = (number << height) + 1, (number + 1) << height
        if stored.pop((height, number), None) != node and log.first(first, last) not in log.changed:
            text = f"The node of the tree over the events {first} to {last} is not stored as it should be."
            log.problem("node-changed", first, text)
    for height, number in stored if not log.is_cut else ():
        text = f"There is a node of height {height!r} and number {number!r}, which the tree does not have."
        log.problem("node-changed", None, text)
