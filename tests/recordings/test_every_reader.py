"""Every system that is read has what the recipe "Add a reader" asks for: an ending of its own, a sample, a name."""

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from commands.recordings import nearest
from commands.recordings.readers import READERS, read_session_directory
from commands.recordings.session import SessionDirectoryError, System
from commands.samples.openephys import openephys_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from commands.samples.tetrodes import axona_session, neuralynx_session, neurologger_session
from tests.conftest import ROOT

START = datetime(2023, 5, 1, 10, 0, 0)
SAMPLES: dict[str, Callable[..., Path]] = {
    "neuropixels": partial(spikeglx_session, probes=[SampleProbe("18408403232")]),
    "axona": axona_session,
    "neuralynx": neuralynx_session,
    "neurologger": neurologger_session,
    "openephys": openephys_session,
}


def test_every_system_has_a_reader_and_a_sample() -> None:
    assert {reader.system for reader in READERS} == set(get_args(System)) == set(SAMPLES)


def test_no_ending_is_that_of_another_system_too() -> None:
    for one in READERS:
        others = [ending for other in READERS if other is not one for ending in other.endings]
        for ending in one.endings:
            assert ending == ending.lower()
            assert not [other for other in others if ending.endswith(other)]


def test_what_is_read_is_not_said_to_be_a_format_that_is_not_read() -> None:
    for reader in READERS:
        for ending in reader.endings:
            said = nearest._FORMATS.get(ending, "without")
            assert "without" in said, (reader.system, ending, said)  # what goes with it is missing


# where tests go through the systems, each in its own way
EACH_OF_THEM = (
    "tests/recordings/test_session_directories.py",
    "tests/recordings/test_reading_the_disk.py",
    "tests/intake/test_stage_3.py",
    "tests/fuzz/recordings.py",
)


@pytest.mark.parametrize("place", EACH_OF_THEM)
def test_sample_of_every_system_is_taken_where_all_are(place: str) -> None:
    lines = (ROOT / place).read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith(("from ", "import ")))

    for system, sample in SAMPLES.items():
        name = getattr(sample, "func", sample).__name__
        assert name in text or system == "neuropixels", name  # which the lab of the tests records anyway


@pytest.mark.parametrize("system", SAMPLES)
def test_sample_of_a_system_is_read_as_that_system(system: str, tmp_path: Path) -> None:
    directory = SAMPLES[system](tmp_path / "12345" / "2023-05-01", start=START)

    assert read_session_directory(directory).system == system


READ_BY_THEIR_HEAD = (
    ".ntt",
    "neurologger_header.mat",
)  # of which a bounded part is read, however long they are
DATA = (".bin", ".dat", ".eeg", ".pos", ".egf", ".ncs", ".nev", ".nse", ".cut", ".npy")


@pytest.mark.parametrize("system", SAMPLES)
def test_every_side_file_is_read_up_to_a_limit_that_is_told_with_its_name(
    system: str, tmp_path: Path
) -> None:
    """Or it is not read at all: then what is found is the same as before."""
    directory = SAMPLES[system](tmp_path / "12345" / "2023-05-01", start=START)
    before, told = read_session_directory(directory, now=START), 0
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        if file.name.endswith((*DATA, *READ_BY_THEIR_HEAD)):
            continue
        content = file.read_bytes()
        os.truncate(file, 20 << 30)
        try:
            found = repr(read_session_directory(directory, now=START))
        except SessionDirectoryError as refusal:
            found = f"{refusal.message} {refusal.hint}"
        if found != repr(before):
            assert file.name in found and "is larger than" in found and "bytes" in found, (file.name, found)
            told += 1
        file.write_bytes(content)
    read_by_head = all(
        ending.endswith(READ_BY_THEIR_HEAD)
        for reader in READERS
        if reader.system == system
        for ending in reader.endings
    )
    assert told > 0 or read_by_head
