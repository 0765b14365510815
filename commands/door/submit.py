"""The one door: every command, from whatever face, is decided, appended, projected and committed here.

A command is a frozen model with a ``decide`` that reads the projections and returns events; it writes nothing and
reads no disk. The door runs it under the append lock, so what it read still holds when its events are committed.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from time import perf_counter

import orjson
from pydantic import TypeAdapter, ValidationError

from commands.door.actor import Actor
from commands.door.freshness import check_projections, refuse_unfinished, to_be_made_anew
from commands.door.ledger import BEING_MADE_ANEW, Ledger, being_made_anew
from commands.door.logs import LOG
from commands.door.permission import NotPermitted
from commands.door.world import Command, Decision, R, Receipt, Result, World
from ledger import input_files, log
from ledger.connections import CONNECTIONS
from ledger.database import Database, Transaction
from ledger.envelope import NewEvent
from ledger.errors import Conflict, LedgerUnavailable, NextStep, Refusal
from ledger.events import ActionRefused
from ledger.log import Cause
from ledger.moments import Moment
from projections.apply import DoesNotFold, apply, prefetch
from projections.past import About, Past, put_before
from projections.rebuild import without_garbage_collection
from projections.rows import State

_ATTEMPTS = 5


class _RecordRefusal(Command[Result]):
    """The one thing that somebody without any role can add to the ledger."""

    action: str
    record: str
    role: str
    needed: str
    subject: str

    def authorise(self, world: World) -> None:
        """It was refused already, to whoever it was."""

    def decide(self, world: World) -> Decision[Result]:
        event = ActionRefused(action=self.action, record=self.record, role=self.role, needed=self.needed)
        return Decision([NewEvent(f"user/{world.actor}", event, None, self.subject, world.actor)], Result())


class Daybook:
    """A ledger and who works with it: made for one request, or for as long as one user works."""

    def __init__(self, ledger: Ledger, actor: Actor) -> None:
        self.ledger = ledger
        self.actor = actor
        self._opened = False

    @classmethod
    def open(cls, url: str, actor: Actor, *, connections: int = CONNECTIONS) -> "Daybook":
        """For a program of one user: a ledger of its own, which ``close`` closes. Raises what ``Ledger.open`` does."""
        daybook = cls(Ledger.open(url, connections=connections), actor)
        daybook._opened = True
        return daybook

    @cached_property
    def _via(self) -> str:
        return self.actor.via()

    @property
    def database(self) -> Database:
        return self.ledger.database

    @contextmanager
    def reading(self) -> Iterator[World]:
        with self.ledger.reading() as (transaction, head):
            yield World(transaction, head, State(head.live_slot, transaction), self.actor.user)

    @contextmanager
    def reading_past(self, moment: Moment, about: About | None = None) -> Iterator[World]:
        """The world as it was, as far as a reading is about it: all but the counts of who did what, unless said.
        Raises Refusal where the ledger has no such moment."""
        with self.ledger.past() as (transaction, _):
            head = put_before(transaction, moment, about or Past.everything)
            yield World(transaction, head, State(head.live_slot, transaction), self.actor.user)

    @contextmanager
    def reading_at(self, position: int, *, now: bool) -> Iterator[World]:
        """The world behind this position; with ``now``, or where nothing came since, as it is now."""
        if not now:
            with self.reading() as world:
                now = world.head.size == position
        with self.reading() if now else self.reading_past(position) as world:
            yield world

    def submit(self, command: Command[R]) -> Receipt[R]:
        """Carry out a command: all of its events or none. A conflict is decided anew, a bounded number of times."""
        began, attempt = perf_counter(), 0
        receipt: Receipt[R] | None = None
        fingerprint = command.fingerprint()
        try:
            while receipt is None:
                attempt += 1
                receipt = self._attempt(command, fingerprint, last=attempt == _ATTEMPTS)
        except Refusal as refusal:
            self._log("refused", command, attempt, began, refusal=refusal.code)
            raise
        except Exception:
            self._log("failed", command, attempt, began, level=logging.ERROR)
            raise
        self._log("submitted", command, attempt, began, position=receipt.last or None)
        return receipt

    def _attempt(self, command: Command[R], fingerprint: bytes, *, last: bool) -> Receipt[R] | None:
        """None where it is to be tried again."""
        try:
            with without_garbage_collection():
                return self._once(command, fingerprint)
        except NotPermitted as refusal:
            self._record(refusal)
            raise
        except LedgerUnavailable as unavailable:
            if unavailable.code == "read-only":  # who may not is told so, whatever else is in the way
                self.require(command.authorise)
            if unavailable.code != BEING_MADE_ANEW or last:
                raise
            self.ledger.mend()
        except Conflict as conflict:
            if conflict.code not in ("taken", "serialization") or last:
                raise
        return None

    def earlier(self, command: Command[R]) -> Receipt[R] | None:
        """The receipt of a command that was carried out before; nothing is done. For those who look at the disk before
        they submit. Raises Conflict where another command had its id."""
        with self.database.reading() as transaction:
            found = log.read_receipt(transaction, command.command_id)
            if found is None:
                return None
            return self._first_receipt(transaction, command, command.fingerprint(), found)

    def _once(self, command: Command[R], fingerprint: bytes) -> Receipt[R]:
        with self.database.writing() as transaction:
            head = log.lock_head(transaction)
            refuse_unfinished(head)
            earlier = log.read_receipt(transaction, command.command_id)
            if earlier is not None:
                return self._first_receipt(transaction, command, fingerprint, earlier)
            if to_be_made_anew(head):
                raise being_made_anew()
            check_projections(head)
            return self._carry_out(transaction, head, command, fingerprint)

    def within(self, transaction: Transaction, command: Command[R]) -> Receipt[R]:
        """Carry out a command in a transaction that goes on: the one that makes a ledger, in which nobody else is."""
        return self._carry_out(transaction, log.lock_head(transaction), command, command.fingerprint())

    def _carry_out(
        self, transaction: Transaction, head: log.Head, command: Command[R], fingerprint: bytes
    ) -> Receipt[R]:
        state = self.ledger.rows(transaction, head)
        world = World(transaction, head, state, self.actor.user)
        command.authorise(world)
        decision = command.decide(world)
        if not decision.events:
            return Receipt(command.command_id, 0, 0, replace(decision.result, position=head.size))
        first = head.size + 1
        self._append(world, command.command_id, decision)
        if decision.redacted:
            _redact(world, decision)
        result = replace(decision.result, position=head.size)
        text = orjson.dumps(result).decode()
        log.write_receipt(transaction, command.command_id, fingerprint, first, head.size, text)
        if not decision.redacted:  # else the rows still hold what is gone
            self.ledger.keep(head, state)
        return Receipt(command.command_id, first, head.size, result)

    def _append(self, world: World, command_id: str, decision: Decision[Result]) -> None:
        cause = Cause(command_id, self.actor.user, self._via, decision.correlation)
        stored = log.append(world.transaction, world.head, decision.events, cause)
        prefetch(world.state, stored)
        try:
            apply(world.state, stored)
        except DoesNotFold as fault:  # events that this program has just made: its own fault
            raise (fault.__cause__ or fault) from None
        world.state.flush()

    def require(self, check: Callable[[World], None]) -> None:
        """Ask before slow work whether it is permitted; the door asks again. Raises NotPermitted, and records it."""
        try:
            with self.reading() as world:
                check(world)
        except NotPermitted as refusal:
            self._record(refusal)
            raise

    def _record(self, refusal: NotPermitted) -> None:
        """Append that somebody tried what he or she may not do. Where that fails, the refusal says so."""
        attempt = _RecordRefusal(
            action=refusal.action,
            record=refusal.record,
            role=refusal.role,
            needed=refusal.needed,
            subject=refusal.subject,
        )
        try:
            self.submit(attempt)
        except Refusal as failure:
            refusal.hint += f". This could not be recorded: {failure.message}"

    def _first_receipt(
        self,
        transaction: Transaction,
        command: Command[R],
        fingerprint: bytes,
        earlier: tuple[bytes, int, int, str],
    ) -> Receipt[R]:
        """A receipt is for who earned it, and is kept only where there are events, which name him. Anybody else learns
        as little as somebody who reused an id by mistake."""
        digest, first, _, _ = earlier
        if digest != fingerprint or log.actor_of(transaction, first) != self.actor.user:
            raise Conflict(
                "command-id-reused",
                f"Command id {command.command_id} was used before, for a different command.",
                "Submit it under a new command id.",
            )
        return _typed(command, earlier)

    def _log(
        self,
        what: str,
        command: Command[R],
        attempts: int,
        began: float,
        *,
        level: int = logging.INFO,
        position: int | None = None,
        refusal: str | None = None,
    ) -> None:
        if LOG.isEnabledFor(level):
            fields = {
                "command": type(command).__name__,
                "actor": self.actor.user,
                "position": position,
                "duration_s": perf_counter() - began,
                "attempts": attempts,
                "refusal": refusal,
            }
            LOG.log(level, what, extra=fields)

    def close(self) -> None:
        """Close the ledger, if ``open`` opened it for this user alone."""
        if self._opened:
            self.ledger.close()


def _redact(world: World, decision: Decision[Result]) -> None:
    log.redact(world.transaction, world.head, decision.redacted)
    for digest in decision.erased:
        input_files.erase(world.transaction, digest)


def _typed(command: Command[R], earlier: tuple[bytes, int, int, str]) -> Receipt[R]:
    _, first, last, text = earlier
    try:
        result: R = TypeAdapter(type(command).result_type()).validate_json(text)
    except ValidationError as error:  # of a version of the program that answered otherwise
        raise Conflict(
            "older-receipt",
            f"Command {command.command_id} was carried out by an older version of Daybook, as events {first} to "
            f"{last}; its answer cannot be given again.",
            "What it did is in the log",
            NextStep("log"),
        ) from error
    return Receipt(command.command_id, first, last, result, repeated=True)
