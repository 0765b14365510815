"""What is read is what was looked at: links, races, special files, bounds; and how many calls a session costs."""

import gc
import os
import socket
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from commands.recordings import disk
from commands.recordings.clusterings import find_clusterings
from commands.recordings.disk import Listing, list_files, read_file
from commands.recordings.readers import list_session, read_listed, read_session_directory
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from commands.recordings.session import SessionDirectoryError, UnreadableSession
from commands.recordings.sessions_txt import read_sessions_txt
from commands.samples.clusterings import kilosort_output
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.task_table import SampleTask, write_sessions_txt
from commands.samples.tetrodes import axona_session, neuralynx_session, neurologger_session

START = datetime(2023, 5, 1, 10)
ONE = [SampleProbe("18408403232")]
TEXT = (".txt",)


def listed(directory: Path, **options: Any) -> Listing:
    return list_files(directory, TEXT, **options)


def problem(directory: Path, file: str, **options: Any) -> UnreadableSession:
    with pytest.raises(UnreadableSession) as raised:
        read_file(directory, file, limit=1000, **options)
    return raised.value


# --- races ----------------------------------------------------------------------------------------


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A directory with ``a.txt``, ``deep/b.txt``; beside it a secret."""
    (tmp_path / "session" / "deep").mkdir(parents=True)
    (tmp_path / "session" / "a.txt").write_text("own")
    (tmp_path / "session" / "deep" / "b.txt").write_text("own, deep")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "b.txt").write_text("secret")
    return tmp_path / "session"


def test_file_that_became_a_link_is_not_read(session: Path) -> None:
    listing = listed(session, within=session.parent)
    (session / "a.txt").unlink()
    (session / "a.txt").symlink_to(session.parent / "secret" / "b.txt")
    assert problem(session, "a.txt", listing=listing).code == "session-changing"
    assert problem(session, "a.txt").code == "link-leaves-directory"


def test_folder_that_became_a_link_is_not_entered(session: Path) -> None:
    listing = listed(session)
    (session / "deep").rename(session / "moved")
    (session / "deep").symlink_to(session.parent / "secret")
    assert (
        read_file(session, "deep/b.txt", limit=1000, listing=listing) == b"own, deep"
    )  # the one that was listed
    assert problem(session, "deep/b.txt").code == "session-changing"


def test_folder_that_became_a_link_while_it_was_walked_is_not_entered(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at = os.open

    def swap(path: Any, *args: Any, **options: Any) -> int:
        if path == "deep":
            (session / "deep").rename(session / "moved")
            (session / "deep").symlink_to(session.parent / "secret")
        return open_at(path, *args, **options)

    monkeypatch.setattr(disk.os, "open", swap)
    with pytest.raises(UnreadableSession) as raised:
        listed(session)
    assert raised.value.code == "session-changing"


def test_target_that_became_a_link_while_it_was_followed_is_not_read(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (session / "link.txt").symlink_to("deep/b.txt")
    realpath = os.path.realpath

    def swap(path: Any, **options: Any) -> str:
        found = realpath(path, **options)
        if str(path).endswith("link.txt"):
            (session / "deep" / "b.txt").unlink()
            (session / "deep" / "b.txt").symlink_to(session.parent / "secret" / "b.txt")
        return str(found)

    monkeypatch.setattr(disk.os.path, "realpath", swap)
    with pytest.raises(UnreadableSession) as raised:
        read_file(session, "link.txt", limit=1000)
    assert raised.value.code in ("session-changing", "not-a-file")


def test_open_folders_are_closed_with_the_listing(session: Path) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    listing = listed(session)
    assert len(os.listdir("/proc/self/fd")) == before + 2
    del listing
    assert len(os.listdir("/proc/self/fd")) == before


def test_failed_listing_leaves_nothing_open(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(disk, "MAX_ENTRIES", 1)
    with pytest.raises(SessionDirectoryError):
        listed(session)
    gc.collect()  # the traceback held the walk
    assert len(os.listdir("/proc/self/fd")) <= before


# --- trees of links, special files ----------------------------------------------------------------


def annexed(file: Path, store: Path) -> None:
    """As git-annex keeps a file: a link to an object of the dataset's own store, read-only."""
    target = store / f"MD5E-s{file.stat().st_size}--{abs(hash(file.name))}{file.suffix}" / file.name
    target.parent.mkdir(parents=True)
    file.rename(target)
    target.chmod(0o444)
    file.symlink_to(os.path.relpath(target, file.parent))


def test_trees_of_links_as_datalad_makes_them_are_read(tmp_path: Path) -> None:
    directory = spikeglx_session(tmp_path / "data" / "s", probes=ONE, start=START)
    expected = read_session_directory(directory)
    files = [path for path in directory.rglob("*") if path.is_file()]
    for file in files:
        annexed(file, tmp_path / "data" / ".git" / "annex" / "objects")
    for data in directory.rglob("*.bin"):
        Path(os.path.realpath(data)).unlink()  # the content was not fetched: a link to nowhere

    assert read_session_directory(directory, within=tmp_path / "data") == expected
    with pytest.raises(UnreadableSession, match="leads out of"):
        read_session_directory(directory)


