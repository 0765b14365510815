"""docs/sessions-that-wait.md, command by command: each answers what the page says; and each reason stands in its table."""

from pathlib import Path

from commands.intake.decisions import decision_for
from commands.intake.insertion import CONTRADICTIONS
from commands.intake.sortings import PASSING
from tests.conftest import ROOT
from tests.pages import play

PAGE = (ROOT / "docs" / "sessions-that-wait.md").read_text(encoding="utf-8")
DECIDED = ("data-missing", "starts-apart", "no-start", "acquiring")


def test_every_command_answers_what_the_page_says(tmp_path: Path) -> None:
    play(PAGE, tmp_path)


def test_each_reason_stands_in_the_table_with_what_ends_it() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for reason in (*CONTRADICTIONS, *PASSING, *DECIDED, "probe-association", "sessions-txt"):
        [row] = [row for row in rows if f"`{reason}`" in row]
        decision = decision_for(reason)
        assert decision is None or f"--{decision.replace('_', '-')}" in row
