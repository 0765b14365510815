"""Proofs that are read from the database are those that the whole tree in memory gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import log, proofs
from ledger.database import Database, Transaction
from ledger.envelope import leaf_data
from ledger.errors import IntegrityFailure
from ledger.merkle import CompactRange, consistency_proof, inclusion_proof, leaf_hash, node_source
from ledger.proofs import StoredTree, prove_consistency, prove_inclusion
from tests.ledger.writing import added, append_plainly, as_owner, stored_events


@dataclass(frozen=True)
class Grown:
    """A ledger whose events came in portions of all sizes, with all of its leaf hashes; tiles of 2**every nodes."""

    url: str
    database: Database
    leaves: list[bytes]
    every: int

    def root(self, size: int) -> bytes:
        return CompactRange().extend(self.leaves[:size]).root()


@pytest.fixture(
    scope="module", params=[("sqlite", 8), ("sqlite", 2), ("postgresql", 8), ("postgresql", 2)], ids=str
)
def grown(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Grown]:
    """With 8 there are two levels of tiles, as in a ledger of up to 65,535 events; with 2 there are five."""
    kind, every = request.param
    url = ledger_templates(kind, tmp_path_factory.mktemp("grown"))
    database = Database(url)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(log, "NODES_EVERY", every)
        patched.setattr(proofs, "NODES_EVERY", every)
        patched.setattr(proofs, "TILE", 1 << every)
        portions = [1, 2, 5, 250, 1, 17, 300, 3] if every == 8 else [1, 2, 5, 60, 1, 17, 3]
        for number, portion in enumerate(portions):
            append_plainly(database, [added(f"{number}_{i}") for i in range(portion)])
        leaves = [leaf_hash(leaf_data(event[:14])) for event in stored_events(database)]
        yield Grown(url, database, leaves, every)
    database.close()


def test_every_proof_equals_that_of_the_tree_in_memory(grown: Grown) -> None:
    size = len(grown.leaves)
    whole = node_source(grown.leaves)

    @settings(max_examples=150)
    @given(new=st.integers(1, size), old=st.integers(0, size), position=st.integers(1, size))
    def check(new: int, old: int, position: int) -> None:
        old, position = min(old, new), min(position, new)
        with grown.database.reading() as transaction:
            tree = StoredTree(transaction)
            leaf, root = grown.leaves[position - 1], grown.root(new)
            included = prove_inclusion(tree, position=position, leaf=leaf, size=new, root=root)
            joined = prove_consistency(
                tree, old_size=old, old_root=grown.root(old), new_size=new, new_root=root
            )
            assert tree.root(new) == root
        assert included == inclusion_proof(position - 1, new, whole)
        assert joined == consistency_proof(old, new, whole)

    check()


def test_a_proof_takes_few_queries(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = 0
    run = Transaction.run

    def counted(transaction: Transaction, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return run(transaction, *arguments)

    size, levels = len(grown.leaves), -(-len(grown.leaves).bit_length() // grown.every)
    with grown.database.reading() as transaction:
        monkeypatch.setattr(Transaction, "run", counted)
        prove_inclusion(
            StoredTree(transaction), position=7, leaf=grown.leaves[6], size=size, root=grown.root(size)
        )
        monkeypatch.undo()

    assert queries <= 2 * levels


def test_a_leaf_or_root_that_does_not_fit_gives_no_proof(grown: Grown) -> None:
    size, leaves = len(grown.leaves), grown.leaves
    with grown.database.reading() as transaction:
        tree = StoredTree(transaction)
        for leaf, root in ((leaves[3], grown.root(size)), (leaves[4], grown.root(size - 1))):
            with pytest.raises(IntegrityFailure, match="Verify the ledger"):
                prove_inclusion(tree, position=5, leaf=leaf, size=size, root=root)
        with pytest.raises(IntegrityFailure, match="Verify the ledger"):
            prove_consistency(
                tree, old_size=9, old_root=grown.root(8), new_size=size, new_root=grown.root(size)
            )


@pytest.mark.tampers
@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM tree_nodes", "UPDATE tree_nodes SET hash = leaf_sha256 FROM events WHERE position = 1"],
)
def test_a_tree_whose_nodes_are_gone_or_wrong_gives_no_proof(
    database_of_600: tuple[str, list[bytes]], statement: str
) -> None:
    url, leaves = database_of_600
    as_owner(url, statement)
    database = Database(url)

    with database.reading() as transaction, pytest.raises(IntegrityFailure, match="Verify the ledger"):
        root = CompactRange().extend(leaves).root()
        prove_inclusion(StoredTree(transaction), position=600, leaf=leaves[599], size=len(leaves), root=root)
    database.close()


@pytest.fixture
def database_of_600(ledger_url: str) -> tuple[str, list[bytes]]:
    database = Database(ledger_url)
    append_plainly(database, [added(str(number)) for number in range(600)])
    leaves = [leaf_hash(leaf_data(event[:14])) for event in stored_events(database)]
    database.close()
    return ledger_url, leaves
