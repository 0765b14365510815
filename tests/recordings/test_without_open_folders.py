"""The same readings where the system cannot open a file from an open folder, as on Windows."""

import os
from pathlib import Path

import pytest

from commands.recordings import opening
from commands.recordings.disk import list_files, read_file
from commands.recordings.readers import read_session_directory
from commands.recordings.session import UnreadableSession
from commands.samples.lab import lab


@pytest.fixture(autouse=True)
def by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "HAS_OPEN_FOLDERS", False)


def test_a_session_directory_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = lab(tmp_path, subjects=1, sessions_per_subject=1).subjects[0].sessions[0].directory
    found = read_session_directory(session)

    monkeypatch.setattr(opening, "HAS_OPEN_FOLDERS", True)

    assert found == read_session_directory(session)


def test_files_are_listed_and_read_through_several_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.meta").write_text("deep")
    listing = list_files(tmp_path, (".meta",))

    assert [found.file for found in listing.found] == ["a/b/x.meta"]
    assert read_file(tmp_path, "a/b/x.meta", limit=10, listing=listing) == b"deep"
    assert read_file(tmp_path, "a/b/x.meta", limit=10) == b"deep"


def test_links_lead_no_further_than_they_may(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "real.meta").write_text(folder.name)
    (inside / "near.meta").symlink_to(inside / "real.meta")
    (inside / "far.meta").symlink_to(outside / "real.meta")
    listing = list_files(inside, (".meta",))

    assert read_file(inside, "near.meta", limit=10, listing=listing) == b"in"
    with pytest.raises(UnreadableSession, match="leads out"):
        read_file(inside, "far.meta", limit=10, listing=listing)


def test_a_folder_that_became_a_link_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.meta").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(OSError, match="link"):
        opening.folder_in(str(tmp_path), "link")
    with pytest.raises(NotADirectoryError):
        opening.folder_in(str(tmp_path / "real"), "x.meta")


def test_a_file_that_was_exchanged_before_it_was_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.meta").write_text("theirs")
    lstat = os.lstat

    def exchanged(path: str) -> os.stat_result:
        found = lstat(path)
        (tmp_path / "y").write_text("other")
        (tmp_path / "y").replace(path)
        return found

    monkeypatch.setattr(os, "lstat", exchanged)

    with pytest.raises(OSError, match=r"x\.meta"):
        opening.file_at(str(tmp_path / "x.meta"))
