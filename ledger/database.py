"""Transactions on SQLite and PostgreSQL. Only this module, ``connections`` and ``sqlite_files`` know how they differ.

Statements go straight to the driver. Transactions are begun and ended here by hand, on connections in autocommit mode,
because SQLite has to be told *at the beginning* that a transaction will write (``BEGIN IMMEDIATE``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, cast

from ledger.connections import CONNECTIONS, Connections, engine
from ledger.database_errors import APPLICATION_ROLE, refusal_of
from ledger.errors import Refusal
from ledger.sqlite_files import authorise, copy_sqlite_file, empty_journal_of, set_up
from ledger.urls import checked

if TYPE_CHECKING:
    from sqlalchemy import Engine


DRIVERS = {"sqlite": "sqlite3", "postgresql": "psycopg"}
_COPY_FROM = 20  # rows
_LOOK_EVERY_S = 0.001
_TO_WRITE = "BEGIN IMMEDIATE"
_VALUES = 900  # in one statement, on SQLite
_HARMLESS = ("SELECT ", "BEGIN", "COMMIT", "ROLLBACK")
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

    ``durable`` goes before a table's name where the past may hide it, and ``past`` is what does (see
    ``PastTransaction``).
    """

    past: Any = None

    def __init__(self, driver: Any, dialect: str) -> None:
        self.dialect = dialect
        self.durable = ""
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

    def read(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """As ``run``, for a query that gives many rows: PostgreSQL sends them in binary, which takes less time."""
        if self.dialect == "postgresql":
            return self._driver.execute(_for_postgresql(sql), values, binary=True)
        return self._cursor.execute(sql, values)

    def begin(self, sql: str) -> None:
        """On SQLite a writer looks every millisecond whether the file is free: SQLite's own waiting does so ten times a
        second in the end, and would miss the moments between the steps of a rebuild."""
        if sql != _TO_WRITE:
            self.run(sql)
            return
        import sqlite3

        (timeout_ms,) = self._cursor.execute("PRAGMA busy_timeout").fetchone()
        deadline = monotonic() + timeout_ms / 1000
        self._cursor.execute("PRAGMA busy_timeout = 0").fetchone()
        try:
            while True:
                try:
                    self._cursor.execute(sql)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                        raise
                    sleep(_LOOK_EVERY_S)
                else:
                    return
        finally:
            self._cursor.execute(f"PRAGMA busy_timeout = {timeout_ms:d}").fetchone()

    def stream(self, sql: str, page: int) -> Iterator[list[Row]]:
        """The rows of a query, so many at a time, whatever their number. To its end nothing else may be run."""
        if self.dialect == "postgresql":
            self.run(f"DECLARE streamed NO SCROLL CURSOR FOR {sql}")
            with suppress(GeneratorExit):  # whoever has seen enough of it closes it
                while rows := self.run(f"FETCH FORWARD {page:d} FROM streamed").fetchall():
                    yield rows
            self.run("CLOSE streamed")
            return
        cursor = self.run(sql)
        while rows := cursor.fetchmany(page):
            yield rows

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if self.dialect == "sqlite":
            self._cursor.executemany(sql, rows)
        elif len(rows) == 1:
            self._driver.execute(_for_postgresql(sql), rows[0])
        else:
            self._cursor.executemany(_for_postgresql(sql), rows)

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], types: Sequence[str] = ()
    ) -> None:
        """Insert new rows in bulk: several in one statement, or COPY on PostgreSQL where it pays; in binary where the
        ``types`` of the columns are given."""
        if self.dialect == "postgresql" and len(rows) > _COPY_FROM:
            self.leave_pipeline()  # COPY does not work in one
            how = " (FORMAT BINARY)" if types else ""
            with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN{how}") as copy:
                if types:
                    copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
            return
        together = _VALUES // len(columns)
        if self.dialect == "sqlite" and len(rows) >= 2 * together:
            end = len(rows) - len(rows) % together
            some = [tuple(chain.from_iterable(rows[at : at + together])) for at in range(0, end, together)]
            self.run_many(_insert(table, tuple(columns), together), some)
            rows = rows[end:]
        self.run_many(_insert(table, tuple(columns)), rows)

    def copy_out(self, sql: str) -> Iterator[bytes]:
        """On PostgreSQL: the rows of a query in its text format for COPY, piece by piece. To its end nothing else
        may be run."""
        self.leave_pipeline()  # COPY does not work in one
        with self._cursor.copy(f"COPY ({sql}) TO STDOUT") as copy:
            yield from map(bytes, copy)

    def copy_in(self, table: str, columns: Sequence[str], pieces: Iterable[bytes]) -> None:
        """On PostgreSQL: rows as ``copy_out`` gave them."""
        self.leave_pipeline()
        with self._cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for piece in pieces:
                copy.write(piece)

    def read_broken_text(self, wanted: bool) -> None:
        """On SQLite: have text read that is not UTF-8, with lone surrogates in it. PostgreSQL keeps none."""
        if self.dialect == "sqlite":
            self._driver.text_factory = _with_surrogates if wanted else str

    @contextmanager
    def giving_up_pages(self) -> Iterator[None]:
        """On SQLite: what is deleted now is not overwritten where a whole page becomes free: that would write the table
        once more. Only of what need not be gone; ``overwrite_free_space`` does the rest later."""
        if self.dialect != "sqlite":
            yield
            return
        self._cursor.execute("PRAGMA secure_delete = FAST").fetchone()
        try:
            yield
        finally:
            self._cursor.execute("PRAGMA secure_delete = ON").fetchone()

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


