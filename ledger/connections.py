"""How a database is reached: its address, and a bounded number of connections that all threads share.

A connection is lent for one transaction. One whose server went away meanwhile is replaced before it is lent, so that
nobody notices a restart but who was in the middle of something.
"""

import logging
import os
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ledger.addresses import Address, shown
from ledger.connection_errors import unreachable
from ledger.database_errors import BUSY_TIMEOUT_S
from ledger.errors import LedgerUnavailable
from ledger.forks import renewed_when_forked
from ledger.urls import server_arguments

if TYPE_CHECKING:
    from sqlalchemy import Engine

CONNECTIONS = 5
_LOG = logging.getLogger("daybook")
WAIT_FOR_CONNECTION_S = 30.0
_WAIT_AT_CLOSE_S = 5.0
_STILL = "?mode=ro&immutable=1"
_ASK_AFTER_S = (
    60.0  # idle: something between here and the server may have dropped the connection without a word
)
_of_parents: list[object] = []  # SQLite's locks do not survive that a child closes a connection of its parent


class _Places:
    """A semaphore, first come, first served: a place that is given back goes to who has waited longest. Those of the
    standard library let who asks again at once go first, and the others wait until they are refused.
    """

    def __init__(self, number: int) -> None:
        self._free, self._lock = number, Lock()
        self._waiting: deque[Any] = deque()  # a lock for each, released when it is its turn

    def taken(self, timeout_s: float) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            if turn.acquire(timeout=timeout_s):
                return True
        except BaseException:
            if self._came_meanwhile(turn):
                self.give_back()
            raise
        return self._came_meanwhile(turn)

    def _came_meanwhile(self, turn: Any) -> bool:
        with self._lock:
            try:
                self._waiting.remove(turn)
            except ValueError:
                return True
        return False

    def give_back(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Connections:
    """The connections of one application to one database, ``most`` at a time. ``prepare`` is called with a new one.

    ``writers`` of them at a time are lent to write. On SQLite that is one, and the others wait here, in turn, instead
    of asking the file again and again; on PostgreSQL one less than there are, so that readers need not wait until
    those who write have had the append lock one after the other.
    """

    def __init__(self, address: Address, role: str | None, most: int, prepare: Callable[[Any], None]) -> None:
        self._address, self._most, self.prepare = address, most, prepare
        self._is_server = address.backend == "postgresql"
        self._connect = _connecting(address, role)
        self.closed = False
        self._begin()
        renewed_when_forked(self)

    def _begin(self) -> None:
        self._writing = _Places(max(1, self._most - 1) if self._is_server else 1)
        self._places = _Places(self._most)
        self._free: list[tuple[Any, float]] = []  # with when it was taken back; the last one goes first
        self._lent: set[Any] = set()
        self._read_still: dict[Any, tuple[int, ...] | None] = {}  # see ``require_stillness``

    def renew_in_child(self) -> None:
        _of_parents.append((self._free, self._lent))
        self._begin()

    def lend(self, *, to_write: bool) -> Any:
        """A driver's connection. Raises LedgerUnavailable where none is free for too long, and the driver's errors."""
        if to_write and not self._writing.taken(BUSY_TIMEOUT_S):
            raise LedgerUnavailable(
                "busy", f"Others have been writing to this ledger for {BUSY_TIMEOUT_S:.0f} s.", "Try again."
            )
        try:
            return self._lend()
        except BaseException:
            if to_write:
                self._writing.give_back()
            raise

    def _lend(self) -> Any:
        if not self._places.taken(WAIT_FOR_CONNECTION_S):
            self.refuse_closed()
            raise LedgerUnavailable(
                "no-connection",
                f"All connections of this program to the ledger ({self._most}) have been in use for "
                f"{WAIT_FOR_CONNECTION_S:.0f} s.",
                "Try again in a moment.",
            )
        try:
            connection = self._living() or self._new()
            self._lent.add(connection)
            if self.closed:  # perhaps a moment ago
                self._lent.discard(connection)
                self._end(connection)
                self.refuse_closed()
        except BaseException:
            self._places.give_back()
            raise
        return connection

    def _living(self) -> Any:
        while self._free:
            try:
                connection, since = self._free.pop()
            except IndexError:  # another thread was faster
                return None
            if self._is_good(connection, idle_s=time.monotonic() - since):
                return connection
            self._end(connection)
            _LOG.info("connection replaced")
        return None

    def _is_good(self, connection: Any, *, idle_s: float) -> bool:
        if self._is_server:
            return is_alive(connection, idle_s=idle_s)
        if connection not in self._read_still:
            return True
        path = _file(self._address)
        return _is_read_still(path) and _stillness(path) == self._read_still[connection]

    def _new(self) -> Any:
        self.refuse_closed()
        connection = self._connect() if self._is_server else self._open_file()
        try:
            self.prepare(connection)
        except BaseException:
            self._end(connection)
            raise
        return connection

    def _open_file(self) -> Any:
        found, address = _stillness(_file(self._address)), sqlite_address(self._address)
        connection = connect_sqlite(address)
        if address.endswith(_STILL):
            self._read_still[connection] = found
        return connection

    def require_stillness(self, connection: Any) -> None:
        """Raises LedgerUnavailable where somebody wrote to a file that was read as if nobody could."""
        if self._read_still and connection in self._read_still:
            path = _file(self._address)
            if _stillness(path) != self._read_still[connection]:
                raise LedgerUnavailable(
                    "changed-meanwhile",
                    f"Somebody wrote to {path} while it was read, in a folder where you cannot write.",
                    "Try again. To read beside writers, you need to be able to write in the folder of the ledger.",
                )

    def _end(self, connection: Any) -> None:
        self._read_still.pop(connection, None)
        connection.close()

    def is_lent(self, connection: Any) -> bool:
        """False where it was ended from elsewhere, or belongs to the process that this one was forked from."""
        return connection in self._lent

    def take_back(self, connection: Any, *, good: bool, to_write: bool) -> None:
        if connection not in self._lent:
            return
        self._lent.discard(connection)
        if good and not self.closed:
            self._free.append((connection, time.monotonic()))
        else:
            self._end(connection)
        self._places.give_back()
        if to_write:
            self._writing.give_back()

    def close_free(self) -> None:
        """End those that nobody uses: the next transactions make new ones."""
        while self._free:
            with suppress(IndexError):  # another thread was faster
                self._end(self._free.pop()[0])

    def close(self) -> None:
        """End every connection, whatever thread borrowed it. What is being done is given a moment to end by itself."""
        self.closed = True
        deadline = time.monotonic() + _WAIT_AT_CLOSE_S
        while self._lent and time.monotonic() < deadline:
            time.sleep(0.005)
        while self._lent:
            with suppress(KeyError):  # it ended by itself just now
                self._end(self._lent.pop())
        self.close_free()

    def refuse_closed(self) -> None:
        if self.closed:
            raise LedgerUnavailable(
                "closed", "This ledger was closed by the program that opened it.", "Open it again."
            )


def engine(address: Address, role: str | None, prepare: Callable[[Any], None]) -> "Engine":
    """For what SQLAlchemy itself does with a database: migrations and inspections. Each use is a new connection."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    connect = _connecting(address, role, autocommit=False)
    made = create_engine(address.parsed(), creator=connect, poolclass=NullPool)
    event.listen(made, "connect", lambda driver, _record: prepare(driver))
    return made


def _connecting(address: Address, role: str | None, *, autocommit: bool = True) -> Callable[[], Any]:
    if address.backend == "sqlite":
        return lambda: connect_sqlite(sqlite_address(address))
    import psycopg

    arguments = server_arguments(address, role)

    def connect() -> Any:
        try:
            return psycopg.connect(**arguments, autocommit=autocommit)
        except (
            psycopg.ProgrammingError
        ) as error:  # of a parameter that cannot be read, before anything was sent
            raise unreachable(shown(address.text), str(error)) from error

    return connect


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def is_alive(connection: Any, *, idle_s: float) -> bool:
    """Of a connection that is idle nothing can be read, unless the server has ended it: to look costs no round trip."""
    if not _can_be_read(connection.fileno()) and idle_s < _ASK_AFTER_S:
        return True
    try:
        connection.execute("")
    except Exception:  # noqa: BLE001 - whatever it is, a new one is made in its place
        return False
    return True


def _can_be_read(socket: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


# --- SQLite -----------------------------------------------------------------------------------------------------------


def sqlite_address(address: Address) -> str:
    path = _file(address)
    # rw: a missing file is an error and not an empty ledger
    return path.as_uri() + (_STILL if _is_read_still(path) else "?mode=rw")


def _file(address: Address) -> Path:
    return Path(address.database).absolute()


def _is_read_still(path: Path) -> bool:
    """A file that nobody has open, in a folder where this user cannot write, is read as it is: the side files that
    SQLite would make for readers cannot be there. Others may be able to write: that nobody did is asked at the end of
    each transaction (``Connections.require_stillness``)."""
    return path.is_file() and not _may_write(path.parent) and not path.with_name(f"{path.name}-wal").exists()


def _stillness(path: Path) -> tuple[int, ...] | None:
    """What is another after anybody wrote to the file. A write-ahead log beside it changes nothing of the file until it
    is copied into it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def connect_sqlite(address: str) -> Any:
    import sqlite3

    return sqlite3.connect(
        address,
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,  # a transaction may end on another thread than it began on
        cached_statements=256,
    )
