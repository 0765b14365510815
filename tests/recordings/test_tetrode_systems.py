"""Axona, Neuralynx, Neurologger and Open Ephys: one recording per file set, starts without a locale."""

import locale
from datetime import datetime, timedelta
from pathlib import Path

import probeinterface
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.axona import parse_set
from commands.recordings.neuralynx import HEADER_BYTES, parse_header
from commands.recordings.readers import read_session_directory
from commands.recordings.session import UnreadableSession
from commands.samples.openephys import openephys_session
from commands.samples.tetrodes import (
    axona_session,
    axona_set,
    neuralynx_header,
    neuralynx_session,
    neurologger_session,
)

START = datetime(2020, 6, 17, 12, 35, 40)


def test_axona_session_has_one_recording_per_set_file(tmp_path: Path) -> None:
    session = read_session_directory(
        axona_session(tmp_path / "s", start=START, trials=("openfield", "laser"))
    )
    assert {r.name: r.start for r in session.recordings} == {
        "2020-06-17_openfield": START,
        "2020-06-17_laser": START + timedelta(seconds=1200),
    }
    assert (session.start, session.duration_s) == (START, 2400.0)
    assert [(p.name, p.serial) for p in session.probes] == [("s", None)]


@given(st.datetimes(datetime(1995, 1, 1), datetime(2040, 1, 1)))
def test_axona_dates_are_read_back(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert parse_set(axona_set(start=moment, duration_s=5, channels=1).encode(), file="a.set").start == moment


@pytest.mark.parametrize(
    "date", ["8 Sep 2014", "Monday, 08 September 2014", "Mon 8 sep. 2014", "Mandag, 8 SEP 2014"]
)
def test_axona_date_may_be_written_in_these_ways(date: str) -> None:
    data = f"trial_date {date}\r\ntrial_time 17:25:52\r\n".encode()
    assert parse_set(data, file="a.set").start == datetime(2014, 9, 8, 17, 25, 52)


def test_month_names_do_not_depend_on_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "setlocale", lambda *_: pytest.fail("the locale was touched"))
    monkeypatch.setattr(
        "_strptime._strptime", lambda *_: pytest.fail("strptime depends on the locale"), raising=False
    )
    assert parse_set(axona_set(start=START, duration_s=5).encode(), file="a.set").start == START


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"trial_date Monday, 8 Sept14\r\ntrial_time 17:25:52\r\n", "bad-value"),
        (b"trial_date Monday, 31 Feb 2014\r\ntrial_time 17:25:52\r\n", "bad-value"),
        (b"trial_date Montag, 8 Okt 2014\r\ntrial_time 17:25:52\r\n", "bad-value"),
        (b"trial_date Monday, 8 Sep 2014\r\ntrial_time 25:25:52\r\n", "bad-value"),
        (b"trial_date Monday, 8 Sep 2014\r\n", "missing-key"),
        (b"trial_date Monday, 8 Sep 2014\r\ntrial_time 17:25:52\r\nduration long\r\n", "bad-value"),
        (b"MATLAB 5.0 MAT-file, an EEGLAB data set" + bytes(200), "not-a-set-file"),
    ],
)
def test_damaged_set_file_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableSession) as raised:
        parse_set(data, file="trial.set")
    assert (raised.value.code, "trial.set" in raised.value.message) == (code, True)


@pytest.mark.parametrize("form", ["cheetah 4", "cheetah 5", "cheetah 6"])
def test_neuralynx_directory_is_one_recording_in_all_forms_of_header(tmp_path: Path, form: str) -> None:
    directory = neuralynx_session(tmp_path / "s", start=START, form=form)  # type: ignore[arg-type]
    session = read_session_directory(directory)
    [recording] = session.recordings
    assert (recording.name, recording.start) == ("s", START)
    assert recording.duration_s == (None if form == "cheetah 4" else 1800.0)


@pytest.mark.parametrize(
    ("header", "opened", "closed"),
    [
        (
            "## Time Opened (m/d/y): 11/28/2016  (h:m:s.ms) 21:50:33.322\r\n"
            "## Time Closed (m/d/y): 11/28/2016  (h:m:s.ms) 22:44:41.145\r\n",
            "2016-11-28T21:50:33.322", "2016-11-28T22:44:41.145",
        ),
        ("## Time Opened: (m/d/y): 10/4/2003  At Time: 10:3:0.578\r\n", "2003-10-04T10:03:00.578", None),
        ("## Time Opened: (m/d/y): 12/11/15  At Time: 11:37:39.000\r\n", "2015-12-11T11:37:39", None),
        ("## Time Opened (m/d/y): 1/01/2001  At Time: 0:00:00.000\r\n", "2001-01-01T00:00:00", None),
        (
            "-TimeCreated 2019/07/12 13:21:32\r\n-TimeClosed 2019/07/12 15:07:55\r\n",
            "2019-07-12T13:21:32", "2019-07-12T15:07:55",
        ),
    ],
)  # fmt: skip
def test_neuralynx_times_as_published_headers_write_them(
    header: str, opened: str, closed: str | None
) -> None:
    data = ("######## Neuralynx Data File Header\r\n" + header).encode().ljust(HEADER_BYTES, b"\0")
    assert parse_header(data, file="TT1.ntt") == (
        datetime.fromisoformat(opened),
        None if closed is None else datetime.fromisoformat(closed),
    )


def test_neuralynx_session_starts_with_its_first_tetrode(tmp_path: Path) -> None:
    neuralynx_session(tmp_path, start=START)
    later = neuralynx_header("TT0.ntt", start=START + timedelta(seconds=2), duration_s=None, form="cheetah 6")
    (tmp_path / "TT0.NTT").write_bytes(later + b"spikes" * 100)
    session = read_session_directory(tmp_path)
    assert (session.start, len(session.recordings), session.duration_s) == (START, 1, None)


