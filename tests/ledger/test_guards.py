"""The database itself refuses change, also through the application's own connection."""

import sqlite3
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from commands.door.command import new_command_id
from ledger import log
from ledger.database import Database
from ledger.envelope import NewEvent
from ledger.events import DeletionApproved, InputFileErased, PayloadRedacted, RedactionRequested
from ledger.input_files import keep
from ledger.tables import IMMUTABLE, metadata
from tests.ledger.writing import added, append, is_sqlite, stored_events

KEYS = {"events": "position", "receipts": "command_id", "input_files": "sha256", "checkpoints": "size"}
FILE = b"sessions: []"


@pytest.fixture
def filled(database: Database) -> Database:
    append(database, [added("a")])
    with database.writing() as transaction:
        keep(transaction, FILE)
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
        assert "INSERT is refused" in refusal(
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
        "CREATE OR REPLACE FUNCTION daybook_refuse_change_of_events() RETURNS trigger LANGUAGE sql AS ''",
        "ALTER FUNCTION daybook_refuse_change_of_events() RESET ALL",
        "CREATE TRIGGER extra BEFORE UPDATE ON events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE extra AS ON UPDATE TO events DO INSTEAD NOTHING",
        "CREATE VIEW other AS SELECT * FROM events",
        "CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = bigint, FUNCTION = textanycat)",
        "TRUNCATE input_files",
        "TRUNCATE tree_nodes",
        "DELETE FROM tree_nodes",
        "COPY events FROM PROGRAM 'true'",
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
        "CREATE TEMP VIEW events AS SELECT 1",
        "CREATE VIRTUAL TABLE other USING fts5(a)",
        "UPDATE sqlite_schema SET sql = ''",
        "PRAGMA ignore_check_constraints = ON",
        "PRAGMA main.writable_schema = 1",
        "SELECT load_extension('other')",
        "VACUUM INTO 'other.db'",
        "DETACH DATABASE main",
        "REINDEX",
        "DELETE FROM head",
        "INSERT OR REPLACE INTO head SELECT * FROM head",
        "UPDATE alembic_version SET version_num = '0'",
    ),
}
REFUSALS = (
    "permission denied", "must be owner", "not authorized", "may not be modified", "prohibited", "cannot VACUUM",
    "cannot detach",
)  # fmt: skip


def test_the_application_cannot_change_the_schema(database: Database) -> None:
    on = " ON events" if database.dialect == "postgresql" else ""
    for sql in SCHEMA_CHANGES:
        answer = refusal(database, sql.format(on=on))
        assert any(words in answer for words in REFUSALS), (sql, answer)


def test_the_application_has_no_way_round_the_triggers(database: Database) -> None:
    for sql in WAYS_ROUND[database.dialect]:
        answer = refusal(database, sql)
        assert any(words in answer for words in REFUSALS), (sql, answer)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_settings_can_be_read_and_statements_are_authorised_once(database: Database, ledger_url: str) -> None:
    with database.writing() as transaction:
        assert transaction.run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert transaction.run("PRAGMA synchronous").fetchone() == (2,)
        assert transaction.run("PRAGMA recursive_triggers").fetchone() == (1,)
        driver = transaction._driver
        asked: list[int] = []
        driver.set_authorizer(lambda action, *_: asked.append(action) or sqlite3.SQLITE_OK)
        for number in range(3):
            transaction.run("SELECT position FROM events WHERE position = ?", (number,)).fetchall()
        assert 0 < len(asked) <= 4


# --- the one change that a redaction may make -------------------------------------------------------------------------


def redaction_events(position: int, requester: str, approver: str, *, without: str = "") -> list[NewEvent]:
    """What makes the database let a payload and a file go, but for the type ``without``; the approver appends it."""
    digest = sha256(FILE).hexdigest()
    request, asked = RedactionRequested(position=position, reason="x"), {"correlation": "d1"}
    redacted = PayloadRedacted(
        position=position, stream="x", type="ReferenceValueAdded", reason="x", requested_by=requester, deletion=1,
        kept={"sha256": digest},
    )  # fmt: skip
    bodies = [
        NewEvent("deletion/1", request, None, **asked),
        NewEvent("deletion/1", DeletionApproved(), None, **asked),
        NewEvent(f"redaction/{position}", redacted, None, **asked),
        NewEvent(f"input-file/{digest}", InputFileErased(sha256=digest, deletion=1), None, **asked),
    ]
    return [event for event in bodies if type(event.body).__name__ != without]


