"""The queue on the ledger's own PostgreSQL: procrastinate, in a schema of its own. The only module that knows it.

A worker holds a job as long as its heart beats. One that is late finishes nothing for another: what it found is
submitted as any command is, and its job is no longer its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import procrastinate
import psycopg
from procrastinate import jobs, manager, worker
from procrastinate.exceptions import ConnectorException
from psycopg import errors

from commands.door.logs import LOG
from commands.workers.planning import Work
from ledger.database import Database
from ledger.database_errors import APPLICATION_ROLE
from ledger.urls import quoted, server_arguments

TASK = "daybook.take"
LOST = (psycopg.OperationalError, psycopg.InterfaceError, ConnectorException)
"""What is raised where the server cannot be reached; it may be there again in a while."""
_OF_EVENTS = (
    "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.oid = 'events'::regclass"
)
_TO_DO = (
    "SELECT DISTINCT queue_name FROM procrastinate_jobs "
    "WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())"
)
_QUEUED = "SELECT args FROM procrastinate_jobs WHERE status::text = ANY(%s)"
_OWN = (
    "WITH own AS MATERIALIZED (SELECT id FROM procrastinate_jobs WHERE id = %(job_id)s AND status = 'doing' "
    "AND worker_id = %(worker_id)s AND attempts = %(attempts)s FOR UPDATE) "
)
_FINISH = _OWN + "DELETE FROM procrastinate_jobs j USING own WHERE j.id = own.id RETURNING j.id"
_PUT_BACK = _OWN + (
    "UPDATE procrastinate_jobs j SET status = 'todo', attempts = j.attempts + 1, worker_id = NULL, "
    "abort_requested = false FROM own WHERE j.id = own.id RETURNING j.id"
)
_RESCUE = (
    "WITH stalled AS MATERIALIZED (SELECT job.id FROM procrastinate_jobs job "
    "LEFT JOIN procrastinate_workers w ON w.id = job.worker_id WHERE job.status = 'doing' "
    "AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(lease_s)s)) "
    "FOR UPDATE OF job SKIP LOCKED) "
    "UPDATE procrastinate_jobs j SET status = 'todo', attempts = j.attempts + 1, worker_id = NULL, "
    "abort_requested = false FROM stalled WHERE j.id = stalled.id RETURNING j.id"
)
_BEAT = "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker_id)s RETURNING id"
_KEPT_ALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A server that vanished without a word is given up, too."""
_LONGEST_IDLE_S = 600  # of a follower that stands still in its transaction: others go on then
_AGAIN_S = 1.0
Takeable = Callable[[Sequence[str]], list[str]]


class LostLease(Exception):
    """Others took this worker for dead, and its jobs away."""


def arguments_of(database: Database) -> dict[str, Any]:
    """The keywords of a connection to the queue of a ledger, as the application's role."""
    with database.reading() as transaction:
        own = str(transaction.run(_OF_EVENTS).fetchone()[0])
    schema = "daybook_jobs" if own == "public" else f"{own[:50]}_jobs"  # as the migration named it
    given = server_arguments(database.address, APPLICATION_ROLE)
    path = quoted(schema).replace("\\", "\\\\").replace(" ", "\\ ")
    options = f"-c idle_in_transaction_session_timeout={_LONGEST_IDLE_S}s -c search_path={path}"
    return _KEPT_ALIVE | given | {"options": f"{given['options']} {options}"}


class Queue:
    """What a follower does with it: on one connection, in one transaction."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
        self._connection: psycopg.Connection[Any] | None = None

    def connect(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(**self._arguments)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None

    def queued(self, *statuses: str) -> tuple[set[int], set[int]]:
        """The sessions and clusterings of jobs with one of these statuses."""
        sessions: set[int] = set()
        clusterings: set[int] = set()
        for (found,) in self.connect().execute(_QUEUED, (list(statuses),)).fetchall():
            sessions.update(found.get("sessions", ()))
            clusterings.update(found.get("clusterings", ()))
        return sessions, clusterings

    def defer(self, works: Iterable[Work], *, priority: int = 0) -> int:
        """On the connection, which the caller commits."""
        number = 0
        for work in works:
            self._app.configure_task(
                TASK, queue=queue_of(work.folder), priority=priority, connection=self.connect()
            ).defer(**work.plain())
            number += 1
        return number


def queue_of(folder: str) -> str:
    """The name of a folder's queue: the folder, as far as a name can be long."""
    from hashlib import sha256

    return folder if len(folder) <= 120 else f"{folder[:100]}#{sha256(folder.encode()).hexdigest()[:16]}"


