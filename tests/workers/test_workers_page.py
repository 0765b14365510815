"""docs/workers.md, command by command; and the queue's tables are those of the library that is installed."""

from pathlib import Path

from procrastinate.schema import SchemaManager

from tests.conftest import ROOT
from tests.pages import play

PAGE = (ROOT / "docs" / "workers.md").read_text(encoding="utf-8")
COPY = (ROOT / "migrations" / "procrastinate_3_10.sql").read_text(encoding="utf-8")


def test_every_command_answers_what_the_page_says(tmp_path: Path) -> None:
    play(PAGE, tmp_path)


def test_the_queue_is_made_as_the_library_makes_it() -> None:
    schema = SchemaManager.get_schema()

    assert COPY.endswith(schema)
    assert all(line.startswith("--") for line in COPY[: -len(schema)].splitlines() if line)
