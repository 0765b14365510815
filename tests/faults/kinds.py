"""The faults. Each is a function that does it to a ledger, by the dice of its case; what has to hold then, holds."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx
import psycopg

from commands.accounts.tokens import create_token
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.backups import create_backup, restore_backup
from commands.moving.setup import initialise
from ledger import log
from ledger.database import Database
from ledger.errors import Refusal
from ledger.verify import verify
from tests.conftest import ROOT
from tests.faults.children import follow_and_die, started, write, write_and_keep
from tests.faults.server import Server
from tests.faults.suffering import ACTOR, Suffering
from tests.ledger.writing import processes
from tests.patience import PATIENCE_S, until

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


class NotHere(Exception):
    """This machine cannot bring the fault about: why."""


class Fault(NamedTuple):
    """``databases`` are those that it is done to."""

    name: str
    do: Callable[[Suffering, Random, Server], None]
    databases: tuple[str, ...] = (SQLITE, POSTGRESQL)


# --- kills ------------------------------------------------------------------------------------------------------------


def _writer_killed(ledger: Suffering, dice: Random, _server: Server) -> None:
    """Before any statement."""
    _writers(ledger, [dice.randint(1, 60)])


def _writers_killed(ledger: Suffering, dice: Random, _server: Server) -> None:
    """One of three, while the others go on."""
    _writers(ledger, [dice.randint(1, 60), None, None])


def _writers(ledger: Suffering, kills: list[int | None]) -> None:
    children = []
    for kill_before in kills:
        told, teller = processes.Pipe(duplex=False)
        children.append((started(write, ledger.url, ledger.names(6), teller, kill_before), told))
        teller.close()
    for child, told in children:
        with suppress(EOFError):
            while True:
                name, position = told.recv()
                ledger.acknowledged[name] = position
        child.join(PATIENCE_S)
    codes = [child.exitcode for child, _ in children]
    assert all(code in (0, -signal.SIGKILL) for code in codes), codes


def _server_killed(ledger: Suffering, dice: Random, _server: Server) -> None:
    """While requests are answered."""
    password = Daybook.open(ledger.url, Actor("user_1", "api", authentication="password"))
    _, secret = create_token(password, "a fault")
    password.close()
    command = [sys.executable, "-m", "commands.cli", "--db", ledger.url, "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ledger.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        address, names = process.stdout.readline().strip(), ledger.names(30)
        headers = {"Authorization": f"Bearer {secret}"}
        clients = [
            threading.Thread(target=_post, args=(ledger, address, headers, names[at::3])) for at in range(3)
        ]
        for client in clients:
            client.start()
        time.sleep(dice.uniform(0, 0.2))  # where it is killed is chance; what has to hold then is not
        process.kill()
        for client in clients:
            client.join(PATIENCE_S)


def _post(ledger: Suffering, address: str, headers: dict[str, str], names: list[str]) -> None:
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=PATIENCE_S) as client:
        for name in names:
            try:
                answer = client.post(
                    "/api/v1/actions/register-subject", json={"name": name}, headers={"Idempotency-Key": name}
                )
            except httpx.HTTPError:
                return
            assert answer.status_code == 200, answer.text
            ledger.acknowledged[name] = answer.json()["position"]


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _connection_cut(ledger: Suffering, dice: Random, server: Server) -> None:
    """By the server, before any statement of a transaction."""
    _submitted(ledger, dice.randint(1, 40), server.cut)


def _backend_killed(ledger: Suffering, dice: Random, server: Server) -> None:
    """With -9, which ends all of the server's processes; it recovers from its write-ahead log."""
    _submitted(ledger, dice.randint(1, 40), server.kill_backend)
    server.wait_for()


def _postgresql_killed(ledger: Suffering, dice: Random, server: Server) -> None:
    """With -9, the whole server, which is started again."""
    _submitted(ledger, dice.randint(1, 40), lambda _pid: server.kill())
    server.start_again()


