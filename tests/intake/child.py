"""Processes of their own for the tests of crashes and races. They come from a fork server that holds no connection."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any, Literal

from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.submit import Daybook
from commands.door.world import Receipt
from commands.intake.uploading import upload
from commands.recordings.roots import Roots
from ledger import log
from ledger.errors import Refusal
from tests.patience import PATIENCE_S

Moment = Literal["before", "within", "after"]
CRASHED = 73

processes = get_context("forkserver")


def crash_at(command: str, moment: Moment) -> None:
    """Let this process die without a word at a step: before it, before its commit, or after it."""
    submit = Daybook.submit

    def submit_or_die(daybook: Daybook, submitted: Command) -> Receipt:
        if type(submitted).__name__ != command:
            return submit(daybook, submitted)
        if moment == "before":
            os._exit(CRASHED)
        if moment == "within":
            log.write_receipt = lambda *_: os._exit(CRASHED)
        receipt = submit(daybook, submitted)
        os._exit(CRASHED)
        return receipt

    Daybook.submit = submit_or_die  # type: ignore[method-assign]


def upload_and_answer(
    url: str,
    share: str,
    user: str,
    data: bytes,
    answer: Connection,
    barrier: Barrier | None = None,
    crash: tuple[str, Moment] | None = None,
    command_id: str | None = None,
) -> None:
    """Upload in this process and send the report, or the refusal's code, through ``answer``."""
    if crash is not None:
        crash_at(*crash)
    daybook = Daybook.open(url, Actor(user))
    if barrier is not None:
        barrier.wait(PATIENCE_S)
    else:
        answer.send("ready")
    try:
        roots = Roots.of({"N:": [share]})
        report = upload(daybook, data, filename="12345.yml", roots=roots, command_id=command_id)
        answer.send(asdict(report))
    except Refusal as refusal:
        answer.send({"refused": refusal.code, "message": str(refusal)})
    finally:
        daybook.close()


def _upload_and_die(url: str, share: str, data: bytes, took_s: Connection, after_s: float | None) -> None:
    daybook = Daybook.open(url, Actor("user_1"))
    began = time.process_time()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, after_s or 0)
    report = upload(daybook, data, filename="12345.yml", roots=Roots.of({"N:": [share]}))
    signal.setitimer(signal.ITIMER_PROF, 0)
    assert report.ok
    took_s.send(time.process_time() - began)
    daybook.close()


def upload_and_die(url: str, share: str, data: bytes, *, after_s: float | None) -> tuple[int | None, float]:
    """Upload in a process that is killed after so much work of its own; by the clock, a busy machine would choose the
    moment. Returns how it ended, and the work that it did."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=_upload_and_die, args=(url, share, data, theirs, after_s))
    process.start()
    theirs.close()
    process.join(PATIENCE_S)
    took_s = ours.recv() if process.exitcode == 0 else 0.0
    ours.close()
    return process.exitcode, took_s


def start(*arguments: Any) -> tuple[BaseProcess, Connection]:
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=upload_and_answer, args=(*arguments[:4], theirs, *arguments[4:]))
    process.start()
    theirs.close()
    return process, ours


def upload_at_once(
    url: str, share: str, uploads: Sequence[tuple[str, bytes]], command_id: str | None = None
) -> list[dict[str, Any]]:
    """Upload each file as its user, all at the same moment; every process must end by itself."""
    barrier = processes.Barrier(len(uploads))
    started = [start(url, share, user, data, barrier, None, command_id) for user, data in uploads]
    answers = [
        answer.recv() if answer.poll(PATIENCE_S) else {"refused": "no answer"} for _, answer in started
    ]
    for process, answer in started:
        process.join(PATIENCE_S)
        assert process.exitcode == 0
        answer.close()
    return answers
