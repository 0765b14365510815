"""Point-in-time recovery as docs/operations.md says, with PostgreSQL's own tools: a base backup, the archived write-ahead
log, and a moment between two events."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.lab.subjects import RegisterSubject
from commands.moving.setup import initialise
from commands.proving.checkpoints import make_checkpoint
from ledger.verify import verify
from tests.conftest import ROOT
from tests.faults.server import Server, own_server
from tests.patience import PATIENCE_S, until

WAL, MOMENT = "/mnt/backup/wal", "2026-01-31 12:00:00+00"
BASE_BACKUP = ("-X", "none", "-c", "fast")
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def settings_of(name: str, archive: Path, moment: str = "") -> str:
    """The settings of the page under this name, with the places of this test."""
    assert f"pg_basebackup -D /mnt/backup/base {' '.join(BASE_BACKUP)}" in PAGE
    [block] = re.findall(rf"```ini\n# {re.escape(name)}\n(.*?)```", PAGE, re.DOTALL)
    assert WAL in block and (not moment or MOMENT in block)
    return block.replace(WAL, str(archive)).replace(MOMENT, moment)


class Cluster:
    """PostgreSQL's own tools, run as the account that the server runs under."""

    def __init__(self, server: Server) -> None:
        self.bin = Path(server._running.bin_path)
        self.user = server._running.system_user
        self.data = Path(server._running.pgdata)
        self.server = server

    def run(self, tool: str, *words: str) -> None:
        done = subprocess.run(
            [self.bin / tool, *words], user=self.user, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            cwd="/",
        )  # fmt: skip
        log = Path(words[words.index("-l") + 1]) if "-l" in words else None
        told = log.read_text(encoding="utf-8") if log is not None and log.exists() else ""
        assert done.returncode == 0, done.stderr + done.stdout + told

    def folder(self, path: Path) -> Path:
        path.mkdir(mode=0o700)
        self.own(path)
        return path

    def own(self, path: Path) -> None:
        if self.user is not None:
            shutil.chown(path, self.user)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with own_server() as server:
        yield Cluster(server)


def test_a_ledger_is_recovered_as_it_was_at_a_moment(cluster: Cluster, tmp_path: Path) -> None:
    place = cluster.data.with_name(f"{cluster.data.name}-beside")
    place.mkdir(mode=0o755)
    archive = cluster.folder(place / "wal")
    recovered = cluster.folder(place / "recovered")
    url = cluster.server.new_database()
    name = url.rpartition("/")[2].partition("?")[0]
    try:
        with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(settings_of("postgresql.conf", archive))
        cluster.server.kill()
        cluster.server.start_again()
        initialise(url, Actor("user_1"), key_directory=tmp_path)
        daybook = Daybook.open(url, Actor("user_1"))
        cluster.run(
            "pg_basebackup", "-D", str(recovered), *BASE_BACKUP, "-U", "postgres", "-h", str(cluster.data)
        )
        before = [daybook.submit(RegisterSubject(name=f"before-{number}")).last for number in range(3)]
        kept = make_checkpoint(daybook, tmp_path / "daybook.key")
        with psycopg.connect(url, autocommit=True) as connection:
            moment = str(connection.execute("SELECT clock_timestamp()").fetchone()[0])  # type: ignore[index]
            time.sleep(0.05)  # PostgreSQL's clock has to move on: its times are what is recovered to
        after = daybook.submit(RegisterSubject(name="after")).last
        daybook.close()
        with psycopg.connect(cluster.server.url, autocommit=True) as connection:
            segment = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()[0]  # type: ignore[index]
        until((archive / segment).exists)

        with (recovered / "postgresql.auto.conf").open("a", encoding="utf-8") as conf:
            conf.write(settings_of("of the recovery", archive, moment))
            conf.write(
                f"archive_mode = off\nunix_socket_directories = '{recovered}'\nlisten_addresses = ''\n"
            )
        for socket in recovered.glob(".s.*"):  # this server has its sockets in its data folder
            socket.unlink()
        (recovered / "recovery.signal").touch()
        cluster.own(recovered / "recovery.signal")
        cluster.run("pg_ctl", "-D", str(recovered), "-w", "-t", "300", "-l", str(recovered / "log"), "start")
        try:
            other = f"postgresql://postgres:@/{name}?host={recovered}"
            until(lambda: not _is_recovering(other))
            report = verify(other, kept=[kept])
            assert report.problems == [] and report.events == before[-1] < after
            opened = Daybook.open(other, Actor("user_1"))
            assert opened.submit(RegisterSubject(name="after")).last == after
            opened.close()
        finally:
            cluster.run("pg_ctl", "-D", str(recovered), "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _is_recovering(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        return bool(connection.execute("SELECT pg_is_in_recovery()").fetchone()[0])  # type: ignore[index]
