"""Commands of threads that submit at the same time: joined into one transaction, under one hold of the append lock.

What takes long about a small command is the commit, which waits for the disk. So whoever comes while another one writes
waits, and the first of those who wait carries out the commands of all of them: one after the other, each with its own
events, its own positions and its own receipt, and one commit. Who writes alone notices nothing of it.

A command that is refused is undone to where it began, and spoils no other. What the database itself refuses may show
late; then nothing of the transaction stands, and each of its commands is carried out alone.
"""

import copy
from collections import deque
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from ledger import log
from ledger.errors import LedgerUnavailable

if TYPE_CHECKING:
    from commands.door.actor import Actor
    from commands.door.command import Command
    from commands.door.ledger import Ledger
    from commands.door.world import R, Receipt
    from ledger.database import Transaction
    from ledger.log import Head

MOST = 64  # commands of one transaction
_DRIVERS = ("psycopg", "sqlite3")


@dataclass(slots=True, eq=False)
class _Ticket:
    """One command that waits, and how it ended: with ``receipt`` or ``error``. Neither: it is to be carried out alone.
    ``leads``: it is this one's turn to carry out those that wait."""

    actor: "Actor"
    command: "Command[Any]"
    fingerprint: bytes
    turn: Event = field(default_factory=Event)
    leads: bool = False
    receipt: "Receipt[Any] | None" = None
    error: BaseException | None = None


class _Spoiled(Exception):
    """The database refused something, and it cannot be told of which command."""


class Together:
    """Of one opened ledger: whatever threads submit to it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[_Ticket] = deque()
        self._is_led = False

    @property
    def waiting(self) -> int:
        """How many wait behind those that are being carried out."""
        return len(self._waiting)

    def carry_out(
        self, ledger: "Ledger", actor: "Actor", command: "Command[R]", fingerprint: bytes
    ) -> "Receipt[R]":
        """As ``attempt.once``, and it raises what that raises."""
        from commands.door.attempt import once

        ticket = _Ticket(actor, command, fingerprint)
        with self._lock:
            ticket.leads, self._is_led = not self._is_led, True
            if not ticket.leads:
                self._waiting.append(ticket)
        try:
            if not ticket.leads:
                ticket.turn.wait()
            if ticket.leads:
                self._lead(ledger, ticket)
        finally:
            self._leave(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.receipt or once(ledger, actor, command, fingerprint)

    def _leave(self, ticket: _Ticket) -> None:
        """Whatever happened: somebody else leads now, or nobody waits."""
        with self._lock:
            if ticket in self._waiting:  # interrupted while it waited
                self._waiting.remove(ticket)
            if not ticket.leads:
                return
            self._is_led = bool(self._waiting)
            if self._is_led:
                following = self._waiting.popleft()
                following.leads = True
                following.turn.set()

    def _take(self, number: int) -> list[_Ticket]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(number, len(self._waiting)))]

    def _lead(self, ledger: "Ledger", own: _Ticket) -> None:
        batch, began = [own], False
        try:
            with ledger.database.writing() as transaction:
                head = log.lock_head(transaction)
                batch += self._take(MOST - 1)  # who came while others held the lock is carried out as well
                began = True
                if len(batch) == 1:
                    own.receipt = _carried_out(ledger, transaction, head, own)
                else:
                    _carry_out_each(ledger, transaction, head, batch)
        except _Spoiled:
            _forget(batch)
        except LedgerUnavailable as unavailable:
            if len(batch) == 1 and began:
                raise
            if not began:
                batch += self._take(MOST - 1)  # else they would wait as long, one after the other
            for ticket in batch:
                ticket.receipt, ticket.error = None, copy.copy(unavailable)
        except BaseException as error:
            if len(batch) == 1:
                raise
            _forget(batch)
            if not isinstance(error, Exception):
                raise
        finally:
            for ticket in batch[1:]:
                ticket.turn.set()


def _forget(batch: list[_Ticket]) -> None:
    for ticket in batch:
        ticket.receipt = ticket.error = None


def _carry_out_each(ledger: "Ledger", transaction: "Transaction", head: "Head", batch: list[_Ticket]) -> None:
    for ticket in batch:
        before = replace(head)
        transaction.run("SAVEPOINT command")
        try:
            ticket.receipt = _carried_out(ledger, transaction, head, ticket)
        except Exception as error:
            if _is_of_database(error):
                raise _Spoiled from error
            ticket.error = error
            transaction.run("ROLLBACK TO SAVEPOINT command")
            head = before
        transaction.run("RELEASE SAVEPOINT command")


def _carried_out(
    ledger: "Ledger", transaction: "Transaction", head: "Head", ticket: _Ticket
) -> "Receipt[Any]":
    from commands.door.attempt import under_lock

    return under_lock(ledger, ticket.actor, transaction, head, ticket.command, ticket.fingerprint)


def _is_of_database(error: BaseException | None) -> bool:
    while error is not None:
        if type(error).__module__.startswith(_DRIVERS):
            return True
        error = error.__cause__
    return False
