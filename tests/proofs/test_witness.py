"""``checkpoint --cosign``: a witness never signs two pasts of one ledger."""

import shutil
from pathlib import Path

import orjson
import pytest

from commands.proving.witness import last_seen
from ledger.checkpoint import parse, verify
from ledger.signing_keys import KeyKind, parse_public_key, public_key_text, read_key
from tests.cli.conftest import Ended, Run, run_cli
from tests.proofs.conftest import flipped, text_of


@pytest.fixture
def witness(run_here: Run, folder: Path) -> str:
    """The key of the witness ``w1``; ``1.txt`` and ``2.txt`` are two checkpoints of the ledger, ``1-2.json`` joins
    them. Returns the ledger's public key."""
    assert run_here("checkpoint", "-o", "1.txt").exit == 0
    assert run_here("subject", "add", "12345").exit == 0
    assert run_here("checkpoint", "-o", "2.txt").exit == 0
    assert run_here("prove", "--since", "1.txt", "-o", "1-2.json").exit == 0
    assert run_here("checkpoint", "--new-witness-key", "w.key", "w1").exit == 0
    return public_key_text(read_key(folder / "daybook.key"))


def cosign(file: str, *arguments: str) -> Ended:
    return run_cli("checkpoint", "--cosign", file, "--key", "w.key", "--json", *arguments)


def refusal(ended: Ended) -> tuple[int, str]:
    return ended.exit, ended.json["error"]["code"]


def test_witness_key_is_its_owners_alone(witness: str, folder: Path) -> None:
    assert (folder / "w.key").stat().st_mode & 0o077 == 0
    assert read_key(folder / "w.key").kind is KeyKind.WITNESS
    again = run_cli("checkpoint", "--new-witness-key", "w.key", "w1", "--json")
    assert refusal(again) == (1, "key-not-written")


def test_cosigned_checkpoint_has_both_signatures(witness: str, folder: Path) -> None:
    done = cosign("1.txt", "--log-key", witness)

    text = done.json["checkpoint"]
    keys = [parse_public_key(witness), read_key(folder / "w.key").public()]
    assert verify(text, keys, at_least=2) == parse(text_of("1.txt")).checkpoint
    assert last_seen(folder / "w.key", parse(text).checkpoint.origin) == text_of("1.txt")


def test_first_checkpoint_needs_the_key_of_the_ledger(witness: str, folder: Path) -> None:
    assert refusal(cosign("1.txt")) == (1, "no-ledger-key")
    assert not (folder / "w.key.seen").exists()


def test_later_checkpoint_is_cosigned_once_it_is_proven_to_continue_the_last(witness: str) -> None:
    assert cosign("1.txt", "--log-key", witness).exit == 0

    assert refusal(cosign("2.txt")) == (1, "no-consistency-proof")
    assert cosign("2.txt", "--proof", "1-2.json").json["continues"] == 1
    assert refusal(cosign("1.txt")) == (1, "older-than-seen")
    assert cosign("2.txt").exit == 0


def test_proof_from_another_size_or_changed_is_refused(witness: str) -> None:
    assert run_cli("subject", "add", "12346").exit == 0
    assert run_cli("prove", "--since", "2.txt", "-o", "2-3.json").exit == 0
    assert run_cli("checkpoint", "-o", "3.txt").exit == 0
    assert cosign("1.txt", "--log-key", witness).exit == 0

    assert refusal(cosign("3.txt", "--proof", "2-3.json")) == (1, "no-consistency-proof")
    assert refusal(cosign("3.txt", "--proof", "1-2.json")) == (1, "no-consistency-proof")

    assert run_cli("prove", "--since", "1.txt", "-o", "1-3.json").exit == 0
    document = orjson.loads(Path("1-3.json").read_bytes())
    document["since"]["proof"].reverse()
    Path("1-3.json").write_bytes(orjson.dumps(document))
    assert refusal(cosign("3.txt", "--proof", "1-3.json")) == (1, "not-consistent")


def test_other_past_under_the_ledgers_own_key_is_refused(witness: str, folder: Path) -> None:
    """Two copies of one ledger go on differently: each of them signs and proves what is true of itself."""
    (folder / "fork").mkdir()
    for name in ("daybook.db", "daybook.key"):
        shutil.copy(folder / name, folder / "fork" / name)
    fork = f"sqlite:///{folder / 'fork' / 'daybook.db'}"
    for db, name in (((), "ours"), (("--db", fork), "theirs")):
        assert run_cli("subject", "add", name, *db).exit == 0
        assert run_cli("checkpoint", "-o", f"{name}.txt", *db).exit == 0
        assert run_cli("prove", "--since", "2.txt", "-o", f"{name}.json", *db).exit == 0
    assert cosign("2.txt", "--log-key", witness).exit == 0
    assert cosign("ours.txt", "--proof", "ours.json").exit == 0

    for proof in ((), ("--proof", "theirs.json"), ("--proof", "ours.json")):
        assert cosign("theirs.txt", *proof).exit == 1
    assert refusal(cosign("theirs.txt")) == (1, "not-consistent")
    assert last_seen(folder / "w.key", parse(text_of("ours.txt")).checkpoint.origin) == text_of("ours.txt")


