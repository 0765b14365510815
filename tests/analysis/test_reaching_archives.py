"""A redaction reaches the archives that the ledger knows of, writes them anew, and says what it could not reach."""

import shutil
import socket
from pathlib import Path

import pytest

from commands.analysis import creating, renewing
from commands.cli.invocation import near
from ledger import archives
from tests.analysis.conftest import Archive, upload
from tests.cli.conftest import Ended, run_cli


@pytest.fixture
def position(archive: Archive) -> int:
    """Of an upload of ``Jane.yml``, which is archived."""
    found = upload(archive.office, "Jane.yml")
    for number in range(8):
        upload(archive.office, f"{number}.yml")
    archive.create()
    assert len(archive.holding("Jane.yml")) == 1
    return found


def test_a_redaction_writes_the_file_anew_and_says_which(archive: Archive, position: int) -> None:
    [held] = archive.holding("Jane.yml")

    done = archive.office.redact(position)

    assert [(reached.file, reached.written) for reached in done.archives] == [(held, True)]
    assert archive.holding("Jane.yml") == [] and archive.problems() == []


def test_every_archive_is_reached(archive: Archive, position: int, tmp_path: Path) -> None:
    another = Archive(archive.office, tmp_path / "another", archive.key)
    another.create()

    done = archive.office.redact(position)

    assert sorted(Path(reached.folder).name for reached in done.archives if reached.written) == [
        "another",
        "archive",
    ]
    assert archive.holding("Jane.yml") == another.holding("Jane.yml") == []


def test_what_is_in_no_closed_range_is_in_no_archive(archive: Archive) -> None:
    archive.create()
    position = upload(archive.office, "Jane.yml")

    assert archive.office.redact(position).archives == []


@pytest.mark.parametrize("why", ["moved", "not mounted", "elsewhere", "no duckdb", "busy"])
def test_what_cannot_be_reached_is_said(
    archive: Archive, position: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [held] = archive.holding("Jane.yml")
    expected = {
        "moved": "no folder", "not mounted": "is not there", "elsewhere": "lies on", "no duckdb": "not installed",
        "busy": "Another process",
    }[why]  # fmt: skip
    if why in ("moved", "not mounted"):
        archive.folder.rename(tmp_path / "moved")
    if why == "not mounted":
        archive.folder.mkdir()
    if why == "elsewhere":
        monkeypatch.setattr(renewing, "gethostname", lambda: "lab-2")
    if why == "no duckdb":
        monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    monkeypatch.setattr(renewing, "_WAIT_S", 0)

    if why == "busy":
        with creating._alone(archive.folder):
            [reached] = archive.office.redact(position).archives
    else:
        [reached] = archive.office.redact(position).archives

    assert not reached.written and reached.file == held and expected in str(reached.problem)
    monkeypatch.undo()
    if why in ("moved", "not mounted"):
        shutil.rmtree(archive.folder, ignore_errors=True)
        (tmp_path / "moved").rename(archive.folder)
    assert "redacted" in archive.became().values()
    assert archive.holding("Jane.yml") == []


def test_a_moved_archive_is_known_at_its_new_place_after_the_next_run(
    archive: Archive, position: int, tmp_path: Path
) -> None:
    moved = Archive(archive.office, tmp_path / "moved", archive.key)
    archive.folder.rename(moved.folder)
    moved.create()

    done = archive.office.redact(position)

    assert {Path(reached.folder).name: reached.written for reached in done.archives} == {
        "archive": False,
        "moved": True,
    }


def test_the_ledger_knows_of_an_archive_before_there_is_a_file(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(creating, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        archive.create()

    with archive.office.lab.daybook.reading() as world:
        [known] = archives.known(world.transaction)
    assert (
        known.host == socket.gethostname() and known.folder == str(archive.folder) and known.archived_to >= 32
    )


def test_killed_after_the_redaction_the_next_run_writes_it_anew(
    archive: Archive, position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import commands.requests.redaction as redaction

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(redaction, "reached", killed)
    with pytest.raises(KeyboardInterrupt):
        archive.office.redact(position)

    assert archive.problems() == ["still-there"]
    assert "redacted" in archive.became().values() and archive.problems() == []


def said(archive: Archive, *words: str, user: str = "user_1") -> Ended:
    return run_cli("--db", archive.office.lab.url, *words, user=user)


def test_at_the_command_line(archive: Archive, position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(archive.folder)
    [held] = archive.holding("Jane.yml")
    request = archive.office.request(position)

    approved = said(archive, "request", "approve", f"d{request}", user="user_2")

    assert f"{held} in {near(archive.folder)} held it, and was written anew without it." in approved.out
    assert "copies of archives, are not changed" in approved.out
    checked = said(archive, "archive", "check", folder, "--json").json
    assert checked["ok"] and checked["redacted"] == 1 and checked["compared"]
    assert "Intact: " in said(archive, "archive", "check", folder).out
    again = said(archive, "archive", "create", folder)
    assert again.exit == 0 and "kept as they are." in again.out and "In no file yet: " in again.out
    other = said(archive, "archive", "create", folder, "--events", "32")
    assert other.exit == 1 and "[other-archive]" in other.err

    monkeypatch.setattr(renewing, "gethostname", lambda: "lab-2")
    second = archive.office.first("InputFileReceived").position
    request = archive.office.request(second)
    approved = said(archive, "request", "approve", f"d{request}", user="user_2")
    assert (
        f"daybook archive create {folder}" in approved.out and " still holds it. It lies on " in approved.out
    )
    found = said(archive, "archive", "check", folder)
    assert (
        found.exit == 5 and "[still-there]" in found.out and f"daybook archive create {folder}" in found.out
    )
    anew = said(archive, "archive", "create", folder)
    assert anew.exit == 0 and "without what was redacted since" in anew.out


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_ledger_that_cannot_be_written_to_says_that_it_does_not_know_of_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    from ledger.errors import LedgerUnavailable

    archive.create()
    shutil.rmtree(archive.folder)

    @contextmanager
    def read_only(_database: object) -> object:
        raise LedgerUnavailable("read-only", "x")
        yield

    monkeypatch.setattr("ledger.database.Database.writing", read_only)
    elsewhere = Archive(archive.office, archive.folder.with_name("elsewhere"), archive.key)

    made = elsewhere.create()

    assert not made.known and made.files