def _submitted(ledger: Suffering, at: int, do: Callable[[int], None]) -> None:
    """Commands in this process; before a statement, this is done to its connection."""
    daybook, count = Daybook.open(ledger.url, ACTOR), 0
    execute = psycopg.Cursor.execute

    def counted(cursor: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            do(cursor.connection.info.backend_pid)
        return execute(cursor, *arguments, **options)

    with patch.object(psycopg.Cursor, "execute", counted):
        for name in ledger.names(6):
            _try(ledger, daybook, name)
    daybook.close()


def _try(ledger: Suffering, daybook: Daybook, name: str) -> None:
    """Whatever goes wrong is said as a refusal, and never acknowledged."""
    with suppress(Refusal):
        ledger.acknowledged[name] = daybook.submit(ledger.command(name)).first


# --- what is said and not heard ---------------------------------------------------------------------------------------


def _reply_lost(ledger: Suffering, dice: Random, _server: Server) -> None:
    """The transaction is committed, and whoever committed it is not told."""
    end, name = Database._end, ledger.names(1)[0]

    def lost(database: Database, lent: Any, transaction: Any) -> None:
        end(database, lent, transaction)
        raise (sqlite3 if ledger.is_sqlite else psycopg).OperationalError("the connection was lost")

    with ledger.opened() as daybook:
        for earlier in ledger.names(dice.randint(0, 3)):
            _try(ledger, daybook, earlier)
        with patch.object(Database, "_end", lost), suppress(Refusal, sqlite3.Error, psycopg.Error):
            daybook.submit(ledger.command(name))
            raise AssertionError("a lost reply was taken for an answer")
        again = daybook.submit(ledger.command(name))
    assert again.repeated
    ledger.acknowledged[name] = again.first


def _follower_killed(ledger: Suffering, dice: Random, _server: Server) -> None:
    """After it has handled an event, and before its place is kept."""
    number = len(list(ledger.folder.glob("*.handled")))
    handled, cursor = ledger.folder / f"{number}.handled", ledger.folder / f"{number}.cursor"
    for kill_at in (dice.randint(1, 5), dice.randint(1, 5), 0):
        child = started(follow_and_die, ledger.url, str(cursor), str(handled), kill_at)
        child.join(PATIENCE_S)
        assert child.exitcode in (0, -signal.SIGKILL)
    with ledger.opened() as daybook, daybook.reading() as world:
        end = world.head.size
    positions = [int(line) for line in handled.read_text(encoding="utf-8").splitlines()]
    assert sorted(set(positions)) == list(range(1, end + 1)), "a follower has a gap"
    assert positions == sorted(positions) and len(positions) <= end + 2


# --- the machine ------------------------------------------------------------------------------------------------------


@contextmanager
def _small_disk(folder: Path, size: str) -> Iterator[Path]:
    place = folder / "small"
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise NotHere(f"no small disk can be mounted: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def _disk_full(outer: Suffering, dice: Random, _server: Server) -> None:
    """A ledger on a small disk is written to until that is full, and goes on when there is space again."""
    with _small_disk(outer.folder, "3m") as place:
        url = f"sqlite:///{place / 'daybook.db'}"
        initialise(url, ACTOR, key_directory=place)
        ledger = Suffering(url, place)
        refused: set[str] = set()
        with ledger.opened() as daybook:
            while not refused:
                name = ledger.names(1)[0]
                try:
                    ledger.acknowledged[name] = daybook.submit(
                        ledger.command(name + "-" * dice.randint(0, 100))
                    ).first
                    ledger.sent.remove(name)
                    ledger.acknowledged.pop(name)
                except Refusal as refusal:
                    refused.add(refusal.code)
        assert refused == {"disk-full"}, refused
        try:
            create_backup(url, place / "backups")
        except Refusal as refusal:
            assert refusal.code in ("backup-not-written", "disk-full"), refusal
            assert not any((place / "backups").glob("*")), "something is left of a backup"
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        ledger.holds()


def _clock_set_back(ledger: Suffering, dice: Random, _server: Server) -> None:
    """And forth: the log goes on in order, and says what the clock said."""
    now = log.now

    def wrong() -> str:
        said = time.time() - dice.uniform(0, 86_400)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(said)) + ".000000Z"

    with ledger.opened() as daybook:
        for clock in (wrong, now, wrong):
            with patch.object(log, "now", clock):
                for name in ledger.names(2):
                    ledger.acknowledged[name] = daybook.submit(ledger.command(name)).first
        with daybook.reading() as world:
            times = [event.recorded_at for event in log.read_all(world.transaction)]
    assert times == sorted(times)


def _backup_under_load(ledger: Suffering, dice: Random, server: Server) -> None:
    """What was acknowledged before it began is in it, and it makes a ledger elsewhere that verifies."""
    stop, names = threading.Event(), ledger.names(200)

    def load() -> None:
        with ledger.opened() as daybook:
            for name in names:
                if stop.is_set():
                    return
                ledger.acknowledged[name] = daybook.submit(ledger.command(name)).first

    writer = threading.Thread(target=load)
    writer.start()
    until(lambda: names[dice.randint(0, 5)] in ledger.acknowledged)
    before = dict(ledger.acknowledged)
    try:
        made = create_backup(ledger.url, ledger.folder / "backups")
    finally:
        stop.set()
        writer.join(PATIENCE_S)
    elsewhere = (
        f"sqlite:///{ledger.folder / f'restored-{ledger.number}.db'}"
        if ledger.is_sqlite
        else server.new_database()
    )
    restore_backup(elsewhere, Path(made.backup))
    report = verify(elsewhere, kept=[ledger.kept] if ledger.kept else [])
    assert report.problems == [] and report.root == made.root
    database = Database(elsewhere)
    with database.reading() as transaction:
        held = dict(transaction.run("SELECT command_id, first_position FROM receipts").fetchall())
    database.close()
    assert all(held.get(name) == at for name, at in before.items()), (
        "what was acknowledged is not in the backup"
    )


def _journal_removed(outer: Suffering, dice: Random, _server: Server) -> None:
    """What was committed to the write-ahead log alone is gone with it; a checkpoint that was kept names the positions."""
    outer.number += 1
    folder = outer.folder / f"journal-{outer.number}"
    folder.mkdir()
    url = f"sqlite:///{folder / 'daybook.db'}"
    initialise(url, ACTOR, key_directory=folder)
    ledger = Suffering(url, folder)
    told, teller = processes.Pipe(duplex=False)
    names = ledger.names(dice.randint(1, 9))
    child = started(write_and_keep, url, names, str(folder / "daybook.key"), teller)
    kept = told.recv()
    child.join(PATIENCE_S)
    for ending in ("-wal", "-shm"):
        (folder / f"daybook.db{ending}").unlink(missing_ok=True)

    report = verify(url, kept=[kept])

    assert report.events == 1, "nothing was lost"
    said = " ".join(problem.message for problem in report.problems)
    assert f"2 to {1 + len(names)}" in said if len(names) > 1 else "2" in said, said


FAULTS = (
    Fault("a writer is killed with -9 before any statement", _writer_killed),
    Fault("one of three writers is killed with -9", _writers_killed),
    Fault("the server is killed with -9 while it answers", _server_killed),
    Fault("a follower is killed with -9 before it keeps its place", _follower_killed),
    Fault("the connection is cut in mid-transaction", _connection_cut, (POSTGRESQL,)),
    Fault("a process of PostgreSQL is killed with -9 in mid-transaction", _backend_killed, (POSTGRESQL,)),
    Fault(
        "PostgreSQL is killed with -9 in mid-transaction, and started again",
        _postgresql_killed,
        (POSTGRESQL,),
    ),
    Fault("the commit is acknowledged, and the reply lost", _reply_lost),
    Fault("the disk is full", _disk_full, (SQLITE,)),
    Fault("the clock is set back and jumps", _clock_set_back),
    Fault("a backup is taken under load, and restored elsewhere", _backup_under_load),
    Fault("the write-ahead log is removed: verify names the positions", _journal_removed, (SQLITE,)),
)
