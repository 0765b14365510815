"""The README's session, word for word: its files are written, its commands are run, and each succeeds."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from commands.cli.main import _SECTIONS
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from tests.cli.conftest import Ended
from tests.conftest import ROOT
from tests.pages import Console, blocks, own_settings, steps

README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL)
SESSIONS = "".join(re.findall(r"<!-- session -->\n(```console\n.*?```)", README, re.DOTALL))
COMMANDS = [step.command for block in blocks(SESSIONS) for step in steps(block)]


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


def test_the_session_of_the_readme_runs_as_it_is_written(lab: Path) -> None:
    assert [name for name, _ in FILES] == ["catalogue.yml", "12345.yml"] and len(COMMANDS) == 8
    said = {}
    console = Console(lab)

    def run(command: str) -> Ended:
        return console.run(command.replace("/data/recordings", str(lab / "recordings")))

    with own_settings(lab):
        for command in COMMANDS:
            answer = run(command)
            assert answer.exit == 0, (command, answer.shown)
            said[command.split()[1]] = answer.out
        again = run("daybook upload 12345.yml")
    assert "1 inserted" in said["upload"] and "SessionInserted" in said["history"]
    assert again.exit == 0 and "1 duplicate" in again.out


def test_every_verb_that_the_readme_names_exists() -> None:
    verbs = set(re.findall(r"`daybook ([a-z][a-z-]*)", README)) | {command.split()[1] for command in COMMANDS}
    known = {verb for section in _SECTIONS.values() for verb in section}
    assert verbs <= known, verbs - known
