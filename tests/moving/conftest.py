"""Ledgers that are exported, and empty databases to import into."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving import setup
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


@pytest.fixture(scope="session")
def statements(
    ledger_templates: Callable[[str, Path], str], tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """What makes the tables of a SQLite ledger, as the migrations left them."""
    folder = tmp_path_factory.mktemp("tables")
    ledger_templates("sqlite", folder)
    with closing(sqlite3.connect(folder / "daybook.db")) as made:
        [(schema,)] = made.execute("SELECT version_num FROM alembic_version").fetchall()
        found = made.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    return [*(sql for (sql,) in found), f"INSERT INTO alembic_version VALUES ('{schema}')"]


@pytest.fixture(autouse=True)
def tables_at_once(statements: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports into SQLite files of this process are not about migrations: their tables are made in one go."""
    upgrade = setup.alembic.upgrade

    def made(config: Any, to: str) -> None:
        connection = config.attributes["connection"]
        if connection.dialect.name == "sqlite" and not inspect(connection).get_table_names():
            for statement in statements:
                connection.exec_driver_sql(statement)
        else:
            upgrade(config, to)

    monkeypatch.setattr(setup.alembic, "upgrade", made)


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
