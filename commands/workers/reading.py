"""Processes of their own that read the disk: one that hangs is given up, and ended as far as the system lets it.

A thread that hangs in a share could not be ended, and would hold up the end of the worker.
"""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from commands.accounts.tokens import actor_by_token
from commands.door.actor import Actor
from commands.door.incidents import record
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.workers.hearing import hear_libraries
from commands.workers.planning import Work
from commands.workers.taking import take
from ledger.connection_errors import MAY_PASS
from ledger.errors import LedgerUnavailable, NextStep, Refusal

INTERFACE = "worker"
_PASSING = MAY_PASS | {"no-connection"}
_STARTS_WITHIN_S = 120.0
_SLICE_S = 0.2
_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Who:
    """Who works: by a token, which the door checks each time, or the ``actor``."""

    actor: Actor
    token: str | None = None

    def at(self, ledger: Ledger) -> Actor:
        """Raises Refusal for a token that lets nobody in."""
        if self.token is None:
            return self.actor
        actor = actor_by_token(ledger, self.token, interface=INTERFACE)
        if actor is None:
            raise Refusal(
                "token-refused",
                "The token lets nobody in: it has expired, was revoked, or is none.",
                "Have another made",
                NextStep("create-token", arguments={"name": None}),
            )
        return actor


@dataclass(frozen=True, slots=True)
class Setting:
    """What a reader has to know."""

    db: str
    roots: Roots
    who: Who
    worker: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """``code`` is empty where the work was done. ``passes``: it may go by itself. ``stops``: nothing that this worker
    takes up can be done. ``incident``: a fault of the program."""

    settled: int = 0
    open: int = 0
    code: str = ""
    message: str = ""
    hint: str = ""
    passes: bool = False
    stops: bool = False
    incident: str | None = None


class Hung(Exception):
    """It did not answer in time."""


class Died(Exception):
    """The process that read ended without a word."""


class Readers:
    """As many processes as there is work at once, kept for the next."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._lock = threading.Lock()
        self._idle: list[tuple[BaseProcess, Connection]] = []
        self._busy: set[BaseProcess] = set()
        self.closed = False

    def read(self, work: Work, patience_s: float) -> Outcome:
        """Raises Hung, Died."""
        process, connection = self._one()
        try:
            connection.send(work)
            if not self._answers(connection, patience_s):
                raise Hung
            outcome: Outcome = connection.recv()
        except (Died, EOFError, OSError) as error:
            self._end(process, connection)
            raise Died from error
        except BaseException:
            self._end(process, connection)
            raise
        with self._lock:
            self._busy.discard(process)
            if not self.closed:
                self._idle.append((process, connection))
                return outcome
        self._end(process, connection)
        return outcome

    def _one(self) -> tuple[BaseProcess, Connection]:
        with self._lock:
            if self.closed:
                raise Died
            while self._idle:
                process, connection = self._idle.pop()
                if process.is_alive():
                    self._busy.add(process)
                    return process, connection
                connection.close()
            here, there = _processes.Pipe()
            process = _processes.Process(target=_serve, args=(there, self._setting), daemon=True)
            process.start()
            there.close()
            self._busy.add(process)
        try:
            if not self._answers(
                here, _STARTS_WITHIN_S
            ):  # what it has to load is no part of what a read may take
                raise Died
            here.recv()
        except (Died, EOFError, OSError) as error:
            self._end(process, here)
            raise Died from error
        return process, here

    def _answers(self, connection: Connection, within_s: float) -> bool:
        """Raises Died as soon as the readers are closed: one that hangs in the system cannot be ended at all."""
        until = time.monotonic() + within_s
        while not connection.poll(max(0.0, min(_SLICE_S, until - time.monotonic()))):
            if self.closed:
                raise Died
            if time.monotonic() >= until:
                return False
        return True

    def _end(self, process: BaseProcess, connection: Connection) -> None:
        """One that hangs in the system ends when that lets it; it is not waited for."""
        with self._lock:
            self._busy.discard(process)
        process.kill()
        connection.close()

    def close(self) -> None:
        with self._lock:
            self.closed = True
            idle, busy = list(self._idle), list(self._busy)
            self._idle.clear()
        for process, connection in idle:
            self._end(process, connection)
        for process in busy:
            process.kill()


def _serve(connection: Connection, setting: Setting) -> None:
    """Until nobody is at the other end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the worker says when to stop
    hear_libraries()
    ledger: Ledger | None = None
    connection.send("ready")
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            work = connection.recv()
            try:
                ledger = ledger or Ledger.open(setting.db, connections=3)
                outcome = _read(ledger, setting, work)
            except Exception as error:  # noqa: BLE001 - whatever it was, the worker hears of it
                outcome = outcome_of(error)
            connection.send(outcome)
    os._exit(0)


def _read(ledger: Ledger, setting: Setting, work: Work) -> Outcome:
    daybook = Daybook(ledger, setting.who.at(ledger))
    took = take(daybook, setting.roots, work, setting.worker)
    return Outcome(took.settled, took.open)


def outcome_of(error: Exception) -> Outcome:
    if isinstance(error, LedgerUnavailable):
        passes = error.code in _PASSING
        return Outcome(
            code=error.code, message=error.message, hint=error.hint, passes=passes, stops=not passes
        )
    if isinstance(error, Refusal):
        return Outcome(code=error.code, message=error.message, hint=error.hint, stops=True)
    incident, _ = record(error, verb="work: stage 3", beside=None)
    return replace(
        Outcome(code="incident"),
        incident=incident,
        message=f"A fault of daybook itself (incident {incident}).",
    )