class PastTransaction(Transaction):
    """Reads alone: whatever is no SELECT is refused, on either database.

    ``hide`` puts the past before the present: from then on every statement and its values pass through ``past``,
    which prepends what hides today's tables.
    """

    def hide(self, past: Callable[[str, Sequence[Any]], tuple[str, Sequence[Any]]]) -> None:
        self.past = past

    @contextmanager
    def present(self) -> Iterator[None]:
        """The tables of today, for as long."""
        past, self.past = self.past, None
        try:
            yield
        finally:
            self.past = past

    def run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        if not sql.startswith(_HARMLESS):
            raise RuntimeError(f"a reading of the past is read-only: {sql}")
        if self.past is not None:
            sql, values = self.past(sql, values)
        return super().run(sql, values)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:  # noqa: ARG002
        raise RuntimeError(f"a reading of the past is read-only: {sql}")

    def insert_many(self, table: str, columns: Any, rows: Any, types: Any = ()) -> None:  # noqa: ARG002
        raise RuntimeError(f"a reading of the past is read-only: {table}")


def _with_surrogates(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


@cache
def _insert(table: str, columns: tuple[str, ...], rows: int = 1) -> str:
    marks = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * rows)}"


class Database:
    """An opened database, for as long as the application lives. Threads share its ``connections``.

    A transaction belongs to its ``with`` block, whatever thread that ends on. One inside another has a connection of
    its own and sees nothing of the outer one; a caller that holds all connections would wait for itself.
    """

    def __init__(
        self, url: str, *, role: str | None = APPLICATION_ROLE, connections: int = CONNECTIONS
    ) -> None:
        self.address = checked(url)
        self.dialect = self.address.backend
        self._role = role
        self._durable = ""  # the schema of the ledger's tables, read when it is first needed
        self.connections = Connections(self.address, role, connections, self._prepare)

    @cached_property
    def engine(self) -> "Engine":
        """For migrations and inspections. Its connections are not those of ``connections``."""
        return engine(self.address, self._role, self._prepare)

    def _prepare(self, driver: Any) -> None:
        if self.dialect == "sqlite":
            set_up(driver)
            driver.set_authorizer(authorise if self._role else None)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A read-only transaction: one moment of the ledger, however many statements."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.dialect == "postgresql" else "BEGIN"
        with self._transaction(begin) as transaction:
            yield transaction

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that writes. Raises Conflict where somebody else took a unique key in the meantime."""
        # READ COMMITTED whatever the server's default: behind the append lock, each statement must see the newest
        postgresql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        begin = postgresql if self.dialect == "postgresql" else _TO_WRITE
        with self._transaction(begin, to_write=True) as transaction:
            yield transaction

    @contextmanager
    def past(self) -> Iterator[PastTransaction]:
        """A read-only transaction like ``reading``, in which an earlier moment can be put before the present. It
        creates nothing in the database, not even temporarily, and needs no right but to read.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.dialect == "postgresql" else "BEGIN"
        with self._transaction(begin, PastTransaction) as transaction:
            if not self._durable:
                postgresql = self.dialect == "postgresql"
                self._durable = transaction.run(_SCHEMA_OF_EVENTS).fetchone()[0] if postgresql else "main"
            transaction.durable = f"{self._durable}."
            yield cast("PastTransaction", transaction)

    @contextmanager
    def _transaction(
        self, begin: str, kind: type[Transaction] = Transaction, *, to_write: bool = False
    ) -> Iterator[Transaction]:
        lent: Any = None
        good = begun = False
        try:
            lent = self.connections.lend(to_write=to_write)
            transaction = kind(lent, self.dialect)
            begun = True
            try:
                transaction.begin(begin)
                yield transaction
                self._end(lent, transaction)
                self.connections.require_stillness(lent)
                good = True
            except BaseException as error:
                good = self._rolled_back(lent, transaction, error)
                self.connections.require_stillness(lent)  # the file may be no database at all
                raise
        except Refusal:
            raise
        except Exception as error:
            self._raise_refusal(error, begun=begun)
            raise
        finally:
            if lent is not None:
                self.connections.take_back(lent, good=good, to_write=to_write)

    def _end(self, lent: Any, transaction: Transaction) -> None:
        if not self.connections.is_lent(lent):
            self.connections.refuse_closed()
            raise RuntimeError("a transaction was begun in another process, which this one was forked from")
        transaction.run("COMMIT")
        transaction.close()

    def _rolled_back(self, lent: Any, transaction: Transaction, error: BaseException) -> bool:
        """Whether the connection is good for the next transaction."""
        if not self.connections.is_lent(lent):
            return False
        try:
            transaction.leave_pipeline()
            transaction.run("ROLLBACK")
            transaction.close()
        except Exception:  # noqa: BLE001 - an error of the pipeline, or the connection is lost: the server rolls back
            return False
        # After an error in a pipeline psycopg takes statements for prepared that are not (its issue 585): the third
        # or fourth conflict on one connection would end in "prepared statement does not exist".
        return not type(error).__module__.startswith("psycopg")

    def overwrite_free_space(self) -> bool:
        """On SQLite: write the file anew without what was deleted from it, and empty its write-ahead log. False
        where a reader held that up, and on PostgreSQL, where only the owner can do it (VACUUM FULL).
        """
        return self._empty_journal("VACUUM")

    def empty_journal(self) -> None:
        """On SQLite: empty the write-ahead log, which holds earlier states of pages and so what was erased. A reader
        may hold that up; whoever closes the file last does it then.
        """
        self._empty_journal("PRAGMA busy_timeout = 1000")

    def _empty_journal(self, first: str) -> bool:
        """After the statement ``first``. Returns whether the log was emptied."""
        if self.dialect != "sqlite":
            return False
        with self.translated_errors():
            return empty_journal_of(self.address, first)

    def copy_file(self, target: Path) -> None:
        """On SQLite: one moment of the whole file, as a new file without a write-ahead log. Writers go on meanwhile."""
        with self.translated_errors():
            copy_sqlite_file(self.address, target)

    def close(self) -> None:
        """End every connection. From here on no transaction can begin."""
        self.connections.close()

    @contextmanager
    def translated_errors(self, *, begun: bool = False) -> Iterator[None]:
        """Turn those errors of the drivers that a user can act on into refusals; the rest are faults of the program,
        and pass. ``begun``: inside a transaction.
        """
        try:
            yield
        except Refusal:
            raise
        except Exception as error:
            self._raise_refusal(error, begun=begun)
            raise

    def _raise_refusal(self, error: Exception, *, begun: bool = False) -> None:
        if type(error).__module__.startswith(("psycopg", "sqlite3")):
            self.connections.refuse_closed()  # another thread closed it meanwhile
        refusal = refusal_of(error, self.address, begun=begun)
        if refusal is not None:
            raise refusal from error
