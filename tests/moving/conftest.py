"""Ledgers that are exported, and empty databases to import into."""

from collections.abc import Callable
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.exporting import export_ledger
from commands.moving.importing import Moved
from tests.cli.conftest import folder, run, run_here, sample, stocked
from tests.conftest import create_database

__all__ = ["folder", "run", "run_here", "sample", "stocked"]

Nowhere = Callable[[str], str]


@pytest.fixture
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> Nowhere:
    """Kind of database -> address of one that is empty; of a SQLite file that is not there yet."""
    count = 0

    def empty(kind: str) -> str:
        nonlocal count
        count += 1
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'empty_{count}.db'}"
        return create_database(request.getfixturevalue("postgresql_server"))

    return empty


def exported(url: str) -> list[bytes]:
    return exported_with_summary(url)[0]


def exported_with_summary(url: str) -> tuple[list[bytes], Moved]:
    lines: list[bytes] = []
    daybook = Daybook.open(url, Actor("user_1"))
    try:
        moved = export_ledger(daybook, lines.append)
    finally:
        daybook.close()
    return lines, moved
