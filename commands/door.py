"""The one door: every command, from whatever face, is decided, appended, projected and committed here.

A command is a frozen model with a ``decide`` that reads the projections and returns events; it writes nothing and
reads no disk. The door runs it under the append lock, so what it read still holds when its events are committed.
"""

import getpass
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field

from commands.permission import EVERYONE, NotPermitted
from ledger import __version__, input_files, log
from ledger.database import Database, Transaction
from ledger.envelope import NewEvent
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from ledger.events import ActionRefused
from ledger.log import Cause, Head
from ledger.moments import Moment
from projections.apply import apply, prefetch
from projections.past import About, Past, put_before
from projections.rebuild import rebuild, remove_remains, versions, without_garbage_collection
from projections.rows import State

SCHEMA_REVISION = "0002"
_ATTEMPTS = 5
_LONGEST_USER = 255
_WAIT_FOR_REBUILD_S = 600
_ROWS_KEPT = 10_000  # of each table, between two appends of one process
_FORGET_EVERY = 50  # events: how often it is seen to


def new_command_id() -> str:
    """Unique, and in the order of time: the newest receipt then stands at the end of its index."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and through which interface: ``cli``, ``python``."""

    user: str
    interface: str = "python"

    def __post_init__(self) -> None:
        if not 0 < len(self.user) <= _LONGEST_USER or not self.user.isprintable():
            raise Refusal(
                "user-name",
                f"A user's name has 1 to {_LONGEST_USER} printable characters.",
                "Give another one with --as.",
            )
        if self.user == EVERYONE:
            raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Give another name with --as.")

    def via(self) -> str:
        return orjson.dumps(
            {
                "interface": self.interface,
                "version": __version__,
                "host": platform.node(),
                "os_user": os_user(),
            }
        ).decode()


def os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "unknown"


@dataclass(slots=True)
class World:
    """What a command sees: one moment of the ledger, and who asks."""

    transaction: Transaction
    head: Head
    state: State
    actor: str

    @property
    def next_position(self) -> int:
        """Where the first event of this command will stand; records are numbered by it."""
        return self.head.size + 1


@dataclass(frozen=True, slots=True)
class Decision:
    """``result`` is what the receipt answers. No events: the log has nothing to tell, and no receipt is kept.

    ``redacted`` are the positions whose payload goes with these events, ``erased`` the sha256 of stored bytes.
    """

    events: Sequence[NewEvent]
    result: dict[str, Any] = field(default_factory=dict)
    correlation: str = ""
    redacted: Sequence[int] = ()
    erased: Sequence[str] = ()


class Command(BaseModel):
    """What somebody wants. Submitting the same ``command_id`` again gives the first receipt."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64")
    command_id: str = Field(default_factory=new_command_id)

    def authorise(self, world: World) -> None:
        """Raises NotPermitted where the actor may not do this."""
        raise NotImplementedError

    def decide(self, world: World) -> Decision:
        """Raises Refusal where the command cannot be carried out."""
        raise NotImplementedError


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


@dataclass(frozen=True, slots=True)
class Receipt:
    """Positions ``first`` to ``last`` are the command's events; both 0 where it had none."""

    command_id: str
    first: int
    last: int
    result: dict[str, Any]
    repeated: bool = False


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
                _check_schema(transaction)
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
            _check_projections(head)
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


def bring_up_to_date(database: Database) -> bool:
    """Rebuild, or wait for another process that opened the ledger a moment later and does it. What a redaction left
    behind is removed: False where free space of the database may still hold something of it."""
    with database.reading() as transaction:
        head = log.read_head(transaction)
    if head.projections == versions():
        return remove_remains(database)
    deadline = time.monotonic() + _WAIT_FOR_REBUILD_S
    with suppress(Conflict):
        rebuild(database)
        return remove_remains(database)
    while time.monotonic() < deadline:
        time.sleep(0.2)
        with database.reading() as transaction:
            if log.read_head(transaction).projections == versions():
                return remove_remains(database)
    rebuild(database)
    return remove_remains(database)


def _check_projections(head: Head) -> None:
    """One version's handlers must not go on in tables that another version has rebuilt meanwhile, nor in tables that
    still hold what was redacted."""
    if head.projections == log.REDACTED:
        raise LedgerUnavailable(
            "redacted-meanwhile",
            "A payload of this ledger was redacted a moment ago, and the lists that held it are being made anew.",
            "Start this program again.",
        )
    if head.projections != versions():
        raise LedgerUnavailable(
            "other-version",
            "Another version of daybook has rebuilt the projections of this ledger in the meantime.",
            "Start this program again, in that version.",
        )


def _check_schema(transaction: Transaction) -> None:
    found = transaction.run("SELECT version_num FROM alembic_version").fetchone()
    if found is None or found[0] != SCHEMA_REVISION:
        revision = found[0] if found else "none"
        newer = found is not None and revision > SCHEMA_REVISION
        raise LedgerUnavailable(
            "newer-schema" if newer else "older-schema",
            f"The ledger has schema {revision}, this version of daybook expects {SCHEMA_REVISION}.",
            "Install a newer daybook." if newer else "Run: daybook init (it upgrades the ledger in place)",
        )
