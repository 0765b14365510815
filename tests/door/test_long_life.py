"""One ledger for the life of an application: threads, event loops, generators, forks, restarts of the server."""

import asyncio
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from commands.door.world import World
from ledger import connections
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from tests.ledger.writing import Register, end_connections, is_sqlite
from tests.patience import PATIENCE_S, until

THREADS = 40


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def by(ledger: Ledger, user: str = "user_1") -> Daybook:
    return Daybook(ledger, Actor(user))


def size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


def server_connections(url: str) -> list[int]:
    """The processes of the server that serve this database; on SQLite the open files of it."""
    if is_sqlite(url):
        file = str(make_url(url).database)
        links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
        return [1 for link in links if os.path.islink(link) and os.readlink(link) == file]
    with psycopg.connect(url, autocommit=True, application_name="who counts") as server:
        sql = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND application_name <> 'who counts'"
        )
        return [row[0] for row in server.execute(sql).fetchall()]


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


# --- threads and event loops ------------------------------------------------------------------------------------------


def test_forty_threads_read_and_write_over_five_connections(ledger: Ledger, ledger_url: str) -> None:
    most: list[int] = []
    counting = (
        threading.Lock()
    )  # whoever is only just connecting has no name yet that it could be left out by

    def request(number: int) -> int:
        daybook = by(ledger, f"user_{number}")
        size(daybook)
        receipt = daybook.submit(Register(name=f"{number}", values=1))
        if number % 10 == 0:
            with counting:
                most.append(len(server_connections(ledger_url)) if sys.platform == "linux" else 0)
        return receipt.last

    with ThreadPoolExecutor(THREADS) as threads:
        positions = list(threads.map(request, range(THREADS)))

    assert sorted(positions) == list(range(3, 2 + 2 * THREADS, 2))
    assert max(most) <= 5


def test_event_loop_works_through_threads(ledger: Ledger) -> None:
    async def serve() -> list[int]:
        requests = (asyncio.to_thread(by(ledger).submit, Register(name=f"{n}")) for n in range(12))
        return [receipt.last for receipt in await asyncio.gather(*requests)]

    assert sorted(asyncio.run(serve())) == list(range(2, 14))


def test_every_user_writes_under_his_own_name_through_one_ledger(ledger: Ledger) -> None:
    for number in range(3):
        by(ledger, f"user_{number}").submit(Register(name=f"{number}"))

    with by(ledger).reading() as world:
        actors = world.transaction.run("SELECT actor FROM events ORDER BY position").fetchall()
    assert [actor for (actor,) in actors[1:]] == ["user_0", "user_1", "user_2"]


def test_rows_that_an_append_left_in_memory_serve_the_next_of_any_thread(
    ledger: Ledger, ledger_url: str
) -> None:
    by(ledger).submit(Register(name="1"))
    kept = ledger._kept[0].state

    with ThreadPoolExecutor(1) as thread:
        thread.submit(by(ledger).submit, Register(name="2")).result()
    assert ledger._kept[0].state is kept

    other = Daybook.open(ledger_url, Actor("user_2"))
    other.submit(Register(name="3"))
    other.close()
    by(ledger).submit(Register(name="4"))
    assert ledger._kept[0].state is not kept


