"""What a ledger in one SQLite file needs besides statements: to be made, set up, guarded, copied and overwritten."""

from pathlib import Path
from typing import Any

from ledger.addresses import Address
from ledger.connections import connect_sqlite, sqlite_address
from ledger.database_errors import BUSY_TIMEOUT_S, refusal_of
from ledger.errors import LedgerUnavailable

_MAY_BE_SET = ("read_uncommitted", "busy_timeout", "secure_delete")


def set_up(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # a receipt that was handed out survives a power cut
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute("PRAGMA secure_delete = ON")  # what is erased for legal reasons is gone from the file too
    # else INSERT OR REPLACE deletes without asking the triggers
    cursor.execute("PRAGMA recursive_triggers = ON")
    # Rows of the past are bound as JSON. Its first use declares a table, which the authoriser would take for a change.
    cursor.execute("SELECT value FROM json_each('[]')")
    cursor.close()


def authorise(
    action: int, name: str | None, value: str | None, _database: str | None, _trigger: str | None
) -> int:
    """What the application's role is on PostgreSQL: rows may be read and written, the schema and its guards may not.

    SQLite asks once when it compiles a statement, not when it runs it: statements that are cached cost nothing.
    """
    import sqlite3

    if action == sqlite3.SQLITE_PRAGMA:
        # reading a setting is harmless; SQLAlchemy sets the first of these, to no effect
        return sqlite3.SQLITE_OK if value is None or name in _MAY_BE_SET else sqlite3.SQLITE_DENY
    if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
        guarded = str(name).startswith("sqlite_") or name == "alembic_version"
        guarded = guarded or (name == "head" and action != sqlite3.SQLITE_UPDATE)
        return sqlite3.SQLITE_DENY if guarded else sqlite3.SQLITE_OK
    harmless = (
        sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT,
    )  # fmt: skip
    return sqlite3.SQLITE_OK if action in harmless else sqlite3.SQLITE_DENY


def create_sqlite_file(address: Address) -> None:
    """Make the database file in write-ahead mode, if it is not there yet: readers then never wait for a writer."""
    import sqlite3

    path = Path(address.database)
    if not path.parent.is_dir():
        raise LedgerUnavailable(
            "no-folder",
            f"There is no folder {path.absolute().parent} to make the ledger in.",
            "Create it, or choose another ledger.",
        )
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except sqlite3.Error as error:
        refusal = refusal_of(error, address)
        if refusal is None or refusal.code == "no-ledger":  # which is what was to be made
            refusal = LedgerUnavailable(
                "ledger-not-made",
                f"No ledger can be made in {path.absolute().parent}: you may not write there.",
                "Make the folder writable for you, or choose another one.",
            )
        raise refusal from error


def empty_journal_of(address: Address, first: str) -> bool:
    """Empty the write-ahead log, after the statement ``first``. Returns whether nobody held that up."""
    # a connection of its own, without the authoriser: the rows stay what they are
    connection = connect_sqlite(sqlite_address(address))
    try:
        connection.execute(first)
        held_up = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.close()
    return not held_up


def copy_sqlite_file(address: Address, target: Path) -> None:
    """One moment of the whole file, as a new file without a write-ahead log. Writers go on meanwhile."""
    import sqlite3

    source = connect_sqlite(sqlite_address(address))
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        # all pages in one step: what others write meanwhile would make it begin anew
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
        source.close()
