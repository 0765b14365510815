"""The command line on a ledger that knows a lab, and a ledger whose sessions were uploaded."""

from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, folder, run, run_here, sample, stocked, write_input_file

__all__ = ["folder", "run", "run_here", "sample", "stocked"]


@pytest.fixture
def uploaded(stocked: Run, sample: SampleLab) -> Run:
    """Two sessions were uploaded; ``recordings.yml`` says so and is there."""
    write_input_file(sample, sessions=2).rename("recordings.yml")
    assert stocked("upload", "recordings.yml").exit == 0
    return stocked


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def text_of(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")
