"""A ledger of schema 0001, as the version before wrote it, is upgraded in place: the same log, with what 0002 adds.

``schema_0001.json`` holds its tables row by row: a catalogue, three uploads, sessions of which one waited, a clustering
over two, two checkpoints. It was written by that version.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic import command as alembic
from alembic import op
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.catalogue import AddReferenceValue
from commands.moving.setup import initialise
from ledger import log
from ledger.database import Database
from ledger.envelope import leaf_data, payload_digest
from ledger.errors import LedgerUnavailable, NextStep
from ledger.merkle import CompactRange, leaf_hash
from ledger.sqlite_files import create_sqlite_file
from ledger.verify import verify
from migrations.versions import v0002_wrong_data as migration
from projections.rebuild import contents, rebuild
from projections.records import SLOTS
from projections.versions import versions
from tests.conftest import create_database
from tests.ledger.test_migrations import configuration
from tests.ledger.writing import is_sqlite
from tests.length import LONG

OLDER: dict[str, Any] = json.loads((Path(__file__).parent / "schema_0001.json").read_text(encoding="utf-8"))
FACTS = ("events", "receipts", "input_files", "checkpoints")
SIZE = len(OLDER["tables"]["events"])


def older_rows(table: str) -> list[dict[str, Any]]:
    blobs = OLDER["blobs"].get(table, [])
    return [
        row | {name: bytes.fromhex(row[name]) for name in blobs} for row in OLDER["tables"].get(table, [])
    ]


@dataclass
class Older:
    """A database with that ledger in it. ``events`` of any number can be appended as 0001 had them."""

    url: str
    folder: Path

    def upgrade(self) -> str | None:
        """The schema that it had before."""
        made = initialise(self.url, Actor("user_1"), key_directory=self.folder)
        assert not made.created
        return made.upgraded_from

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        database = Database(self.url, role=None)
        with database.engine.connect() as connection:
            found = [
                tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                for row in connection.exec_driver_sql(sql).fetchall()
            ]
        database.close()
        return found

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        database = Database(self.url, role=None)
        with database.writing() as transaction:
            for row in rows:
                columns, marks = ", ".join(row), ", ".join("?" * len(row))
                transaction.run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))
        database.close()

    def grow(self, size: int) -> None:
        """More events, one command, and the head row behind them."""
        last = older_rows("events")[-1]
        events = []
        for position in range(SIZE + 1, size + 1):
            payload = json.dumps(
                {"table": "grown", "value": str(position), "attributes": {}}, separators=(",", ":")
            )
            event = last | {
                "position": position, "stream": "reference/grown", "stream_version": position - SIZE,
                "type": "ReferenceValueAdded", "schema": 1, "command_id": "grown", "correlation": "", "causation": 0,
                "subject": "", "username": "", "payload": payload, "payload_sha256": payload_digest(payload),
            }  # fmt: skip
            leaf = leaf_hash(leaf_data(tuple(event[name] for name in log.COLUMNS[:14])))  # type: ignore[arg-type]
            events.append(event | {"leaf_sha256": leaf})
        tree = self.tree().extend([event["leaf_sha256"] for event in events])
        self.insert("events", events)
        receipt = {
            "command_id": "grown",
            "command_sha256": b"",
            "first_position": SIZE + 1,
            "last_position": size,
        }
        self.insert("receipts", [receipt | {"result": "{}"}])
        database = Database(self.url, role=None)
        with database.writing() as transaction:
            transaction.run("UPDATE head SET size = ?, compact_range = ?", (size, tree.to_bytes()))
        database.close()

    @staticmethod
    def tree() -> CompactRange:
        [head] = older_rows("head")
        return CompactRange.from_bytes(head["size"], head["compact_range"])

    def shape(self) -> tuple[Any, ...]:
        """The schema, and every row of a fact."""
        if is_sqlite(self.url):
            schema = self.rows("SELECT name, sql FROM sqlite_master ORDER BY name")
        else:
            schema = self.rows(
                "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
                "WHERE table_schema = 'public' ORDER BY 1, 2"
            )
            schema += self.rows("SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger ORDER BY 1")
            schema += self.rows(
                "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
            )
        return schema, [
            self.rows(f"SELECT * FROM {table} ORDER BY 1") for table in (*FACTS, "head", "alembic_version")
        ]


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Older]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'daybook.db'}"
    else:
        url = create_database(request.getfixturevalue("postgresql_server"))
    database = Database(url, role=None)
    if request.param == "sqlite":
        create_sqlite_file(database.address)
    with database.engine.connect() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
        connection.commit()
    database.close()
    made = Older(url, tmp_path)
    for table in OLDER["tables"]:
        if table != "alembic_version":
            made.insert(table, older_rows(table))
    yield made


def nodes_by_appending(leaves: list[bytes]) -> list[tuple[int, int, bytes]]:
    """What ``log.append`` writes on the way, one leaf at a time or many."""
    nodes: list[tuple[int, int, bytes]] = []

    def completed(height: int, index: int, hashes: Any) -> None:
        if height and height % log.NODES_EVERY == 0:
            nodes.extend((height, index + i, digest) for i, digest in enumerate(hashes))

    CompactRange().extend(leaves, completed)
    return sorted(nodes)


def test_upgraded_ledger_has_the_same_root_and_the_same_facts(older: Older) -> None:
    facts = {table: older.rows(f"SELECT * FROM {table} ORDER BY 1") for table in FACTS}

    older.upgrade()

    report = verify(older.url)
    assert report.problems == []
    assert (report.events, report.root) == (SIZE, older.tree().root().hex())
    assert {table: older.rows(f"SELECT * FROM {table} ORDER BY 1") for table in FACTS} == facts
    texts = [text for _, text in facts["checkpoints"]]
    assert len(texts) == 2 and verify(older.url, kept=texts).ok


def test_upgraded_lists_say_what_they_said_and_who_may_do_what(older: Older) -> None:
    older.upgrade()

    daybook = Daybook.open(older.url, Actor("user_1"))
    with daybook.reading() as world:
        assert world.head.projections == versions()
        for table in ("uploads", "sessions", "clusterings", "session_locations", "reference_values"):
            before = older_rows(f"{table}_a")
            names = ", ".join(before[0])
            rows = world.transaction.run(
                f"SELECT {names} FROM {table}_{world.head.live_slot} ORDER BY 1, 2"
            ).fetchall()
            expected = sorted((tuple(row.values()) for row in before), key=lambda row: row[:2])
            assert rows == expected, table
        assert [row.role for row in world.state.users.where("username IN (?, ?)", ["user_1", "everyone"])] == [
            "researcher", "admin",
        ]  # fmt: skip
        live = world.head.live_slot
    rebuild(daybook.database)
    with daybook.reading() as world:
        other = SLOTS[1 - SLOTS.index(world.head.live_slot)]
        assert other == live
        assert contents(world.transaction, world.head.live_slot) == contents(world.transaction, other)
    daybook.close()


def test_upgraded_ledger_goes_on_and_answers_old_receipts(older: Older) -> None:
    older.upgrade()
    daybook = Daybook.open(older.url, Actor("user_1"))

    again = daybook.submit(AddReferenceValue(table="acquisition.Project", value="older", command_id="older"))
    new = daybook.submit(AddReferenceValue(table="acquisition.Project", value="newer"))

    [first] = [row["first_position"] for row in older_rows("receipts") if row["command_id"] == "older"]
    assert (again.repeated, again.first, again.last) == (True, first, first)
    assert new.first == SIZE + 1
    daybook.close()
    assert verify(older.url).ok


def test_ledger_is_not_opened_before_it_is_upgraded_and_an_upgrade_can_be_repeated(older: Older) -> None:
    with pytest.raises(LedgerUnavailable, match="has schema 0001") as caught:
        Daybook.open(older.url, Actor("user_1"))
    assert caught.value.steps == (NextStep("init"),)

    assert older.upgrade() == "0001"
    shape = older.shape()
    assert older.upgrade() is None
    assert older.shape() == shape


@pytest.mark.parametrize("size", [255, 256, 257, 600])
def test_nodes_are_those_that_appends_would_have_written(older: Older, size: int) -> None:
    older.grow(size)

    older.upgrade()

    leaves = [row[0] for row in older.rows("SELECT leaf_sha256 FROM events ORDER BY position")]
    assert len(leaves) == size
    found = older.rows("SELECT height, number, hash FROM tree_nodes ORDER BY height, number")
    assert found == nodes_by_appending(leaves)
    assert len(found) == size // 256
    assert verify(older.url).ok


def leaves_of(count: int) -> list[bytes]:
    return [sha256(b"%d" % number).digest() for number in range(count)]


@settings(max_examples=25)
@given(count=st.integers(0, 1_500), page=st.integers(1, 700))
@example(count=65_535, page=65_536)
@example(count=65_536, page=65_536)
@example(count=65_537, page=65_536)
@example(count=131_072, page=65_536)
@example(count=65_537, page=999)
def test_nodes_do_not_depend_on_how_the_log_is_read(count: int, page: int) -> None:
    leaves = leaves_of(count)
    pages = [leaves[at : at + page] for at in range(0, count, page)]

    found = sorted(node for nodes in migration.kept_nodes(pages) for node in nodes)

    assert found == nodes_by_appending(leaves)


STEPS = ("execute", "create_table", "add_column", "drop_table", "create_index", "alter_column")


def test_upgrade_that_dies_anywhere_leaves_the_older_ledger(
    older: Older, monkeypatch: pytest.MonkeyPatch
) -> None:
    older.grow(300)
    before = older.shape()
    every = 1 if LONG else 7 if is_sqlite(older.url) else 9

    def dies(step: int) -> bool:
        """Whether there is such a step; the process dies behind it."""
        count = 0

        def counted(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal count
                result = original(*arguments, **options)
                count += 1
                if count == step:
                    raise KeyboardInterrupt
                return result

            return call

        with monkeypatch.context() as patch:
            for name in STEPS:
                patch.setattr(op, name, counted(getattr(op, name)))
            try:
                older.upgrade()
            except KeyboardInterrupt:
                return True
        return False

    step = 1
    while dies(step):
        assert older.shape() == before, step
        step += every
    assert step > 30
    report = verify(older.url)
    assert report.problems == [] and report.events == 300


def test_tables_of_an_upgraded_ledger_are_those_of_a_new_one(older: Older, tmp_path: Path) -> None:
    older.upgrade()

    database = Database(older.url, role=None)
    with database.engine.connect() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        alembic.check(config)
        assert "tree_nodes" in inspect(connection).get_table_names()
    database.close()
