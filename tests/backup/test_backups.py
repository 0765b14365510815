"""A backup holds one moment of a ledger that runs, is checked, and makes the same ledger elsewhere."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from commands.accounts.tokens import actor_by_token, create_token
from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from commands.lab.subjects import RegisterSubject
from commands.moving.backup_files import MANIFEST, copied_row
from commands.moving.backups import check_backup, create_backup, list_backups, restore_backup
from ledger.database import Database
from ledger.errors import IntegrityFailure, Refusal
from ledger.verify import verify
from tests.cli.conftest import Run, run_cli

Elsewhere = Callable[[], str]


def rows_of(url: str, table: str) -> list[tuple[Any, ...]]:
    database = Database(url)
    try:
        with database.reading() as transaction:
            return sorted(map(tuple, transaction.run(f"SELECT * FROM {table}").fetchall()), key=repr)
    finally:
        database.close()


def test_a_restored_ledger_is_the_same_ledger(
    stocked: Run, ledger_url: str, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    assert stocked("person", "set", "user_1", "--name", "A\\B\\nC \N{BULLET}").exit == 0
    made = create_backup(ledger_url, tmp_path / "backups")

    other = elsewhere()
    done = restore_backup(other, Path(made.backup))

    assert (
        (done.position, done.root) == (made.position, made.root) == (made.position, verify(ledger_url).root)
    )
    for table in ("events", "receipts", "input_files", "checkpoints", "tree_nodes", "people", "secrets"):
        assert rows_of(other, table) == rows_of(ledger_url, table), table
    same = [run_cli("--db", url, "catalogue", "list", "--json").json for url in (ledger_url, other)]
    assert same[0] == same[1]
    assert run_cli("--db", other, "subject", "add", "99999").exit == 0
    assert verify(other).problems == []


def test_who_could_come_in_can_come_in_again(ledger_url: str, elsewhere: Elsewhere, tmp_path: Path) -> None:
    daybook = Daybook.open(ledger_url, Actor("user_1", "api", authentication="password"))
    _, secret = create_token(daybook, "a test")
    daybook.close()
    assert secret is not None

    other = elsewhere()
    restore_backup(other, Path(create_backup(ledger_url, tmp_path / "backups").backup))

    ledger = Ledger.open(other)
    found = actor_by_token(ledger, secret, interface="api")
    ledger.close()
    assert found is not None and found.user == "user_1"


def test_a_backup_is_for_its_owner_alone(ledger_url: str, tmp_path: Path) -> None:
    made = create_backup(ledger_url, tmp_path / "backups")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in Path(made.backup).iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(Path(made.backup).stat().st_mode) == 0o700


def test_a_backup_under_load_holds_one_moment(ledger_url: str, elsewhere: Elsewhere, tmp_path: Path) -> None:
    """Writers go on while it is taken, and all that was acknowledged before it began is in it."""
    stop, acknowledged = threading.Event(), [0, 0]

    def write(number: int) -> None:
        daybook = Daybook.open(ledger_url, Actor("user_1"))
        while not stop.is_set():
            receipt = daybook.submit(RegisterSubject(name=f"{number}{acknowledged[number]}"))
            assert receipt.last
            acknowledged[number] += 1
        daybook.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    backups = []
    try:
        for _ in range(3):
            before = sum(acknowledged)
            backups.append((before, create_backup(ledger_url, tmp_path / "backups")))
    finally:
        stop.set()
        for writer in writers:
            writer.join()

    for before, made in backups:
        other = elsewhere()
        restore_backup(other, Path(made.backup))
        report = verify(other)
        assert report.problems == [] and report.root == made.root
        assert len(rows_of(other, "events")) == made.position >= before
    assert verify(ledger_url).problems == []


def test_a_backup_that_was_changed_is_found(ledger_url: str, elsewhere: Elsewhere, tmp_path: Path) -> None:
    for part in (0, -1):
        made = Path(create_backup(ledger_url, tmp_path / f"backups{part}").backup)
        file = sorted(
            (path for path in made.iterdir() if path.name != MANIFEST), key=lambda path: path.stat().st_size
        )[part]
        data = bytearray(file.read_bytes() or b"x")
        data[len(data) // 2] ^= 1
        file.write_bytes(data)

        checked = check_backup(made)

        assert not checked.ok and file.name in checked.problems[0]
        with pytest.raises(IntegrityFailure, match="Nothing was restored"):
            restore_backup(elsewhere(), made)


def test_events_that_fit_their_digest_and_not_their_tree_are_found(ledger_url: str, tmp_path: Path) -> None:
    made = Path(create_backup(ledger_url, tmp_path / "backups").backup)
    manifest = orjson.loads((made / MANIFEST).read_bytes())
    manifest["root"] = "0" * 64
    (made / MANIFEST).write_bytes(orjson.dumps(manifest))

    assert check_backup(made).problems == ["The tree over its events is not the one that the manifest names."]


def test_nothing_is_restored_over_a_ledger(ledger_url: str, tmp_path: Path) -> None:
    made = create_backup(ledger_url, tmp_path / "backups")
    before = rows_of(ledger_url, "events")

    with pytest.raises(Refusal) as refused:
        restore_backup(ledger_url, Path(made.backup))

    assert refused.value.code == "not-empty"
    assert rows_of(ledger_url, "events") == before


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_backup_goes_back_to_its_own_kind_of_database(
    ledger_url: str, postgresql_server: str, tmp_path: Path
) -> None:
    made = create_backup(ledger_url, tmp_path / "backups")

    with pytest.raises(Refusal) as refused:
        restore_backup(postgresql_server, Path(made.backup))

    assert refused.value.code == "other-database"


def test_backups_are_listed_newest_first(ledger_url: str, tmp_path: Path) -> None:
    first = create_backup(ledger_url, tmp_path / "backups")
    second = create_backup(ledger_url, tmp_path / "backups")
    (tmp_path / "backups" / "else").mkdir()

    found = list_backups(tmp_path / "backups")

    assert [line.backup for line in found.backups[:2]] == [second.backup, first.backup]
    assert found.backups[2].problem is not None
    assert found.position == first.position


def test_nothing_is_left_of_a_backup_that_cannot_be_written(
    ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(Refusal) as refused:
        create_backup(ledger_url, tmp_path / "backups")

    assert refused.value.code == "backup-not-written"
    assert list((tmp_path / "backups").iterdir()) == []


def test_an_older_backup_is_upgraded(ledger_url: str, elsewhere: Elsewhere, tmp_path: Path) -> None:
    if ledger_url.startswith("sqlite"):
        pytest.skip("a SQLite file is upgraded as every older ledger is: tests/ledger/test_upgrade.py")
    made = Path(create_backup(ledger_url, tmp_path / "backups").backup)
    manifest = orjson.loads((made / MANIFEST).read_bytes())
    manifest["schema"] = "0013"
    later = {"preferences", "drafts", "outbox", "mail_position", "archives"}
    manifest["parts"] = [part for part in manifest["parts"] if part["table"] not in later]
    (made / MANIFEST).write_bytes(orjson.dumps(manifest))

    other = elsewhere()
    done = restore_backup(other, made)

    assert done.upgraded_from == "0013"
    assert rows_of(other, "preferences") == []
    assert rows_of(other, "events") == rows_of(ledger_url, "events")


def test_a_row_for_copy_is_read_as_postgresql_reads_it() -> None:
    line = b"7\ta\\\\n\\tb\\nc\\\\\\\\\t\\N\t\\\\x00ff\n"

    assert copied_row(line, ("position", "actor", "payload", "leaf_sha256")) == [
        7, "a\\n\tb\nc\\\\", None, b"\x00\xff",
    ]  # fmt: skip


def test_what_was_left_half_made_is_named_and_left_alone(
    run: Run, ledger_url: str, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    left = tmp_path / "backups" / ".0123456789ab.part"
    left.mkdir(parents=True)
    (left / MANIFEST).write_text("{")
    made = run("backup", "create", "backups", "--json")
    other = elsewhere()
    beside = [tmp_path / f"{Path(other).name}.0123abcd.new{ending}" for ending in ("", "-journal")]
    for path in beside if ledger_url.startswith("sqlite") else ():
        path.touch()

    listed = run("backup", "list", "backups", "--json")
    restored = run_cli("--db", other, "backup", "restore", made.json["backup"])

    for ended in (made, listed):
        assert "backups/.0123456789ab.part is a backup that was never finished" in ended.err
    assert [line["backup"] for line in listed.json["backups"]] == [made.json["backup"]]
    assert restored.exit == 0 and left.exists()
    for path in beside if ledger_url.startswith("sqlite") else ():
        assert path.name in restored.err and path.exists()


def test_at_the_command_line(run: Run, ledger_url: str, elsewhere: Elsewhere) -> None:
    made = run("backup", "create", "backups")
    listed = run("backup", "list", "backups", "--json").json["backups"]
    checked = run("backup", "check", listed[0]["backup"])
    other = elsewhere()
    restored = run_cli("--db", other, "backup", "restore", listed[0]["backup"])

    assert [ended.exit for ended in (made, checked, restored)] == [0, 0, 0]
    assert (
        "It holds secrets" in made.out
        and "as it was written" in checked.out
        and "It verifies" in restored.out
    )
    assert run_cli("--db", other, "verify").exit == 0
    again = run_cli("--db", other, "backup", "restore", listed[0]["backup"])
    assert again.exit == 1 and "[not-empty]" in again.err
