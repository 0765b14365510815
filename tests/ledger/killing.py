"""A process that is killed at a chosen step: before a statement, or before a change of the names in a folder."""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from commands.door.actor import Actor
from commands.moving.importing import import_ledger
from commands.moving.setup import initialise
from ledger.errors import Conflict, LedgerUnavailable
from ledger.signing_keys import CheckpointError

KILLED = -signal.SIGKILL
_NAMES = ("os.link", "os.remove", "os.rename")


def steps(*, kill_before: int | None, tell: Callable[[int, str], None] = lambda number, what: None) -> None:
    """From here on count, and end at ``kill_before``: no ``finally`` runs, and nothing is flushed."""
    count = 0

    def step(what: str) -> None:
        nonlocal count
        count += 1
        tell(count, what)
        if count == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)

    connect = sqlite3.connect

    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(step)
        return connection

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            step(str(query))
            return original(cursor, query, *arguments, **options)

        return call

    sqlite3.connect = connect_traced
    for name in ("execute", "executemany", "copy"):
        setattr(psycopg.Cursor, name, counted(getattr(psycopg.Cursor, name)))
    sys.addaudithook(lambda event, arguments: step(f"{event} {arguments[0]}") if event in _NAMES else None)


def create(url: str, folder: Path, kill_before: int | None, told: Path | None = None) -> None:
    _count(kill_before, told)
    initialise(url, Actor("user_1"), key_directory=folder)


def create_or_give_way(url: str, folder: Path) -> None:
    try:
        initialise(url, Actor("user_1"), key_directory=folder)
    except (Conflict, LedgerUnavailable, CheckpointError) as error:
        assert str(error)


def import_(url: str, lines: list[bytes], kill_before: int | None, told: Path | None = None) -> None:
    _count(kill_before, told)
    import_ledger(url, lines)


def _count(kill_before: int | None, told: Path | None) -> None:
    if told is None:
        steps(kill_before=kill_before)
        return
    file = told.open("a", encoding="utf-8")
    steps(
        kill_before=kill_before, tell=lambda number, what: print(number, *what.split(), file=file, flush=True)
    )


def chosen(told: Path, *, statements: int) -> list[int]:
    """Of the steps that were told: all changes of names with what comes next to them, and some of the statements."""
    lines = told.read_text(encoding="utf-8").splitlines()
    names = [at for at, line in enumerate(lines, start=1) if line.split()[1] in _NAMES]
    near = {at for name in names for at in (name, name + 1) if at <= len(lines)}
    return sorted(near | set(range(1, len(lines), max(1, len(lines) // statements))))
