"""The one door: every command, from whatever face, is decided, appended, projected and committed here.

A command is a frozen model with a ``decide`` that reads the projections and returns events; it writes nothing and
reads no disk. The door runs it under the append lock, so what it read still holds when its events are committed.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from time import perf_counter
from typing import TYPE_CHECKING

from commands.door.actor import Actor
from commands.door.ledger import BEING_MADE_ANEW, Ledger
from commands.door.logs import LOG
from commands.door.permission import NotPermitted, require_authenticated, require_delegation, require_spelling
from commands.door.world import R, Receipt, World
from ledger import log
from ledger.collector import without_garbage_collection
from ledger.connections import CONNECTIONS
from ledger.database import Database, Transaction
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from projections.rows import State

if TYPE_CHECKING:
    from commands.door.command import Command
    from ledger.moments import Moment
    from projections.past import About

_ATTEMPTS = 5


class Daybook:
    """A ledger and its actor: made for one request, or for as long as one user works."""

    def __init__(self, ledger: Ledger, actor: Actor) -> None:
        self.ledger = ledger
        self.actor = actor
        self.reached = 0
        """The position of the last event that was appended here; 0 where none was."""
        self._opened = False

    @classmethod
    def open(cls, url: str, actor: Actor, *, connections: int = CONNECTIONS) -> "Daybook":
        """For a program with one user: opens a ledger that ``close`` closes. Raises what ``Ledger.open`` raises."""
        daybook = cls(Ledger.open(url, connections=connections), actor)
        daybook._opened = True
        return daybook

    @property
    def database(self) -> Database:
        return self.ledger.database

    @contextmanager
    def reading(self) -> Iterator[World]:
        with self.ledger.reading() as (transaction, head):
            yield World(
                transaction,
                head,
                State(head.live_slot, transaction),
                self.actor.user,
                self.actor.authentication,
                self.actor.owner,
            )

    @contextmanager
    def reading_past(self, moment: "Moment", about: "About | None" = None) -> Iterator[World]:
        """The world as it was, limited to what ``about`` asks for: unless said, all but the counts of who did what.
        Raises Refusal where the ledger has no such moment.
        """
        with self.ledger.past() as (transaction, today):
            from projections.past import Past, put_before

            head = put_before(transaction, moment, about or Past.everything, today)
            yield World(
                transaction,
                head,
                State(head.live_slot, transaction),
                self.actor.user,
                self.actor.authentication,
                self.actor.owner,
            )

    @contextmanager
    def reading_at(self, position: int, *, now: bool) -> Iterator[World]:
        """The world after the event at this position; with ``now``, or where nothing came since, as it is now."""
        if not now:
            with self.reading() as world:
                now = world.head.size == position
        with self.reading() if now else self.reading_past(position) as world:
            yield world

    def submit(self, command: "Command[R]") -> Receipt[R]:
        """Carry out a command: all of its events or none. A conflict is decided anew, a bounded number of times."""
        self.actor.require_writing()
        began, attempt = perf_counter(), 0
        receipt: Receipt[R] | None = None
        fingerprint = self._fingerprint(command)
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
        self.reached = max(self.reached, receipt.last)
        self._log("submitted", command, attempt, began, position=receipt.last or None)
        return receipt

    def _attempt(self, command: "Command[R]", fingerprint: bytes, *, last: bool) -> Receipt[R] | None:
        """None where it is to be tried again."""
        try:
            with without_garbage_collection():
                return self.ledger.together.carry_out(self.ledger, self.actor, command, fingerprint)
        except NotPermitted as refusal:
            self._record(refusal)
            raise
        except LedgerUnavailable as unavailable:
            if unavailable.code == "read-only":  # what is not permitted is told first
                self.require(command.authorise)
            if unavailable.code != BEING_MADE_ANEW or last:
                raise
            self.ledger.mend()
        except Conflict as conflict:
            if conflict.code not in ("taken", "serialization") or last:
                raise
        return None

    def earlier(self, command: "Command[R]") -> Receipt[R] | None:
        """The receipt of a command that was carried out before, if it was; does nothing. For callers that look at
        the disk before they submit. Raises Conflict where another command had its id.
        """
        from commands.door.attempt import first_receipt

        with self.database.reading() as transaction:
            return first_receipt(transaction, self.actor, command, self._fingerprint(command))

    def within(self, transaction: Transaction, command: "Command[R]") -> Receipt[R]:
        """Carry out a command inside the open transaction that makes a ledger, where there is nobody else."""
        from commands.door.attempt import carry_out

        head = log.lock_head(transaction)
        return carry_out(self.ledger, self.actor, transaction, head, command, self._fingerprint(command))

    def _fingerprint(self, command: "Command[R]") -> bytes:
        """The same command on behalf of somebody else is another one."""
        fingerprint, owner = command.fingerprint(), self.actor.on_behalf_of
        return fingerprint if owner is None else sha256(fingerprint + owner.encode()).digest()

    def require(self, check: Callable[[World], None]) -> None:
        """Ask before slow work whether it is permitted; the door will ask again. Raises NotPermitted, and records
        it.
        """
        self.actor.require_writing()
        try:
            with self.reading() as world:
                require_authenticated(world)
                require_spelling(world)
                require_delegation(world)
                check(world)
        except NotPermitted as refusal:
            self._record(refusal)
            raise

    def _record(self, refusal: NotPermitted) -> None:
        """Append an event that somebody tried what he or she may not do. Where that fails, the refusal says so."""
        from commands.door.attempt import RecordRefusal

        attempt = RecordRefusal(
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

    def _log(
        self,
        what: str,
        command: "Command[R]",
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
        """Close the ledger, where ``open`` opened it for this user alone."""
        if self._opened:
            self.ledger.close()
