"""An archive holds what the ledger signed, keeps what holds, and never what was redacted."""

import shutil
import stat
from pathlib import Path

import orjson
import pytest

from commands.analysis import creating
from commands.analysis.checking import check_archive
from commands.analysis.creating import create_archive
from commands.analysis.ranges import Range, read_companion, require_path
from ledger import checkpoint, signing_keys
from ledger.errors import IntegrityFailure, Refusal
from ledger.log import STORED_COLUMNS
from tests.analysis.conftest import EVENTS, Archive, upload

FIRST = "events-000000000001-000000000016"


def test_closed_ranges_are_archived_and_the_open_one_is_left(archive: Archive) -> None:
    size = archive.office.lab.size()

    made = archive.create()

    assert size >= 2 * EVENTS and size % EVENTS
    assert made.archived_to == size - size % EVENTS and made.unsigned == 0
    assert [(file.first, file.last) for file in made.files[:2]] == [(1, 16), (17, 32)]
    assert {file.became for file in made.files} == {"written"}
    checked = archive.check()
    assert checked.ok and checked.compared and checked.events == made.archived_to


def test_rows_are_the_log_as_it_was_hashed(archive: Archive) -> None:
    import duckdb

    archive.create()

    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT * FROM read_parquet(?)", [str(archive.folder / f"{FIRST}.parquet")]
        ).fetchall()
    with archive.office.lab.daybook.reading() as world:
        sql = f"SELECT {', '.join(STORED_COLUMNS)} FROM events WHERE position <= 16 ORDER BY position"
        assert [tuple(row) for row in world.transaction.run(sql).fetchall()] == rows


def test_an_archive_needs_no_ledger_to_be_checked(archive: Archive) -> None:
    archive.create()

    checked = check_archive(archive.folder, None)

    assert checked.ok and not checked.compared and checked.ledger is None
    companion = read_companion(archive.folder, Range(1, 16))
    signed = checkpoint.verify(companion.checkpoint, [signing_keys.parse_public_key(companion.public_key)])
    root = bytes.fromhex(companion.root)
    require_path(companion.range, root=root, path=companion.path, size=signed.size, under=signed.root)


def test_the_same_ledger_gives_the_same_bytes(archive: Archive) -> None:
    archive.create()
    first = archive.files()
    shutil.rmtree(archive.folder)
    upload(archive.office, "later.yml")
    archive.create()

    assert {name: archive.files()[name] for name in first} == first


def test_what_holds_is_kept_and_what_does_not_is_mended(archive: Archive) -> None:
    archive.create()
    before = archive.files()
    assert set(archive.became().values()) == {"kept"}
    (archive.folder / f"{FIRST}.parquet").write_bytes(b"PAR1")
    (archive.folder / "events-000000000017-000000000032.json").unlink()

    became = archive.became()

    assert (became[1], became[17]) == ("mended", "written")
    assert archive.files() == before


def test_files_are_for_their_owner_alone_and_nothing_else_is_left(archive: Archive) -> None:
    archive.create()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in archive.folder.rglob("*")}
    assert {mode for name, mode in modes.items() if name != ".daybook"} == {0o600}
    assert stat.S_IMODE(archive.folder.stat().st_mode) == modes[".daybook"] == 0o700
    assert [path.name for path in (archive.folder / ".daybook").iterdir()] == ["lock"]


