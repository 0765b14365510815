"""Whole session directories: what is found, how probes are named, what is refused, what is never touched."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings import disk
from commands.recordings.disk import shown
from commands.recordings.probes import session_of
from commands.recordings.readers import read_session_directory
from commands.recordings.session import NotASession, Recording, UnreadableSession
from commands.samples.clusterings import kilosort_output
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, probe_meta, spikeglx_session
from commands.samples.tetrodes import axona_session, neuralynx_session, neurologger_session

START = datetime(2023, 5, 1, 10)
ONE = [SampleProbe("18408403232")]
TWO = [SampleProbe("18408403232", "2.0-MS"), SampleProbe("18408405241", "2.0-MS")]


def put_meta(folder: Path, serial: str, name: str = "npx.imec.ap.meta", **values: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"start": START, "duration_s": 60.0} | values
    (folder / name).write_text(probe_meta(SampleProbe(serial), file_name=name, **values))


def names(directory: Path) -> dict[str | None, str]:
    return {probe.serial: probe.name for probe in read_session_directory(directory).probes}


def test_session_with_two_probes(tmp_path: Path) -> None:
    session = read_session_directory(spikeglx_session(tmp_path, probes=TWO, start=START, nidq=True))
    assert session.system == "neuropixels"
    assert [(p.name, p.serial, p.part_number, p.shanks) for p in session.probes] == [
        ("probe_1", "18408403232", "NP2010", 4),
        ("probe_2", "18408405241", "NP2010", 4),
    ]
    assert (session.start, session.acquiring, session.duration_s) == (START, False, 1800.0)
    assert [r.file for r in session.recordings] == ["probe_1/npx.imec.ap.meta", "probe_2/npx.imec.ap.meta"]


def test_triggers_and_catgt_output_repeat_a_serial_but_are_one_probe(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=TWO, start=START, layout="run folders", triggers=3, catgt=True)
    session = read_session_directory(tmp_path)
    assert [(p.name, p.serial) for p in session.probes] == [
        ("npx_g0_imec0", "18408403232"),
        ("npx_g0_imec1", "18408405241"),
    ]
    assert [len(p.recordings) for p in session.probes] == [4, 4]
    assert session.probes[0].recordings[0] == "npx_g0/npx_g0_imec0/npx_g0_t0.imec0.ap.meta"
    assert sum(r.derived for r in session.recordings) == 2
    assert session.start == START  # CatGT's own later time does not count
    assert session.duration_s == 3 * 1800.0


def test_probe_is_named_after_its_raw_recording(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=ONE, start=START, catgt=True)
    assert names(tmp_path) == {"18408403232": "probe_1"}


def test_session_time_is_the_earliest_start(tmp_path: Path) -> None:
    put_meta(tmp_path / "probe_1", "1", start=START + timedelta(seconds=3))
    put_meta(tmp_path / "probe_2", "2", start=START)
    assert read_session_directory(tmp_path).start == START


def test_one_open_recording_makes_the_session_acquiring(tmp_path: Path) -> None:
    put_meta(tmp_path / "probe_1", "1")
    put_meta(tmp_path / "probe_2", "2", duration_s=None)
    session = read_session_directory(tmp_path)
    assert (session.acquiring, session.duration_s) == (True, None)


def test_meta_directly_in_the_session_is_named_after_the_session(tmp_path: Path) -> None:
    put_meta(tmp_path / "2023-05-01_10-00-00", "1")
    assert names(tmp_path / "2023-05-01_10-00-00") == {"1": "2023-05-01_10-00-00"}


def test_folders_of_one_name_are_told_apart_by_their_path(tmp_path: Path) -> None:
    put_meta(tmp_path / "left" / "imec0", "1")
    put_meta(tmp_path / "right" / "imec0", "2")
    put_meta(tmp_path / "probe_3", "3")
    assert names(tmp_path) == {"1": "left/imec0", "2": "right/imec0", "3": "probe_3"}


def test_two_probes_in_one_folder_are_told_apart_by_their_stream(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=TWO, start=START, layout="one folder", triggers=2)
    assert names(tmp_path) == {"18408403232": "npx_g0/imec0", "18408405241": "npx_g0/imec1"}


def test_two_probes_in_one_folder_without_streams_are_told_apart_by_their_file(tmp_path: Path) -> None:
    put_meta(tmp_path / "raw", "1", "left.imec.ap.meta")
    put_meta(tmp_path / "raw", "2", "right.imec.ap.meta")
    assert names(tmp_path) == {"1": "raw/left.imec.ap.meta", "2": "raw/right.imec.ap.meta"}


def test_same_serial_in_two_folders_is_one_probe(tmp_path: Path) -> None:
    put_meta(tmp_path / "a", "1")
    put_meta(tmp_path / "b", "1")
    assert names(tmp_path) == {"1": "a"}


segments = st.sampled_from(["a", "b", "imec0", "a.imec0", "x"])
files = st.builds(
    lambda folders, stem: "/".join([*folders, f"{stem}.ap.meta"]), st.lists(segments, max_size=3), segments
)


@given(st.lists(st.tuples(files, st.integers(1, 4)), min_size=1, max_size=8, unique_by=lambda pair: pair[0]))
def test_names_of_probes_are_always_distinct(drawn: list[tuple[str, int]]) -> None:
    recordings = [
        Recording("neuropixels", file.rpartition("/")[0].rpartition("/")[2] or "s", file, serial=str(serial))
        for file, serial in drawn
    ]
    probes = session_of("neuropixels", "s", recordings).probes
    assert len({p.name for p in probes}) == len(probes) == len({serial for _, serial in drawn})
    assert sorted(file for p in probes for file in p.recordings) == sorted(file for file, _ in drawn)


@pytest.mark.parametrize("order", [0, 1])
def test_reading_does_not_depend_on_the_order_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: int
) -> None:
    spikeglx_session(tmp_path, probes=TWO, start=START, catgt=True)
    expected = read_session_directory(tmp_path)
    scandir = os.scandir

    class Shuffled:
        def __init__(self, path: str) -> None:
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda e: e.name, reverse=bool(order))

        def __enter__(self) -> Any:
            return iter(self.entries)

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(disk.os, "scandir", Shuffled)
    assert read_session_directory(tmp_path) == expected


# --- what is refused --------------------------------------------------------------------------


def refusal(directory: Path, kind: type[NotASession] | type[UnreadableSession]) -> Any:
    with pytest.raises(kind) as raised:
        read_session_directory(directory)
    assert raised.value.message.endswith(".")
    return raised.value


def test_mixed_systems_are_refused_and_both_are_named(tmp_path: Path) -> None:
    spikeglx_session(tmp_path, probes=ONE, start=START)
    axona_session(tmp_path, start=START)
    problem = refusal(tmp_path, NotASession)
    assert problem.code == "mixed-systems"
    assert "neuropixels (probe_1/npx.imec.ap.meta)" in problem.message
    assert "axona (2023-05-01_openfield.set)" in problem.message


def test_directory_without_recordings_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.docx").touch()
    problem = refusal(tmp_path, NotASession)
    assert problem.code == "no-recordings"
    assert "*.ap.meta" in problem.hint


def test_axona_recordings_in_subfolders_are_refused_with_the_reason(tmp_path: Path) -> None:
    axona_session(tmp_path / "deeper", start=START)
    problem = refusal(tmp_path, NotASession)
    assert "deeper/2023-05-01_openfield.set lies in a subfolder" in problem.hint


def test_missing_directory_and_file_are_not_sessions(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere", NotASession).code == "not-found"
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file", NotASession).code == "not-a-directory"
    assert refusal(Path(f"{tmp_path}/a\0b"), NotASession).code == "not-found"


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    spikeglx_session(tmp_path / "elsewhere", probes=ONE, start=START)
    session = tmp_path / "session"
    session.mkdir()
    (session / "probe_1").symlink_to(tmp_path / "elsewhere" / "probe_1")
    (session / "loop").symlink_to(session)
    problem = refusal(session, NotASession)
    assert "Links to folders are not followed" in problem.hint


def test_linked_file_is_read_only_inside_the_root(tmp_path: Path) -> None:
    put_meta(tmp_path / "store", "1")
    session = tmp_path / "session"
    session.mkdir()
    (session / "npx.imec.ap.meta").symlink_to(tmp_path / "store" / "npx.imec.ap.meta")
    assert refusal(session, UnreadableSession).code == "link-leaves-directory"
    assert read_session_directory(session, within=tmp_path).probes[0].serial == "1"


def test_broken_link_and_named_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "npx.imec.ap.meta").symlink_to(tmp_path / "gone")
    assert refusal(tmp_path / "a", UnreadableSession).code == "broken-link"
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "b" / "npx.imec.ap.meta")
    assert refusal(tmp_path / "b", UnreadableSession).code == "not-a-file"


def test_folder_named_like_a_meta_is_only_a_folder(tmp_path: Path) -> None:
    put_meta(tmp_path / "odd.ap.meta", "1")
    assert names(tmp_path) == {"1": "odd.ap.meta"}


def test_resource_forks_and_trash_are_not_looked_at(tmp_path: Path) -> None:
    put_meta(tmp_path / "probe_1", "1")
    (tmp_path / "probe_1" / "._npx.imec.ap.meta").write_bytes(b"\0\5\26\7")
    put_meta(tmp_path / "$RECYCLE.BIN", "2")
    put_meta(tmp_path / "curations" / "01", "3")
    assert names(tmp_path) == {"1": "probe_1"}


def test_name_that_is_not_utf8_is_refused_printably(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/probe_\xf8"
    os.mkdir(folder)
    with open(folder + b"/npx.imec.ap.meta", "wb") as file:
        file.write(b"imDatPrb_sn=1")
    problem = refusal(tmp_path, UnreadableSession)
    assert problem.code == "undecodable-name"
    assert "probe_\\xf8" in problem.message.encode("utf-8").decode()


@given(st.text())
def test_any_name_can_be_shown(name: str) -> None:
    text = shown(name)
    assert text.isprintable()
    text.encode("utf-8")


def fails_for(name: str, error: OSError, function: Callable[..., Any]) -> Callable[..., Any]:
    def failing(path: Any, *args: Any, **keywords: Any) -> Any:
        if str(path).endswith(name):
            raise error
        return function(path, *args, **keywords)

    return failing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(13, "Permission denied"), "permission-denied"),
        (FileNotFoundError(2, "No such file or directory"), "session-changing"),
        (OSError(116, "Stale file handle"), "unreadable"),
    ],
)
@pytest.mark.parametrize(("call", "name"), [("open", "probe_2"), ("open", "npx.imec.ap.meta")])
def test_what_cannot_be_read_is_never_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, code: str, call: str, name: str
) -> None:
    spikeglx_session(tmp_path, probes=TWO, start=START)
    monkeypatch.setattr(disk.os, call, fails_for(name, error, getattr(os, call)))
    problem = refusal(tmp_path, UnreadableSession)
    assert (problem.code, name in problem.message) == (code, True)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MAX_ENTRIES", 50)
    put_meta(tmp_path / "probe_1", "1")
    for i in range(60):
        (tmp_path / f"frame_{i}.tif").touch()
    assert refusal(tmp_path, NotASession).code == "too-many-files"


def test_too_deep_trees_are_refused(tmp_path: Path) -> None:
    put_meta(tmp_path.joinpath(*["d"] * 40), "1")
    assert refusal(tmp_path, NotASession).code == "too-deep"


@pytest.mark.parametrize(
    "write",
    [
        lambda d: spikeglx_session(d, probes=TWO, start=START, nidq=True, catgt=True),
        lambda d: axona_session(d, start=START),
        lambda d: neuralynx_session(d, start=START),
        lambda d: neurologger_session(d, start=START),
        lambda d: openephys_session(d, start=START),
    ],
    ids=["spikeglx", "axona", "neuralynx", "neurologger", "openephys"],
)
def test_big_files_are_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], Path]
) -> None:
    write(tmp_path)
    kilosort_output(tmp_path / "probe_1" / "ks")
    small = (".ap.meta", ".set", ".ntt", ".mat", ".oebin", "settings.xml")
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.name.endswith(small):
            path.unlink()
            os.mkfifo(path)  # whoever opens it waits for ever
    opened: list[str] = []
    read: list[int] = []
    os_open, os_read = os.open, os.read

    def note(path: Any, flags: int, *args: Any, **keywords: Any) -> int:
        if not flags & os.O_DIRECTORY:
            opened.append(str(path))
        return os_open(path, flags, *args, **keywords)

    monkeypatch.setattr(disk.os, "open", note)
    monkeypatch.setattr(disk.os, "read", lambda fd, n: (d := os_read(fd, n), read.append(len(d)))[0])
    read_session_directory(tmp_path)
    assert opened
    assert all(name.endswith(small) for name in opened)
    assert sum(read) < 1_000_000