class _Manager(manager.JobManager):
    """Gives a worker jobs of the queues that it may take now, and lets none be finished but by who holds it."""

    def __init__(
        self, connector: Any, takeable: Takeable, begin_anew: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(connector)
        self._takeable, self._begin_anew = takeable, begin_anew

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> jobs.Job | None:  # noqa: ARG002
        rows = await self.connector.execute_query_all_async(_TO_DO)
        wanted = self._takeable([row["queue_name"] for row in rows])
        return await super().fetch_job(wanted, worker_id) if wanted else None

    async def finish_job(self, job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:  # noqa: ARG002
        statement = _PUT_BACK if status is jobs.Status.ABORTED else _FINISH
        try:
            await self.connector.execute_query_all_async(
                statement, job_id=job.id, worker_id=job.worker_id, attempts=job.attempts
            )
        except LOST as lost:  # as long as this worker's heart beats, nobody else would take the job
            LOG.warning("a job was not put away: %s", type(lost).__name__)
            self._begin_anew()

    async def update_heartbeat(self, worker_id: int) -> None:
        """Raises LostLease, having the worker begin anew: procrastinate itself lets it go on without a heart."""
        try:
            beat = await self.connector.execute_query_all_async(_BEAT, worker_id=worker_id)
        except LOST as lost:
            LOG.warning("the heart missed a beat: %s", type(lost).__name__)
            return
        if not beat:
            self._begin_anew()
            raise LostLease

    async def listen_for_jobs(self, **given: Any) -> None:
        """As long as the worker runs, whatever becomes of the connection."""
        while True:
            try:
                await super().listen_for_jobs(**given)
            except LOST as lost:
                LOG.warning("no news of jobs: %s", type(lost).__name__)
            await asyncio.sleep(_AGAIN_S)

    async def rescue(self, lease_s: float) -> int:
        """Take the jobs of workers that are dead, for others to do. Returns how many."""
        return len(await self.connector.execute_query_all_async(_RESCUE, lease_s=lease_s))


class Running:
    """A worker of procrastinate that calls ``do`` for each job, in as many tasks as ``concurrency`` says."""

    def __init__(
        self, arguments: dict[str, Any], do: Callable[[Work], Awaitable[None]], takeable: Takeable, *,
        concurrency: int, lease_s: float,
    ) -> None:  # fmt: skip
        self._lease_s = lease_s
        connector = procrastinate.PsycopgConnector(
            conninfo="", kwargs=arguments, min_size=1, max_size=4, timeout=lease_s
        )
        self._app = procrastinate.App(connector=connector)
        self._manager = self._app.job_manager = _Manager(connector, takeable, self.stop)

        async def take(kind: str, folder: str, sessions: list[int], clusterings: list[int]) -> None:
            try:
                await do(Work(kind, folder, tuple(sessions), tuple(clusterings)))  # type: ignore[arg-type]
            finally:
                self.wake()

        self._app.task(name=TASK)(take)
        self._worker = worker.Worker(
            self._app, name="daybook", concurrency=concurrency, install_signal_handlers=False,
            update_heartbeat_interval=lease_s / 3, stalled_worker_timeout=10 * lease_s,
            fetch_job_polling_interval=1.0, delete_jobs="always", shutdown_graceful_timeout=20.0,
        )  # fmt: skip

    def wake(self) -> None:
        """Have it look for jobs: one of a share that was busy may be taken now."""
        self._worker._new_job_event.set()  # procrastinate has no other way

    def stop(self) -> None:
        self._worker.stop()  # type: ignore[no-untyped-call]

    async def run(self) -> None:
        """Until it is stopped. Raises what is in LOST where the server went away, LostLease."""
        async with self._app.open_async():
            rescuing = asyncio.create_task(self._rescue())
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]
            finally:
                rescuing.cancel()
                with suppress(asyncio.CancelledError, *LOST, errors.Error):
                    await rescuing

    async def _rescue(self) -> None:
        """As long as it runs, whatever becomes of the connections."""
        while True:
            try:
                if await self._manager.rescue(self._lease_s):
                    self.wake()
            except LOST as lost:
                LOG.warning("no job was rescued: %s", type(lost).__name__)
            await asyncio.sleep(self._lease_s / 3)
