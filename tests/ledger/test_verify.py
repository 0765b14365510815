"""What somebody who owns the database could do to it, and what ``verify`` says of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger import checkpoint, hashing, log, signing_keys
from ledger.bodies import body_of
from ledger.database import Database
from ledger.envelope import NewEvent, head_data, leaf_data
from ledger.errors import IntegrityFailure
from ledger.events import InputFileReceived
from ledger.input_files import keep
from ledger.merkle import CompactRange, leaf_hash
from ledger.verify import CHUNK, Problem, Report, verify
from tests.ledger.writing import added, append, append_plainly, as_owner, stored_events

SIZE, RECEIVED, CHANGED = 21, 5, 12  # positions; the checkpoints stand at 8 and 16
CONTENT = b"sessions: []\n"
TABLES = ("events", "head", "receipts", "input_files", "checkpoints", "tree_nodes")


class Victim:
    """A small ledger with everything in it, which can be tampered with and then put back as it was."""

    def __init__(self, url: str, key: signing_keys.SigningKey) -> None:
        self.url = url
        self.key = key
        self.database = Database(url)
        with self.database.reading() as transaction:
            self.origin = log.read_head(transaction).origin
        append(self.database, [added(f"a{number}") for number in range(RECEIVED - 2)], "first")
        with self.database.writing() as transaction:
            digest = keep(transaction, CONTENT)
        received = InputFileReceived(filename="subject_1.yml", sha256=digest, size_bytes=len(CONTENT))
        append(
            self.database,
            [NewEvent(f"upload/{RECEIVED}", received, subject="0/12345", username="user_1")],
            "second",
        )
        append(self.database, [added(f"b{number}") for number in range(11)], "third")
        append(
            self.database, [added(f"c{number}", "reference.Curator") for number in range(SIZE - 16)], "fourth"
        )
        for size in (8, 16):
            self.sign(size)
        as_owner(url, *[f"CREATE TABLE {table}_before AS SELECT * FROM {table}" for table in TABLES])

    def tree(self, size: int) -> CompactRange:
        events = stored_events(self.database)[:size]
        return CompactRange().extend([leaf_hash(leaf_data(event[:14])) for event in events])

    def sign(self, size: int) -> None:
        text = checkpoint.sign(checkpoint.Checkpoint(self.origin, size, self.tree(size).root()), self.key)
        with self.database.writing() as transaction:
            transaction.run("INSERT INTO checkpoints (size, text) VALUES (?, ?)", (size, text))

    def tamper(self, *statements: str | tuple[str, tuple[Any, ...]]) -> Report:
        as_owner(self.url, *statements)
        return verify(self.url)

    def head(self, **changed: Any) -> tuple[str, tuple[Any, ...]]:
        """The statement that changes the head row and hashes it anew."""
        names = (
            "id",
            "origin",
            "size",
            "compact_range",
            "recorded_at",
            "live_slot",
            "projections",
            "rebuild",
        )
        with self.database.reading() as transaction:
            row = transaction.run(f"SELECT {', '.join(names)} FROM head").fetchone()
        values = dict(zip(names, row, strict=True)) | changed
        sets = ", ".join(f"{name} = ?" for name in values)
        return f"UPDATE head SET {sets}, sha256 = ?", (
            *values.values(), sha256(head_data(tuple(values.values()))).digest(),
        )  # fmt: skip

    def restore(self) -> None:
        for table in TABLES:
            as_owner(self.url, f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM {table}_before")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ledger(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("victim")
    url = ledger_templates(request.param, folder)
    made = Victim(url, signing_keys.read_key(folder / "daybook.key"))
    yield made
    made.database.close()


@pytest.fixture
def victim(ledger: Victim) -> Iterator[Victim]:
    yield ledger
    ledger.restore()


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(problem.code, problem.position) for problem in report.problems}


def first(report: Report) -> tuple[str, int | None]:
    return report.problems[0].code, report.problems[0].position


def test_an_intact_ledger_has_no_problems(victim: Victim) -> None:
    report = verify(victim.url)

    assert replace(report, latest="") == Report(SIZE, victim.tree(SIZE).root().hex())
    assert report.ok


def test_a_payload_that_is_gone_without_a_redaction_is_found(victim: Victim) -> None:
    report = victim.tamper(f"UPDATE events SET payload = NULL WHERE position = {CHANGED}")

    assert found(report) == {("payload-missing", CHANGED)}


def test_a_changed_payload_is_found_at_its_position(victim: Victim) -> None:
    report = victim.tamper(f"UPDATE events SET payload = payload || ' ' WHERE position = {CHANGED}")

    assert found(report) == {("payload-changed", CHANGED)}


ENVELOPE = {
    "stream": "'reference/other'",
    "stream_version": "stream_version + 50",
    "type": "'SubjectRegistered'",
    "schema": "2",
    "command_id": "'fourth'",
    "correlation": "'u5'",
    "causation": "causation + 1",
    "actor": "'user_2'",
    "via": "'{ }'",
    "recorded_at": "'2020-01-01T00:00:00.000000Z'",
    "subject": "'0/1'",
    "username": "'user_2'",
}


def test_every_column_of_the_envelope_has_a_case() -> None:
    assert {*ENVELOPE, "position", "payload_sha256"} == set(log.COLUMNS) - {"payload"}


@pytest.mark.parametrize("column", ENVELOPE)
def test_a_changed_envelope_is_found_at_its_position(victim: Victim, column: str) -> None:
    report = victim.tamper(f"UPDATE events SET {column} = {ENVELOPE[column]} WHERE position = {CHANGED}")

    assert first(report) == ("event-changed", CHANGED)
    assert {("checkpoint-mismatch", CHANGED), ("head-mismatch", CHANGED)} <= found(report)
    assert "events 9 to 16" in " ".join(problem.message for problem in report.problems)


def test_a_changed_payload_hash_is_found_at_its_position(victim: Victim) -> None:
    forged = sha256(b"{}").digest()
    report = victim.tamper(
        ("UPDATE events SET payload = '{}', payload_sha256 = ? WHERE position = ?", (forged, CHANGED))
    )
    assert first(report) == ("event-changed", CHANGED)

    victim.restore()
    report = victim.tamper(("UPDATE events SET payload_sha256 = ? WHERE position = ?", (forged, CHANGED)))
    assert first(report) == ("payload-changed", CHANGED)


def test_a_moved_event_is_missing_where_it_was(victim: Victim) -> None:
    report = victim.tamper(f"UPDATE events SET position = 99 WHERE position = {CHANGED}")

    assert {("position-missing", CHANGED), ("beyond-head", 99)} <= found(report)


def test_a_missing_event_is_found_at_its_position(victim: Victim) -> None:
    report = victim.tamper(f"DELETE FROM events WHERE position = {CHANGED}")

    assert {("position-missing", CHANGED), ("stream-gap", CHANGED + 1)} <= found(report)
    assert (
        "The first 16 events, whose tree was signed, are not all there; that of the first 8 is as it was."
        in [problem.message for problem in report.problems]
    )


def test_a_missing_event_is_found_behind_a_changed_payload(victim: Victim) -> None:
    report = victim.tamper(
        f"DELETE FROM events WHERE position = {SIZE}", "UPDATE events SET payload = '' WHERE position = 2"
    )
    assert {("payload-changed", 2), ("position-missing", SIZE)} <= found(report)


@pytest.mark.parametrize("low", [CHANGED, 18])
def test_swapped_events_are_found(victim: Victim, low: int) -> None:
    report = victim.tamper(
        f"UPDATE events SET position = 1000 WHERE position = {low}",
        f"UPDATE events SET position = {low} WHERE position = {low + 1}",
        f"UPDATE events SET position = {low + 1} WHERE position = 1000",
    )
    assert {("event-changed", low), ("event-changed", low + 1), ("head-mismatch", low)} <= found(report)
    assert first(report)[1] == low


def test_a_cut_tail_is_found_at_the_first_event_that_is_gone(victim: Victim) -> None:
    report = victim.tamper("DELETE FROM events WHERE position > 18")

    assert first(report) == ("position-missing", 19)
    assert ("receipt-wrong", 19) in found(report)


def test_a_tail_that_was_cut_with_its_receipts_and_head_is_betrayed_by_the_checkpoint(victim: Victim) -> None:
    tree, last = victim.tree(10), stored_events(victim.database)[9]
    report = victim.tamper(
        "DELETE FROM events WHERE position > 10",
        "DELETE FROM receipts WHERE last_position > 10",
        victim.head(size=10, compact_range=tree.to_bytes(), recorded_at=last.recorded_at),
    )
    assert found(report) == {
        ("checkpoint-mismatch", 11),
        ("receipt-missing", 6),
    }  # of the third, which went on


def test_a_history_written_anew_with_right_hashes_is_betrayed_by_the_checkpoint(victim: Victim) -> None:
    as_owner(victim.url, f"UPDATE events SET actor = 'user_2' WHERE position = {CHANGED}")
    leaf = leaf_hash(leaf_data(stored_events(victim.database)[CHANGED - 1][:14]))
    report = victim.tamper(
        (f"UPDATE events SET leaf_sha256 = ? WHERE position = {CHANGED}", (leaf,)),
        victim.head(compact_range=victim.tree(SIZE).to_bytes()),
    )

    assert found(report) == {("checkpoint-mismatch", 9)}


def test_a_changed_leaf_is_found_at_its_position(victim: Victim) -> None:
    report = victim.tamper((f"UPDATE events SET leaf_sha256 = ? WHERE position = {CHANGED}", (b"\0" * 32,)))

    assert found(report) == {("event-changed", CHANGED)}


@pytest.mark.parametrize(
    "change", ["live_slot = 'b'", "projections = '{}'", "rebuild = 'x'", "sha256 = compact_range"]
)
def test_a_change_of_what_the_head_row_says_of_the_lists_is_found(victim: Victim, change: str) -> None:
    report = victim.tamper(f"UPDATE head SET {change}")

    assert found(report) == {("head-changed", None)}


@pytest.mark.tampers
def test_a_changed_node_of_the_tree_is_found_at_its_first_event(
    ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> None:
    url = ledger_templates("sqlite", tmp_path)
    append_plainly(database := Database(url), [added("a")] * 600)
    database.close()
    for change, expected in (
        ("UPDATE tree_nodes SET hash = zeroblob(32) WHERE number = 1", {("node-changed", 257)}),
        ("DELETE FROM tree_nodes WHERE number = 1", {("node-changed", 257)}),
        ("INSERT INTO tree_nodes VALUES (8, 2, 'x')", {("node-changed", 257), ("node-changed", None)}),
    ):
        as_owner(url, change)
        assert found(verify(url)) == expected


def test_an_added_event_is_found(victim: Victim) -> None:
    columns = ", ".join(log.STORED_COLUMNS)
    values = columns.replace("position", str(SIZE + 1), 1).replace("stream_version", "stream_version + 1", 1)
    report = victim.tamper(
        f"INSERT INTO events ({columns}) SELECT {values} FROM events WHERE position = {SIZE}"
    )

    assert found(report) == {("beyond-head", SIZE + 1)}


HEADS: dict[str, tuple[str, set[tuple[str, int | None]]]] = {
    "larger": ("size = size + 1", {("position-missing", SIZE + 1), ("receipt-missing", SIZE + 1)}),
    "smaller": ("size = size - 1", {("beyond-head", SIZE), ("head-mismatch", None)}),
    "enormous": (f"size = {2**62}", {("position-missing", SIZE + 1), ("receipt-missing", SIZE + 1)}),
    "negative": ("size = -1", {("beyond-head", 1)}),
    "origin": ("origin = 'elsewhere'", {("origin-changed", 1)}),
    "time": ("recorded_at = '2199'", {("head-mismatch", SIZE)}),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_changed_head_row_is_found(victim: Victim, case: str) -> None:
    change, expected = HEADS[case]
    report = victim.tamper(f"UPDATE head SET {change}")

    assert first(report) == ("head-changed", None)
    assert expected <= found(report)


def test_a_changed_compact_range_is_found_at_the_subtree(victim: Victim) -> None:
    tree = victim.tree(SIZE).to_bytes()  # subtrees of 16, 4 and 1 events
    for number, (position, held) in enumerate([(16, 16), (17, 16), (21, 16)]):
        forged = bytearray(tree)
        forged[number * 32] ^= 1
        report = victim.tamper(("UPDATE head SET compact_range = ?", (bytes(forged),)))
        assert found(report) == {("head-changed", None), ("head-mismatch", position)}, held
        as_owner(victim.url, victim.head(compact_range=bytes(forged)))
        assert found(verify(victim.url)) == {("head-mismatch", position)}, held
    for forged_length in (b"", tree[:-1], tree + tree):
        report = victim.tamper(("UPDATE head SET compact_range = ?", (forged_length,)))
        assert found(report) == {("head-changed", None), ("head-mismatch", None)}


def test_a_missing_head_row_is_found(victim: Victim) -> None:
    assert found(victim.tamper("DELETE FROM head")) == {("head-missing", None)}


def test_a_changed_input_file_is_found_at_the_event_that_received_it(victim: Victim) -> None:
    report = victim.tamper(("UPDATE input_files SET content = ?", (CONTENT + b"#",)))

    assert found(report) == {("file-missing", RECEIVED), ("file-changed", None)}


def test_a_missing_input_file_is_found_at_the_event_that_received_it(victim: Victim) -> None:
    assert found(victim.tamper("DELETE FROM input_files")) == {("file-missing", RECEIVED)}


RECEIPTS = {
    "first_position = first_position + 1": ("receipt-missing", 6),
    "first_position = first_position - 1": ("receipt-wrong", 5),
    "last_position = last_position - 1": ("receipt-missing", 16),
    "last_position = last_position + 1": ("receipt-wrong", 6),
    "last_position = 1000": ("receipt-wrong", 6),
    "command_id = 'other'": ("receipt-wrong", 6),
}


@pytest.mark.parametrize("change", RECEIPTS)
def test_a_changed_receipt_is_found_at_its_events(victim: Victim, change: str) -> None:
    report = victim.tamper(f"UPDATE receipts SET {change} WHERE command_id = 'third'")

    assert first(report) == RECEIPTS[change]


def test_a_missing_receipt_is_found_at_its_events(victim: Victim) -> None:
    report = victim.tamper("DELETE FROM receipts WHERE command_id = 'third'")

    assert found(report) == {("receipt-missing", 6)}
    assert "6 to 16" in report.problems[0].message


def test_a_changed_checkpoint_is_found(victim: Victim) -> None:
    with victim.database.reading() as transaction:
        text: str = transaction.run("SELECT text FROM checkpoints WHERE size = 16").fetchone()[0]
    origin, size, root, rest = text.split("\n", 3)
    signature = text.rindex(" ") + 20
    other_letter = "A" if text[signature] != "A" else "B"
    stranger = signing_keys.SigningKey(victim.key.name, signing_keys.KeyKind.LOG, b"\1" * 32)
    forgeries = {
        "root": f"{origin}\n{size}\n{'A' * 43}=\n{rest}",
        "size": f"{origin}\n15\n{root}\n{rest}",
        "origin": f"elsewhere\n{size}\n{root}\n{rest}",
        "signature": text[:signature] + other_letter + text[signature + 1 :],
        "key": checkpoint.sign(checkpoint.Checkpoint(victim.origin, 16, victim.tree(16).root()), stranger),
        "garbage": "not a checkpoint",
        "nothing": "",
    }
    for what, forged in forgeries.items():
        report = victim.tamper(("UPDATE checkpoints SET text = ? WHERE size = 16", (forged,)))
        assert found(report) == {("checkpoint-unsound", None)}, what
        assert "Checkpoint 16" in report.problems[0].message


def test_a_checkpoint_under_another_size_is_found(victim: Victim) -> None:
    for kept_under, moved_to in ((16, 15), (15, 999)):
        report = victim.tamper(f"UPDATE checkpoints SET size = {moved_to} WHERE size = {kept_under}")
        assert found(report) == {("checkpoint-unsound", None)}
        assert report.problems[0].message == (
            f"Checkpoint {moved_to}: it is kept under {moved_to}, but is of size 16."
        )


def test_a_first_event_without_a_key_is_found(victim: Victim) -> None:
    report = victim.tamper("UPDATE events SET payload = '{}' WHERE position = 1")

    assert {("payload-changed", 1), ("no-key", 1)} <= found(report)


@pytest.mark.parametrize(
    "change", ["payload_sha256 = 'text'", "payload = x'00ff'", "payload_sha256 = 7", "stream = x'00'"]
)
def test_values_of_a_kind_that_no_event_has_are_found(
    ledger_templates: Any, tmp_path: Path, change: str
) -> None:
    url = ledger_templates("sqlite", tmp_path)  # PostgreSQL does not take them
    append_plainly(database := Database(url), [added("a"), added("b")])
    database.close()
    as_owner(url, f"UPDATE events SET {change} WHERE position = 2")

    report = verify(url)
    assert first(report) in {("event-unreadable", 2), ("payload-changed", 2), ("event-changed", 2)}


@pytest.mark.parametrize("column", ["actor", "stream", "payload"])
def test_text_that_is_not_utf_8_is_found_at_its_position(
    ledger_templates: Any, tmp_path: Path, column: str
) -> None:
    url = ledger_templates("sqlite", tmp_path)
    append_plainly(database := Database(url), [added("a"), added("b")])
    as_owner(url, f"UPDATE events SET {column} = CAST(x'ff' AS TEXT) WHERE position = 2")

    assert first(verify(url)) == ("event-unreadable", 2)
    with pytest.raises(IntegrityFailure, match="not UTF-8"):
        stored_events(database)
    database.close()


@pytest.mark.tampers
def test_a_large_ledger_gets_the_same_report_from_one_process_and_from_many(
    ledger_templates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = ledger_templates("sqlite", tmp_path)
    database = Database(url)
    body = added("a")
    for _ in range(17):
        append_plainly(database, [body] * 8_000)
    events = stored_events(database)
    tree = CompactRange().extend([leaf_hash(leaf_data(event[:14])) for event in events[: CHUNK + 5]])
    origin = body_of(events[0])["origin"]
    key = signing_keys.read_key(tmp_path / "daybook.key")
    text = checkpoint.sign(checkpoint.Checkpoint(origin, tree.size, tree.root()), key)
    with database.writing() as transaction:
        transaction.run("INSERT INTO checkpoints (size, text) VALUES (?, ?)", (tree.size, text))
    database.close()

    def both() -> Report:
        seen: list[tuple[int, int]] = []
        many = verify(url, progress=lambda done, total: seen.append((done, total)))
        assert seen == sorted(seen)
        with monkeypatch.context() as patch:
            patch.setattr(hashing, "PARALLEL_FROM", 1 << 60)
            assert verify(url) == many
        return many

    assert replace(both(), latest="") == Report(
        136_001, CompactRange().extend([leaf_hash(leaf_data(e[:14])) for e in events]).root().hex()
    )
    as_owner(url, "UPDATE events SET payload = '' WHERE position = 70001")
    as_owner(url, "UPDATE events SET username = 'x' WHERE position = 110000")
    report = both()
    assert [(p.code, p.position) for p in report.problems] == [
        ("payload-changed", 70_001),
        ("event-changed", 110_000),
        ("head-mismatch", 110_000),
    ]
    assert f"events {CHUNK + 6} to 131072" in report.problems[2].message
    as_owner(url, "DELETE FROM events WHERE position = 100000")
    report = both()
    assert Problem("position-missing", 100_000, "There is no event at position 100000.") in report.problems


@pytest.mark.tampers
def test_two_receipts_of_the_same_events_are_found(ledger_url: str) -> None:
    """Commands whose events stand between each other's: no append makes that, and the tree fits all the same."""
    database = Database(ledger_url)
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        size = head.size
        for number, command in enumerate(("a", "b", "a")):
            log.append(transaction, head, [added(f"v{number}")], log.Cause(command, "user_1", "{}"))
        log.write_receipt(transaction, "a", b"\0" * 32, size + 1, size + 3, "{}")
        log.write_receipt(transaction, "b", b"\0" * 32, size + 2, size + 2, "{}")
    database.close()

    assert found(verify(ledger_url)) == {("receipt-wrong", size + 2)}
