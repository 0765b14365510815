"""The page docs/mending-records.md, command by command: each answers what the page says, and the ledger verifies."""

from pathlib import Path

import pytest

from ledger.verify import verify
from tests.conftest import ROOT
from tests.pages import Console, agree, blocks, own_settings, steps

PAGE = (ROOT / "docs" / "mending-records.md").read_text(encoding="utf-8")
VERBS = (
    "catalogue propose", "catalogue rename", "probe take-back", "probe mend", "subject take-back", "subject rename", "amend",
    "request list", "request show", "request approve", "request reject",
)  # fmt: skip


def test_every_command_of_the_page_answers_what_it_says(tmp_path: Path) -> None:
    with own_settings(tmp_path):
        console = Console(tmp_path)
        for block in blocks(PAGE):
            for step in steps(block):
                ended = console.run(step.command)
                is_refused = "[renamed-subject]" in step.answer
                assert ended.exit == int(is_refused), f"$ {step.command}\n{ended.shown}"
                assert agree(step.answer, ended.shown), f"$ {step.command}\n{ended.shown}"

        assert verify(f"sqlite:///{console.folder}/daybook.db").problems == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_shows_every_verb_that_mends(verb: str) -> None:
    commands = [step.command for block in blocks(PAGE) for step in steps(block)]

    assert any(verb in command for command in commands)