def test_checkpoint_that_was_changed_is_not_cosigned(witness: str) -> None:
    content = Path("1.txt").read_bytes()
    Path("changed.txt").write_bytes(flipped(content, content.index(b"\n") + 1))
    assert refusal(cosign("changed.txt", "--log-key", witness)) == (1, "checkpoint-unsound")


def test_ledger_with_another_key_than_the_witness_knows_is_refused(witness: str, folder: Path) -> None:
    assert cosign("1.txt", "--log-key", witness).exit == 0
    other = public_key_text(read_key(folder / "w.key"))
    assert refusal(cosign("1.txt", "--log-key", other)) == (1, "other-ledger-key")


def test_the_ledgers_key_cannot_witness_itself(witness: str) -> None:
    refused = run_cli(
        "checkpoint", "--cosign", "1.txt", "--key", "daybook.key", "--log-key", witness, "--json"
    )
    assert refusal(refused) == (1, "not-a-witness-key")


def test_two_at_once_do_not_cosign(witness: str, folder: Path) -> None:
    (folder / "w.key.lock").touch()
    assert refusal(cosign("1.txt", "--log-key", witness)) == (1, "witness-busy")
    (folder / "w.key.lock").unlink()
    assert cosign("1.txt", "--log-key", witness).exit == 0
    assert not (folder / "w.key.lock").exists()


@pytest.mark.parametrize("content", ["", "{}x", '{"a": 1}', '{"a": {"checkpoint": "b"}}', "[]"])
def test_witness_whose_memory_is_damaged_signs_nothing(witness: str, folder: Path, content: str) -> None:
    (folder / "w.key.seen").write_text(content)
    assert refusal(cosign("1.txt", "--log-key", witness)) == (1, "seen-unreadable")


def test_crash_before_the_answer_costs_nothing(
    witness: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen is kept first: the same checkpoint is then cosigned again, and never an older or another one."""
    from commands.proving import witness as module

    with monkeypatch.context() as patched:
        patched.setattr(module.checkpoint, "cosign", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run_cli("checkpoint", "--cosign", "2.txt", "--key", "w.key", "--log-key", witness).exit == 130

    assert refusal(cosign("1.txt")) == (1, "older-than-seen")
    assert cosign("2.txt").exit == 0


# --- verify -----------------------------------------------------------------------------------------------------------


def test_verify_lists_who_signed(witness: str, folder: Path) -> None:
    w1 = public_key_text(read_key(folder / "w.key"))
    assert cosign("1.txt", "--log-key", witness, "-o", "cosigned.txt").exit == 0

    known = run_cli("verify", "--checkpoint", "cosigned.txt", "--trust", w1)
    unknown = run_cli("verify", "--checkpoint", "cosigned.txt")

    assert known.exit == 0 and "is signed by the ledger daybook/" in known.out
    assert "is signed by the witness w1+" in known.out and "not checked" not in known.out
    assert unknown.exit == 0 and "by w1+" in unknown.out and "was not checked" in unknown.out


def test_witness_that_is_trusted_must_have_signed(witness: str, folder: Path) -> None:
    w1 = public_key_text(read_key(folder / "w.key"))
    refused = run_cli("verify", "--checkpoint", "1.txt", "--trust", w1, "--json")
    assert refusal(refused) == (1, "not-cosigned")
    assert run_cli("verify", "--trust", w1).exit == 2
    assert run_cli("verify", "--checkpoint", "1.txt", "--trust", "hello").exit == 2
    ledgers = run_cli("prove", "1", "--json").json["proof"]["public_key"]
    assert run_cli("verify", "--checkpoint", "1.txt", "--trust", ledgers).exit == 2


def test_bundle_under_a_cosigned_checkpoint_convinces_who_trusts_the_witness(
    witness: str, folder: Path
) -> None:
    w1 = public_key_text(read_key(folder / "w.key"))
    assert cosign("2.txt", "--log-key", witness, "-o", "cosigned.txt").exit == 0
    assert run_cli("bundle", "b.zip", "--checkpoint", "cosigned.txt").exit == 0
    assert run_cli("bundle", "plain.zip", "--checkpoint", "2.txt").exit == 0

    assert run_cli("verify", "--bundle", "b.zip", "--trust", w1).exit == 0
    assert run_cli("verify", "--bundle", "plain.zip", "--trust", w1).exit == 5
