"""Correct in a process of its own, which can be killed at a step or set off with others at once."""

from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.requests.approving import approve
from commands.requests.correction.correct import correct
from ledger.errors import Refusal
from tests.intake.child import Moment, crash_at, processes
from tests.patience import PATIENCE_S

Step = tuple[str, Any]
"""What to do: ("request", data) or ("approve", number)."""


def do(
    url: str,
    share: str,
    user: str,
    step: Step,
    answer: Connection,
    barrier: Barrier | None,
    crash: tuple[str, Moment] | None,
) -> None:
    if crash is not None:
        crash_at(*crash)
    daybook = Daybook.open(url, Actor(user))
    roots = Roots.of({"N:": [share]})
    if barrier is not None:
        barrier.wait(PATIENCE_S)
    try:
        kind, what = step
        if kind == "request":
            found = correct(daybook, what, filename="12345.yml", roots=roots, reason="it was wrong")
            answer.send({"request": found.request})
        else:
            answer.send(asdict(approve(daybook, what, accept_impact=False, roots=roots)))
    except Refusal as refusal:
        answer.send({"refused": refusal.code, "message": str(refusal)})
    finally:
        daybook.close()


def start(
    url: str,
    share: str,
    user: str,
    step: Step,
    *,
    barrier: Barrier | None = None,
    crash: tuple[str, Moment] | None = None,
) -> tuple[BaseProcess, Connection]:
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=do, args=(url, share, user, step, theirs, barrier, crash))
    process.start()
    theirs.close()
    return process, ours


def at_once(url: str, share: str, steps: list[tuple[str, Step]]) -> list[dict[str, Any]]:
    barrier = processes.Barrier(len(steps))
    started = [start(url, share, user, step, barrier=barrier) for user, step in steps]
    answers = [
        answer.recv() if answer.poll(PATIENCE_S) else {"refused": "no answer"} for _, answer in started
    ]
    for process, answer in started:
        process.join(PATIENCE_S)
        assert process.exitcode == 0
        answer.close()
    return answers
