"""Whatever goes wrong in a library or in a thread of a worker: nobody sees a traceback, and the worker goes on."""

import asyncio
import logging
import multiprocessing
import os
import signal
from typing import Any

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from commands.door.actor import Actor
from commands.door.logs import LOG
from commands.recordings.roots import Roots
from commands.workers import hearing, hosting, queue, running
from commands.workers.handing_out import _stop_with
from commands.workers.planning import Work
from commands.workers.queue import Running, _Manager
from commands.workers.reading import Died, Readers, Setting, Who
from commands.workers.running import Options, Working
from commands.workers.stopping import Asked
from tests.intake.lab import Lab
from tests.patience import until
from tests.workers.conftest import Start, each_once, leave, stop, until_inserted
from tests.workers.test_faults import on_postgresql

NOWHERE = Setting("sqlite:////nowhere", Roots.of({}), Who(Actor("user_1")), "host:1")


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The verbs of the incidents that are kept."""
    kept: list[str] = []
    monkeypatch.setattr(
        hearing, "keep", lambda _error, *, verb, beside: kept.append(verb) or ("0" * 12, beside)
    )
    return kept


@pytest.fixture
def logged() -> Any:
    lines: list[logging.LogRecord] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record)

    handler = Kept()
    LOG.addHandler(handler)
    yield lines
    LOG.removeHandler(handler)


@on_postgresql
def test_a_worker_that_was_taken_for_dead_begins_anew_and_shows_no_traceback(lab: Lab, start: Start) -> None:
    worker = start("--lease", "1")
    lab.record_quickly(2)
    leave(lab, "quick_0")
    until_inserted(lab, 1)
    with psycopg.connect(lab.url, autocommit=True) as server:
        [(schema,)] = server.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'procrastinate_workers'"
        ).fetchall()
        table = f'"{schema}".procrastinate_workers'
        before = server.execute(f"DELETE FROM {table} RETURNING id").fetchall()
        until(lambda: server.execute(f"SELECT 1 FROM {table}").fetchall() != [])

    leave(lab, "quick_0", "quick_1")

    until_inserted(lab, 2)
    each_once(lab, 2)
    assert len(before) == 1
    _, err = stop(worker)
    assert err == "Working. Ctrl-C ends it.\nStopped.\n"


@pytest.mark.parametrize("name", ["procrastinate.worker", "procrastinate.utils", "psycopg.pool", "asyncio"])
def test_what_a_library_logs_is_one_line_of_our_own_log(name: str, logged: list[logging.LogRecord]) -> None:
    hearing.hear_libraries()
    hearing.hear_libraries()
    try:
        raise ConnectorException("secret of user_1")
    except ConnectorException:
        logging.getLogger(name).exception("failed with secret", extra={"action": "side_task_failed"})

    [line] = logged
    assert line.getMessage() == f"{name}: side_task_failed ConnectorException"
    assert line.exc_info is None


@pytest.mark.parametrize("error", [ConnectorException("x"), KeyError("x")])
def test_a_task_that_dies_unseen_is_heard_of(
    error: Exception, faults: list[str], logged: list[logging.LogRecord]
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        hearing.hear_tasks(loop, (ConnectorException,))
        loop.call_exception_handler({"message": "never retrieved", "exception": error})

    asyncio.run(main())

    assert [line.exc_info for line in logged] == [None]
    assert faults == ([] if isinstance(error, ConnectorException) else ["work: a task"])


class Away:
    """A server that does not answer."""

    async def execute_query_all_async(self, *_: object, **__: object) -> None:
        raise ConnectorException


def test_a_beat_that_is_missed_does_not_stop_the_heart() -> None:
    told: list[str] = []
    manager = _Manager(Away(), list, lambda: told.append("anew"))

    asyncio.run(manager.update_heartbeat(1))

    assert told == []


def test_whoever_listens_goes_on_when_the_server_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Exception] = [ConnectorException(), psycopg.OperationalError(), KeyError("the end")]

    async def listen(*_: object, **__: object) -> None:
        raise answers.pop(0)

    monkeypatch.setattr(queue, "_AGAIN_S", 0.0)
    monkeypatch.setattr(JobManager, "listen_for_jobs", listen)

    with pytest.raises(KeyError):
        asyncio.run(_Manager(Away(), list).listen_for_jobs())

    assert answers == []


def test_a_job_that_cannot_be_put_away_has_the_worker_begin_anew() -> None:
    told: list[str] = []
    job: Any = type("Job", (), {"id": 1, "worker_id": 1, "attempts": 0})
    manager = _Manager(Away(), list, lambda: told.append("anew"))

    asyncio.run(manager.finish_job(job, None, True))  # type: ignore[arg-type]

    assert told == ["anew"]


def test_whoever_rescues_goes_on_when_the_server_was_away() -> None:
    answers = [ConnectorException(), psycopg.OperationalError(), 1]

    async def rescue(_lease_s: float) -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> None:
        async def do(_work: Work) -> None: ...

        one = Running({}, do, list, concurrency=1, lease_s=0.03)
        one._manager.rescue = rescue  # type: ignore[method-assign]
        rescuing = asyncio.create_task(one._rescue())
        await asyncio.wait_for(one._worker._new_job_event.wait(), 600)
        rescuing.cancel()

    asyncio.run(main())

    assert answers == []


def test_one_that_forgot_that_it_should_stop_is_told_again() -> None:
    told: list[str] = []

    async def main() -> None:
        working: Any = type("W", (), {"stopping": asyncio.Event()})
        working.stopping.set()
        watching = asyncio.create_task(_stop_with(working, lambda: told.append("stop")))
        while len(told) < 2:
            await asyncio.sleep(0.01)
        watching.cancel()

    asyncio.run(main())

    assert told[:2] == ["stop", "stop"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_end_is_only_written_down(number: int) -> None:
    before = signal.getsignal(number)
    with Asked() as asked:
        assert not asked.wait(0)
        os.kill(os.getpid(), number)

        assert asked.wait(600)

    assert signal.getsignal(number) is before


def test_nothing_is_read_once_the_readers_are_closed() -> None:
    readers = Readers(NOWHERE)
    here, _there = multiprocessing.Pipe()
    assert not readers._answers(here, 0.01)

    readers.close()

    with pytest.raises(Died):
        readers.read(Work("settle", "N:/rec", (1,)), 600)
    with pytest.raises(Died):
        readers._answers(here, 600)  # one that hangs in the system


def test_a_fault_in_a_thread_is_kept_and_the_thread_goes_on(
    lab: Lab, faults: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    working = Working(
        lab.daybook.ledger, lab.url, lab.roots, Who(Actor("user_1")), Options(), lambda told: None
    )

    def fails(*_: object) -> None:
        raise KeyError("x")

    def fails_and_stops(*_: object) -> None:
        working.stopping.set()
        raise KeyError("x")

    monkeypatch.setattr(running, "_AGAIN_S", (0.0, 0.0))
    monkeypatch.setattr(hosting, "is_mounted", fails)
    working.host._ask("N:")
    working.each_minute = fails
    monkeypatch.setattr(working.readers, "read", fails)
    working.do(Work("settle", "N:/rec", (1,)))
    working.step_each(fails_and_stops)
    working.keep_seen()

    assert working.host._answers["N:"][1] is False and working.host._asked == {}
    assert faults == ["work: a share", "work: a batch", "work: follow the log", "work: what is due by time"]
