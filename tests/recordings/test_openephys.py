"""Open Ephys as it is in the field: every version, node, experiment and source; what was recorded the streams tell."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import probeinterface
import pytest
from hypothesis import given
from hypothesis import strategies as st
from probeinterface.neuropixels_tools import _load_np_probe_features, _parse_openephys_settings

from commands.recordings.openephys_settings import Probe, parse_settings
from commands.recordings.readers import read_session_directory
from commands.recordings.session import (
    NotASession,
    SessionDirectory,
    SessionDirectoryError,
    UnreadableSession,
)
from commands.samples.openephys import Version, openephys_session, openephys_settings

START = datetime(2023, 5, 1, 10)
UTC_START = datetime(2023, 5, 1, 8, tzinfo=UTC)  # the same moment, in Oslo's summer
TWO = (("18408403232", "NP1000"), ("18408405241", "NP2013"))
OLD = (("18408403232", "NP1000"), ("18408405241", "NP1000"))
REC = "Record Node 101/experiment1/recording1"


def serials(found: SessionDirectory) -> dict[str, str | None]:
    return {probe.name: probe.serial for probe in found.probes}


def change(file: Path, **values: Any) -> None:
    """Put values into every continuous stream of a structure file."""
    structure = json.loads(file.read_text())
    for stream in structure["continuous"]:
        stream.update(values)
    file.write_text(json.dumps(structure))


# --- versions, sources ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", get_args(Version))
def test_every_version_gives_probes_and_start(tmp_path: Path, version: Version) -> None:
    found = read_session_directory(openephys_session(tmp_path, start=START, probes=TWO, version=version))
    assert [p.serial for p in found.probes] == ["18408403232", "18408405241"]
    assert [p.shanks for p in found.probes] == [1, 4]
    assert (found.start, found.missing, found.remarks) == (START, (), ())
    named = (
        ["ProbeA", "ProbeB"] if version in ("0.6", "1.0") else ["Neuropix-PXI-100.0", "Neuropix-PXI-100.2"]
    )
    assert [p.name for p in found.probes] == named


@pytest.mark.parametrize("version", ["0.6", "1.0"])
@pytest.mark.parametrize("source", ["Neuropix-PXI", "OneBox"])
def test_serials_agree_with_probeinterface(tmp_path: Path, version: Version, source: Any) -> None:
    openephys_session(tmp_path, start=START, probes=TWO, version=version, source=source, disabled=[0])
    file = tmp_path / "Record Node 101" / "settings.xml"
    expected = {info["name"]: info["serial_number"] for info in _parse_openephys_settings(file) or []}
    assert serials(read_session_directory(tmp_path)) == expected == {"ProbeB": "18408405241"}


def test_shanks_agree_with_probeinterface_for_every_part() -> None:
    for part, features in _load_np_probe_features()["neuropixels_probes"].items():
        assert Probe(None, part, True).shanks == int(features["num_shanks"]), part


def test_onix_probes_are_told_by_port_and_number(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=TWO, version="1.0", source="ONIX Source", unrecorded=[0])
    found = read_session_directory(tmp_path)
    assert serials(found) == {"PortA-Neuropixels2.0eHeadstage-Neuropixels2.0-Probe1": "18408405241"}
    expected = probeinterface.read_openephys_neuropixels(
        tmp_path / "Record Node 101" / "settings.xml", probe_name=found.probes[0].name
    )
    assert expected.annotations["serial_number"] == "18408405241"


def test_probes_with_unknown_serials_are_never_merged(tmp_path: Path) -> None:
    unknown = (("0", "NP2014"), ("0", "NP2014"))
    found = read_session_directory(
        openephys_session(tmp_path, start=START, probes=unknown, source="OneBox", recordings=2, experiments=2)
    )
    assert serials(found) == {"ProbeA": None, "ProbeB": None}
    assert [len(probe.recordings) for probe in found.probes] == [4, 4]


def test_lone_probe_is_named_like_one_of_several(tmp_path: Path) -> None:
    for serial in ("18408403232", "0"):
        openephys_session(tmp_path / serial / "one", start=START, probes=[(serial, "NP1000")])
        openephys_session(tmp_path / serial / "two", start=START, probes=[(serial, "NP1000"), TWO[1]])
        one, two = (read_session_directory(tmp_path / serial / name) for name in ("one", "two"))
        assert [p.name for p in one.probes] == [p.name for p in two.probes][:1] == ["ProbeA"]


@pytest.mark.parametrize(
    "names", [["left", "right"], ["18408403232", "18408405241"], ["ProbeA", "ProbeA-2"], ["é", "e\u0301x"]]
)
def test_probes_go_by_the_names_that_were_given_to_them(tmp_path: Path, names: list[str]) -> None:
    found = read_session_directory(openephys_session(tmp_path, start=START, probes=TWO, names=names))
    called = [name.replace("e\u0301", "é") for name in names]
    assert serials(found) == dict(zip(called, ["18408403232", "18408405241"], strict=True))


# --- what was recorded ----------------------------------------------------------------------------


def test_disabled_and_unrecorded_probes_are_not_there(tmp_path: Path) -> None:
    three = (*TWO, ("18408406666", "NP1000"))
    openephys_session(tmp_path, start=START, probes=three, disabled=[0], unrecorded=[1], nidaq=True)
    found = read_session_directory(tmp_path)
    assert serials(found) == {"ProbeC": "18408406666"}
    assert [remark.code for remark in found.remarks] == ["auxiliary-stream"]


@pytest.mark.parametrize("channels", [1, 16, 200, 383, 385])
def test_number_of_channels_says_nothing(tmp_path: Path, channels: int) -> None:
    openephys_session(tmp_path, start=START, probes=TWO)
    change(tmp_path / REC / "structure.oebin", num_channels=channels)
    assert serials(read_session_directory(tmp_path)) == {"ProbeA": "18408403232", "ProbeB": "18408405241"}


def test_streams_in_another_order_keep_their_probes(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=TWO)
    file = tmp_path / REC / "structure.oebin"
    structure = json.loads(file.read_text())
    structure["continuous"].reverse()
    file.write_text(json.dumps(structure))
    assert serials(read_session_directory(tmp_path)) == {"ProbeA": "18408403232", "ProbeB": "18408405241"}


def test_two_nodes_with_one_probe_each_are_one_session(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=TWO, unrecorded=[1], node=101)
    openephys_session(tmp_path, start=START, probes=TWO, unrecorded=[0], node=105)
    assert serials(read_session_directory(tmp_path)) == {"ProbeA": "18408403232", "ProbeB": "18408405241"}


def test_one_probe_in_two_nodes_is_one_probe(tmp_path: Path) -> None:
    for serial in ("18408403232", "0"):
        for node in (101, 105):
            openephys_session(tmp_path / serial, start=START, probes=[(serial, "NP1000")], node=node)
        [probe] = read_session_directory(tmp_path / serial).probes
        assert (probe.name, len(probe.recordings)) == ("ProbeA", 2)


def test_lone_lf_band_is_a_remark(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=OLD)
    file = tmp_path / REC / "structure.oebin"
    structure = json.loads(file.read_text())
    structure["continuous"] = [s for s in structure["continuous"] if s["stream_name"] != "ProbeB-AP"]
    file.write_text(json.dumps(structure))
    found = read_session_directory(tmp_path)
    assert serials(found) == {"ProbeA": "18408403232"}
    assert [(r.code, r.name) for r in found.remarks] == [("lf-only", "ProbeB")]
    [missing] = found.missing  # its data are there, and nothing describes them
    assert missing.code == "stream-undescribed" and "ProbeB-AP/continuous.dat" in missing.files[0]


@pytest.mark.parametrize("source", ["Rhythm FPGA", "Acquisition Board", "Intan RHX"])
def test_other_electrodes_are_a_remark_beside_neuropixels_and_a_recording_alone(
    tmp_path: Path, source: str
) -> None:
    openephys_session(tmp_path / "beside", start=START, nidaq=True)
    file = tmp_path / "beside" / REC / "structure.oebin"
    text = file.read_text().replace("NI-DAQmx", source).replace("PXIe-6341", "Rhythm Data")
    file.write_text(text)
    for data in (file.parent / "continuous").glob("NI-DAQmx*"):
        data.rename(data.with_name(f"{source}-103.Rhythm Data"))
    found = read_session_directory(tmp_path / "beside")
    assert serials(found) == {"ProbeA": "18408403232"}
    assert [(r.code, "other electrodes" in r.message) for r in found.remarks] == [("auxiliary-stream", True)]

    structure = json.loads(text)
    structure["continuous"] = structure["continuous"][-1:]
    alone = tmp_path / "alone" / REC
    alone.mkdir(parents=True)
    (alone / "structure.oebin").write_text(json.dumps(structure))
    assert serials(read_session_directory(tmp_path / "alone")) == {"Rhythm Data": None}


def test_recording_without_any_probe_is_refused_with_its_streams(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, unrecorded=[0], nidaq=True)
    with pytest.raises(NotASession, match="its only stream is that of NI-DAQmx 103") as raised:
        read_session_directory(tmp_path)
    assert raised.value.code == "no-probe-recorded"


# --- what is missing ------------------------------------------------------------------------------


def test_data_without_a_structure_are_named(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=OLD, recordings=2)
    (tmp_path / "Record Node 101/experiment1/recording2/structure.oebin").unlink()
    found = read_session_directory(tmp_path)
    [missing] = found.missing
    assert (missing.name, missing.code) == ("Record Node 101/experiment1/recording2", "structure-missing")
    assert len(missing.files) == 4 and len(found.recordings) == 2


def test_structure_whose_ending_was_hidden_is_to_be_renamed(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, experiments=2)
    file = tmp_path / "Record Node 101/experiment2/recording1/structure.oebin"
    file.rename(file.with_name("structure.oebin.txt"))
    [missing] = read_session_directory(tmp_path).missing
    assert "rename Record Node 101/experiment2/recording1/structure.oebin.txt" in missing.hint


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"continuous": 7}', b"\xff\xfe", b'{"continuous": [{"stream_name": 1}]}']
)
def test_broken_structure_beside_a_sound_one_is_missing(tmp_path: Path, content: bytes) -> None:
    openephys_session(tmp_path, start=START, experiments=2)
    (tmp_path / "Record Node 101/experiment2/recording1/structure.oebin").write_bytes(content)
    found = read_session_directory(tmp_path)
    assert [m.name for m in found.missing] == ["Record Node 101/experiment2/recording1"]
    assert any(file.endswith("continuous.dat") for file in found.missing[0].files)


# --- where settings lie, when recordings began ----------------------------------------------------


@pytest.mark.parametrize(
    "where", ["", "Record Node 101", "Record Node 101/experiment1", REC, "Record Node 999"]
)
def test_settings_are_found_wherever_they_lie(tmp_path: Path, where: str) -> None:
    openephys_session(tmp_path, start=START, probes=TWO)
    (tmp_path / where).mkdir(exist_ok=True)
    (tmp_path / "Record Node 101" / "settings.xml").rename(tmp_path / where / "Settings.xml")
    found = read_session_directory(tmp_path)
    assert serials(found) == {"ProbeA": "18408403232", "ProbeB": "18408405241"}
    assert (found.start, found.recordings[0].start_source) == (START, f"{where}/Settings.xml".lstrip("/"))


def test_every_experiment_has_its_own_settings(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, experiments=2, recordings=2)
    later = tmp_path / "Record Node 101" / "settings_2.xml"
    later.write_text(later.read_text().replace("18408403232", "18408409999"))
    found = read_session_directory(tmp_path)
    assert [(p.serial, len(p.recordings)) for p in found.probes] == [("18408403232", 2), ("18408409999", 2)]
    assert sorted({r.start for r in found.recordings if r.start}) == [START, START + timedelta(minutes=20)]


@pytest.mark.parametrize("version", get_args(Version))
def test_later_recordings_start_as_long_after_the_first_as_their_clock_says(
    tmp_path: Path, version: Version
) -> None:
    openephys_session(tmp_path, start=START, recordings=3, version=version, utc=UTC_START)
    found = read_session_directory(tmp_path)
    assert [r.start for r in found.recordings] == [START + timedelta(minutes=10 * i) for i in range(3)]
    assert {r.zone for r in found.recordings} == {None}  # local time throughout: the zone is not needed
    assert not found.start_inferred


def test_without_settings_the_start_is_read_in_utc_and_put_into_the_zone(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, recordings=2, utc=UTC_START, settings=False)
    found = read_session_directory(tmp_path, zone=ZoneInfo("Europe/Oslo"))
    assert [r.start for r in found.recordings] == [START, START + timedelta(minutes=10)]
    assert (found.zone, found.start_inferred) == ("Europe/Oslo", False)
    assert serials(found) == {"ProbeA": None}


def test_without_any_clock_the_start_is_the_name_of_the_directory(tmp_path: Path) -> None:
    directory = openephys_session(tmp_path / "2023-05-01_10-00-00", start=START, settings=False)
    found = read_session_directory(directory)
    assert (found.start, found.start_inferred, found.zone) == (START, True, None)
    assert found.recordings[0].start_source == "folder 2023-05-01_10-00-00"
    nowhere = openephys_session(tmp_path / "rat", start=START, settings=False)
    assert read_session_directory(nowhere).start is None


def test_lone_later_recording_starts_when_its_settings_were_written_as_far_as_is_known(
    tmp_path: Path,
) -> None:
    openephys_session(tmp_path, start=START, recordings=2)
    node = tmp_path / "Record Node 101"
    shutil.rmtree(node / "experiment1" / "recording1")
    (node / "experiment1").rename(node / "experiment4")
    found = read_session_directory(tmp_path)
    assert (found.start, found.start_inferred) == (START, True)
    assert found.recordings[0].start_source == "Record Node 101/settings.xml"


def test_settings_that_break_off_are_read_so_far_and_remarked(tmp_path: Path) -> None:
    openephys_session(tmp_path, start=START, probes=TWO)
    file = tmp_path / "Record Node 101" / "settings.xml"
    file.write_text(file.read_text()[:600])
    found = read_session_directory(tmp_path)
    assert (found.start, serials(found)) == (START, {"ProbeA": None, "ProbeB": None})
    assert [r.code for r in found.remarks] == ["settings-unreadable"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        '<!DOCTYPE a [<!ENTITY b "c">]><SETTINGS>&b;</SETTINGS>',
        "<a>" * 200,
        "<SETTINGS><INFO><DATE>31 Foo 2023 10:00:00</DATE></INFO></SETTINGS>",
        '<SETTINGS><PROCESSOR name="OneBox" nodeId="x"><BASESTATION/><NP_PROBE probe_serial_number="" shank="x"/></PROCESSOR></SETTINGS>',
    ],
)
def test_settings_of_any_form_end_no_session(tmp_path: Path, text: str) -> None:
    openephys_session(tmp_path, start=START, utc=UTC_START)
    (tmp_path / "Record Node 101" / "settings.xml").write_text(text)
    assert read_session_directory(tmp_path).start == UTC_START.replace(tzinfo=None)


@pytest.mark.parametrize("encoding", ["aUTF-8", "gbk", "undefined"])
def test_settings_in_an_encoding_that_cannot_be_read_are_broken(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?><SETTINGS><INFO/></SETTINGS>'.encode()

    assert "encoding" in (parse_settings(data, file="settings.xml").broken or "")


@given(st.binary(max_size=300), st.integers(0, 3000))
def test_garbage_in_settings_raises_nothing_else(garbage: bytes, at: int) -> None:
    data = openephys_settings(START, [("ProbeA", TWO[0])]).encode()
    try:
        parse_settings(data[:at] + garbage + data[at:], file="settings.xml")
    except UnreadableSession as problem:
        assert problem.code == "bad-value"


# --- what attacks -------------------------------------------------------------------------------


def attack(directory: Path, structure: str) -> Path:
    """As small as it can be: what is hostile stands in ``structure.oebin``."""
    recording = directory / "experiment1" / "recording1"
    recording.mkdir(parents=True)
    (recording / "structure.oebin").write_text(structure)
    (directory / "settings.xml").write_text(
        '<SETTINGS><INFO><DATE>6 Mar 2025 14:48:00</DATE></INFO><NP_PROBE probe_serial_number="18408400000" '
        'probe_part_number="NP1000"/></SETTINGS>'
    )
    return directory


STREAM = '{"continuous":[{"folder_name":"%s","stream_name":"%s","sample_rate":%s,"num_channels":384}]}'


@pytest.mark.parametrize(
    ("structure", "says"),
    [
        (STREAM % ("\\u0000", "\\u0000", 30000), "NUL character"),
        (STREAM % ("a\\ud800", "a\\ud800", 30000), "half a character"),
        (STREAM % ("x", "x", "1e999"), "not a finite number"),
        (STREAM % ("x", "x", "NaN"), "not a finite number"),
        (STREAM % ("x", "x" * 30_000, 30000), "30,000 characters"),
        ('{"continuous":' + "[" * 50_000 + "]" * 50_000 + "}", "does not list its continuous streams"),
        (
            '{"continuous":[{"folder_name":"x","sample_rate":' + "9" * 5000 + "}]}",
            "does not list|64 bits|finite",
        ),
    ],
    ids=["nul", "surrogate", "infinite", "nan", "long", "deep", "digits"],
)
def test_hostile_structure_is_refused_with_its_reason(tmp_path: Path, structure: str, says: str) -> None:
    with pytest.raises(UnreadableSession, match=says) as raised:
        read_session_directory(attack(tmp_path, structure))
    assert str(raised.value).isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["folder_name", "stream_name", "sample_rate", "source_processor_name", "x"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_structure_ends_in_a_fault(tmp_path_factory: pytest.TempPathFactory, continuous: Any) -> None:
    directory = attack(tmp_path_factory.mktemp("a"), json.dumps({"continuous": continuous}))
    try:
        found = read_session_directory(directory)
    except SessionDirectoryError:
        return
    json.dumps([probe.name for probe in found.probes], allow_nan=False).encode("utf-8")
