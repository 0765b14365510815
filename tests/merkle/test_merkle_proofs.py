"""Inclusion and consistency proofs: published vectors, the RFC's recursion, and ways to spoil a proof."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_source,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

from . import published_trees as published
from . import rfc6962

SOME_HASH = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")
DATA = [i.to_bytes(2, "big") for i in range(300)]
HASHES = [leaf_hash(one) for one in DATA]
NODE = node_source(HASHES)


def root_of(size: int) -> bytes:
    return CompactRange().extend(HASHES[:size]).root()


def refused(check: Callable[..., None], **claim) -> bool:
    try:
        check(**claim)
    except ProofError:
        return True
    return False


def inclusion_claim(index: int, size: int) -> dict:
    proof = inclusion_proof(index, size, NODE)
    return {"leaf": HASHES[index], "index": index, "size": size, "proof": proof, "root": root_of(size)}


def consistency_claim(old_size: int, new_size: int) -> dict:
    return {
        "old_size": old_size,
        "old_root": root_of(old_size),
        "new_size": new_size,
        "new_root": root_of(new_size),
        "proof": consistency_proof(old_size, new_size, NODE),
    }


def spoiled_proofs(proof: list[bytes], *hashes: bytes):
    """The proof with every bit flipped, cut, lengthened, and with its hashes exchanged or repeated."""
    for at, one in enumerate(proof):
        for bit in range(len(one) * 8):
            flipped = (int.from_bytes(one, "big") ^ (1 << bit)).to_bytes(len(one), "big")
            yield [*proof[:at], flipped, *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], one[:-1], *proof[at + 1 :]]
        yield [*proof[:at], one + b"\0", *proof[at + 1 :]]
        yield [*proof[:at], one, *proof[at:]]
        if at:
            # Nodes are hashed as left || right: moving a byte over the border must not make a second proof.
            both = one + proof[at - 1]
            yield [*proof[: at - 1], both[33:], both[:33], *proof[at + 1 :]]
            yield [*proof[: at - 1], both[31:], both[:31], *proof[at + 1 :]]
        for other in range(at):
            swapped = list(proof)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            yield swapped
    if proof:
        yield []
    for extra in (b"", SOME_HASH, EMPTY_ROOT, *hashes):
        yield [*proof, extra]
        yield [extra, *proof]


# --- published ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("index", "size", "proof"), published.INCLUSION)
def test_published_inclusion_proofs_are_made_and_verified(index, size, proof):
    node = node_source(published.NODES[0])
    assert inclusion_proof(index, size, node) == proof
    verify_inclusion(
        leaf=published.NODES[0][index], index=index, size=size, proof=proof, root=published.ROOTS[size]
    )


@pytest.mark.parametrize(("old", "new", "proof"), published.CONSISTENCY)
def test_published_consistency_proofs_are_made_and_verified(old, new, proof):
    node = node_source(published.NODES[0])
    assert consistency_proof(old, new, node) == proof
    verify_consistency(
        old_size=old, old_root=published.ROOTS[old], new_size=new, new_root=published.ROOTS[new], proof=proof
    )


# --- against the RFC's recursion ------------------------------------------------------------------


@given(st.integers(1, 300), st.data())
def test_inclusion_proof_is_the_rfcs_path_and_verifies(size, data):
    claim = inclusion_claim(data.draw(st.integers(0, size - 1)), size)
    assert claim["proof"] == rfc6962.path(claim["index"], DATA[:size])
    verify_inclusion(**claim)


@given(st.integers(1, 300), st.data())
def test_consistency_proof_is_the_rfcs_proof_and_verifies(new_size, data):
    claim = consistency_claim(data.draw(st.integers(1, new_size)), new_size)
    assert claim["proof"] == rfc6962.proof(claim["old_size"], DATA[:new_size])
    verify_consistency(**claim)


def test_every_proof_of_every_tree_up_to_33_leaves_verifies():
    for size in range(1, 34):
        for index in range(size):
            verify_inclusion(**inclusion_claim(index, size))
        for old_size in range(size + 1):
            verify_consistency(**consistency_claim(old_size, size))


def test_proofs_need_at_most_two_nodes_per_level_and_only_complete_ones_of_that_tree():
    """What a database must answer stays small, and nothing beyond the proven tree is ever asked for."""
    for size in (1, 2, 3, 64, 100, 255, 256, 299):
        for other in {0, size // 3, size // 2, size - 1}:
            asked = []

            def node(height, index, asked=asked, size=size):
                assert (index + 1) << height <= size
                asked.append((height, index))
                return subtree_root(HASHES[index << height : (index + 1) << height])

            assert inclusion_proof(other, size, node) == rfc6962.path(other, DATA[:size])
            assert len(asked) <= 2 * size.bit_length()
            asked.clear()
            consistency_proof(other, size, node)
            assert len(asked) <= 2 * size.bit_length()


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 11, 13])
def test_no_spoiled_inclusion_proof_verifies(size):
    for index in range(size):
        claim = inclusion_claim(index, size)
        verify_inclusion(**claim)
        for spoiled in spoiled_proofs(claim["proof"], claim["leaf"], claim["root"]):
            assert refused(verify_inclusion, **claim | {"proof": spoiled})


@pytest.mark.parametrize("new_size", [1, 2, 3, 5, 7, 8, 11, 13])
def test_no_spoiled_consistency_proof_verifies(new_size):
    for old_size in range(1, new_size + 1):
        claim = consistency_claim(old_size, new_size)
        verify_consistency(**claim)
        for spoiled in spoiled_proofs(claim["proof"], claim["old_root"], claim["new_root"]):
            assert refused(verify_consistency, **claim | {"proof": spoiled})


@given(st.integers(1, 300), st.data())
def test_inclusion_proof_holds_for_no_other_leaf_index_or_root(size, data):
    index = data.draw(st.integers(0, size - 1))
    claim = inclusion_claim(index, size)
    for other in {index - 1, index + 1, index ^ 2, index + size, -1, size} - {index}:
        assert refused(verify_inclusion, **claim | {"index": other})
    for wrong in (b"", b"leaf", SOME_HASH, EMPTY_ROOT, HASHES[(index + 1) % 300]):
        assert refused(verify_inclusion, **claim | {"leaf": wrong})
    for wrong in (b"", SOME_HASH, EMPTY_ROOT, root_of(size - 1)):
        assert refused(verify_inclusion, **claim | {"root": wrong})
    for other in (-1, 0, index, size * 2):
        assert refused(verify_inclusion, **claim | {"size": other})


@given(st.integers(2, 300), st.data())
def test_consistency_proof_holds_for_no_other_sizes_or_roots(new_size, data):
    old_size = data.draw(st.integers(1, new_size - 1))
    claim = consistency_claim(old_size, new_size)
    for other in {-1, 0, old_size - 1, old_size + 1, old_size ^ 2, new_size, new_size + 1} - {old_size}:
        assert refused(verify_consistency, **claim | {"old_size": other})
    for other in {-1, 0, old_size - 1, old_size, new_size // 2, new_size * 2} - {new_size}:
        assert refused(verify_consistency, **claim | {"new_size": other})
    for which in ("old_root", "new_root"):
        for wrong in (b"", SOME_HASH, EMPTY_ROOT, root_of(new_size + 1 if new_size < 300 else 299)):
            if wrong != claim[which]:
                assert refused(verify_consistency, **claim | {which: wrong})
    swapped = {"old_root": claim["new_root"], "new_root": claim["old_root"]}
    assert refused(verify_consistency, **claim | swapped)


@given(st.integers(2, 120), st.data())
def test_rewritten_history_has_no_consistency_proof(new_size, data):
    """One old event is changed; neither the proof from the true tree nor one from the forged tree passes."""
    old_size = data.draw(st.integers(1, new_size))
    changed = data.draw(st.integers(0, old_size - 1))
    forged = [*HASHES[:changed], SOME_HASH, *HASHES[changed + 1 : new_size]]
    claim = consistency_claim(old_size, new_size)
    claim["new_root"] = CompactRange().extend(forged).root()
    assert refused(verify_consistency, **claim)
    assert refused(
        verify_consistency, **claim | {"proof": consistency_proof(old_size, new_size, node_source(forged))}
    )


def test_equal_values_that_are_no_hashes_prove_nothing():
    for value in (b"", b"same", bytes(33)):
        assert refused(verify_inclusion, leaf=value, index=0, size=1, proof=[], root=value)
        claim = {"old_size": 1, "old_root": value, "new_size": 1, "new_root": value, "proof": []}
        assert refused(verify_consistency, **claim)
    with pytest.raises(ProofError, match="root number 0 is 4 bytes long"):
        verify_inclusion(**inclusion_claim(3, 8) | {"root": b"same"})


def test_sizes_and_roots_that_need_no_proof():
    a, b = root_of(1), root_of(2)

    def check(old_size, old_root, new_size, new_root, proof=()):
        return refused(
            verify_consistency,
            old_size=old_size,
            old_root=old_root,
            new_size=new_size,
            new_root=new_root,
            proof=list(proof),
        )

    assert not check(0, EMPTY_ROOT, 0, EMPTY_ROOT)
    assert not check(0, EMPTY_ROOT, 1, a)
    assert not check(1, a, 1, a)
    assert check(0, a, 0, a), "an empty tree has the root of the empty tree"
    assert check(0, EMPTY_ROOT, 0, a)
    assert check(0, a, 1, a)
    assert check(1, a, 1, b)
    assert check(1, a, 2, b), "an empty proof proves nothing"
    assert check(1, a, 0, EMPTY_ROOT), "a ledger never becomes shorter"
    assert check(2, b, 1, a)
    for old_size, old_root in ((0, EMPTY_ROOT), (1, a)):
        assert check(old_size, old_root, 1, a, [EMPTY_ROOT])


def test_proofs_that_cannot_be_made_say_why():
    with pytest.raises(ProofError, match="a tree of size 5 has no leaf 5 "):
        inclusion_proof(5, 5, NODE)
    with pytest.raises(ProofError, match="no leaf -1"):
        inclusion_proof(-1, 5, NODE)
    with pytest.raises(ProofError, match="no leaf 0"):
        inclusion_proof(0, 0, NODE)
    with pytest.raises(ProofError, match="never becomes shorter"):
        consistency_proof(6, 5, NODE)
    assert consistency_proof(0, 5, NODE) == []


def test_refusals_say_what_is_wrong():
    claim = inclusion_claim(3, 8)
    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(**claim | {"proof": claim["proof"][:-1]})
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(**claim | {"proof": [*claim["proof"], SOME_HASH]})
    with pytest.raises(ProofError, match="not in that tree at that place"):
        verify_inclusion(**claim | {"leaf": HASHES[4]})
    with pytest.raises(ProofError, match="proof hash number 1 is 3 bytes long"):
        verify_inclusion(**claim | {"proof": [SOME_HASH, b"abc"]})
    with pytest.raises(ProofError, match="leaf hash number 0 is 5 bytes long; expected 32"):
        verify_inclusion(**claim | {"leaf": b"event"})
    claim = consistency_claim(3, 8)
    with pytest.raises(ProofError, match="proof hash number 0 is 3 bytes long"):
        verify_consistency(**claim | {"proof": [b"abc", SOME_HASH]})
    with pytest.raises(ProofError, match="old tree of size 3"):
        verify_consistency(**claim | {"old_root": SOME_HASH})
    with pytest.raises(ProofError, match="new tree of size 8"):
        verify_consistency(**claim | {"new_root": SOME_HASH})