def test_rows_of_an_append_that_was_not_committed_are_not_used_again(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program takes the position that was not committed here."""

    def lost(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Database, "_end", lost)
    with pytest.raises(KeyboardInterrupt):
        by(ledger).submit(Register(name="1", values=1))
    monkeypatch.undo()
    lost_rows = ledger._kept[0].state
    other = Daybook.open(ledger_url, Actor("user_1"))
    other.submit(Register(name="1", values=1))  # the same events, at the same positions
    other.close()

    by(ledger).submit(Register(name="2"))

    assert ledger._kept[0].state is not lost_rows


# --- generators -------------------------------------------------------------------------------------------------------


def dependency(daybook: Daybook) -> Iterator[World]:
    """As web frameworks take it: begun before a request, ended behind it, perhaps on another thread or never."""
    with daybook.reading() as world:
        yield world


def test_generator_that_nobody_finishes_does_not_block_the_next(ledger: Ledger) -> None:
    left = dependency(by(ledger))
    next(left)

    assert size(by(ledger)) == 1
    assert by(ledger).submit(Register(name="1")).last == 2
    left.close()


def test_generator_may_be_finished_on_another_thread(ledger: Ledger) -> None:
    begun = dependency(by(ledger))
    next(begun)

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lambda: list(begun)).result() == []

    assert ledger.database.connections._lent == set()


def test_connections_that_are_all_in_use_are_waited_for_and_then_refused(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WAIT_FOR_CONNECTION_S", 0.05)
    ledger = Ledger.open(ledger_url, connections=2)
    left = [dependency(by(ledger)) for _ in range(2)]
    for generator in left:
        next(generator)

    with pytest.raises(LedgerUnavailable, match=r"All connections .* \(2\)") as caught:
        size(by(ledger))
    assert caught.value.code == "no-connection" and caught.value.hint

    left.pop().close()
    assert size(by(ledger)) == 1
    left.pop().close()
    ledger.close()


def test_who_waits_for_a_connection_gets_it_before_who_asks_later(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a loop that gives back and asks again at once keeps all others out, until they are refused."""
    ledger = Ledger.open(ledger_url, connections=1)
    has_it, done = threading.Event(), threading.Event()

    def wait_for_it() -> None:
        with by(ledger).reading():
            has_it.set()
            assert done.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as threads:
        try:
            with by(ledger).reading():
                waiting = threads.submit(wait_for_it)
                until(lambda: ledger.database.connections._places._waiting)
            monkeypatch.setattr(connections, "WAIT_FOR_CONNECTION_S", 0.05)
            with pytest.raises(LedgerUnavailable, match="All connections"):
                size(by(ledger))
            assert has_it.wait(PATIENCE_S)
        finally:
            done.set()
        waiting.result()

    assert size(by(ledger)) == 1
    ledger.close()


def test_who_gave_up_waiting_leaves_the_place_to_the_next(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WAIT_FOR_CONNECTION_S", 0.05)
    ledger = Ledger.open(ledger_url, connections=1)

    with by(ledger).reading():
        for _ in range(2):
            with pytest.raises(LedgerUnavailable):
                size(by(ledger))

    assert size(by(ledger)) == 1
    assert size(by(ledger)) == 1
    ledger.close()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_writers_wait_for_the_one_who_writes_and_then_are_refused(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.05)
    with ledger.database.writing():
        with pytest.raises(LedgerUnavailable, match="Others have been writing") as caught:
            by(ledger).submit(Register(name="1"))
        assert size(by(ledger)) == 1
    assert caught.value.code == "busy"

    assert by(ledger).submit(Register(name="1")).last == 2


# --- the end ----------------------------------------------------------------------------------------------------------


@on_linux
def test_close_ends_every_connection_whatever_thread_opened_it(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_WAIT_AT_CLOSE_S", 0.05)
    before = len(server_connections(ledger_url))
    ledger = Ledger.open(ledger_url)
    together = threading.Barrier(5, timeout=PATIENCE_S)

    def hold(_: int) -> None:
        with by(ledger).reading():
            together.wait()

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(hold, range(5)))
    left = dependency(by(ledger))
    world = next(left)
    assert len(server_connections(ledger_url)) - before == 5

    ledger.close()

    until(lambda: len(server_connections(ledger_url)) == before)  # the server needs a moment to notice
    with pytest.raises(LedgerUnavailable, match="closed"):
        size(by(ledger))
    with pytest.raises(Exception, match="closed"):
        world.transaction.run("SELECT 1").fetchone()
    left.close()


def test_close_lets_what_is_being_written_come_to_its_end(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_WAIT_AT_CLOSE_S", PATIENCE_S)
    ledger = Ledger.open(ledger_url)
    writing, closing = threading.Event(), threading.Event()

    class Slow(Register):
        def decide(self, world: World) -> Any:
            writing.set()
            assert closing.wait(PATIENCE_S)
            return super().decide(world)

    with ThreadPoolExecutor(2) as threads:
        written = threads.submit(by(ledger).submit, Slow(name="1"))
        assert writing.wait(PATIENCE_S)
        closed = threads.submit(ledger.close)
        until(lambda: ledger.database.connections.closed)
        closing.set()
        assert written.result().last == 2
        closed.result()


def test_daybook_that_shares_a_ledger_does_not_close_it(ledger: Ledger) -> None:
    by(ledger).close()

    assert size(by(ledger)) == 1


# --- forks ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_makes_connections_of_its_own(ledger: Ledger, ledger_url: str) -> None:
    by(ledger).submit(Register(name="parent"))
    parents = {id(connection) for connection, _ in ledger.database.connections._free}

    def in_child() -> None:
        with ledger.database.reading() as transaction:
            assert id(transaction._driver) not in parents
        for number in range(5):
            by(ledger).submit(Register(name=f"child {number}"))
        ledger.close()

    left = dependency(by(ledger))
    next(left)
    assert forked(in_child) == 0
    left.close()

    assert by(ledger).submit(Register(name="parent again")).last == 8


def forked(work: Callable[[], None]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# --- restarts of the server -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_server_that_was_restarted_in_between_is_not_noticed(ledger: Ledger, ledger_url: str) -> None:
    left = [dependency(by(ledger)) for _ in range(3)]
    for generator in left:
        next(generator)
        generator.close()

    for number in range(3):
        end_connections(ledger_url)
        assert size(by(ledger)) == 1 + number
        end_connections(ledger_url)
        assert by(ledger).submit(Register(name=f"{number}")).last == 2 + number


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_restart_in_the_middle_is_said_and_the_same_command_is_carried_out_once(
    ledger: Ledger, ledger_url: str
) -> None:

    class Cut(Register):
        def decide(self, world: World) -> Any:
            if not cut:
                cut.append(1)
                end_connections(ledger_url)
            return super().decide(world)

    cut: list[int] = []
    command = Cut(name="1")
    with pytest.raises(LedgerUnavailable, match="lost in the middle") as caught:
        by(ledger).submit(command)
    assert caught.value.code == "connection-lost" and "same command" in caught.value.hint

    assert by(ledger).submit(command).last == 2


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_connection_that_was_idle_for_long_is_asked_first(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was dropped without a word on the way shows no sign of it."""
    size(by(ledger))
    end_connections(ledger_url)
    monkeypatch.setattr(connections, "_can_be_read", lambda _: False)
    monkeypatch.setattr(connections, "_ASK_AFTER_S", 0.0)

    assert size(by(ledger)) == 1
