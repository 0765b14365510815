"""``checkpoint`` and ``verify --checkpoint``."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.ledger.writing import as_owner


@pytest.fixture
def kept(run: Run, folder: Path) -> str:
    """A checkpoint that was written to a file, after which the ledger went on."""
    assert run("subject", "add", "12345").exit == 0
    assert run("checkpoint", "-o", "kept.txt").exit == 0
    assert run("subject", "add", "12346").exit == 0
    return "kept.txt"


def test_a_checkpoint_is_printed_and_is_the_same_while_nothing_happens(run: Run) -> None:
    first, second = run("checkpoint"), run("checkpoint")
    assert first.exit == 0 and first.out == second.out
    origin, size, root = first.out.splitlines()[:3]
    assert origin.startswith("daybook/") and size == "1" and len(root) == 44
    assert run("checkpoint", "--json").json["checkpoint"] == first.out


def test_a_ledger_that_went_on_continues_its_checkpoint(run: Run, kept: str) -> None:
    assert run("verify", "--checkpoint", kept).exit == 0


@pytest.mark.tampers
def test_a_past_that_was_rewritten_does_not_continue_it(run: Run, kept: str, ledger_url: str) -> None:
    as_owner(ledger_url, "DELETE FROM checkpoints", "UPDATE events SET actor = 'user_2' WHERE position = 2")
    report = run("verify", "--checkpoint", kept, "--json")
    assert report.exit == 5
    assert "checkpoint-mismatch" in {problem["code"] for problem in report.json["problems"]}


def test_the_checkpoint_of_another_ledger_is_told(run: Run, folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    db = f"sqlite:///{other / 'daybook.db'}"
    assert run("init", "--db", db).exit == 0
    assert run("checkpoint", "-o", "theirs.txt", "--db", db).exit == 0
    refused = run("verify", "--checkpoint", "theirs.txt", "--json")
    assert refused.exit == 1 and refused.json["error"]["code"] == "foreign-checkpoint"


def test_what_is_no_checkpoint_is_refused(run: Run, folder: Path) -> None:
    (folder / "a.txt").write_text("hello\n")
    refused = run("verify", "--checkpoint", "a.txt")
    assert refused.exit == 2 and "is no checkpoint" in refused.err


def test_without_the_key_there_is_no_checkpoint(run: Run, folder: Path) -> None:
    (folder / "daybook.key").unlink()
    refused = run("checkpoint")
    assert refused.exit == 1 and "key" in refused.err and "init" in refused.err
