"""``python -m tests.answers_page`` writes ``docs/answers.md`` as the code has it now."""

from commands.cli.published import page
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "answers.md"

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
