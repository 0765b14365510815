"""The README's session, word for word: its commands are run in an empty folder, and each answers as the README says."""

import re
from pathlib import Path

from commands.cli.main import _SECTIONS
from tests.conftest import ROOT
from tests.pages import Console, blocks, own_settings, steps

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXCERPTS = re.findall(r"<!-- of: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL)
SESSIONS = "".join(re.findall(r"<!-- session -->\n(```console\n.*?```)", README, re.DOTALL))
COMMANDS = [step.command for block in blocks(SESSIONS) for step in steps(block)]


def test_the_session_of_the_readme_runs_as_it_is_written(tmp_path: Path) -> None:
    assert len(COMMANDS) == 11
    said = {}
    console = Console(tmp_path)

    with own_settings(tmp_path):
        for command in COMMANDS:
            answer = console.run(command)
            assert answer.exit == (1 if command == "daybook validate draft.yml" else 0), (
                command,
                answer.shown,
            )
            said[command] = answer.shown
        again = console.run("daybook upload 12345.yml")

    assert "task_type has no value" in said["daybook validate draft.yml"]
    assert "3 inserted" in said["daybook upload 12345.yml"]
    assert "SessionInserted" in said["daybook history N:/12345/2023-05-01_10-00-00"]
    assert again.exit == 0 and "3 duplicates" in again.out
    for name, excerpt in EXCERPTS:
        file = [line.strip() for line in (tmp_path / "lab" / name).read_text(encoding="utf-8").splitlines()]
        assert [line for line in excerpt.splitlines() if line.strip() not in file] == []


def test_every_verb_that_the_readme_names_exists() -> None:
    verbs = set(re.findall(r"`daybook ([a-z][a-z-]*)", README)) | {
        command.split()[1] for command in COMMANDS if command.startswith("daybook ")
    }
    known = {verb for section in _SECTIONS.values() for verb in section}
    assert verbs <= known, verbs - known
