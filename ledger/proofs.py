"""Inclusion and consistency proofs of the stored log, each checked before it is handed out.

The tree is read in *tiles* of 256 neighbouring nodes: the leaves from ``events.leaf_sha256``, and from ``tree_nodes``
the nodes of every eighth level above them. The levels in between are hashed anew, at most 255 nodes a tile. A proof in
a tree of a million events takes a handful of queries, whichever event it is about.
"""

from collections import OrderedDict

from ledger.database import Transaction
from ledger.errors import IntegrityFailure, NextStep
from ledger.log import NODES_EVERY
from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    NodeSource,
    ProofError,
    consistency_proof,
    inclusion_proof,
    node_source,
    verify_consistency,
    verify_inclusion,
)
from ledger.plurals import plural

TILE = 1 << NODES_EVERY
_TILES_KEPT = 64  # about two megabytes; proofs of neighbours share all but one tile


class StoredTree:
    """The nodes of the tree as they are stored, for the events in one transaction. A ``merkle.NodeSource``.

    What it gives is not checked: a proof or a root made from it has to be, against a root from elsewhere.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._tiles: OrderedDict[tuple[int, int], NodeSource] = OrderedDict()

    def __call__(self, height: int, index: int) -> bytes:
        level, above = divmod(height, NODES_EVERY)
        number, within = divmod(index << above, TILE)
        try:
            return self._tile(level, number)(above, within >> above)
        except (ProofError, TypeError) as error:  # TypeError: SQLite keeps a text where bytes were
            first = (index << height) + 1
            raise IntegrityFailure(
                "tree-incomplete",
                f"The tree over the events {first} to {first + (1 << height) - 1} is not stored.",
                "Verify the ledger",
                NextStep("verify"),
            ) from error

    def _tile(self, level: int, number: int) -> NodeSource:
        tile = self._tiles.get((level, number))
        if tile is None:
            tile = self._tiles[level, number] = node_source(self._read(level, number))
            if len(self._tiles) > _TILES_KEPT:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end((level, number))
        return tile

    def _read(self, level: int, number: int) -> list[bytes]:
        """The nodes of a tile from its first on, up to the first that is missing."""
        first = number * TILE
        if level:
            rows = self._transaction.run(
                "SELECT number, hash FROM tree_nodes WHERE height = ? AND number >= ? AND number < ? ORDER BY number",
                (level * NODES_EVERY, first, first + TILE),
            )
        else:
            rows = self._transaction.run(
                "SELECT position - 1, leaf_sha256 FROM events WHERE position > ? AND position <= ? ORDER BY position",
                (first, first + TILE),
            )
        nodes: list[bytes] = []
        for at, node in rows.fetchall():
            if at != first + len(nodes):
                break
            nodes.append(bytes(node))
        return nodes

    def root(self, size: int) -> bytes:
        """The root of the tree of the first ``size`` events, as far as the stored nodes tell."""
        return self.compact_range(size).root() if size else EMPTY_ROOT

    def compact_range(self, size: int) -> CompactRange:
        """The tree that the head held when the log had ``size`` events."""
        hashes, start = [], 0
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                hashes.append(self(height, start >> height))
                start += 1 << height
        return CompactRange(size, tuple(hashes))


def prove_inclusion(tree: StoredTree, *, position: int, leaf: bytes, size: int, root: bytes) -> list[bytes]:
    """The proof that the event at ``position``, whose leaf hash is ``leaf``, is in the tree (``size``, ``root``).

    Raises IntegrityFailure where it is not, and ProofError where the tree has no such position.
    """
    proof = inclusion_proof(position - 1, size, tree)
    try:
        verify_inclusion(leaf=leaf, index=position - 1, size=size, proof=proof, root=root)
    except ProofError as error:
        raise _not_as_signed(
            f"Event {position} is not in the tree of the first {plural(size, 'event')}", error
        ) from error
    return proof


def prove_consistency(
    tree: StoredTree, *, old_size: int, old_root: bytes, new_size: int, new_root: bytes
) -> list[bytes]:
    """The proof that the tree (``new_size``, ``new_root``) begins with the whole of (``old_size``, ``old_root``).

    Raises IntegrityFailure where it does not, and ProofError where the old tree is the larger one.
    """
    proof = consistency_proof(old_size, new_size, tree)
    try:
        verify_consistency(
            old_size=old_size, old_root=old_root, new_size=new_size, new_root=new_root, proof=proof
        )
    except ProofError as error:
        raise _not_as_signed(
            f"The first {new_size} events do not continue the {old_size} of the checkpoint", error
        ) from error
    return proof


def _not_as_signed(what: str, error: ProofError) -> IntegrityFailure:
    return IntegrityFailure(
        "not-as-signed",
        f"{what} whose root was signed: one of them was changed, or their tree was ({error}).",
        "Verify the ledger",
        NextStep("verify"),
    )


def require_root(tree: StoredTree, *, size: int, root: bytes) -> None:
    """Raises IntegrityFailure unless the first ``size`` events have this root."""
    found = tree.root(size)
    if found != root:
        raise IntegrityFailure(
            "not-as-signed",
            f"The first {plural(size, 'event')} have the root {found.hex()}; signed was {root.hex()}.",
            "Verify the ledger",
            NextStep("verify"),
        )