def test_a_redaction_is_found_and_its_file_is_written_anew(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.analysis.renewing.gethostname", lambda: "lab-2")
    position = upload(archive.office, "Jane.yml")
    for number in range(8):
        upload(archive.office, f"{number}.yml")
    archive.create()
    assert len(archive.holding("Jane.yml")) == 1
    archive.office.redact(position)

    found = archive.check()

    assert [problem.code for problem in found.problems] == ["still-there"]
    assert f"event {position}" in found.problems[0].message
    became = archive.became()
    assert sorted(set(became.values())) == ["kept", "redacted"]
    assert archive.holding("Jane.yml") == [] and archive.problems() == []
    assert set(archive.became().values()) == {"kept"}


def test_what_was_redacted_before_is_not_in_an_archive(archive: Archive) -> None:
    position = upload(archive.office, "Jane.yml")
    archive.office.redact(position)
    for number in range(8):
        upload(archive.office, f"{number}.yml")

    made = archive.create()

    assert archive.holding("Jane.yml") == []
    assert sum(file.redacted for file in made.files) == 1 and archive.problems() == []


def test_a_redaction_while_a_file_is_written_is_seen_before_the_run_ends(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = upload(archive.office, "Jane.yml")
    for number in range(8):
        upload(archive.office, f"{number}.yml")
    write = creating._write

    def redacted_meanwhile(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        of = arguments[1]
        assert isinstance(of, Range)
        if of.first <= position <= of.last:
            monkeypatch.setattr(creating, "_write", write)
            meanwhile.append(position)

    monkeypatch.setattr("commands.analysis.renewing._WAIT_S", 0)  # the run itself has the folder
    meanwhile: list[int] = []
    monkeypatch.setattr(creating, "_write", redacted_meanwhile)
    sync = creating.sync_folder

    def and_then(folder: Path) -> None:
        sync(folder)
        while meanwhile:
            archive.office.redact(meanwhile.pop())

    monkeypatch.setattr(creating, "sync_folder", and_then)

    archive.create()

    assert archive.holding("Jane.yml") == [] and archive.problems() == []


@pytest.mark.parametrize("name", [f"{FIRST}.parquet", f"{FIRST}.json"])
def test_a_missing_file_is_found(archive: Archive, name: str) -> None:
    archive.create()
    (archive.folder / name).unlink()

    assert archive.problems() == ["missing"]
    assert archive.became()[1] == "written"


def test_files_that_are_gone_altogether_are_found(archive: Archive) -> None:
    archive.create()
    for path in archive.folder.glob(f"{FIRST}.*"):
        path.unlink()

    assert archive.problems() == ["missing"]


def test_every_change_of_a_byte_is_found(archive: Archive) -> None:
    archive.create()
    whole = (archive.folder / f"{FIRST}.parquet").read_bytes()

    for at in range(0, len(whole), 499):
        changed = bytearray(whole)
        changed[at] ^= 1
        (archive.folder / f"{FIRST}.parquet").write_bytes(changed)

        assert archive.problems() == ["changed"], at


@pytest.mark.parametrize("field", ["root", "path", "checkpoint", "public_key", "redacted", "origin", "last"])
def test_a_companion_that_says_something_else_is_found(archive: Archive, field: str) -> None:
    archive.create()
    file = archive.folder / f"{FIRST}.json"
    plain = orjson.loads(file.read_bytes())
    other = orjson.loads((archive.folder / "events-000000000017-000000000032.json").read_bytes())
    plain[field] = {"redacted": [3], "origin": "daybook/else/1", "public_key": "x", "checkpoint": "x"}.get(
        field, other[field]
    )
    file.write_bytes(orjson.dumps(plain))

    assert archive.problems() != []
    assert not check_archive(archive.folder, None).ok


def test_rows_that_fit_a_forged_companion_and_no_signature_are_found(archive: Archive) -> None:
    """Whoever changes a row and all hashes over it cannot sign them."""
    import duckdb

    from commands.analysis.ranges import COLUMNS, Hashed, digest_of
    from ledger.envelope import payload_digest, stored_events

    archive.create()
    file = archive.folder / f"{FIRST}.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
        events = [
            event._replace(actor="user_9", payload_sha256=payload_digest(str(event.payload)))
            for event in stored_events([row[:-1] for row in rows])
        ]
        hashed = Hashed()
        leaves = hashed.take(events)
        connection.execute(
            f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})"
        )
        connection.executemany(
            f"INSERT INTO t VALUES ({', '.join('?' * len(COLUMNS))})",
            [(*event, leaf) for event, leaf in zip(events, leaves, strict=True)],
        )
        connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    digest, size = digest_of(file)
    companion = archive.folder / f"{FIRST}.json"
    plain = orjson.loads(companion.read_bytes()) | {
        "sha256": digest,
        "bytes": size,
        "root": hashed.root().hex(),
    }
    companion.write_bytes(orjson.dumps(plain))

    assert archive.problems() == ["not-as-signed"]


def test_a_payload_that_was_taken_out_is_found_by_the_ledger(archive: Archive) -> None:
    import duckdb

    from commands.analysis.ranges import digest_of

    archive.create()
    file = archive.folder / f"{FIRST}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t AS FROM read_parquet('{file}')")
        connection.execute("UPDATE t SET payload = NULL WHERE position = 3")
        connection.execute(f"COPY (FROM t ORDER BY position) TO '{file}' (FORMAT parquet)")
    digest, size = digest_of(file)
    companion = archive.folder / f"{FIRST}.json"
    plain = orjson.loads(companion.read_bytes()) | {"sha256": digest, "bytes": size, "redacted": [3]}
    companion.write_bytes(orjson.dumps(plain))

    assert check_archive(archive.folder, None).ok
    assert archive.problems() == ["changed"]


