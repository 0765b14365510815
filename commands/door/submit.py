"""The one door: every command, from whatever face, is decided, appended, projected and committed here.

A command is a frozen model with a ``decide`` that reads the projections and returns events; it writes nothing and
reads no disk. The door runs it under the append lock, so what it read still holds when its events are committed.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import cast

import orjson

from commands.door.actor import Actor
from commands.door.freshness import bring_up_to_date, check_projections, check_schema
from commands.door.permission import NotPermitted
from commands.door.world import Command, Decision, Receipt, World
from ledger import input_files, log
from ledger.database import Database, Transaction
from ledger.envelope import NewEvent
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from ledger.events import ActionRefused
from ledger.log import Cause, Head
from ledger.moments import Moment
from projections.apply import apply, prefetch
from projections.past import About, Past, put_before
from projections.rebuild import versions, without_garbage_collection
from projections.rows import State

_ATTEMPTS = 5
_ROWS_KEPT = 10_000  # of each table, between two appends of one process
_FORGET_EVERY = 50  # events: how often it is seen to


class _RecordRefusal(Command):
    """The one thing that somebody without any role can add to the ledger."""

    action: str
    record: str
    role: str
    needed: str
    subject: str

    def authorise(self, world: World) -> None:
        """It was refused already, to whoever it was."""

    def decide(self, world: World) -> Decision:
        event = ActionRefused(action=self.action, record=self.record, role=self.role, needed=self.needed)
        return Decision([NewEvent(f"user/{world.actor}", event, None, self.subject, world.actor)])


class Daybook:
    """An opened ledger and the user who works with it."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self.database = database
        self.actor = actor
        self._via = actor.via()
        self._local = threading.local()

    @classmethod
    def open(cls, url: str, actor: Actor) -> "Daybook":
        """Raises LedgerUnavailable where there is no ledger, or one of another schema. Projections that another
        version of the program made are rebuilt."""
        daybook = cls(Database(url), actor)
        try:
            with daybook.database.reading() as transaction:
                check_schema(transaction)
                head = log.read_head(transaction)
            if head.projections != versions() or head.rebuild == log.EMPTYING:
                bring_up_to_date(daybook.database)
        except BaseException:
            daybook.close()
            raise
        return daybook

    @contextmanager
    def reading(self) -> Iterator[World]:
        with self.database.reading() as transaction:
            head = log.read_head(transaction)
            yield World(transaction, head, State(head.live_slot, transaction), self.actor.user)

    @contextmanager
    def reading_past(self, moment: Moment, about: About | None = None) -> Iterator[World]:
        """The world as it was, as far as a reading is about it: all but the counts of who did what, unless said.
        Raises Refusal where the ledger has no such moment."""
        with self.database.past() as transaction:
            head = put_before(transaction, moment, about or Past.everything)
            yield World(transaction, head, State(head.live_slot, transaction), self.actor.user)

    def submit(self, command: Command) -> Receipt:
        """Carry out a command: all of its events or none. A conflict is decided anew, a bounded number of times."""
        kind = type(command).__name__  # two commands may have the same fields
        fingerprint = sha256(f"{kind} {command.model_dump_json()}".encode()).digest()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with without_garbage_collection():
                    return self._once(command, fingerprint)
            except NotPermitted as refusal:
                self._record(refusal)
                raise
            except LedgerUnavailable as unavailable:
                if unavailable.code == "read-only":  # who may not is told so, whatever else is in the way
                    self.require(command.authorise)
                raise
            except Conflict as conflict:
                if conflict.code not in ("taken", "serialization") or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _once(self, command: Command, fingerprint: bytes) -> Receipt:
        with self.database.writing() as transaction:
            head = log.lock_head(transaction)
            earlier = log.read_receipt(transaction, command.command_id)
            if earlier is not None:
                return _first_receipt(command, fingerprint, earlier)
            check_projections(head)
            state = self._state(transaction, head)
            world = World(transaction, head, state, self.actor.user)
            command.authorise(world)
            decision = command.decide(world)
            if not decision.events:
                return Receipt(command.command_id, 0, 0, decision.result)
            first = head.size + 1
            self._append(world, command.command_id, decision)
            if decision.redacted:
                _redact(world, decision)
            result = orjson.dumps(decision.result).decode()
            log.write_receipt(transaction, command.command_id, fingerprint, first, head.size, result)
        self._local.kept = (head.size, state)
        return Receipt(command.command_id, first, head.size, decision.result)

    def _append(self, world: World, command_id: str, decision: Decision) -> None:
        cause = Cause(command_id, self.actor.user, self._via, decision.correlation)
        stored = log.append(world.transaction, world.head, decision.events, cause)
        prefetch(world.state, stored)
        apply(world.state, stored)
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

    def _state(self, transaction: Transaction, head: Head) -> State:
        """The rows that this thread's last append left in memory, if nobody has appended since; else none."""
        size, state = getattr(self._local, "kept", (-1, None))
        self._local.kept = (-1, None)  # whatever fails from here on, half-changed rows are not used again
        if state is None or size != head.size or state.slot != head.live_slot:
            return State(head.live_slot, transaction)
        if size - getattr(self._local, "forgot_at", 0) > _FORGET_EVERY:
            self._local.forgot_at = size
            state.forget(beyond=_ROWS_KEPT)
        state.attach(transaction)
        return cast("State", state)

    def close(self) -> None:
        self.database.close()


def _redact(world: World, decision: Decision) -> None:
    log.redact(world.transaction, world.head, decision.redacted)
    for digest in decision.erased:
        input_files.erase(world.transaction, digest)


def _first_receipt(command: Command, fingerprint: bytes, earlier: tuple[bytes, int, int, str]) -> Receipt:
    if earlier[0] != fingerprint:
        raise Conflict(
            "command-id-reused",
            f"Command id {command.command_id} was used before, for a different command.",
            "Submit it under a new command id.",
        )
    return Receipt(command.command_id, earlier[1], earlier[2], orjson.loads(earlier[3]), repeated=True)
