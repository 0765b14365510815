"""The Merkle tree of RFC 6962: hashes, compact ranges, inclusion and consistency proofs.

Pure functions over bytes and integers: nothing here reads a database, a clock or a file, and nothing outside
this module hashes tree nodes. Leaves are counted from 0, so the event at position 1 is leaf 0.

A node is named by (height, index): the root of the complete subtree over the leaves
``[index * 2**height, (index + 1) * 2**height)``. Only complete subtrees have names; what stands at the ragged
right edge of a tree changes with its size and is computed from them. Proof orders and the verification
algorithms are those of RFC 6962 section 2.1 and RFC 9162 sections 2.1.3 and 2.1.4:
https://www.rfc-editor.org/rfc/rfc6962 and https://www.rfc-editor.org/rfc/rfc9162
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "CompactRange",
    "NodeSource",
    "ProofError",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "node_source",
    "subtree_root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""

NodeSource = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree named by (height, index)."""

_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"


class ProofError(ValueError):
    """Hashes, sizes or a proof do not belong together."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf that holds ``data``."""
    return sha256(_LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of the node over two subtrees."""
    return sha256(_NODE_PREFIX + left + right).digest()


def subtree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root of a complete subtree: ``leaf_hashes`` are 2**k hashes, left to right.

    It needs nothing but its own leaves, so chunks of a large tree can be computed in separate processes and
    put together with ``CompactRange.append_subtree``. Raises ProofError when the count is no power of two.
    """
    count = len(leaf_hashes)
    if count == 0 or count & (count - 1):
        raise ProofError(f"a complete subtree has 1, 2, 4, 8 ... leaves, not {count:,}")
    _check_hashes(leaf_hashes, "leaf hash")
    level = leaf_hashes
    while len(level) > 1:
        level = _parents(level)
    return level[0]


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All that must be remembered of a tree to append to it and to know its root.

    ``hashes`` are the roots of the largest complete subtrees, left to right: one for every 1 bit in ``size``.
    Immutable: an append gives a new range, so a transaction that fails leaves the old one good.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"a tree has 0 or more leaves, not {self.size}")
        if len(self.hashes) != self.size.bit_count():
            raise ValueError(
                f"a tree of size {self.size:,} has {self.size.bit_count()} complete subtrees, "
                f"but {len(self.hashes)} hashes were given"
            )
        _check_hashes(self.hashes, "subtree hash")

    def append(self, leaf_hash: bytes) -> Self:
        """This range with one more leaf."""
        return self.append_subtree(0, leaf_hash)

    def append_subtree(self, height: int, root: bytes) -> Self:
        """This range with the 2**height leaves under ``root`` added (see ``subtree_root``).

        Raises ProofError unless ``size`` is a multiple of 2**height, where such a subtree can begin.
        """
        _check_hashes((root,), "subtree hash")
        if height < 0 or self.size & ((1 << height) - 1):
            raise ProofError(
                f"a subtree of height {height} cannot follow {self.size:,} leaves: it must begin at a "
                "multiple of its own size. Append smaller subtrees or single leaves up to there first."
            )
        kept = list(self.hashes)
        remaining = self.size >> height
        while remaining & 1:
            root = node_hash(kept.pop(), root)
            remaining >>= 1
        return type(self)(self.size + (1 << height), (*kept, root))

    def extend(
        self,
        leaf_hashes: Sequence[bytes],
        completed: Callable[[int, int, Sequence[bytes]], None] = lambda height, index, hashes: None,
    ) -> Self:
        """This range with many leaves added in order: the same as appending each of them, only faster.

        ``completed`` is told the nodes that these leaves complete: their height, the index of the first one at
        that height, and their hashes.
        """
        _check_hashes(leaf_hashes, "leaf hash")
        waiting = list(self.hashes)
        finished: list[bytes] = []
        level = leaf_hashes
        height = 0
        # Whole levels at a time: one comprehension hashes all pairs of a level, with no carry per leaf.
        while level:
            completed(height, self.size >> height, level)
            if self.size >> height & 1:
                level = [waiting.pop(), *level]
            if len(level) & 1:
                finished.append(level[-1])
            level = _parents(level)
            height += 1
        return type(self)(self.size + len(leaf_hashes), (*waiting, *reversed(finished)))

    def root(self) -> bytes:
        """Root hash of the whole tree."""
        return _fold(self.hashes)

    def to_bytes(self) -> bytes:
        """The hashes, left to right, 32 bytes each. The size is stored beside it."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, blob: bytes) -> Self:
        """The range that ``to_bytes`` wrote. Raises ValueError when the length does not fit the size."""
        expected = size.bit_count() * HASH_BYTES
        if size < 0 or len(blob) != expected:
            raise ValueError(
                f"the compact range of a tree of size {size:,} is {expected} bytes long, not {len(blob)}"
            )
        return cls(size, tuple(blob[at : at + HASH_BYTES] for at in range(0, expected, HASH_BYTES)))


def node_source(leaf_hashes: Sequence[bytes]) -> NodeSource:
    """A node source over leaf hashes held in memory; hashes every complete subtree once, here.

    The source raises ProofError for a node that is not complete in this tree.
    """
    _check_hashes(leaf_hashes, "leaf hash")
    levels = [leaf_hashes]
    while len(levels[-1]) > 1:
        levels.append(_parents(levels[-1]))

    def node(height: int, index: int) -> bytes:
        if not (0 <= height < len(levels) and 0 <= index < len(levels[height])):
            raise ProofError(
                f"a tree of size {len(leaf_hashes):,} has no complete subtree of height {height} "
                f"at index {index:,}"
            )
        return levels[height][index]

    return node


def inclusion_proof(index: int, size: int, node: NodeSource) -> list[bytes]:
    """Audit path of leaf ``index`` in the tree of the first ``size`` leaves, from the leaf upwards (PATH).

    Asks ``node`` for at most two hashes per level. Raises ProofError when the tree has no such leaf.
    """
    _check_index(index, size)
    proof: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        split = start + _left_size(stop - start)
        if index < split:
            proof.append(_range_root(split, stop, node))
            stop = split
        else:
            proof.append(_range_root(start, split, node))
            start = split
    proof.reverse()
    return proof


def consistency_proof(old_size: int, new_size: int, node: NodeSource) -> list[bytes]:
    """Proof that the tree of ``old_size`` leaves is the beginning of the one of ``new_size`` leaves (PROOF).

    Empty when the sizes are equal and when the old tree is empty, as there is nothing to prove. Raises
    ProofError when the old tree is larger than the new one.
    """
    _check_sizes(old_size, new_size)
    if old_size == 0:
        return []
    proof: list[bytes] = []
    start, stop = 0, new_size
    old_root_is_known = True
    while stop != old_size:
        split = start + _left_size(stop - start)
        if old_size <= split:
            proof.append(_range_root(split, stop, node))
            stop = split
        else:
            proof.append(_range_root(start, split, node))
            start = split
            old_root_is_known = False
    if not old_root_is_known:
        proof.append(_range_root(start, stop, node))
    proof.reverse()
    return proof


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return if ``proof`` shows that leaf ``index`` of the tree (``size``, ``root``) hashes to ``leaf``.

    Raises ProofError otherwise, with the reason. It raises, rather than returning False, because a forgotten
    ``if`` would turn a false answer into a passed check, and because people ask why.
    """
    _check_index(index, size)
    _check_hashes((leaf,), "leaf hash")
    _check_hashes((root,), "root")
    _check_hashes(proof, "proof hash")
    found = leaf
    position, last = index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofError(_wrong_length("inclusion", len(proof), "long"))
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            position, last = _past_the_right_edge(position, last)
        else:
            found = node_hash(found, sibling)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofError(_wrong_length("inclusion", len(proof), "short"))
    if found != root:
        raise ProofError(
            f"the proof leads from leaf {index:,} to root {found.hex()}, but the root of the tree of size "
            f"{size:,} is {root.hex()}: that leaf is not in that tree at that place"
        )


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if ``proof`` shows that the new tree begins with exactly the leaves of the old one.

    Raises ProofError otherwise, for the reasons that ``verify_inclusion`` gives. An old tree without leaves
    is the beginning of every tree: its root must be EMPTY_ROOT and the proof empty, and nothing is then
    proved about the new root.
    """
    _check_sizes(old_size, new_size)
    _check_hashes((old_root, new_root), "root")
    _check_hashes(proof, "proof hash")
    if old_size in (0, new_size):
        if proof:
            raise ProofError(_wrong_length("consistency", len(proof), "long"))
        expected = EMPTY_ROOT if old_size == 0 else new_root
        if old_root != expected:
            raise ProofError(_not_the_root("old", old_size, old_root, expected))
        if new_size == 0 and new_root != EMPTY_ROOT:
            raise ProofError(_not_the_root("new", new_size, new_root, EMPTY_ROOT))
        return
    if not proof:
        raise ProofError(_wrong_length("consistency", 0, "short"))
    # The root of a complete old tree is a node of the new tree as well, and the proof leaves it out.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    height = (old_size & -old_size).bit_length() - 1  # of the old tree's rightmost complete subtree
    position, last = (old_size - 1) >> height, (new_size - 1) >> height
    found_old = found_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError(_wrong_length("consistency", len(proof), "long"))
        if position & 1 or position == last:
            found_old = node_hash(sibling, found_old)
            found_new = node_hash(sibling, found_new)
            position, last = _past_the_right_edge(position, last)
        else:
            found_new = node_hash(found_new, sibling)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofError(_wrong_length("consistency", len(proof), "short"))
    if found_old != old_root:
        raise ProofError(_not_the_root("old", old_size, old_root, found_old))
    if found_new != new_root:
        raise ProofError(_not_the_root("new", new_size, new_root, found_new))


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """Node hashes over neighbouring pairs; a last one without neighbour has no parent yet."""
    nodes = iter(level)
    return [sha256(_NODE_PREFIX + left + right).digest() for left, right in zip(nodes, nodes, strict=False)]


def _fold(subtree_roots: Sequence[bytes]) -> bytes:
    """Root of a tree from the roots of its largest complete subtrees, left to right."""
    if not subtree_roots:
        return EMPTY_ROOT
    root = subtree_roots[-1]
    for left in reversed(subtree_roots[:-1]):
        root = node_hash(left, root)
    return root


def _range_root(start: int, stop: int, node: NodeSource) -> bytes:
    """Hash over the leaves [start, stop) of a subtree that the RFC's splitting leads to."""
    roots = []
    while start < stop:
        height = (stop - start).bit_length() - 1
        roots.append(node(height, start >> height))
        start += 1 << height
    return _fold(roots)


