"""Trees beside those of the field: nothing that was recorded is left out without a word, and what is said is true of them."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from commands.inputfile.compose import ComposeProblem, compose
from commands.recordings.readers import read_session_directory
from commands.recordings.session import SessionDirectoryError
from commands.samples.clusterings import kilosort_output
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session

START = datetime(2024, 3, 4, 10)
ONE, TWO = SampleProbe("18408400001"), SampleProbe("18408400002")


def remarks(directory: Path) -> dict[str, str]:
    return {remark.code: remark.message for remark in read_session_directory(directory).remarks}


def test_two_ports_with_one_serial_are_told(tmp_path: Path) -> None:
    glx = spikeglx_session(tmp_path / "glx", probes=[ONE, ONE], start=START, layout="run folders")
    oe = openephys_session(
        tmp_path / "oe", start=START, probes=(("111", "PRB_1_4_0480_1"), ("111", "PRB_1_4_0480_1"))
    )

    assert "npx_g0_imec0 and npx_g0_imec1" in remarks(glx)["same-serial"]
    assert "ProbeA and ProbeB" in remarks(oe)["same-serial"]


def test_one_probe_that_is_recorded_several_times_is_no_matter(tmp_path: Path) -> None:
    triggers = spikeglx_session(tmp_path / "glx", probes=[ONE], start=START, triggers=3, catgt=True)
    nodes = openephys_session(tmp_path / "oe", start=START, node=101, recordings=2)
    openephys_session(nodes, start=START, node=102)

    assert "same-serial" not in remarks(triggers) and "same-serial" not in remarks(nodes)


def test_a_linked_folder_is_named(tmp_path: Path) -> None:
    session = spikeglx_session(tmp_path / "s", probes=[ONE], start=START, layout="run folders")
    other = spikeglx_session(tmp_path / "o", probes=[TWO], start=START, layout="run folders")
    (session / "npx_g0" / "npx_g0_imec1").symlink_to(other / "npx_g0" / "npx_g0_imec0")

    assert "npx_g0/npx_g0_imec1 is a link" in remarks(session)["linked-folder"]


def test_catgts_output_among_the_raw_files_is_named_by_its_file(tmp_path: Path) -> None:
    session = spikeglx_session(tmp_path, probes=[ONE], start=START, layout="run folders", catgt=True)
    [output] = session.glob("catgt_*")
    for file in [path for path in output.rglob("*") if path.is_file()]:
        file.rename(session / "npx_g0" / "npx_g0_imec0" / file.name)
    shutil.rmtree(output)

    assert remarks(session)["derived"].startswith(
        "npx_g0/npx_g0_imec0/npx_g0_tcat.imec0.ap.meta is the output"
    )


def test_an_empty_settings_file_is_called_empty_once(tmp_path: Path) -> None:
    session = openephys_session(tmp_path, start=START)
    (session / "Record Node 101" / "settings.xml").write_text("")

    said = remarks(session)["settings-unreadable"]
    assert said.startswith("Record Node 101/settings.xml is empty:") and said.count("settings.xml") == 1


def test_sorted_output_alone_is_called_that(tmp_path: Path) -> None:
    kilosort_output(tmp_path / "kilosort4")

    with pytest.raises(SessionDirectoryError, match="holds the output of a clustering"):
        read_session_directory(tmp_path)
    with pytest.raises(ComposeProblem, match="holds the output of a clustering"):
        compose(tmp_path, subject="x", location_of=Path.as_posix)


def test_of_a_format_that_is_not_read_the_recording_is_named_not_its_events(tmp_path: Path) -> None:
    for name in ("a.nev", "a.ns6"):
        (tmp_path / name).write_bytes(b"x")

    with pytest.raises(SessionDirectoryError, match=r"a\.ns6 is a recording of Blackrock, which is not read"):
        read_session_directory(tmp_path)
