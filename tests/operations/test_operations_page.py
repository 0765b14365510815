"""docs/operations.md, command by command: each ends well and answers what the page says."""

from pathlib import Path

from tests.conftest import ROOT
from tests.pages import play

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_command_answers_what_the_page_says(tmp_path: Path) -> None:
    play(PAGE, tmp_path)
