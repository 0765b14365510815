"""Appending: in batches and one at a time, against raw inserts and against the peer, on both databases."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

from benchmarks.databases import new_database, new_ledger
from benchmarks.history import SUBJECT, check, requested_session
from benchmarks.measure import Measure, faster, in_turn, seconds
from benchmarks.peer_ledger import Session, application
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger.database import Transaction
from ledger.envelope import NewEvent
from ledger.events import InputFileReceived

BATCH = 1000
PEER_AT_ONCE = (
    200  # on PostgreSQL; with 1,000 of these events in one save the peer and its server wait for each other
)


class ReceiveFile(Command):
    """The upload that the sessions are of."""

    def authorise(self, world: World) -> None:
        """Anybody may."""

    def decide(self, world: World) -> Decision:
        event = InputFileReceived(filename="a.yml", sha256="0" * 64, size_bytes=1)
        stream = f"upload/{world.next_position}"
        return Decision([NewEvent(stream, event, 0, SUBJECT, world.actor)], Result())


class RequestSessions(Command):
    """As an upload asks for its sessions; ``number`` keeps the locations of two commands apart."""

    upload: int
    number: int
    count: int

    def authorise(self, world: World) -> None:
        """Anybody may."""

    def decide(self, world: World) -> Decision:
        first = world.next_position
        events = [
            NewEvent(
                f"session/{first + i}", requested_session(SUBJECT, self.number, i), 0, SUBJECT, world.actor
            )
            for i in range(self.count)
        ]
        return Decision(events, Result(), correlation=f"u{self.upload}")


def measures(place: Path, server: str | None, *, singles: int, batches: int) -> Iterator[Measure]:
    on = "SQLite" if server is None else "PostgreSQL"
    name = f"single appends through the door, a check (1 projection row), {on}"
    yield _against_peer(name, place, server, command=_check, times=singles)
    name = f"single appends through the door, a session request (3 projection rows), {on}"
    yield _against_peer(name, place, server, times=singles)
    against = "a bare durable commit of the same rows"
    yield _against_bare(name, against, place, server, times=singles, aim=0.7)
    name = f"appends in batches of {BATCH}, {on}"
    yield _against_peer(name, place, server, count=BATCH, times=batches)
    against = "bare executemany of the same rows"
    yield _against_bare(name, against, place, server, count=BATCH, times=batches, aim=0.5)


def _with_upload(place: Path, server: str | None) -> tuple[Daybook, int]:
    daybook = new_ledger(place, server)
    return daybook, daybook.submit(ReceiveFile()).first


def _check(_upload: int, number: int, count: int) -> Command:
    return check(number, count)


def _request(upload: int, number: int, count: int) -> RequestSessions:
    return RequestSessions(upload=upload, number=number, count=count)


def _against_peer(
    name: str,
    place: Path,
    server: str | None,
    *,
    times: int,
    count: int = 1,
    command: Callable[[int, int, int], Command] = _request,
) -> Measure:
    daybook, upload = _with_upload(place, server)
    peer = application(None if server is None else new_database(server), Path(mkdtemp(dir=place)))
    numbers = iter(range(10**9))
    at_once = count if server is None else PEER_AT_ONCE

    def ours() -> None:
        for _ in range(times):
            daybook.submit(command(upload, next(numbers), count))

    def theirs() -> None:
        for _ in range(times):
            number = next(numbers)
            bodies = [requested_session(SUBJECT, number, i) for i in range(count)]
            for start in range(0, count, at_once):
                some = bodies[start : start + at_once]
                peer.save(*(Session(SUBJECT, body.location, body.entry) for body in some))

    ours(), theirs()  # caches, statements, files
    pair = in_turn(ours, theirs)
    daybook.close()
    peer.close()
    return faster(name, "eventsourcing Application.save, without projections", pair, count * times, 1.0)


def _against_bare(
    name: str, against: str, place: Path, server: str | None, *, count: int = 1, times: int, aim: float
) -> Measure:
    """What a first ledger wrote, commit by commit, is written to another by the driver alone: the same statements with
    the same values."""
    numbers = range(5 * times)
    pattern, upload = _with_upload(place, server)
    with _written_down() as commits:
        for number in numbers:
            pattern.submit(_request(upload, number, count))
    pattern.close()
    (daybook, _), (target, _) = _with_upload(place, server), _with_upload(place, server)
    own, raw = [], []
    for start in range(0, 5 * times, times):
        turn = slice(start, start + times)
        own.append(
            seconds(lambda turn=turn: [daybook.submit(_request(upload, n, count)) for n in numbers[turn]])
        )
        raw.append(seconds(lambda turn=turn: _write_bare(target, commits[turn])))
    daybook.close()
    target.close()
    return faster(name, against, (median(own), median(raw)), count * times, aim)


Rows = Sequence[Sequence[Any]]
Commit = list[tuple[str, Rows]]


@contextmanager
def _written_down() -> Iterator[list[Commit]]:
    """The statements that each transaction writes by, and the rows of each."""
    commits: list[Commit] = [[]]
    run, run_many, insert_many = Transaction.run, Transaction.run_many, Transaction.insert_many

    def noted_run(self: Transaction, sql: str, values: Sequence[Any] = ()) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            commits[-1].append((sql, [values]))
        elif sql == "COMMIT" and commits[-1]:
            commits.append([])
        return run(self, sql, values)

    def noted_run_many(self: Transaction, sql: str, rows: Rows) -> None:
        commits[-1].append((sql, rows))
        run_many(self, sql, rows)

    def noted_insert_many(
        self: Transaction, table: str, columns: Sequence[str], rows: Rows, types: Sequence[str] = ()
    ) -> None:
        before = list(commits[-1])
        insert_many(self, table, columns, rows, types)
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        commits[-1][:] = [*before, (sql, rows)]  # however it was done

    with (
        patch.object(Transaction, "run", noted_run),
        patch.object(Transaction, "run_many", noted_run_many),
        patch.object(Transaction, "insert_many", noted_insert_many),
    ):
        yield commits


def _write_bare(daybook: Daybook, commits: Sequence[Commit]) -> None:
    connections, on_sqlite = daybook.database.connections, daybook.database.dialect == "sqlite"
    connection = connections.lend(to_write=True)
    cursor = connection.cursor()
    for commit in commits:
        cursor.execute("BEGIN IMMEDIATE" if on_sqlite else "BEGIN")
        for sql, rows in commit:
            written = sql if on_sqlite else sql.replace("%", "%%").replace("?", "%s")
            if len(rows) == 1:
                cursor.execute(written, rows[0])
            else:
                cursor.executemany(written, rows)
        cursor.execute("COMMIT")
    connections.take_back(connection, good=True, to_write=True)
