"""docs/command-line.md, command by command: each ends well and answers what the page says."""

from pathlib import Path

from tests.conftest import ROOT
from tests.pages import play

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
NAMED = (
    "status",
    "cat",
    "config",
    "help",
    "validate",
    "upload",
    "--utc",
    "timezone",
    "contact",
    "_DAYBOOK_COMPLETE",
)


def test_the_page_of_every_day_answers_as_it_says(tmp_path: Path) -> None:
    play(PAGE, tmp_path)


def test_the_page_of_every_day_names_what_is_for_it() -> None:
    assert [word for word in NAMED if word not in PAGE] == []
