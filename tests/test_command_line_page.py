"""docs/command-line.md, command by command: each ends well and answers what the page says."""

from pathlib import Path

from tests.conftest import ROOT
from tests.pages import Console, agree, blocks, own_settings, steps

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
    with own_settings(tmp_path):
        console = Console(tmp_path)
        for block in blocks(PAGE):
            for step in steps(block):
                ended = console.run(step.command)

                assert ended.exit == 0, f"$ {step.command}\n{ended.shown}"
                assert agree(step.answer, ended.shown), f"$ {step.command}\n{ended.shown}"


def test_the_page_of_every_day_names_what_is_for_it() -> None:
    assert [word for word in NAMED if word not in PAGE] == []