def appended(database: Database, events: list[NewEvent], actor: str, then: str = "") -> None:
    """Append past every command, and carry a statement out before the receipt is written."""
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        command = new_command_id()
        first = log.append(transaction, head, events, log.Cause(command, actor, "{}"))[0].position
        if then:
            transaction.run(then)
            transaction.run("SELECT 1").fetchone()
        log.write_receipt(transaction, command, b"", first, head.size, "{}")


REMOVE, ERASE = "UPDATE events SET payload = NULL WHERE position = 2", "DELETE FROM input_files"


def payloads_gone(database: Database) -> list[int]:
    with database.reading() as transaction:
        rows = transaction.run("SELECT position FROM events WHERE payload IS NULL").fetchall()
    return [row[0] for row in rows]


def refused(database: Database, events: list[NewEvent], then: str, actor: str = "user_2") -> bool:
    try:
        appended(database, events, actor, then)
    except Exception as error:  # noqa: BLE001 - the drivers' own
        assert "append-only" in str(error) or "permission denied" in str(error), error
        return True
    return False


@pytest.mark.tampers
def test_payload_goes_only_with_a_request_and_the_approval_of_another(filled: Database) -> None:
    events = redaction_events(2, "user_1", "user_2")

    assert refused(filled, [added("b")], REMOVE)
    for missing in ("RedactionRequested", "DeletionApproved", "PayloadRedacted"):
        assert refused(filled, redaction_events(2, "user_1", "user_2", without=missing), REMOVE), missing
    assert refused(filled, events, REMOVE)  # all of them are user_2's
    assert refused(filled, redaction_events(1, "user_1", "user_2"), REMOVE)
    assert payloads_gone(filled) == []

    appended(filled, events[:1], "user_1")
    assert not refused(filled, events[1:], REMOVE)
    assert payloads_gone(filled) == [2]


@pytest.mark.tampers
def test_with_all_that_a_redaction_needs_nothing_else_can_be_changed(filled: Database) -> None:
    events = redaction_events(2, "user_1", "user_2")
    appended(filled, events[:1], "user_1")

    for change in (
        "UPDATE events SET payload = 'x' WHERE position = 2",
        "UPDATE events SET payload = NULL, actor = 'x' WHERE position = 2",
        "UPDATE events SET payload = NULL, leaf_sha256 = payload_sha256 WHERE position = 2",
        "UPDATE events SET payload = NULL WHERE position <= 2",
        "UPDATE events SET payload = NULL",
        "DELETE FROM events WHERE position = 2",
        "UPDATE input_files SET content = content",
    ):
        assert refused(filled, events[1:], change), change


@pytest.mark.tampers
def test_redaction_that_is_over_lets_nothing_more_through(filled: Database) -> None:
    """The file may be uploaded again, and the owner may put a payload back."""
    events = redaction_events(2, "user_1", "user_2")
    appended(filled, events[:1], "user_1")
    appended(filled, events[1:], "user_2", ERASE)
    with filled.writing() as transaction:
        keep(transaction, FILE)

    assert "append-only" in refusal(filled, ERASE)
    assert "append-only" in refusal(filled, REMOVE)
    assert refused(filled, [added("b")], ERASE)


@pytest.mark.tampers
def test_conflicts_and_views_are_no_way_to_a_payload(filled: Database) -> None:
    columns = ", ".join(log.STORED_COLUMNS)
    again = f"INSERT INTO events ({columns}) SELECT {columns} FROM events WHERE position = 2"
    ways = [
        f"{again} ON CONFLICT (position) DO UPDATE SET payload = NULL",
        f"{again} ON CONFLICT (position) DO UPDATE SET payload = excluded.payload",
        "INSERT INTO input_files (sha256, content) SELECT sha256, content FROM input_files WHERE true "
        "ON CONFLICT (sha256) DO UPDATE SET content = excluded.content",
    ]
    if filled.dialect == "postgresql":
        ways += [
            "MERGE INTO events USING (SELECT 2 AS at) AS s ON position = at WHEN MATCHED THEN UPDATE SET payload = NULL",
            "WITH gone AS (UPDATE events SET payload = NULL RETURNING 1) SELECT * FROM gone",
        ]
    else:
        ways += [
            "UPDATE OR REPLACE events SET payload = NULL", "UPDATE OR IGNORE events SET payload = NULL",
            "REPLACE INTO input_files SELECT * FROM input_files",
            "INSERT OR REPLACE INTO tree_nodes SELECT 8, 0, zeroblob(32) UNION ALL SELECT 8, 0, zeroblob(32)",
        ]  # fmt: skip
    for sql in ways:
        answer = refusal(filled, sql)
        assert "append-only" in answer or "permission denied" in answer, (sql, answer)


