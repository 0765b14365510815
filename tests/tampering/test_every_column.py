"""Every column of both databases, changed to a text, a number, nothing and bytes: the database refuses it, ``verify`` finds
it, or a reason here says why it does not matter. None of it ends in a fault."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import projections.tables  # noqa: F401 - registers the tables of the lists
from commands.door.actor import Actor
from commands.door.freshness import check_schema
from commands.door.submit import Daybook
from commands.proving.checkpoints import make_checkpoint
from ledger.database import Database, Transaction
from ledger.errors import IntegrityFailure, LedgerUnavailable
from ledger.head import SLOTS, read_head
from ledger.tables import metadata
from ledger.verify import examine
from projections import comparing
from projections.comparing import compare, folded
from projections.records import RECORDS
from tests.ledger.writing import lift_guards
from tests.projections.seeds import STEPS
from tests.projections.test_rebuild_equals_incremental import write_history

VALUES: dict[str, Any] = {"text": "zz", "number": 7, "null": None, "bytes": b"\x00\xff"}
BESIDE = (
    "people",
    "secrets",
    "sign_in_failures",
    "looks",
    "workers",
    "preferences",
    "outbox",
    "mail_position",
    "drafts",
    "archives",
)  # what can be erased, and is in no event
FACTS = ("events", "head", "receipts", "input_files", "checkpoints", "tree_nodes", *BESIDE)

SILENT = {
    **{
        (
            "people",
            each.name,
        ): "names of people are in no event, so that they can be erased; nothing rests on them"
        for each in metadata.tables["people"].columns
    },
    **{
        (
            "secrets",
            each.name,
        ): "no event holds a secret; who can write here can sign in as another, see the README"
        for each in metadata.tables["secrets"].columns
    },
    **{
        ("sign_in_failures", each.name): "they are counted for an hour; who can write here can try more often"
        for each in metadata.tables["sign_in_failures"].columns
    },
    **{
        (table, each.name): "what workers did and when they look next, not what is so: lost, they look again"
        for table in ("looks", "workers")
        for each in metadata.tables[table].columns
    },
    **{
        (
            "drafts",
            each.name,
        ): "what somebody is still writing is not on record; who uploads it sees what it says"
        for each in metadata.tables["drafts"].columns
    },
    **{
        (table, each.name): "mail tells of what is on record elsewhere; who can write here can send another"
        for table in ("outbox", "mail_position")
        for each in metadata.tables[table].columns
    },
    **{
        (
            "archives",
            each.name,
        ): "where copies lie changes nothing that is on record; archive check looks at them"
        for each in metadata.tables["archives"].columns
    },
    **{
        ("preferences", each.name): "what each has chosen to see changes nothing that is on record"
        for each in metadata.tables["preferences"].columns
    },
    (
        "receipts",
        "command_sha256",
    ): "it stands nowhere else: a repeated command would be taken for another, and refused",
}
"""Why a change that nobody finds does not matter."""

SILENT_WITH = {
    ("receipts", "command_sha256"): {
        "bytes",
        "text",
    },  # PostgreSQL makes bytes of a text; on SQLite it is found
}
"""With which values the change is silent; with all others it is not."""


def test_a_list_of_the_slot_that_is_not_live_is_read_by_nobody() -> None:
    """So its tables need no case: the next rebuild empties them before it fills them (``projections.rebuild._begin``)."""
    assert {table.rpartition("_")[2] for table in metadata.tables if table not in FACTS} == set(SLOTS)


def _has_an_empty_list(database: Database) -> bool:
    with database.reading() as transaction:
        live = read_head(transaction).live_slot
        counts = [transaction.run(f"SELECT count(*) FROM {r.TABLE}_{live}").fetchone()[0] for r in RECORDS]
    return not all(counts)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def victim(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Transaction, str]]:
    """A ledger with rows in every table, in a transaction of its owner that is never committed."""
    folder: Path = tmp_path_factory.mktemp("columns")
    url = ledger_templates(request.param, folder)
    daybook = Daybook.open(url, Actor("user_1"))
    seeds = count(99)
    while _has_an_empty_list(daybook.database):
        write_history(daybook.database, next(seeds), STEPS)
    daybook.close()
    Daybook.open(url, Actor("user_1")).close()
    daybook = Daybook.open(url, Actor("user_1"))
    make_checkpoint(daybook, folder / "daybook.key")
    with daybook.database.writing() as transaction:
        transaction.run("INSERT INTO people (username, name, email) VALUES ('user_1', 'N', 'n@x')")
        transaction.run("INSERT INTO secrets VALUES ('t1', 'token', 'user_1', 'd', '{}', 'a', 'b', 'c')")
        transaction.run("INSERT INTO drafts VALUES ('user_1', 'a.yml', ?, 'a')", (b"a",))
        transaction.run(
            "INSERT INTO outbox VALUES ('m1', 'user_1', 'k', 's', 'b', 'queued', 0, '', 'a', 'a', NULL, NULL)"
        )
        transaction.run("INSERT INTO mail_position VALUES (1, 1, 'a')")
        transaction.run("INSERT INTO preferences VALUES ('user_1', 'zone', 'UTC')")
        transaction.run("INSERT INTO archives VALUES ('host', '/a', 16, 16, 'a')")
        transaction.run("INSERT INTO sign_in_failures VALUES ('user_1', 'a', 1)")
        transaction.run("INSERT INTO looks VALUES ('s1', 'N:', 'waiting', 1, 'a', 'a', 'b', 'host', '')")
        transaction.run("INSERT INTO workers VALUES ('host:1', 'host', 'user_1', '', 'a', 'a')")
    daybook.close()
    database = Database(url, role=None)
    try:
        with database.writing() as transaction:
            transaction.leave_pipeline()
            lift_guards(transaction, lists=True)
            assert problems(transaction, url) == []
            yield transaction, url
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    finally:
        database.close()


def problems(transaction: Transaction, url: str) -> list[str]:
    found = [problem.code for problem in examine(transaction, url).problems]
    try:
        return found + [problem.code for problem in compare(transaction)]
    except IntegrityFailure as failure:
        return [*found, failure.code]
    finally:
        transaction.read_broken_text(False)


def tables(transaction: Transaction) -> list[str]:
    live = read_head(transaction).live_slot
    return [table for table in metadata.tables if table in FACTS or table.endswith(f"_{live}")]


def change(transaction: Transaction, table: str, column: str, value: Any) -> bool:
    """Change one row behind a savepoint; False where the database refuses such a value."""
    key = list(metadata.tables[table].primary_key.columns.keys())
    where = " AND ".join(f"{name} = ?" for name in key)
    row = transaction.run(f"SELECT {', '.join(key)} FROM {table} ORDER BY 1 LIMIT 1").fetchone()
    assert row is not None, f"{table} is empty: it has no case"
    was = transaction.run(f"SELECT {column} FROM {table} WHERE {where}", row).fetchone()[0]
    if value == was:
        value = 8 if value == 7 else "zzz"
    transaction.run("SAVEPOINT one")
    try:
        transaction.run(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *row))
    except Exception as error:  # noqa: BLE001 - the drivers' own
        assert type(error).__name__ in (
            "IntegrityError", "DataError", "InvalidTextRepresentation", "NotNullViolation", "DatatypeMismatch",
            "UniqueViolation", "NumericValueOutOfRange", "UndefinedFunction", "CharacterNotInRepertoire",
        ), error  # fmt: skip
        return False
    return transaction.run(f"SELECT count(*) FROM {table} WHERE {column} = ?", (was,)).fetchone() is not None


def test_no_change_is_silent_and_none_ends_in_a_fault(victim: tuple[Transaction, str]) -> None:
    transaction, url = victim
    live = read_head(transaction).live_slot
    lists = {f"{record.TABLE}_{live}": record for record in RECORDS}

    def found(table: str) -> bool:
        """What follows from the events alone is folded once for all changes of a list, and only that list is looked at."""
        if table in lists:
            return bool(comparing._differences(transaction, beside, lists[table], live))
        return bool(examine(transaction, url).problems) or bool(problems(transaction, url))

    with folded(transaction) as (beside, _):
        tried, refused, silent = _try_all(transaction, found)

    assert tried > 600 and 0 < refused < tried
    unexplained = [
        each for each in silent if each[0] not in BESIDE and each[2] not in SILENT_WITH.get(each[:2], ())
    ]
    assert unexplained == []
    assert {each[:2] for each in silent} == set(SILENT)


def _try_all(
    transaction: Transaction, found: Callable[[str], bool]
) -> tuple[int, int, list[tuple[str, str, str]]]:
    silent: list[tuple[str, str, str]] = []
    tried = refused = 0
    for table in tables(transaction):
        for column in (each.name for each in metadata.tables[table].columns):
            for kind, value in VALUES.items():
                tried += 1
                if not change(transaction, table, column, value):
                    refused += 1
                elif not found(table):
                    silent.append((table, column, kind))
                transaction.run("ROLLBACK TO SAVEPOINT one")
    return tried, refused, silent


def test_another_schema_is_refused_by_whoever_opens_the_ledger(victim: tuple[Transaction, str]) -> None:
    transaction, _ = victim
    transaction.run("SAVEPOINT one")
    for value in ("9999", "zz", ""):
        transaction.run("UPDATE alembic_version SET version_num = ?", (value,))
        with pytest.raises(LedgerUnavailable, match="schema"):
            check_schema(transaction)
    transaction.run("ROLLBACK TO SAVEPOINT one")
