"""Appending: in batches and one at a time, against raw inserts and against the peer, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

from benchmarks.databases import new_database, new_ledger
from benchmarks.history import SUBJECT, check, requested_session
from benchmarks.measure import Measure, faster, in_turn, seconds
from benchmarks.peer_ledger import Session, application
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import Decision, World
from ledger import log
from ledger.envelope import NewEvent
from projections.records import Session as SessionRow
from projections.records import SessionLocation
from projections.rows import Rows

BATCH = 1000
PEER_AT_ONCE = (
    200  # on PostgreSQL; with 1,000 of these events in one save the peer and its server wait for each other
)


class RequestSessions(Command):
    """As an upload asks for its sessions; ``number`` keeps the locations of two commands apart."""

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
        return Decision(events, {"first": first}, correlation=f"u{first}")


def measures(place: Path, server: str | None, *, singles: int, batches: int) -> Iterator[Measure]:
    on = "SQLite" if server is None else "PostgreSQL"
    name = f"single appends through the door, a check (1 projection row), {on}"
    yield _against_peer(name, place, server, command=check, times=singles)
    name = f"single appends through the door, a session request (3 projection rows), {on}"
    yield _against_peer(name, place, server, times=singles)
    name = f"appends in batches of {BATCH}, {on}"
    yield _against_peer(name, place, server, count=BATCH, times=batches)
    yield _against_raw(name, place, server, batches)


def _request(number: int, count: int) -> RequestSessions:
    return RequestSessions(number=number, count=count)


def _against_peer(
    name: str,
    place: Path,
    server: str | None,
    *,
    times: int,
    count: int = 1,
    command: Callable[[int, int], Command] = _request,
) -> Measure:
    daybook = new_ledger(place, server)
    peer = application(None if server is None else new_database(server), Path(mkdtemp(dir=place)))
    numbers = iter(range(10**9))
    at_once = count if server is None else PEER_AT_ONCE

    def ours() -> None:
        for _ in range(times):
            daybook.submit(command(next(numbers), count))

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


def _against_raw(name: str, place: Path, server: str | None, batches: int) -> Measure:
    """The rows that the ledger wrote, written again by bare ``executemany`` in the same batches."""
    daybook = new_ledger(place, server)
    own, raw = [], []
    for round_ in range(5):
        numbers = range(round_ * batches, (round_ + 1) * batches)
        began = _size(daybook)
        own.append(
            seconds(
                lambda numbers=numbers: [
                    daybook.submit(RequestSessions(number=n, count=BATCH)) for n in numbers
                ]
            )
        )
        rows = _rows(daybook, began)
        target = new_ledger(place, server)
        raw.append(seconds(lambda rows=rows, target=target: _write_raw(target, rows)))
        target.close()
    daybook.close()
    return faster(name, "bare executemany of the same rows", (median(own), median(raw)), batches * BATCH, 0.5)


def _size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


Batch = list[tuple[str, tuple[str, ...], list[tuple[object, ...]]]]


def _rows(daybook: Daybook, after: int) -> list[Batch]:
    """The rows of events, sessions, locations and receipts behind a position, in the batches they were written in."""
    with daybook.reading() as world:
        names = ", ".join(log.STORED_COLUMNS)
        events = world.transaction.run(f"SELECT {names} FROM events WHERE position > ?", (after,)).fetchall()
        tables: Batch = [("events", log.STORED_COLUMNS, events)]
        for record, condition in ((SessionRow, "id > ?"), (SessionLocation, "session > ?")):
            rows = Rows(record, world.head.live_slot)
            rows.attach(world.transaction)
            values = [rows._layout.values(row) for row in rows.where(condition, [after])]
            tables.append((rows.table, rows._layout.columns, values))
    return [
        [(table, columns, rows[start : start + BATCH]) for table, columns, rows in tables]
        for start in range(0, len(events), BATCH)
    ]


def _write_raw(daybook: Daybook, batches: list[Batch]) -> None:
    for batch in batches:
        with daybook.database.writing() as transaction:
            for table, columns, rows in batch:
                marks = ", ".join("?" * len(columns))
                transaction.run_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
