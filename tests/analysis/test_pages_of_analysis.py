"""The pages docs/query.md and docs/archive.md: played, and the views listed as they are."""

from pathlib import Path

import pytest

from tests.analysis.query_page import PAGE, listed
from tests.conftest import ROOT
from tests.pages import play


@pytest.mark.parametrize("name", ["query", "archive"])
def test_every_command_of_the_page_answers_what_it_says(name: str, tmp_path: Path) -> None:
    play((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"), tmp_path)


def test_the_views_are_listed_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == listed(page), "A view has changed: python -m tests.analysis.query_page"