def test_meta_that_was_not_fetched_is_missing_beside_others_and_says_how_to_get_it(tmp_path: Path) -> None:
    two = [*ONE, SampleProbe("18408405241")]
    directory = spikeglx_session(tmp_path, probes=two, start=START)
    meta = directory / "probe_2" / "npx.imec.ap.meta"
    meta.unlink()
    meta.symlink_to(".git/annex/objects/nowhere")
    [missing] = read_session_directory(directory).missing
    assert (missing.name, missing.code) == ("probe_2", "broken-link")
    assert "datalad get" in missing.hint


@pytest.mark.parametrize("kind", ["fifo", "socket", "link to fifo", "link to folder", "device"])
def test_what_is_no_file_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = tmp_path / "a.txt"
    target = tmp_path / "target" if kind.startswith("link") else path
    if kind.endswith("fifo"):
        os.mkfifo(target)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif kind == "device":
        try:
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")
    else:
        target.mkdir()
    if target != path:
        path.symlink_to(target)
    opened: list[str] = []
    os_open = os.open
    listing = listed(tmp_path)
    monkeypatch.setattr(disk.os, "open", lambda p, *a, **k: (opened.append(str(p)), os_open(p, *a, **k))[1])

    assert problem(tmp_path, "a.txt", listing=listing).code == "not-a-file"

    assert not any(name.endswith(("target",)) for name in opened)
    assert kind.startswith("link") or opened == []  # a link is opened, and is none (O_NOFOLLOW)


@pytest.mark.parametrize("head", [False, True])
def test_sparse_file_of_20_gigabytes_costs_no_memory(tmp_path: Path, head: bool) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(20 << 30)
    tracemalloc.start()
    if head:
        assert len(read_file(tmp_path, "a.txt", limit=16_384, head=True)) == 16_384
    else:
        assert problem(tmp_path, "a.txt").code == "file-too-large"
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_file_that_grows_while_it_is_read_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("x")
    monkeypatch.setattr(disk.os, "read", lambda fd, n: b"x" * n)
    assert problem(tmp_path, "a.txt").code == "file-too-large"


# --- calls ----------------------------------------------------------------------------------------


class Counted:
    """Calls on paths of the share: what a slow share makes slow. Reading an open file costs nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        for name in ("open", "scandir", "listdir", "stat", "lstat", "access", "readlink"):
            monkeypatch.setattr(os, name, self._counting(name, getattr(os, name)))

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *args: Any, **options: Any) -> Any:
            if not isinstance(path, int):  # an open folder is no path
                self.calls.append(f"{name} {path}")
            return function(path, *args, **options)

        return counted


def test_one_session_directory_costs_at_most_six_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parent folders are known by then; a session has one probe, and a ``sessions.txt`` that tasks inherit from."""
    for name in ("s1", "s2"):
        spikeglx_session(tmp_path / name, probes=ONE, start=START, nidq=True)
        write_sessions_txt(tmp_path / name, [SampleTask("a", 1, 2)])
    search = Search(Roots.of({}))
    search.directory(str(tmp_path / "s1"))
    counted = Counted(monkeypatch)

    root = search.directory(str(tmp_path / "s2"))
    listing = list_session(root)
    found = read_listed(root, listing)
    table = read_sessions_txt(root, listing)

    monkeypatch.undo()
    assert found.start == START and table is not None
    assert len(counted.calls) <= 6, counted.calls


@pytest.mark.parametrize(
    ("write", "most"),
    [
        (lambda d: spikeglx_session(d, probes=ONE, start=START), 3),
        (
            lambda d: spikeglx_session(d, probes=[*ONE, SampleProbe("2")], start=START, layout="run folders"),
            6,
        ),
        (lambda d: openephys_session(d, start=START), 10),
        (lambda d: axona_session(d, start=START), 2),
        (lambda d: neuralynx_session(d, start=START), 5),
        (lambda d: neurologger_session(d, start=START), 3),
    ],
    ids=["spikeglx", "two probes", "openephys", "axona", "neuralynx", "neurologger"],
)
def test_reading_costs_one_call_per_folder_and_per_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], Path], most: int
) -> None:
    write(tmp_path)
    counted = Counted(monkeypatch)
    read_session_directory(str(tmp_path))
    monkeypatch.undo()
    assert len(counted.calls) <= most, counted.calls


def test_folders_beyond_those_that_are_kept_open_are_read_too(tmp_path: Path) -> None:
    probes = [SampleProbe(str(18408400000 + i)) for i in range(20)]
    spikeglx_session(tmp_path, probes=probes, start=START, layout="run folders")
    assert len(read_session_directory(tmp_path).probes) == 20


def test_clustering_outputs_cost_a_call_per_curated_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spikeglx_session(tmp_path, probes=ONE, start=START)
    kilosort_output(tmp_path / "probe_1" / "ks")
    for i in range(30):
        (tmp_path / "probe_1" / "ks" / f"template_{i}.npy").touch()
    root = str(tmp_path)
    listing = list_session(root)
    probes = read_listed(root, listing).probes
    counted = Counted(monkeypatch)
    find_clusterings(root, probes, listing=listing)
    monkeypatch.undo()
    assert len(counted.calls) <= 6, counted.calls
