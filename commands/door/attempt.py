"""One attempt to carry out a command: decided, appended, projected and committed, or nothing. For the door alone."""

from dataclasses import replace
from typing import ClassVar

import orjson
from pydantic import TypeAdapter, ValidationError

from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.freshness import check_projections, refuse_unfinished, to_be_made_anew
from commands.door.ledger import Ledger, being_made_anew
from commands.door.permission import require_authenticated, require_delegation, require_spelling
from commands.door.world import Decision, R, Receipt, Result, World
from ledger import input_files, log
from ledger.database import Transaction
from ledger.envelope import NewEvent
from ledger.errors import Conflict, NextStep
from ledger.events import ActionRefused
from ledger.log import Cause
from projections.apply import DoesNotFold, apply, prefetch


class RecordRefusal(Command[Result]):
    """The one thing that somebody without any role can add to the ledger."""

    action: str
    record: str
    role: str
    needed: str
    subject: str
    RECOVERS: ClassVar[bool] = True  # it changes no record

    def authorise(self, world: World) -> None:
        """Nothing to judge: the action was refused already."""

    def decide(self, world: World) -> Decision[Result]:
        event = ActionRefused(action=self.action, record=self.record, role=self.role, needed=self.needed)
        return Decision([NewEvent(f"user/{world.actor}", event, None, self.subject, world.actor)], Result())


def once(ledger: Ledger, actor: Actor, command: Command[R], fingerprint: bytes) -> Receipt[R]:
    """Raises Conflict where it may be tried again, LedgerUnavailable where the lists have to be made anew before."""
    with ledger.database.writing() as transaction:
        return under_lock(ledger, actor, transaction, log.lock_head(transaction), command, fingerprint)


def under_lock(
    ledger: Ledger, actor: Actor, transaction: Transaction, head: log.Head, command: Command[R], fingerprint: bytes
) -> Receipt[R]:  # fmt: skip
    """In a transaction that locked the head row and may have carried out other commands before."""
    refuse_unfinished(head)
    ledger.notice(head)
    earlier = first_receipt(transaction, actor, command, fingerprint)
    if earlier is not None:
        return earlier
    if to_be_made_anew(head):
        raise being_made_anew()
    check_projections(head)
    return carry_out(ledger, actor, transaction, head, command, fingerprint)


def carry_out(
    ledger: Ledger,
    actor: Actor,
    transaction: Transaction,
    head: log.Head,
    command: Command[R],
    fingerprint: bytes,
) -> Receipt[R]:
    """Inside an open transaction that holds the append lock."""
    state = ledger.rows(transaction, head)
    world = World(transaction, head, state, actor.user, actor.authentication, actor.owner)
    if not command.RECOVERS:
        require_authenticated(world)
        require_spelling(world)
        require_delegation(world)
    command.authorise(world)
    decision = command.decide(world)
    if not decision.events:
        return Receipt(command.command_id, 0, 0, replace(decision.result, position=head.size))
    first = head.size + 1
    _append(world, Cause(command.command_id, actor.user, actor.via(), decision.correlation), decision)
    if decision.redacted:
        _redact(world, decision)
    result = replace(decision.result, position=head.size)
    text = orjson.dumps(result).decode()
    log.write_receipt(transaction, command.command_id, fingerprint, first, head.size, text)
    if not decision.redacted:  # else the rows would still hold what is gone
        ledger.keep(head, state)
    return Receipt(command.command_id, first, head.size, result)


def first_receipt(
    transaction: Transaction, actor: Actor, command: Command[R], fingerprint: bytes
) -> Receipt[R] | None:
    """The receipt of a command that was carried out before. It is for its own actor, whom its events name. Anybody
    else learns no more than somebody who reused an id by mistake.
    """
    earlier = log.read_receipt(transaction, command.command_id)
    if earlier is None:
        return None
    digest, first, _, _ = earlier
    if digest != fingerprint or log.actor_of(transaction, first) != actor.user:
        raise Conflict(
            "command-id-reused",
            f"Command id {command.command_id} was used before, for a different command.",
            "Submit it under a new command id.",
        )
    return _typed(command, earlier)


def _append(world: World, cause: Cause, decision: Decision[Result]) -> None:
    stored = log.append(world.transaction, world.head, decision.events, cause)
    prefetch(world.state, stored)
    try:
        apply(world.state, stored)
    except DoesNotFold as fault:  # this program has just made these events: the fault is its own
        raise (fault.__cause__ or fault) from None
    world.state.flush()


def _redact(world: World, decision: Decision[Result]) -> None:
    log.redact(world.transaction, world.head, decision.redacted)
    for digest in decision.erased:
        input_files.erase(world.transaction, digest)


def _typed(command: Command[R], earlier: tuple[bytes, int, int, str]) -> Receipt[R]:
    _, first, last, text = earlier
    try:
        result: R = TypeAdapter(type(command).result_type()).validate_json(text)
    except ValidationError as error:  # written by a version of the program that had another type of answer
        raise Conflict(
            "older-receipt",
            f"Command {command.command_id} was carried out by an older version of Daybook, as events {first} to "
            f"{last}; its answer cannot be given again.",
            "What it did is in the log",
            NextStep("log"),
        ) from error
    return Receipt(command.command_id, first, last, result, repeated=True)
