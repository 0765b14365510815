"""docs/operations.md, command by command: each ends well and answers what the page says."""

from pathlib import Path

from tests.conftest import ROOT
from tests.pages import Console, agree, blocks, own_settings, steps

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_command_answers_what_the_page_says(tmp_path: Path) -> None:
    with own_settings(tmp_path):
        console = Console(tmp_path)
        for block in blocks(PAGE):
            for step in steps(block):
                ended = console.run(step.command)

                assert ended.exit == 0, f"$ {step.command}\n{ended.shown}"
                assert agree(step.answer, ended.shown), f"$ {step.command}\n{ended.shown}"
