"""``prove``, ``upload --receipt`` and ``verify --receipt``."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands.proving.bundle_verifier import Malformed
from commands.proving.documents import verify_document
from commands.samples.lab import SampleLab
from ledger.checkpoint import Checkpoint, parse, sign
from ledger.signing_keys import public_key_text, read_key
from tests.cli.conftest import Run, run_cli, write_input_file
from tests.ledger.writing import as_owner
from tests.proofs.conftest import flipped, text_of


def proof(run: Run, *arguments: str) -> dict[str, Any]:
    answered = run("prove", *arguments, "--json")
    assert answered.exit == 0, answered.out
    document: dict[str, Any] = answered.json["proof"]
    return document


def types(document: dict[str, Any]) -> list[str]:
    return [event["type"] for event in document["events"]]


@pytest.fixture
def elsewhere(folder: Path) -> str:
    """Another ledger, with a checkpoint ``theirs.txt`` of its own."""
    (folder / "other").mkdir()
    db = f"sqlite:///{folder / 'other' / 'daybook.db'}"
    assert run_cli("init", "--db", db).exit == 0
    assert run_cli("checkpoint", "-o", "theirs.txt", "--db", db).exit == 0
    return db


def test_proof_of_a_record_holds_all_of_its_events(uploaded: Run) -> None:
    session = uploaded("sessions", "--json").json["sessions"][0]["session"]
    document = proof(uploaded, session)

    assert types(document) == ["SessionInsertRequested", "SessionInserted"]
    assert all(event["stream"] == f"session/{session[1:]}" for event in document["events"])


def test_proof_of_a_position_holds_that_event(uploaded: Run) -> None:
    assert [event["position"] for event in proof(uploaded, "2")["events"]] == [2]


def test_a_proof_says_what_it_proves_and_is_verified_with_and_without_the_ledger(
    uploaded: Run, folder: Path
) -> None:
    written = uploaded("prove", "1", "-o", "proof.json")

    assert written.out.startswith("Proven: 1 event is among the ")
    assert "1 LedgerCreated by user_1 (claimed)." in written.out
    assert uploaded("verify", "--receipt", "proof.json").exit == 0
    alone = run_cli("verify", "--receipt", "proof.json", "--db", f"sqlite:///{folder / 'none.db'}")
    assert alone.exit == 0 and "checked by itself" in alone.err and "an inclusion proof" in alone.out


def test_proof_under_an_older_checkpoint_covers_what_was_there_then(uploaded: Run) -> None:
    assert uploaded("checkpoint", "-o", "old.txt").exit == 0
    session = uploaded("sessions", "--json").json["sessions"][0]["session"]
    assert uploaded("annotate", session, "--notes", "later").exit == 0

    document = proof(uploaded, session, "--checkpoint", "old.txt")

    assert document["checkpoint"] == text_of("old.txt")
    assert types(document) == ["SessionInsertRequested", "SessionInserted"]
    assert types(proof(uploaded, session))[-1] == "SessionAnnotated"


def test_event_after_the_checkpoint_is_not_proven_by_it(uploaded: Run) -> None:
    assert uploaded("checkpoint", "-o", "old.txt", "--json").exit == 0
    assert uploaded("subject", "add", "12346").exit == 0
    newest = uploaded("log", "--json").json["events"][-1]["position"]

    refused = uploaded("prove", str(newest), "--checkpoint", "old.txt", "--json")

    assert (refused.exit, refused.json["error"]["code"]) == (1, "not-covered")


def test_nothing_before_an_older_checkpoint_was_rewritten(uploaded: Run) -> None:
    assert uploaded("checkpoint", "-o", "old.txt").exit == 0
    assert uploaded("subject", "add", "12346").exit == 0

    written = uploaded("prove", "--since", "old.txt", "-o", "since.json")

    assert written.exit == 0 and "none of those was changed" in written.out
    assert not verify_document(text_of("since.json")).problems
    assert uploaded("verify", "--receipt", "since.json", "--checkpoint", "old.txt").exit == 0


@pytest.mark.tampers
def test_a_rewritten_past_cannot_be_proven(uploaded: Run, ledger_url: str) -> None:
    assert uploaded("checkpoint", "-o", "old.txt").exit == 0
    assert uploaded("subject", "add", "12346").exit == 0
    as_owner(ledger_url, "UPDATE events SET actor = 'user_2' WHERE position = 2")
    as_owner(ledger_url, "UPDATE events SET leaf_sha256 = payload_sha256 WHERE position = 3")

    assert uploaded("prove", "--since", "old.txt").exit == 5
    assert uploaded("prove", "2").exit == 5


def test_without_the_key_the_newest_stored_checkpoint_serves(uploaded: Run, folder: Path) -> None:
    refused = None
    (folder / "daybook.key").rename("away.key")
    refused = uploaded("prove", "1", "--json")
    (folder / "away.key").rename("daybook.key")
    assert uploaded("checkpoint", "-o", "stored.txt").exit == 0
    assert uploaded("subject", "add", "12346").exit == 0
    (folder / "daybook.key").unlink()

    assert (refused.exit, refused.json["error"]["code"]) == (1, "no-checkpoint")
    assert proof(uploaded, "1")["checkpoint"] == text_of("stored.txt")


def test_checkpoint_of_another_ledger_proves_nothing_here(uploaded: Run, elsewhere: str) -> None:
    for arguments in (["1", "--checkpoint", "theirs.txt"], ["--since", "theirs.txt"]):
        refused = uploaded("prove", *arguments, "--json")
        assert (refused.exit, refused.json["error"]["code"]) == (1, "foreign-checkpoint")


@pytest.mark.parametrize("arguments", [[], ["1", "--since", "a"], ["--since", "a", "--checkpoint", "a"]])
def test_what_prove_does_not_take_is_wrong_usage(uploaded: Run, arguments: list[str]) -> None:
    assert uploaded("prove", *arguments).exit == 2


def test_position_that_there_is_none_of_is_refused(uploaded: Run) -> None:
    for position in ("0", "999999"):
        refused = uploaded("prove", position, "--json")
        assert (refused.exit, refused.json["error"]["code"]) == (1, "not-found")


def test_every_byte_of_a_proof_counts(run_here: Run) -> None:
    assert run_here("subject", "add", "Überfluß").exit == 0
    assert run_here("checkpoint", "-o", "old.txt").exit == 0
    assert run_here("subject", "add", "12346").exit == 0
    assert run_here("prove", "2", "-o", "event.json").exit == 0
    assert run_here("prove", "--since", "old.txt", "-o", "since.json").exit == 0

    for file in ("event.json", "since.json"):
        content = Path(file).read_bytes()
        for at in range(len(content)):
            Path("changed.json").write_bytes(flipped(content, at))
            try:
                found = bool(verify_document(Path("changed.json").read_bytes().decode()).problems)
            except (Malformed, UnicodeDecodeError):
                found = True
            assert found, (file, at, content[at - 20 : at + 20])


@pytest.fixture
def nowhere(folder: Path) -> str:
    """The address of a ledger that is not there."""
    return f"sqlite:///{folder / 'none.db'}"


def test_checkpoint_that_was_kept_is_compared_where_the_ledger_is_not(uploaded: Run, nowhere: str) -> None:
    assert uploaded("checkpoint", "-o", "older.txt").exit == 0
    assert uploaded("subject", "add", "12346").exit == 0
    assert uploaded("checkpoint", "-o", "old.txt").exit == 0
    assert uploaded("subject", "add", "12347").exit == 0
    assert uploaded("prove", "--since", "old.txt", "-o", "since.json").exit == 0
    assert uploaded("checkpoint", "-o", "new.txt").exit == 0

    for kept, exit_code, said in (
        ("old.txt", 0, "agrees with"),
        ("new.txt", 0, "agrees with"),
        ("older.txt", 5, "[not-comparable]"),
    ):
        told = run_cli("verify", "--receipt", "since.json", "--checkpoint", kept, "--db", nowhere)
        assert told.exit == exit_code and said in told.out


def test_kept_checkpoint_of_another_past_contradicts_a_proof(
    uploaded: Run, folder: Path, nowhere: str
) -> None:
    assert uploaded("prove", "1", "-o", "proof.json").exit == 0
    own = parse(json.loads(text_of("proof.json"))["checkpoint"]).checkpoint
    Path("other.txt").write_text(
        sign(Checkpoint(own.origin, own.size, bytes(32)), read_key(folder / "daybook.key"))
    )

    for db in ((), ("--db", nowhere)):
        told = uploaded("verify", "--receipt", "proof.json", "--checkpoint", "other.txt", *db)
        assert told.exit == 5 and "[checkpoint-mismatch]" in told.out


def test_kept_checkpoint_of_another_ledger_is_refused_where_the_ledger_is_not(
    uploaded: Run, elsewhere: str, nowhere: str
) -> None:
    assert uploaded("prove", "1", "-o", "proof.json").exit == 0
    refused = run_cli(
        "verify", "--receipt", "proof.json", "--checkpoint", "theirs.txt", "--db", nowhere, "--json"
    )
    assert (refused.exit, refused.json["error"]["code"]) == (1, "foreign-checkpoint")


def test_witness_who_has_not_signed_a_proof_is_missed(uploaded: Run, nowhere: str) -> None:
    assert uploaded("prove", "1", "-o", "proof.json").exit == 0
    assert uploaded("checkpoint", "--new-witness-key", "other.key", "other").exit == 0
    other = public_key_text(read_key(Path("other.key")))

    for db in ((), ("--db", nowhere)):
        told = uploaded("verify", "--receipt", "proof.json", "--trust", other, *db)
        assert told.exit == 5 and "[signature-wrong]" in told.out


def test_each_thing_that_was_checked_is_said_once(uploaded: Run) -> None:
    assert uploaded("checkpoint", "--new-witness-key", "w1.key", "w1").exit == 0
    assert uploaded("prove", "1", "-o", "proof.json").exit == 0
    assert uploaded("checkpoint", "-o", "same.txt").exit == 0
    key = uploaded("verify", "--json").json["public_key"]
    cosigned = uploaded(
        "checkpoint", "--cosign", "same.txt", "--key", "w1.key", "--log-key", key, "-o", "cosigned.txt"
    )
    assert cosigned.exit == 0

    told = uploaded("verify", "--receipt", "proof.json", "--checkpoint", "cosigned.txt")

    assert told.exit == 0 and told.out.count("that this ledger continues the checkpoint of") == 1


# --- receipts -------------------------------------------------------------------------------------------------------


def test_receipt_of_an_upload_is_the_proof_that_prove_gives_later(stocked: Run, sample: SampleLab) -> None:
    file = write_input_file(sample, sessions=1)
    done = stocked("upload", str(file), "--receipt", "receipt.json", "--json")

    receipt = json.loads(text_of("receipt.json"))
    assert types(receipt) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]
    assert proof(stocked, done.json["upload"]) == receipt
    assert stocked("verify", "--receipt", "receipt.json").exit == 0


def test_rejected_upload_has_a_receipt_too(stocked: Run, sample: SampleLab) -> None:
    Path("bad.yml").write_text("sessions: []\n")
    assert stocked("upload", "bad.yml", "--receipt", "receipt.json").exit == 1
    assert types(json.loads(text_of("receipt.json"))) == ["InputFileReceived", "InputFileRejected"]


def test_receipt_without_the_key_is_checked_against_the_ledger(
    stocked: Run, sample: SampleLab, folder: Path
) -> None:
    (folder / "daybook.key").rename("away.key")
    file = write_input_file(sample, sessions=1)
    done = stocked("upload", str(file), "--receipt", "receipt.json")
    (folder / "away.key").rename("daybook.key")
    assert stocked("checkpoint", "-o", "later.txt").exit == 0

    here = stocked("verify", "--receipt", "receipt.json", "--checkpoint", "later.txt")
    alone = run_cli("verify", "--receipt", "receipt.json", "--db", f"sqlite:///{folder / 'none.db'}")

    assert done.exit == 0 and "without a proof" in done.err
    assert here.exit == 0 and "NOT CHECKED" not in here.out and "in this ledger, unchanged" in here.out
    assert alone.exit == 5 and "NOT CHECKED: whether the events are in the ledger" in alone.out
    assert "that it is intact was not shown" in alone.out and "Intact" not in alone.out
    assert "acted:" in here.out and "acted:" not in alone.out
    under = run_cli(
        "verify",
        "--receipt",
        "receipt.json",
        "--checkpoint",
        "later.txt",
        "--db",
        f"sqlite:///{folder / 'none.db'}",
    )
    assert under.exit == 5 and "[not-comparable]" in under.out


def test_receipt_that_is_there_already_is_not_overwritten(stocked: Run, sample: SampleLab) -> None:
    Path("receipt.json").write_text("precious")
    refused = stocked("upload", str(write_input_file(sample)), "--receipt", "receipt.json")

    assert refused.exit == 2 and text_of("receipt.json") == "precious"
    assert stocked("uploads", "--json").json["uploads"] == []


@pytest.mark.tampers
def test_ledger_that_changed_its_past_contradicts_the_receipt(uploaded: Run, ledger_url: str) -> None:
    number = uploaded("uploads", "--json").json["uploads"][0]["upload"]
    assert uploaded("prove", number, "-o", "receipt.json").exit == 0
    as_owner(ledger_url, f"UPDATE events SET actor = 'user_9' WHERE position = {number[1:]}")

    report = uploaded("verify", "--receipt", "receipt.json", "--json")

    assert report.exit == 5
    assert [(p["code"], p["position"]) for p in report.json["problems"]] == [
        ("event-changed", int(number[1:]))
    ]


@pytest.mark.tampers
def test_ledger_whose_tail_was_cut_contradicts_the_receipt(uploaded: Run, ledger_url: str) -> None:
    assert uploaded("checkpoint", "-o", "kept.txt").exit == 0
    size = int(text_of("kept.txt").splitlines()[1])
    assert uploaded("prove", str(size), "--checkpoint", "kept.txt", "-o", "receipt.json").exit == 0
    as_owner(ledger_url, f"DELETE FROM events WHERE position = {size}")

    report = uploaded("verify", "--receipt", "receipt.json", "--json")

    assert report.exit == 5 and ("position-missing", size) in {
        (p["code"], p["position"]) for p in report.json["problems"]
    }


def test_receipt_of_another_ledger_is_refused(uploaded: Run, elsewhere: str) -> None:
    assert run_cli("prove", "1", "-o", "theirs.json", "--db", elsewhere).exit == 0
    refused = uploaded("verify", "--receipt", "theirs.json", "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (1, "foreign-receipt")


@pytest.mark.parametrize("text", ["", "{}", "hello", "[1]", '{"format": "daybook/proof/1"}', "[" * 100_000])
def test_what_is_no_receipt_is_refused(uploaded: Run, text: str) -> None:
    Path("none.json").write_text(text)
    refused = uploaded("verify", "--receipt", "none.json", "--json")
    assert (refused.exit, refused.json["error"]["code"]) == (1, "malformed")
