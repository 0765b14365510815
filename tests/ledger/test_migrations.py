"""Migrations make the schema that the code says, from nothing, once or many times."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic
from alembic import op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

import migrations
from commands.door.actor import Actor
from commands.door.freshness import SCHEMA_REVISION
from commands.door.submit import Daybook
from commands.moving.setup import initialise
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from ledger.tables import metadata
from tests.conftest import create_database
from tests.ledger.writing import as_owner, is_sqlite


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it; the SQLite file is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return create_database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def owner(ledger_url: str) -> Iterator[Database]:
    database = Database(ledger_url, role=None)
    yield database
    database.close()


def test_there_is_one_newest_migration_and_the_code_expects_it() -> None:
    script = ScriptDirectory.from_config(configuration())

    assert script.get_heads() == [SCHEMA_REVISION]
    assert len(list(script.walk_revisions("base", "heads"))) >= 1


def test_migrated_tables_are_those_of_the_code(owner: Database) -> None:
    config = configuration()
    with owner.engine.connect() as connection:
        config.attributes["connection"] = connection
        alembic.check(config)  # raises where there is a difference
        names = set(inspect(connection).get_table_names())
    assert names == {*metadata.tables, "alembic_version"}


def test_keys_are_those_of_the_code(owner: Database) -> None:
    """What ``alembic check`` does not compare."""
    with owner.engine.connect() as connection:
        inspector = inspect(connection)
        for name, table in metadata.tables.items():
            found = inspector.get_pk_constraint(name)["constrained_columns"]
            assert found == [column.name for column in table.primary_key.columns], name
            columns = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
            assert columns == {column.name: column.nullable for column in table.columns}, name
        uniques = inspector.get_unique_constraints("events")
        assert [one["column_names"] for one in uniques] == [["stream", "stream_version"]]


def test_a_ledger_comes_of_nothing(empty_url: str, tmp_path: Path) -> None:
    assert initialise(empty_url, Actor("user_1"), key_directory=tmp_path).created

    daybook = Daybook.open(empty_url, Actor("user_1"))
    with daybook.reading() as world:
        assert world.head.size == 1
    daybook.close()


def test_a_migration_that_dies_half_way_leaves_nothing_and_can_be_repeated(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_table = op.create_table
    tables: list[str] = []

    def dies_at_the_tenth(name: str, *columns: Any, **options: Any) -> None:
        tables.append(name)
        if len(tables) == 10:
            raise KeyboardInterrupt
        create_table(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", dies_at_the_tenth)
    with pytest.raises(KeyboardInterrupt):
        initialise(empty_url, Actor("user_1"), key_directory=tmp_path)
    monkeypatch.undo()

    if is_sqlite(empty_url):
        assert list(tmp_path.iterdir()) == []
    else:
        database = Database(empty_url, role=None)
        with database.engine.connect() as connection:
            assert inspect(connection).get_table_names() == []
        database.close()
    assert initialise(empty_url, Actor("user_1"), key_directory=tmp_path).created


@pytest.mark.tampers
@pytest.mark.parametrize(("revision", "code"), [("9999", "newer-schema"), ("0000", "older-schema")])
def test_another_schema_is_named_and_says_what_to_do(ledger_url: str, revision: str, code: str) -> None:
    as_owner(ledger_url, ("UPDATE alembic_version SET version_num = ?", (revision,)))

    with pytest.raises(LedgerUnavailable, match=f"has schema {revision}") as caught:
        Daybook.open(ledger_url, Actor("user_1"))
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.tampers
def test_the_schema_is_looked_at_before_anything_else(ledger_url: str) -> None:
    """A newer schema may have other columns: they must not be what the message is about."""
    as_owner(
        ledger_url,
        "UPDATE alembic_version SET version_num = '9999'",
        "ALTER TABLE head RENAME COLUMN rebuild TO something_else",
    )
    with pytest.raises(LedgerUnavailable, match="has schema 9999"):
        Daybook.open(ledger_url, Actor("user_1"))


@pytest.mark.tampers
def test_init_does_not_touch_a_newer_ledger(ledger_url: str, tmp_path: Path) -> None:
    as_owner(ledger_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(LedgerUnavailable) as caught:
        initialise(ledger_url, Actor("user_1"), key_directory=tmp_path)
    assert caught.value.code == "newer-schema"


def test_a_database_of_another_program_is_left_alone(empty_url: str, tmp_path: Path) -> None:
    if is_sqlite(empty_url):
        connection = sqlite3.connect(tmp_path / "new.db")
        connection.execute("CREATE TABLE events (what TEXT)")
        connection.close()
    else:
        database = Database(empty_url, role=None)
        with database.writing() as transaction:
            transaction.run("CREATE TABLE events (what TEXT)")
        database.close()

    with pytest.raises(LedgerUnavailable, match="another program") as caught:
        initialise(empty_url, Actor("user_1"), key_directory=tmp_path)

    assert caught.value.hint
    assert not (tmp_path / "new.key").exists()


def test_migrations_are_never_reversed(owner: Database) -> None:
    config = configuration()
    with owner.engine.connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(NotImplementedError, match="backup"):
            alembic.downgrade(config, "base")
