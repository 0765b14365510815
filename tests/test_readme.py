"""The README's session, word for word: its files are written, its commands are run, and each succeeds."""

import re
import shlex
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from commands.cli.main import _SECTIONS
from commands.samples.spikeglx import SampleProbe, spikeglx_session

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
FILES = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL)
SESSIONS = re.findall(r"<!-- session -->\n```console\n(.*?)```", README, re.DOTALL)
COMMANDS = [line[2:] for block in SESSIONS for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    start = datetime(2023, 5, 1, 10, 0, 0)
    session = tmp_path / "recordings" / "12345" / "2023-05-01"
    spikeglx_session(session, probes=[SampleProbe("18408403232")], start=start)
    for name, text in FILES:
        (tmp_path / name).write_text(
            text.replace("/data/recordings", str(tmp_path / "recordings")), encoding="utf-8"
        )
    return tmp_path


def run(lab: Path, command: str) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command.replace("/data/recordings", str(lab / "recordings")))
    assert words[0] == "daybook"
    return subprocess.run(
        [sys.executable, "-m", "commands.cli", "--as", "user_1", *words[1:]],
        cwd=lab,
        env={"PYTHONPATH": str(Path(__file__).resolve().parent.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_session_of_the_readme_runs_as_it_is_written(lab: Path) -> None:
    assert [name for name, _ in FILES] == ["catalogue.yml", "12345.yml"] and len(COMMANDS) == 8
    said = {}
    for command in COMMANDS:
        answer = run(lab, command)
        assert (answer.returncode, "Traceback" in answer.stderr) == (0, False), (
            command,
            answer.stdout,
            answer.stderr,
        )
        said[command.split()[1]] = answer.stdout
    assert "1 inserted" in said["upload"] and "SessionInserted" in said["history"]
    again = run(lab, "daybook upload 12345.yml")
    assert again.returncode == 0 and "1 duplicate" in again.stdout


def test_every_verb_that_the_readme_names_exists() -> None:
    verbs = set(re.findall(r"`daybook ([a-z][a-z-]*)", README)) | {command.split()[1] for command in COMMANDS}
    known = {verb for section in _SECTIONS.values() for verb in section}
    assert verbs <= known, verbs - known