@given(st.binary(max_size=300))
def test_garbage_in_a_neuralynx_header_raises_nothing_else(garbage: bytes) -> None:
    try:
        parse_header(b"-TimeCreated 2019/07/12 " + garbage, file="TT1.ntt")
    except UnreadableSession as problem:
        assert "TT1.ntt" in problem.message


def test_neurologger_start_is_taken_from_the_directory_and_marked(tmp_path: Path) -> None:
    session = read_session_directory(neurologger_session(tmp_path / "2020-06-17_12-35-40", start=START))
    assert (session.start, session.start_inferred) == (START, True)


def test_neurologger_start_falls_back_to_the_headers_creation(tmp_path: Path) -> None:
    written = datetime(2020, 6, 5, 9, 8, 7)
    session = read_session_directory(neurologger_session(tmp_path / "x", start=START, header_written=written))
    assert (session.start, session.start_inferred) == (written, True)


def test_neurologger_without_any_date_has_no_start(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "neurologger_header.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(128))
    session = read_session_directory(tmp_path / "x")
    assert (session.start, session.recordings[0].start_source) == (None, None)  # a person has to say it


PROBES = (("18408403232", "PRB_1_4_0480_1"), ("18408405241", "PRB_1_4_0480_1"))


def test_open_ephys_probes_come_from_the_settings(tmp_path: Path) -> None:
    session = read_session_directory(openephys_session(tmp_path, start=START, probes=PROBES, recordings=2))
    assert [(p.name, p.serial, p.part_number) for p in session.probes] == [
        ("ProbeA", "18408403232", "PRB_1_4_0480_1"),
        ("ProbeB", "18408405241", "PRB_1_4_0480_1"),
    ]
    assert (session.start, len(session.recordings)) == (START, 4)


def test_open_ephys_agrees_with_probeinterface(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=PROBES)
    for name, (serial, _) in zip(("ProbeA", "ProbeB"), PROBES, strict=True):
        probe = probeinterface.read_openephys_neuropixels(
            tmp_path / "Record Node 101" / "settings.xml", probe_name=name
        )
        assert probe.annotations["serial_number"] == serial


def test_open_ephys_with_a_broken_structure_alone_is_refused(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START)
    structure = tmp_path / "Record Node 101/experiment1/recording1/structure.oebin"
    structure.write_text('{"continuous": 7}')
    with pytest.raises(UnreadableSession, match="does not list its continuous streams"):
        read_session_directory(tmp_path)


# --- as they are in the field ---------------------------------------------------------------------


def test_axona_data_without_their_set_are_missing(tmp_path: Path) -> None:
    axona_session(tmp_path, start=START, trials=("first", "second"))
    (tmp_path / "2020-06-17_second.set").unlink()
    [missing] = read_session_directory(tmp_path).missing
    assert (missing.name, missing.code) == ("2020-06-17_second", "set-missing")
    assert set(missing.files) == {"2020-06-17_second.eeg", "2020-06-17_second.pos"}


def test_axona_recordings_below_are_left_with_a_remark(tmp_path: Path) -> None:
    axona_session(tmp_path, start=START)
    axona_session(tmp_path / "older", start=START, trials=("a", "b"))
    found = read_session_directory(tmp_path)
    assert len(found.recordings) == 1
    assert [(r.code, r.name, len(r.files)) for r in found.remarks] == [("nested-recordings", "older", 2)]


def test_broken_set_beside_a_sound_one_is_missing(tmp_path: Path) -> None:
    axona_session(tmp_path, start=START)
    (tmp_path / "eeglab.set").write_bytes(b"MATLAB 5.0 MAT-file")
    found = read_session_directory(tmp_path)
    assert [(m.name, m.code) for m in found.missing] == [("eeglab", "not-a-set-file")]


def undated(directory: Path) -> Path:
    neuralynx_session(directory, start=START)
    for file in directory.glob("*.ntt"):
        file.write_bytes(file.read_bytes().replace(b"-TimeC", b"-NoneC"))
    return directory


def test_neuralynx_without_a_date_starts_when_its_folder_says(tmp_path: Path) -> None:
    found = read_session_directory(undated(tmp_path / "2020-06-17_12-35-40"))
    assert (found.start, found.start_inferred, found.duration_s) == (START, True, None)
    assert found.recordings[0].start_source == "folder 2020-06-17_12-35-40"
    nowhere = read_session_directory(undated(tmp_path / "rat"))
    assert (nowhere.start, nowhere.recordings[0].start_source) == (None, None)


def test_neuralynx_start_that_one_tetrode_knows_is_read(tmp_path: Path) -> None:
    undated(tmp_path / "2023-06-06_06-06-06")
    neuralynx_session(tmp_path / "2023-06-06_06-06-06", start=START, tetrodes=1)
    found = read_session_directory(tmp_path / "2023-06-06_06-06-06")
    assert (found.start, found.start_inferred) == (START, False)


def test_broken_tetrode_is_missing_and_the_others_are_read(tmp_path: Path) -> None:
    neuralynx_session(tmp_path, start=START)
    (tmp_path / "TT3.ntt").write_bytes(b"")
    found = read_session_directory(tmp_path)
    assert [(m.name, m.code) for m in found.missing] == [("TT3.ntt", "empty-file")]
    assert found.start == START
    for file in tmp_path.glob("*.ntt"):
        file.write_bytes(b"nothing")
    with pytest.raises(UnreadableSession):
        read_session_directory(tmp_path)