def _left_size(size: int) -> int:
    """The largest power of two smaller than ``size``: where the RFC splits a tree of ``size`` > 1 leaves."""
    return 1 << ((size - 1).bit_length() - 1)


def _past_the_right_edge(position: int, last: int) -> tuple[int, int]:
    """Skip the levels on which a node at the right edge has no sibling and is handed up as it is."""
    while position and not position & 1:
        position >>= 1
        last >>= 1
    return position, last


def _check_hashes(hashes: Sequence[bytes], what: str) -> None:
    if set(map(len, hashes)) - {HASH_BYTES}:
        at = next(at for at, one in enumerate(hashes) if len(one) != HASH_BYTES)
        raise ProofError(f"{what} number {at} is {len(hashes[at])} bytes long; expected {HASH_BYTES}")


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise ProofError(f"a tree of size {size:,} has no leaf {index:,} (they are counted from 0)")


def _check_sizes(old_size: int, new_size: int) -> None:
    if not 0 <= old_size <= new_size:
        raise ProofError(
            f"a tree of size {new_size:,} cannot continue one of size {old_size:,}: "
            "a ledger never becomes shorter"
        )


def _wrong_length(kind: str, count: int, fault: str) -> str:
    return f"the {kind} proof is too {fault}: {count} hashes do not fit trees of these sizes"


def _not_the_root(which: str, size: int, claimed: bytes, found: bytes) -> str:
    return (
        f"the proof gives root {found.hex()} for the {which} tree of size {size:,}, but {claimed.hex()} "
        "was claimed: the two trees do not belong to one history, or the proof was changed"
    )
