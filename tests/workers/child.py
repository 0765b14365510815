"""The command line in processes that have everything loaded: forked, in a group of their own, as a start by hand is."""

import os
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import commands.answers.here
import commands.cli.dropping
import commands.cli.working
import commands.intake.uploading
import commands.remote.faults
import commands.workers.dropping
import commands.workers.handing_out
import commands.workers.queue
import commands.workers.running
import commands.workers.stopping  # noqa: F401 - what is loaded here, no process loads again
from commands.cli.main import cli
from commands.door.actor import Actor
from commands.door.reading_settings import load
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.workers import dropping, following, reading
from commands.workers.queue import Queue, arguments_of
from ledger import log
from tests.workers import held

CRASHED = 73
processes = get_context("forkserver")


class Forked:
    """As ``subprocess.Popen``, as far as the tests use that."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        told, teller = processes.Pipe(duplex=False)
        self._process = processes.Process(
            target=_run, args=(list(arguments), dict(environment), str(self._out), str(self._err), teller)
        )
        self._process.start()
        teller.close()
        told.recv()
        told.close()
        self.pid = int(self._process.pid or 0)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def communicate(self, timeout: float) -> tuple[str, str]:
        self._process.join(timeout)
        assert self.returncode is not None, "it did not end"
        return self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8")


def _run(arguments: list[str], environment: dict[str, str], out: str, err: str, ready: Connection) -> None:
    os.setpgid(0, 0)
    for path, number in ((out, 1), (err, 2)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    _take_over(environment)
    reading._processes = _Readers()  # type: ignore[assignment]
    ready.send("ready")
    ready.close()
    sys.argv = ["daybook", *arguments]
    cli()


def _take_over(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    held.hold_reads()


class _Readers:
    """The processes that read for one, of its group and with its environment."""

    Pipe = staticmethod(processes.Pipe)

    def Process(self, *, target: Any, args: tuple[Any, ...], daemon: bool) -> BaseProcess:  # noqa: N802 - as its model
        values = (os.getpid(), dict(os.environ), target, args)
        return processes.Process(target=_read, args=values, daemon=daemon)


def _read(group: int, environment: dict[str, str], target: Any, args: tuple[Any, ...]) -> None:
    os.setpgid(0, group)
    _take_over(environment)
    target(*args)


def follow_and_die(url: str, share: str, when: str) -> None:
    """Queue what is to be done, and die before that is committed, or after."""
    daybook = Daybook.open(url, Actor("user_1"))
    queue = Queue(arguments_of(daybook.database))
    die = (lambda: os._exit(CRASHED)) if when == "before" else (lambda: None)
    following.follow(daybook, queue, Roots.of({"N:": [share]}), deferred=die)
    os._exit(CRASHED)


def watch_and_die(url: str, folder: str, settings: str, number: int, after: bool) -> None:
    """Look, and die beside the rename of this number, or beside the append of this number behind them."""
    from commands.cli.dropping import _upload
    from commands.cli.invocation import Invocation

    done, rename, write = [0], dropping.rename, log.write_receipt

    def step(do: Any) -> Any:
        def counted(*values: Any) -> Any:
            done[0] += 1
            if done[0] == number and not after:
                os._exit(CRASHED)
            result = do(*values)
            if done[0] == number:
                os._exit(CRASHED)
            return result

        return counted

    dropping.rename, log.write_receipt = step(rename), step(write)
    invocation = Invocation(db=url, user="user_1", config=settings)
    assert load(db=url, config=settings).roots.configured
    with dropping.Dropped(
        Path(folder), lambda file, id_: _upload(invocation, file, id_), lambda told: None, unchanged_s=0
    ) as watched:
        watched.look()
    os._exit(0)
