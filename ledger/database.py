"""Connections and transactions on SQLite and PostgreSQL. The only module that knows how the two differ.

SQLAlchemy makes the engine, the pool and every query that is not hot; the few statements of an append go straight
to the driver. Transactions are begun and ended here by hand, on connections in autocommit mode, because SQLite has
to be told *at the beginning* that a transaction will write (``BEGIN IMMEDIATE``).
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from ledger.database_errors import APPLICATION_ROLE, BUSY_TIMEOUT_S, refusal_of
from ledger.errors import LedgerUnavailable, Refusal

_COPY_FROM = 20  # rows
_TEMPORARY_FIRST = "SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)"
_SCHEMA_OF_EVENTS = (
    "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.oid = 'events'::regclass"
)
Row = tuple[Any, ...]


@cache
def _for_postgresql(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


class Transaction:
    """One open transaction. ``run`` and ``run_many`` take SQL with ``?`` for values, on either database.

    On PostgreSQL statements are pipelined: what returns nothing is not waited for, so that an append costs four
    round trips instead of a dozen. An error of a statement may therefore show at the next fetch or at the commit.

    ``durable`` goes before a table's name where temporary ones may hide it (see ``Database.past``).
    """

    def __init__(self, connection: Connection, dialect: str) -> None:
        self.connection = connection
        self.dialect = dialect
        self.durable = ""
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._cursor = driver.cursor()
        self._pipeline: Any = driver.pipeline() if dialect == "postgresql" else None
        if self._pipeline is not None:
            self._pipeline.__enter__()

    def run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Execute one statement and return the driver's cursor, which the next ``run`` may reuse: fetch first."""
        if self.dialect == "postgresql":
            return self._driver.execute(_for_postgresql(sql), values)
        return self._cursor.execute(sql, values)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if self.dialect == "sqlite":
            self._cursor.executemany(sql, rows)
        elif len(rows) == 1:
            self._driver.execute(_for_postgresql(sql), rows[0])
        else:
            self._cursor.executemany(_for_postgresql(sql), rows)

    def insert_many(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert new rows in bulk: ``executemany``, or COPY on PostgreSQL where it pays."""
        if self.dialect == "postgresql" and len(rows) > _COPY_FROM:
            self.leave_pipeline()  # COPY does not work in one
            with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        self.run_many(_insert(table, tuple(columns)), rows)

    def read_temporary(self) -> None:
        """The temporary tables are made: from here on every statement reads them, and nothing can be written.

        SQLite sees to both by itself. PostgreSQL has statements prepared, also a moment ago, that are planned for the
        durable tables; it plans them anew where the search path is another one."""
        if self.dialect == "postgresql":
            self.run(_TEMPORARY_FIRST)
            self.run("SET TRANSACTION READ ONLY")

    def read_broken_text(self, wanted: bool) -> None:
        """On SQLite: have text read that is not UTF-8, with lone surrogates in it. PostgreSQL keeps none."""
        if self.dialect == "sqlite":
            self._driver.text_factory = _with_surrogates if wanted else str

    def wait_for(self, task: str) -> None:
        """Hold the lock of this name to the end of the transaction. On SQLite a writer is alone as it is."""
        if self.dialect == "postgresql":
            self.run("SELECT pg_advisory_xact_lock(hashtext(?))", (f"daybook {task}",)).fetchone()

    def leave_pipeline(self) -> None:
        """Wait for everything that was sent; the rest of the transaction goes statement by statement."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.__exit__(None, None, None)

    def close(self) -> None:
        self.leave_pipeline()
        self._cursor.close()


def _with_surrogates(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


@cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


class Database:
    """An opened database. Each thread has a connection of its own; transactions do not nest."""

    def __init__(self, url: str, *, role: str | None = APPLICATION_ROLE) -> None:
        self.url = _checked_url(url)
        self.dialect = self.url.get_backend_name()
        self.engine = _engine(self.url, role)
        self._role = role
        self._local = threading.local()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A read-only transaction: one moment of the ledger, however many statements."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.dialect == "postgresql" else "BEGIN"
        with self._transaction(begin) as transaction:
            yield transaction

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that writes. Raises Conflict where a unique key was taken in the meantime."""
        # READ COMMITTED whatever the server's default: behind the append lock, each statement must see the newest
        postgresql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        begin = postgresql if self.dialect == "postgresql" else "BEGIN IMMEDIATE"
        with self._transaction(begin) as transaction:
            yield transaction

    @contextmanager
    def past(self) -> Iterator[Transaction]:
        """One moment of the ledger, before which temporary tables and views of the same names may be put: they hide
        the durable ones from every statement. Nothing else can be written, and at the end nothing of it is left."""
        # READ ONLY would refuse to make temporary tables: ``read_temporary`` is for when they are made
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if self.dialect == "postgresql" else "BEGIN"
        with self._transaction(begin, end="ROLLBACK") as transaction:
            if self.dialect == "postgresql":
                transaction.durable = transaction.run(_SCHEMA_OF_EVENTS).fetchone()[0] + "."
                yield transaction
                return
            transaction.durable = "main."
            driver: Any = transaction.connection.connection.driver_connection
            driver.set_authorizer(_authorise_past)
            try:
                yield transaction
            finally:
                driver.set_authorizer(_authorise if self._role else None)

    @contextmanager
    def _transaction(self, begin: str, end: str = "COMMIT") -> Iterator[Transaction]:
        if getattr(self._local, "busy", False):
            # PostgreSQL would take the inner BEGIN for a warning and the inner COMMIT for the outer one's
            raise RuntimeError("a transaction is open on this thread already: transactions do not nest")
        with self.translated_errors():
            transaction = self._begun(begin)
            self._local.busy = True
            try:
                yield transaction
                transaction.run(end)
                transaction.leave_pipeline()
            except BaseException as error:
                self._roll_back(transaction, error)
                raise
            finally:
                self._local.busy = False
                with suppress(
                    Exception
                ):  # where the connection was given up, the error that led to it counts
                    transaction.close()

    def _begun(self, begin: str) -> Transaction:
        connection = self._connection()
        try:
            transaction = Transaction(connection, self.dialect)
            transaction.run(begin)
        except BaseException:
            self._give_up_connection()
            raise
        return transaction

    def _roll_back(self, transaction: Transaction, error: BaseException) -> None:
        # After an error in a pipeline psycopg takes statements for prepared that are not (its issue 585): the third
        # or fourth conflict on one connection would end in "prepared statement does not exist".
        spoilt = type(error).__module__.startswith("psycopg")
        try:
            transaction.leave_pipeline()
            transaction.run("ROLLBACK")
        except Exception:  # noqa: BLE001 - an error of the pipeline, or the connection is lost: the server rolls back
            spoilt = True
        if spoilt:
            self._give_up_connection()

    def _give_up_connection(self) -> None:
        """The next transaction of this thread takes a new one."""
        self._local.connection.invalidate()
        self._local.connection.close()
        self._local.connection = None

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed or connection.invalidated:
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._local.connection = connection
        return connection

    def overwrite_free_space(self) -> bool:
        """On SQLite: write the file anew without what was deleted from it, and empty its write-ahead log. False where
        somebody who is reading held that up, and on PostgreSQL, where only the owner can (VACUUM FULL)."""
        return self._empty_journal("VACUUM")

    def empty_journal(self) -> None:
        """On SQLite: empty the write-ahead log, which holds earlier states of pages, what was erased among it. Somebody
        who is reading may hold that up; the last one to close the file does it then."""
        self._empty_journal("PRAGMA busy_timeout = 1000")

    def _empty_journal(self, first: str) -> bool:
        """Behind the statement ``first``. Says whether it was emptied."""
        if self.dialect != "sqlite":
            return False
        with self.translated_errors():
            # a connection of its own, without the authoriser: the rows stay what they are
            connection = _connect_sqlite(_sqlite_address(self.url))
            try:
                connection.execute(first)
                held_up = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.close()
        return not held_up

    def close(self) -> None:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
        self.engine.dispose()

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Turn the drivers' errors that a user can act on into refusals; the rest is our own fault and passes."""
        try:
            yield
        except Refusal:
            raise
        except Exception as error:
            refusal = refusal_of(error, self.url)
            if refusal is None:
                raise
            raise refusal from error


def _checked_url(text: str) -> URL:
    try:
        url = make_url(text)
        backend, shown = url.get_backend_name(), url.render_as_string(hide_password=True)
    except (exc.ArgumentError, ValueError):  # ValueError: a port that is no number
        backend, shown = "", text
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    raise LedgerUnavailable(
        "database-url",
        f'"{shown}" is not the address of a ledger.',
        "Expected sqlite:///FILE or postgresql://USER@HOST/DATABASE.",
    )


def _engine(url: URL, role: str | None) -> Engine:
    if url.get_backend_name() == "postgresql":
        options = f"-c client_encoding=UTF8 -c lock_timeout={BUSY_TIMEOUT_S:.0f}s" + (
            f" -c role={role}" if role else ""
        )
        return create_engine(
            url,
            connect_args={"options": options, "connect_timeout": 10},
            poolclass=QueuePool,
            max_overflow=-1,
        )
    address = _sqlite_address(url)
    # The pool is named: for an address without a file SQLAlchemy would take one that closes, after five threads,
    # the connections that others are using. A thread keeps its connection, so there is no upper limit.
    engine = create_engine(
        "sqlite+pysqlite://", creator=lambda: _connect_sqlite(address), poolclass=QueuePool, max_overflow=-1
    )
    event.listen(engine, "connect", _prepare_sqlite)
    if role:
        event.listen(engine, "connect", lambda connection, _record: connection.set_authorizer(_authorise))
    return engine


def _sqlite_address(url: URL) -> str:
    """A file that lies still in a folder where nothing can be written is read as it is: the side files that SQLite
    would make for readers cannot be there, and nobody who works from this folder can change it meanwhile."""
    path = Path(url.database or "").absolute()
    if path.is_file() and not _may_write(path.parent) and not path.with_name(f"{path.name}-wal").exists():
        return path.as_uri() + "?mode=ro&immutable=1"
    return path.as_uri() + "?mode=rw"  # rw: a missing file is an error and not an empty ledger


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _connect_sqlite(address: str) -> Any:
    import sqlite3

    return sqlite3.connect(
        address,
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")  # a receipt that was handed out survives a power cut
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute("PRAGMA secure_delete = ON")  # what is erased for legal reasons is gone from the file too
    cursor.execute(
        "PRAGMA recursive_triggers = ON"
    )  # else INSERT OR REPLACE deletes without asking the triggers
    cursor.close()


def _authorise(
    action: int, name: str | None, value: str | None, _database: str | None, _trigger: str | None
) -> int:
    """What the role is on PostgreSQL: rows may be read and written, the schema and what guards it may not.

    SQLite asks once when it compiles a statement, not when it runs it: statements that are cached cost nothing.
    """
    import sqlite3

    if (
        action == sqlite3.SQLITE_PRAGMA
    ):  # reading a setting is harmless; SQLAlchemy sets this one, to no effect
        return sqlite3.SQLITE_OK if value is None or name == "read_uncommitted" else sqlite3.SQLITE_DENY
    if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
        guarded = str(name).startswith("sqlite_") or name == "alembic_version"
        guarded = guarded or (name == "head" and action != sqlite3.SQLITE_UPDATE)
        return sqlite3.SQLITE_DENY if guarded else sqlite3.SQLITE_OK
    harmless = (
        sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT,
    )  # fmt: skip
    return sqlite3.SQLITE_OK if action in harmless else sqlite3.SQLITE_DENY


def _authorise_past(
    action: int, name: str | None, value: str | None, database: str | None, trigger: str | None
) -> int:
    """While the past is read: temporary tables, views and indexes may be made and filled, and nothing else written."""
    import sqlite3

    temporary = (
        sqlite3.SQLITE_CREATE_TEMP_TABLE, sqlite3.SQLITE_CREATE_TEMP_VIEW, sqlite3.SQLITE_CREATE_TEMP_INDEX,
    )  # fmt: skip
    writing = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE, sqlite3.SQLITE_REINDEX)
    if action in temporary:
        return sqlite3.SQLITE_OK
    if action in writing:
        return sqlite3.SQLITE_OK if database == "temp" else sqlite3.SQLITE_DENY
    return _authorise(action, name, value, database, trigger)


def create_sqlite_file(url: URL) -> None:
    """Make the database file in write-ahead mode, if it is not there yet: readers then never wait for a writer."""
    import sqlite3

    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise LedgerUnavailable(
            "no-folder",
            f"There is no folder {path.parent} to make the ledger in.",
            "Create it, or choose another ledger.",
        )
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise refusal_of(error, url) or LedgerUnavailable(
            "database-not-created", f"{path}: {error}."
        ) from error
