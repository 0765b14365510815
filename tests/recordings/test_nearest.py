"""Where nothing can be read: each situation has its own code, its message names what came nearest, its hint what to do."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from commands.recordings.readers import list_session, read_listed, read_session_directory
from commands.recordings.session import SessionDirectoryError
from commands.samples.clusterings import kilosort_output
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.tetrodes import axona_session

START = datetime(2023, 5, 1, 10)


def touched(*names: str) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        for name in names:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).touch()

    return write


def without(ending: str, write: Callable[[Path], object]) -> Callable[[Path], None]:
    def written(directory: Path) -> None:
        write(directory)
        for file in list(directory.rglob(f"*{ending}")):
            file.unlink()

    return written


def spikeglx(directory: Path) -> None:
    spikeglx_session(
        directory, probes=[SampleProbe("18408403232")], start=START, layout="run folders", nidq=True
    )


def openephys(directory: Path) -> None:
    openephys_session(directory, start=START)


SITUATIONS: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "no meta": (without(".meta", spikeglx), "meta-missing", "npx_g0_t0.imec0.ap.bin", "Copy the meta"),
    "hidden ending": (
        touched("r_g0_t0.imec0.ap.bin", "r_g0_t0.imec0.ap.meta.txt"),
        "meta-missing",
        "r_g0_t0.imec0.ap.meta.txt lies there",
        "rename it to r_g0_t0.imec0.ap.meta",
    ),
    "compressed, no meta": (
        touched("a_g0_t0.imec0.ap.cbin"),
        "meta-missing",
        "a_g0_t0.imec0.ap.cbin",
        "Copy the meta",
    ),
    "only the LF band": (
        touched("run_g0_t0.imec0.lf.bin", "run_g0_t0.imec0.lf.meta"),
        "lf-only",
        "run_g0_t0.imec0.lf.meta: only the LF band",
        ".ap.meta",
    ),
    "only inputs": (
        touched("r_g0_t0.nidq.bin", "r_g0_t0.nidq.meta"),
        "no-probe-recorded",
        "r_g0_t0.nidq.meta",
        "probes",
    ),
    "only a OneBox's inputs": (
        touched("r_t0.obx0.obx.meta"),
        "no-probe-recorded",
        "r_t0.obx0.obx.meta",
        "probes",
    ),
    "no structure": (
        without("structure.oebin", openephys),
        "structure-missing",
        "recording1 has data",
        "crashed",
    ),
    "the Open Ephys format": (
        touched("100_CH1.continuous", "all_channels.events", "settings.xml"),
        "open-ephys-format",
        "100_CH1.continuous: the Open Ephys format, not the binary one",
        "binary",
    ),
    "one level too high": (
        lambda d: axona_session(d / "deeper", start=START),
        "recordings-deeper",
        "directly in it",
        "deeper/2023-05-01_openfield.set lies in a subfolder",
    ),
    "Intan": (
        touched("a_230501_100000.rhd"),
        "format-not-read",
        "a_230501_100000.rhd is a recording of Intan",
        "system",
    ),
    "SpikeGadgets": (touched("20230501.rec"), "format-not-read", "SpikeGadgets", "system"),
    "Neuralynx without tetrodes": (
        touched("CSC1.ncs"),
        "format-not-read",
        "CSC1.ncs is continuous channels",
        "system",
    ),
    "NWB": (touched("sub-1.nwb"), "format-not-read", "Neurodata Without Borders", "system"),
    "a clustering": (lambda d: kilosort_output(d / "ks"), "only-sorted", "ks/spike_times.npy", "clustering"),
    "something else": (
        touched("notes.docx"),
        "no-recordings",
        "files and folders looked at: 1",
        "*.ap.meta (neuropixels)",
    ),
    "nothing": (lambda d: None, "no-recordings", "files and folders looked at: 0", "It is empty"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_situation_has_its_own_code_message_and_hint(tmp_path: Path, situation: str) -> None:
    write, code, says, advises = SITUATIONS[situation]
    directory = tmp_path / "2023-05-01"
    directory.mkdir()
    write(directory)
    with pytest.raises(SessionDirectoryError) as raised:
        read_listed(str(directory), list_session(directory))
    assert raised.value.code == code
    assert says in raised.value.message and str(directory) in raised.value.message
    assert advises in raised.value.hint


def test_six_situations_are_six_codes() -> None:
    codes = {SITUATIONS[name][1] for name in SITUATIONS}
    assert len(codes) >= 6


@pytest.mark.parametrize(
    "below",
    ["Record Node 101", "Record Node 101/experiment1", "Record Node 101/experiment1/recording1/continuous"],
)
def test_part_of_a_session_says_which_folder_above_to_give(tmp_path: Path, below: str) -> None:
    openephys(tmp_path / "2023-05-01_10-00-00")
    with pytest.raises(SessionDirectoryError) as raised:
        read_session_directory(tmp_path / "2023-05-01_10-00-00" / below)
    assert raised.value.code == "part-of-session"
    assert raised.value.hint == f"Give the session directory above it: {tmp_path / '2023-05-01_10-00-00'}."


def test_explanations_are_true_for_data_that_were_written_so(tmp_path: Path) -> None:
    """An empty meta may be what a crashed acquisition left: the original is no better."""
    spikeglx(tmp_path)
    next(tmp_path.rglob("*.ap.meta")).write_bytes(b"")
    with pytest.raises(SessionDirectoryError) as raised:
        read_session_directory(tmp_path)
    assert "acquisition computer" not in raised.value.hint and "did not end" in raised.value.hint
