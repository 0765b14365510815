"""Roots and compact ranges: published vectors, and the RFC's own recursion as the reference."""

import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    ProofError,
    inclusion_proof,
    leaf_hash,
    node_hash,
    node_source,
    subtree_root,
)

from . import published_trees as published
from .rfc6962 import mth

leaf_lists = st.lists(st.binary(max_size=12), max_size=140)


def hashes_of(leaves: list[bytes]) -> list[bytes]:
    return [leaf_hash(leaf) for leaf in leaves]


def test_hashes_of_published_leaves():
    assert hashes_of(published.LEAVES) == published.NODES[0]


def test_hashes_of_published_nodes():
    for below, above in zip(published.NODES, published.NODES[1:], strict=False):
        assert [node_hash(below[i], below[i + 1]) for i in range(0, len(below), 2)] == above


def test_empty_tree_has_the_hash_of_nothing():
    assert published.ROOTS[0] == EMPTY_ROOT == CompactRange().root() == sha256(b"").digest()


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size):
    assert CompactRange().extend(published.NODES[0][:size]).root() == published.ROOTS[size]


@pytest.mark.parametrize(("size", "nodes"), published.COMPACT_RANGES)
def test_published_compact_ranges(size, nodes):
    expected = tuple(published.NODES[height][index] for height, index in nodes)
    assert CompactRange().extend(published.NODES[0][:size]) == CompactRange(size, expected)


def test_published_digest_over_all_subtrees_up_to_130_leaves():
    """Every subtree [start, stop) that a split can lead to, against the digest published for all of them."""
    leaves = hashes_of([bytes([i]) for i in range(published.SUBTREES_MAX_SIZE)])
    hashes, proofs = sha256(), sha256()
    for start, stop in subtrees(published.SUBTREES_MAX_SIZE):
        part, size = leaves[start:stop], stop - start
        hashes.update(f"[{start}, {stop}) {CompactRange().extend(part).root().hex()}\n".encode())
        node = node_source(part)
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            line = " ".join([f"{start + index} [{start}, {stop})", *(step.hex() for step in proof)])
            proofs.update(f"{line}\n".encode())
    assert hashes.hexdigest() == published.SUBTREE_HASHES_DIGEST
    assert proofs.hexdigest() == published.SUBTREE_INCLUSION_DIGEST


def subtrees(max_size: int):
    for stop in range(1, max_size + 1):
        for start in range(stop):
            if start % (1 << (stop - start - 1).bit_length()) == 0:
                yield start, stop


@given(leaf_lists)
def test_root_is_the_one_the_rfc_defines(leaves):
    assert CompactRange().extend(hashes_of(leaves)).root() == mth(leaves)


@given(leaf_lists, st.data())
def test_extending_in_any_pieces_equals_appending_one_by_one(leaves, data):
    hashes = hashes_of(leaves)
    one_by_one = CompactRange()
    for one in hashes:
        one_by_one = one_by_one.append(one)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(hashes)), max_size=5)))
    in_pieces = CompactRange()
    for start, stop in zip([0, *cuts], [*cuts, len(hashes)], strict=True):
        in_pieces = in_pieces.extend(hashes[start:stop])
    assert in_pieces == one_by_one
    assert in_pieces.root() == mth(leaves)


def test_every_size_extended_by_every_size_up_to_40():
    hashes = hashes_of([bytes([i]) for i in range(80)])
    whole = [CompactRange()]
    for one in hashes:
        whole.append(whole[-1].append(one))
    for before in range(41):
        for added in range(40):
            assert whole[before].extend(hashes[before : before + added]) == whole[before + added]


@given(leaf_lists, st.integers(0, 6))
def test_aligned_chunks_hashed_apart_make_the_same_tree(leaves, height):
    hashes, chunk = hashes_of(leaves), 1 << height
    full = len(hashes) - len(hashes) % chunk
    with ThreadPoolExecutor(2) as pool:
        roots = list(pool.map(subtree_root, [hashes[at : at + chunk] for at in range(0, full, chunk)]))
    tree = CompactRange()
    for root in roots:
        tree = tree.append_subtree(height, root)
    assert tree.extend(hashes[full:]) == CompactRange().extend(hashes)


@pytest.mark.parametrize(("size", "height"), [(1, 1), (3, 1), (2, 2), (6, 2), (8, 4), (8, -1)])
def test_subtree_that_would_not_begin_at_a_multiple_of_its_size_is_refused(size, height):
    tree = CompactRange().extend(published.NODES[0][:size])
    with pytest.raises(ProofError, match="multiple of its own size"):
        tree.append_subtree(height, published.ROOTS[1])


@pytest.mark.parametrize("count", [0, 3, 5, 6, 7])
def test_incomplete_chunk_has_no_subtree_root(count):
    with pytest.raises(ProofError, match=rf"not {count}"):
        subtree_root(published.NODES[0][:count])


@given(leaf_lists)
def test_bytes_bring_back_the_same_range(leaves):
    tree = CompactRange().extend(hashes_of(leaves))
    assert CompactRange.from_bytes(tree.size, tree.to_bytes()) == tree


@pytest.mark.parametrize(("size", "length"), [(0, 32), (1, 0), (1, 31), (1, 33), (7, 64), (8, 96), (-1, 32)])
def test_bytes_that_do_not_fit_the_size_are_refused(size, length):
    with pytest.raises(ValueError, match="bytes long"):
        CompactRange.from_bytes(size, bytes(length))


@pytest.mark.parametrize(("size", "lengths"), [(3, [32]), (4, [32, 32]), (1, [31]), (-1, [32])])
def test_range_that_contradicts_itself_is_refused(size, lengths):
    with pytest.raises(ValueError, match=r"complete subtrees|0 or more|bytes long"):
        CompactRange(size, tuple(bytes(length) for length in lengths))


def test_data_given_instead_of_a_hash_is_refused():
    tree = CompactRange()
    for attempt in (
        tree.append,
        lambda data: tree.extend([bytes(32), data]),
        lambda data: subtree_root([data]),
    ):
        with pytest.raises(ProofError, match="is 5 bytes long; expected 32"):
            attempt(b"event")


def test_failed_append_leaves_the_range_as_it_was():
    tree = CompactRange().extend(published.NODES[0][:7])
    before = tree.to_bytes()
    with pytest.raises(ProofError):
        tree.extend([bytes(32), b"short"])
    tree.append(bytes(32))
    assert (tree.size, tree.to_bytes()) == (7, before)


def test_large_range_equals_the_pairwise_definition():
    hashes = [os.urandom(32) for _ in range((1 << 12) + 77)]
    assert CompactRange().extend(hashes).root() == node_hash(
        subtree_root(hashes[: 1 << 12]), CompactRange().extend(hashes[1 << 12 :]).root()
    )


def test_node_source_serves_the_published_nodes_and_no_others():
    node = node_source(published.NODES[0])
    for height, row in enumerate(published.NODES):
        assert [node(height, index) for index in range(len(row))] == row
    for height, index in [(0, 8), (3, 1), (4, 0), (0, -1), (-1, 0)]:
        with pytest.raises(ProofError, match="no complete subtree"):
            node(height, index)
