"""Workers that are killed, held up, taken for dead, or two at the same: everything goes in, and once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from commands.recordings.roots import Roots
from commands.workers import following
from commands.workers.planning import Work
from commands.workers.queue import TASK, LostLease, Queue, _Manager, arguments_of
from tests.intake.lab import Lab
from tests.patience import PATIENCE_S, until
from tests.workers.child import CRASHED, follow_and_die, processes
from tests.workers.conftest import Start, each_once, kill, leave, stop, until_inserted

on_postgresql = pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Path]:
    """While it is there, no read of what lies at the location that it holds ends."""
    file = tmp_path / "held"
    file.write_text("N:/rec/quick_0")
    yield file
    file.unlink(missing_ok=True)


@pytest.fixture
def queue(lab: Lab) -> Iterator[Queue]:
    found = Queue(arguments_of(lab.daybook.database))
    yield found
    found.close()


def reached(hold: Path) -> bool:
    return Path(f"{hold}.reached").exists()


def test_what_a_killed_worker_had_begun_another_does(lab: Lab, start: Start, hold: Path) -> None:
    leave(lab, *lab.record_quickly(3))
    first = start("--lease", "2", HELD=str(hold))
    until(lambda: reached(hold))

    kill(first)
    hold.unlink()
    start("--lease", "2")

    until_inserted(lab, 3)
    each_once(lab, 3)


@on_postgresql
def test_one_that_is_late_finishes_nothing_for_another_and_goes_on(
    lab: Lab, start: Start, hold: Path
) -> None:
    leave(lab, *lab.record_quickly(3))
    late = start("--lease", "2", HELD=str(hold))
    until(lambda: reached(hold))
    os.killpg(late.pid, signal.SIGSTOP)  # its heart beats no more
    other = start("--lease", "2")
    until_inserted(lab, 3)
    kill(other)

    os.killpg(late.pid, signal.SIGCONT)
    hold.unlink()

    for name, day in (("date_1", 10), ("date_2", 11)):
        lab.record(name, day=day)
    leave(lab, "date_1", "date_2")
    until_inserted(lab, 5)
    each_once(lab, 5)
    _, err = stop(late)
    assert "Traceback" not in err


@on_postgresql
def test_two_workers_with_one_job_settle_it_once(lab: Lab, start: Start, queue: Queue, hold: Path) -> None:
    leave(lab, *lab.record_quickly(3))
    numbers = sorted(session.id for session in _sessions(lab))
    with queue.connect().transaction():
        queue.defer([Work("settle", "N:/rec", tuple(numbers))] * 2)
    held = start(HELD=str(hold))
    other = start(HELD=str(hold))
    until(lambda: len(_looking(queue)) == 2)

    hold.unlink()

    until_inserted(lab, 3)
    until(lambda: not _looking(queue))
    each_once(lab, 3)
    for worker in (held, other):
        _, err = stop(worker)
        assert err == "Working. Ctrl-C ends it.\nStopped.\n"


def _sessions(lab: Lab) -> list[Any]:
    with lab.daybook.reading() as world:
        return list(world.state.sessions.where("id > 0", []))


def _looking(queue: Queue) -> list[Any]:
    with psycopg.connect(**queue._arguments) as connection:
        return connection.execute("SELECT id FROM procrastinate_jobs WHERE status = 'doing'").fetchall()


@on_postgresql
@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_follower_that_dies_beside_its_commit_queues_everything_once(
    lab: Lab, queue: Queue, when: str, left: int
) -> None:
    following.follow(lab.daybook, queue, lab.roots)
    leave(lab, *lab.record_quickly(3))
    died = processes.Process(target=follow_and_die, args=(lab.url, str(lab.share.parent), when))
    died.start()
    died.join(PATIENCE_S)
    assert died.exitcode == CRASHED

    with queue.connect().transaction():
        before = queue.queued("todo")[0]
    steps = []
    until(lambda: steps.append(following.follow(lab.daybook, queue, lab.roots)) or steps[-1] is not None)
    again = steps[-1]  # None as long as the server has not seen that the other is dead

    assert (len(before), again) == (3 * left, 1 - left)
    with queue.connect().transaction():
        assert len(queue.queued("todo")[0]) == 3
    assert following.follow(lab.daybook, queue, lab.roots) == 0


@on_postgresql
def test_a_queue_that_was_lost_is_filled_again(lab: Lab, queue: Queue, start: Start) -> None:
    leave(lab, *lab.record_quickly(3))
    assert following.follow(lab.daybook, queue, lab.roots) == 1
    with queue.connect().transaction():
        queue.connect().execute("DELETE FROM procrastinate_jobs")
    assert following.follow(lab.daybook, queue, lab.roots) == 0  # it was queued, by the cursor

    start("--refill")

    until_inserted(lab, 3)
    each_once(lab, 3)


@on_postgresql
def test_a_queue_that_was_lost_is_filled_again_when_it_is_time(lab: Lab, queue: Queue) -> None:
    leave(lab, *lab.record_quickly(3))
    following.follow(lab.daybook, queue, lab.roots)
    with queue.connect().transaction():
        queue.connect().execute("DELETE FROM procrastinate_jobs")
        queue.connect().execute("UPDATE followers SET refilled_at = now() - interval '1 hour'")

    assert following.follow(lab.daybook, queue, lab.roots) == 1
    assert following.follow(lab.daybook, queue, lab.roots) == 0


@on_postgresql
def test_only_who_holds_a_job_finishes_it(lab: Lab, queue: Queue) -> None:
    with queue.connect().transaction():
        queue.defer([Work("settle", "N:/rec", (1,))])
    kept = asyncio.run(_finished_late(queue._arguments))

    assert kept == {"late": ["doing"], "own": []}


async def _finished_late(arguments: dict[str, Any]) -> dict[str, list[str]]:
    import procrastinate

    connector = procrastinate.PsycopgConnector(conninfo="", kwargs=arguments, min_size=1)
    app = procrastinate.App(connector=connector)
    manager = _Manager(connector, list)
    async with app.open_async():
        late, other = await manager.register_worker(), await manager.register_worker()
        begun = await manager.fetch_job(None, late)
        assert begun is not None and begun.task_name == TASK
        await connector.execute_query_async(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE id = %(id)s",
            id=late,
        )
        assert await manager.rescue(30) == 1
        taken = await manager.fetch_job(None, other)
        assert taken is not None and taken.id == begun.id
        found = {}
        for name, job in (("late", begun), ("own", taken)):
            await manager.finish_job(job, procrastinate.jobs.Status.SUCCEEDED, True)
            found[name] = [row.status for row in await manager.list_jobs_async()]
        await manager.prune_stalled_workers(30)
        with pytest.raises(LostLease):
            await manager.update_heartbeat(late)
        return found


@on_postgresql
def test_a_server_that_cuts_every_connection_is_come_back_to(lab: Lab, start: Start, queue: Queue) -> None:
    worker = start("--lease", "2")
    lab.record_quickly(2)
    leave(lab, "quick_0")
    until_inserted(lab, 1)
    with psycopg.connect(lab.url, autocommit=True) as server:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cut = server.execute(
            f"SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
        ).fetchall()
        pids = [pid for pid, _ in cut]
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        until(lambda: server.execute(gone, (pids,)).fetchone() == (0,))  # a signal is not yet an end

    leave(lab, "quick_0", "quick_1")

    until_inserted(lab, 2)
    each_once(lab, 2)
    _, err = stop(worker)
    assert "Traceback" not in err


@on_postgresql
def test_a_login_that_is_only_a_member_of_the_applications_role_is_enough(lab: Lab, start: Start) -> None:
    name = make_url(lab.url).database
    with psycopg.connect(lab.url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name}_worker LOGIN IN ROLE daybook_app")
    try:
        login = make_url(lab.url).set(username=f"{name}_worker").render_as_string(hide_password=False)
        leave(lab, *lab.record_quickly(2))
        worker = start("--refill", DAYBOOK_TEST_DB=login)

        until_inserted(lab, 2)

        each_once(lab, 2)
        _, err = stop(worker)
        assert err == "Working. Ctrl-C ends it.\nStopped.\n"
    finally:
        with psycopg.connect(lab.url, autocommit=True) as server:
            server.execute(f"DROP ROLE {name}_worker")


def test_a_share_that_hangs_starves_no_other(lab: Lab, start: Start, hold: Path, tmp_path: Path) -> None:
    other = tmp_path / "M"
    other.mkdir()
    settings = tmp_path / "daybook.toml"
    settings.write_text(f'{settings.read_text()}"M:" = "{other}"\n')
    roots = Roots.of({"N:": [str(lab.share.parent)], "M:": [str(other)]})
    hold.write_text("N:")
    leave(lab, *lab.record_quickly(40))
    lab.record("date_50", day=50)
    (lab.share / "date_50").rename(other / "date_50")
    lab.roots = roots
    worker = start("--concurrency", "2", "--give-up", "1000", HELD=str(hold))
    until(lambda: reached(hold))

    leave_at(lab, "M:/date_50")

    until_inserted(lab, 1)
    assert lab.statuses()["M:/date_50"] == "inserted"
    kill(worker)


def test_a_read_that_hangs_is_given_up_and_tried_later(lab: Lab, start: Start, hold: Path) -> None:
    leave(lab, *lab.record_quickly(2))
    worker = start("--give-up", "1", HELD=str(hold))

    until(lambda: {look.status for look in _looks(lab)} == {"resting"})

    for look in _looks(lab):
        assert look.error == "It did not answer within 1 s."
        assert look.next_at is not None and look.next_at > look.last_at
        assert look.attempts == 1
    _, err = stop(worker)
    assert "warning: N:/rec: It did not answer within 1 s.\n" in err
    assert worker.returncode == 0


def _looks(lab: Lab) -> list[Any]:
    from commands.intake.looks import looks_at

    with lab.daybook.reading() as world:
        names = [f"s{row.id}" for row in world.state.sessions.where("id > 0", [])]
        return list(looks_at(world.transaction, names).values())


def leave_at(lab: Lab, location: str) -> None:
    from commands.intake.uploading import take_in
    from tests.intake.lab import document, session

    data = document(session("x") | {"location": location})
    report = take_in(lab.daybook, data, filename="12345.yml", roots=lab.roots)
    assert report.ok, report.findings