@pytest.mark.tampers
def test_temporary_tables_do_not_answer_for_the_real_ones(filled: Database, ledger_url: str) -> None:
    """Whoever may make them puts forged events into a table of the same name, and hides the receipts."""
    events, database = redaction_events(2, "user_1", "user_2"), filled
    if is_sqlite(ledger_url):  # the application may not make any, so the owner does
        database = Database(ledger_url, role=None)
    real = "main." if is_sqlite(ledger_url) else "public."
    try:
        with database.writing() as transaction:
            head = log.lock_head(transaction)
            transaction.run(f"CREATE TEMP TABLE events AS SELECT * FROM {real}events WHERE false")
            transaction.run(f"CREATE TEMP TABLE receipts AS SELECT * FROM {real}receipts WHERE false")
            if not is_sqlite(ledger_url):
                transaction.run("SET LOCAL search_path = pg_temp, public")
            log.append(transaction, head, events[:1], log.Cause("a", "user_1", "{}"))
            log.append(transaction, head, events[1:], log.Cause("b", "user_2", "{}"))
            assert transaction.run("SELECT count(*) FROM events").fetchone()[0] == 4
            with pytest.raises(Exception, match="append-only"):
                transaction.run(f"UPDATE {real}events SET payload = NULL WHERE position = 2")
                transaction.run("SELECT 1").fetchone()
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    except Exception as error:  # noqa: BLE001 - PostgreSQL says it once more
        assert "append-only" in str(error)
    if database is not filled:
        database.close()
    assert payloads_gone(filled) == []


def test_reading_the_past_makes_nothing_and_writes_nothing(filled: Database) -> None:
    real = "main." if filled.dialect == "sqlite" else "public."
    for sql in (
        REMOVE, ERASE, "DELETE FROM head", f"INSERT INTO {real}people (username) VALUES ('x')",
        "CREATE TEMP TABLE sessions_a AS SELECT 1 AS id",
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="read-only"), filled.past() as transaction:
            transaction.run(sql)

    with filled.writing() as transaction:
        if filled.dialect == "sqlite":
            left = transaction.run("SELECT count(*) FROM sqlite_temp_master").fetchone()
        else:
            left = transaction.run("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").fetchone()
        assert left == (0,)
    assert "append-only" in refusal(filled, REMOVE)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_login_that_may_use_the_ledger_can_not_step_up(
    filled: Database, ledger_url: str, request: pytest.FixtureRequest
) -> None:
    """The tests' own login owns the tables; this one is a member of the role and no more."""
    owner = Database(ledger_url, role=None)
    with owner.writing() as transaction:
        transaction.run(
            "DO $$ BEGIN CREATE ROLE daybook_member LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        transaction.run("GRANT daybook_app TO daybook_member")
    owner.close()
    member = Database(
        make_url(ledger_url).set(username="daybook_member").render_as_string(hide_password=False)
    )
    request.addfinalizer(member.close)
    assert stored_events(member) == stored_events(filled)

    name = str(make_url(ledger_url).username)
    for sql in (
        "RESET ROLE; ALTER TABLE events DISABLE TRIGGER ALL", "RESET ROLE; DROP TRIGGER events_refuse_update ON events",
        "RESET ROLE; UPDATE events SET actor = 'x'", "RESET ROLE; TRUNCATE events", f"SET ROLE {name}",
        "SET SESSION AUTHORIZATION DEFAULT; DELETE FROM events", "GRANT UPDATE ON events TO daybook_app; UPDATE events SET actor = actor",
    ):  # fmt: skip
        with pytest.raises(Exception) as caught, member.writing() as transaction:
            for statement in sql.split("; "):
                transaction.run(statement)
            transaction.run("SELECT 1").fetchone()
        assert any(words in str(caught.value) for words in REFUSALS), (sql, caught.value)
