"""Processes that are killed in the middle of what they do."""

import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from commands.answers.following import Cursor, CursorFile, follow
from commands.answers.here import Here
from commands.door.actor import Actor
from commands.door.settings import Settings
from commands.door.submit import Daybook
from commands.inputfile.limits import Limits
from commands.lab.subjects import RegisterSubject
from commands.proving.checkpoints import make_checkpoint
from commands.recordings.roots import Roots
from tests.ledger.killing import steps
from tests.ledger.writing import processes

ACTOR = Actor("user_1")


def write(url: str, names: list[str], acknowledge: Connection, kill_before: int | None) -> None:
    """Submit commands one after the other and tell each receipt; die before a statement."""
    daybook = Daybook.open(url, ACTOR)
    steps(kill_before=kill_before)
    for name in names:
        receipt = daybook.submit(RegisterSubject(name=name, command_id=name))
        acknowledge.send((name, receipt.first))
    daybook.close()


def write_and_keep(url: str, names: list[str], key: str, acknowledge: Connection) -> None:
    """Submit commands, tell the checkpoint over them, and die without closing anything."""
    daybook = Daybook.open(url, ACTOR)
    for name in names:
        daybook.submit(RegisterSubject(name=name, command_id=name))
    acknowledge.send(make_checkpoint(daybook, Path(key)))
    os.kill(os.getpid(), signal.SIGKILL)


def follow_and_die(url: str, cursor: str, handled: str, kill_at: int) -> None:
    """Write down what was handled; die after that and before the place is kept."""
    daybook = Daybook.open(url, ACTOR)
    save, count = CursorFile.save, 0

    def save_or_die(file: CursorFile, place: Cursor) -> None:
        nonlocal count
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        save(file, place)

    CursorFile.save = save_or_die  # type: ignore[method-assign]
    here = Here(daybook, Settings(url, Roots.of({}), Limits(), None, None))
    with open(handled, "a", encoding="utf-8") as book:
        for event in follow(here, CursorFile(Path(cursor)), ends=True):
            book.write(f"{event.position}\n")
            book.flush()


def started(target: object, *arguments: object) -> BaseProcess:
    child = processes.Process(target=target, args=arguments)  # type: ignore[arg-type]
    child.start()
    return child