def test_without_the_key_what_no_checkpoint_covers_is_left(archive: Archive) -> None:
    made = create_archive(archive.office.lab.daybook, archive.folder, events=EVENTS, key_file=None)

    assert made.files == [] and made.unsigned >= 2 * EVENTS


def test_an_archive_keeps_the_number_of_its_events(archive: Archive) -> None:
    archive.create()

    assert archive.create(None).events_in_file == EVENTS
    with pytest.raises(Refusal) as refused:
        archive.create(32)
    assert refused.value.code == "other-archive"
    with pytest.raises(Refusal) as refused:
        archive.create(17)
    assert refused.value.code == "events-in-file"


def test_the_archive_of_another_ledger_is_left_alone(archive: Archive) -> None:
    archive.create()
    file = archive.folder / f"{FIRST}.json"
    plain = orjson.loads(file.read_bytes()) | {"origin": "daybook/else/1"}
    file.write_bytes(orjson.dumps(plain))
    before = archive.files()

    with pytest.raises(Refusal) as refused:
        archive.create()

    assert refused.value.code == "other-archive" and archive.files() == before


@pytest.mark.tampers
def test_nothing_is_archived_of_a_ledger_that_is_not_as_it_was_signed(archive: Archive) -> None:
    from ledger.database import Database

    lab = archive.office.lab
    database = Database(lab.url, role=None)
    with database.writing() as transaction:
        if database.dialect == "sqlite":
            transaction.run("DROP TRIGGER IF EXISTS events_no_update")
            for (name,) in transaction.run(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'"
            ).fetchall():
                transaction.run(f"DROP TRIGGER {name}")
        else:
            transaction.run("ALTER TABLE events DISABLE TRIGGER ALL")
        transaction.run("UPDATE events SET actor = 'user_9' WHERE position = 5")
    database.close()

    with pytest.raises(IntegrityFailure):
        archive.create()

    assert archive.files() == {}


def test_nothing_is_left_of_a_file_that_cannot_be_written(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(Refusal) as refused:
        archive.create()

    assert refused.value.code == "archive-not-written" and archive.files() == {}


@pytest.mark.parametrize("step", ["before the file", "between file and companion", "after both"])
def test_killed_anywhere_the_next_run_goes_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    replaced, whole = Path.replace, []

    def killed(path: Path, target: Path) -> Path:
        if len(whole) == {"before the file": 0, "between file and companion": 1, "after both": 2}[step]:
            raise KeyboardInterrupt
        whole.append(target)
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        archive.create()
    monkeypatch.undo()

    archive.create()

    assert archive.problems() == [] and set(archive.became().values()) == {"kept"}
    assert [path.name for path in (archive.folder / ".daybook").iterdir()] == ["lock"]


def test_one_process_archives_to_a_folder_at_a_time(archive: Archive) -> None:
    with creating._alone(archive.folder), pytest.raises(Refusal) as refused:
        archive.create()

    assert refused.value.code == "archive-busy"


def test_without_duckdb_it_is_said_how_to_install_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(Refusal) as refused:
        archive.create()

    assert "daybook-ledger[query]" in refused.value.hint and not archive.folder.exists()
