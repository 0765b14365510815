"""Commands in processes of their own, which may die at a step or all begin at one moment."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.submit import Daybook
from ledger.errors import Refusal
from tests.intake.child import CRASHED, Moment, crash_at, processes
from tests.ledger.crashing import DIED, die_at
from tests.patience import PATIENCE_S

COMPLETED = 0


def _submit(url: str, user: str, command: Command, answer: Connection, barrier: Barrier) -> None:
    daybook = Daybook.open(url, Actor(user))
    barrier.wait(PATIENCE_S)
    try:
        answer.send(asdict(daybook.submit(command).result))
    except Refusal as refusal:
        answer.send({"refused": refusal.code})
    finally:
        daybook.close()


def submit_at_once(url: str, commands: Sequence[tuple[str, Command]]) -> list[dict[str, Any]]:
    """Each command as its user, all at the same moment; every process must end by itself."""
    barrier = processes.Barrier(len(commands))
    started = []
    for user, command in commands:
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=_submit, args=(url, user, command, theirs, barrier))
        process.start()
        theirs.close()
        started.append((process, ours))
    answers = [
        answer.recv() if answer.poll(PATIENCE_S) else {"refused": "no answer"} for _, answer in started
    ]
    for process, answer in started:
        process.join(PATIENCE_S)
        assert process.exitcode == 0
        answer.close()
    return answers


def _submit_and_crash(url: str, user: str, command: Command, moment: Moment) -> None:
    crash_at(type(command).__name__, moment)
    Daybook.open(url, Actor(user)).submit(command)


def crash(url: str, user: str, command: Command, moment: Moment) -> None:
    """Submit the command in a process that dies before it, within it, or before anybody hears of it."""
    process = processes.Process(target=_submit_and_crash, args=(url, user, command, moment))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == CRASHED


def _die_at_statements(url: str, user: str, command: Command, answer: Connection) -> None:
    statement, ended = 1, []
    while not ended or ended[-1] == DIED:
        child = os.fork()
        if child == 0:
            daybook = Daybook.open(url, Actor(user))
            die_at(statement, after=statement % 4 == 3)
            daybook.submit(command)
            os._exit(COMPLETED)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        statement += 2
    answer.send(ended)


def die_at_statements(url: str, user: str, command: Command) -> list[int]:
    """Submit the command again and again, in processes that die before its first statement, after its third, before
    its fifth and so on, until one lives to the end. Returns how each ended."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=_die_at_statements, args=(url, user, command, theirs))
    process.start()
    theirs.close()
    ended: list[int] = ours.recv() if ours.poll(PATIENCE_S) else []
    process.join(PATIENCE_S)
    ours.close()
    return ended
