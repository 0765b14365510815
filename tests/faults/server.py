"""A PostgreSQL server of our own, to be killed and started again."""

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.conftest import own_postgresql
from tests.patience import until


class Server:
    def __init__(self, running: Any) -> None:
        self._running = running
        self.url: str = running.get_uri()

    def new_database(self) -> str:
        name = f"f_{uuid.uuid4().hex[:12]}"
        self._run(f"CREATE DATABASE {name}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def cut(self, pid: int) -> None:
        self._run(f"SELECT pg_terminate_backend({pid}, 10000)")

    def kill_backend(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        pid = self._running.get_pid()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def start_again(self) -> None:
        """The processes of the one that was killed have to be gone before."""

        def has_started() -> bool:
            try:
                self._running.ensure_postgres_running()
            except (subprocess.SubprocessError, AssertionError, OSError):
                return False
            return self._answers()

        until(has_started)

    def wait_for(self) -> None:
        until(self._answers)

    def _answers(self) -> bool:
        try:
            self._run("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def own_server() -> Iterator[Server]:
    with own_postgresql() as running:
        yield Server(running)
