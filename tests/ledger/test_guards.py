"""The database itself refuses change, also through the application's own connection."""

import sqlite3
from typing import Any

import pytest

from ledger import log
from ledger.database import Database
from ledger.input_files import keep
from ledger.tables import IMMUTABLE, metadata
from tests.ledger.writing import added, append, is_sqlite, stored_events

KEYS = {"events": "position", "receipts": "command_id", "input_files": "sha256", "checkpoints": "size"}


@pytest.fixture
def filled(database: Database) -> Database:
    append(database, [added("a")])
    with database.writing() as transaction:
        keep(transaction, b"sessions: []")
    return database


def refusal(database: Database, sql: str, values: tuple[Any, ...] = ()) -> str:
    """What the database answers to a statement; nothing of it stays."""
    with pytest.raises(Exception) as caught, database.writing() as transaction:
        transaction.run(sql, values)
        transaction.run("SELECT 1").fetchone()
        pytest.fail(f"not refused: {sql}")
    return str(caught.value)


def test_rows_that_were_written_cannot_be_changed_or_deleted(filled: Database) -> None:
    for table in ("events", "receipts", "input_files"):
        with filled.reading() as transaction:
            before = transaction.run(f"SELECT * FROM {table}").fetchall()
        statements = [f"DELETE FROM {table}", f"DELETE FROM {table} WHERE {KEYS[table]} IS NOT NULL"]
        statements += [
            f"UPDATE {table} SET {column.name} = {column.name}" for column in metadata.tables[table].columns
        ]
        for sql in statements:
            answer = refusal(filled, sql)
            assert "append-only" in answer or "permission denied" in answer, (sql, answer)
        with filled.reading() as transaction:
            assert before == transaction.run(f"SELECT * FROM {table}").fetchall() != []


@pytest.mark.tampers
def test_checkpoints_cannot_be_changed_or_deleted(database: Database) -> None:
    with database.writing() as transaction:
        transaction.run("INSERT INTO checkpoints (size, text) VALUES (1, 'x')")
    for sql in ("UPDATE checkpoints SET text = 'y'", "DELETE FROM checkpoints"):
        answer = refusal(database, sql)
        assert "append-only" in answer or "permission denied" in answer


def test_the_owner_is_refused_as_well(
    filled: Database, ledger_url: str, request: pytest.FixtureRequest
) -> None:
    owner = Database(ledger_url, role=None)
    request.addfinalizer(owner.close)
    statements = [
        f"UPDATE {table} SET {KEYS[table]} = {KEYS[table]}" for table in ("events", "receipts", "input_files")
    ]
    statements += [f"DELETE FROM {table}" for table in ("events", "receipts", "input_files")]
    if not is_sqlite(ledger_url):
        statements += [f"TRUNCATE {table}" for table in IMMUTABLE]
        statements += ["DO $$ BEGIN SET session_replication_role = replica; DELETE FROM events; END $$"]
    for sql in statements:
        assert "append-only" in refusal(owner, sql)


def test_replacing_a_row_is_refused(filled: Database, ledger_url: str) -> None:
    before = stored_events(filled)
    columns = ", ".join(log.STORED_COLUMNS)
    forged = columns.replace("actor", "'user_2'")
    if is_sqlite(ledger_url):
        sql = f"INSERT OR REPLACE INTO events ({columns}) SELECT {forged} FROM events WHERE position = 2"
        moved = forged.replace(
            "position", "99", 1
        )  # the other key, (stream, stream_version), is the one that clashes
        assert "append-only" in refusal(filled, sql)
        assert "append-only" in refusal(
            filled, f"REPLACE INTO events ({columns}) SELECT {moved} FROM events WHERE position = 2"
        )
    else:
        sql = (
            f"INSERT INTO events ({columns}) SELECT {forged} FROM events WHERE position = 2 "
            "ON CONFLICT (position) DO UPDATE SET actor = 'user_2'"
        )
        assert "permission denied" in refusal(filled, sql)
    assert stored_events(filled) == before


SCHEMA_CHANGES = (
    "DROP TRIGGER events_refuse_update{on}",
    "DROP TABLE events",
    "ALTER TABLE events RENAME TO gone",
    "ALTER TABLE events ADD COLUMN extra TEXT",
    "CREATE INDEX ix_extra ON events (actor)",
    "DROP TABLE sessions_a",
    "ALTER TABLE head RENAME TO gone",
)
WAYS_ROUND = {
    "postgresql": (
        "TRUNCATE events",
        "TRUNCATE head",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION daybook_refuse_change() RETURNS trigger LANGUAGE sql AS ''",
        "DELETE FROM head",
        "INSERT INTO head (id) VALUES (2)",
        "UPDATE alembic_version SET version_num = '0'",
        "CREATE ROLE other",
    ),
    "sqlite": (
        "UPDATE sqlite_master SET sql = ''",
        "DELETE FROM sqlite_master WHERE type = 'trigger'",
        "PRAGMA writable_schema = ON",
        "PRAGMA recursive_triggers = OFF",
        "PRAGMA journal_mode = DELETE",
        "ATTACH DATABASE ':memory:' AS other",
        "CREATE TRIGGER extra AFTER INSERT ON events BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER extra AFTER INSERT ON events BEGIN SELECT 1; END",
        "CREATE TEMP TABLE events (position INTEGER)",
        "CREATE VIEW other AS SELECT 1",
        "REINDEX",
        "DELETE FROM head",
        "INSERT OR REPLACE INTO head SELECT * FROM head",
        "UPDATE alembic_version SET version_num = '0'",
    ),
}
REFUSALS = ("permission denied", "must be owner", "not authorized", "may not be modified")


def test_the_application_cannot_change_the_schema(database: Database) -> None:
    on = " ON events" if database.dialect == "postgresql" else ""
    for sql in SCHEMA_CHANGES:
        answer = refusal(database, sql.format(on=on))
        assert any(words in answer for words in REFUSALS), (sql, answer)


def test_the_application_has_no_way_round_the_triggers(database: Database) -> None:
    for sql in WAYS_ROUND[database.dialect]:
        answer = refusal(database, sql)
        assert any(words in answer for words in REFUSALS), (sql, answer)


def test_settings_can_be_read_and_statements_are_authorised_once(database: Database, ledger_url: str) -> None:
    if not is_sqlite(ledger_url):
        pytest.skip("SQLite's authoriser")
    with database.writing() as transaction:
        assert transaction.run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert transaction.run("PRAGMA synchronous").fetchone() == (2,)
        assert transaction.run("PRAGMA recursive_triggers").fetchone() == (1,)
        driver = transaction.connection.connection.driver_connection
        asked: list[int] = []
        driver.set_authorizer(lambda action, *_: asked.append(action) or sqlite3.SQLITE_OK)
        for number in range(3):
            transaction.run("SELECT position FROM events WHERE position = ?", (number,)).fetchall()
        assert 0 < len(asked) <= 4
