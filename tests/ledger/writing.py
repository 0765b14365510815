"""Ways to write for tests: straight to the log, through the door, and from other processes."""

import multiprocessing
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier, Event
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from commands.door.actor import Actor
from commands.door.command import Command, new_command_id
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import log
from ledger.database import Database, Transaction
from ledger.envelope import NewEvent, StoredEvent
from ledger.events import ReferenceValueAdded, SubjectRegistered
from projections.apply import apply, prefetch
from projections.rows import State
from tests.patience import PATIENCE_S, until

_OF_LISTS = re.compile(r"_[ab]\b")
processes = multiprocessing.get_context("forkserver")


def added(value: str, table: str = "reference.Experimenter", **envelope: Any) -> NewEvent:
    body = ReferenceValueAdded(table=table, value=value)
    return NewEvent(f"reference/{table}", body, **({"expected_version": None} | envelope))


def append(
    database: Database, events: Sequence[NewEvent], command_id: str | None = None, actor: str = "user_1"
) -> list[StoredEvent]:
    """One append as the door makes it, with projections and receipt, but without a command."""
    command_id = command_id or new_command_id()
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        stored = log.append(transaction, head, events, log.Cause(command_id, actor, "{}"))
        state = State(head.live_slot, transaction)
        prefetch(state, stored)
        apply(state, stored)
        state.flush()
        log.write_receipt(transaction, command_id, b"\0" * 32, stored[0].position, head.size, "{}")
    return stored


def append_plainly(database: Database, events: Sequence[NewEvent]) -> None:
    """An append that no projection hears of: fast, for tests of the log alone."""
    command_id = new_command_id()
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        first = head.size + 1
        log.append(transaction, head, events, log.Cause(command_id, "user_1", "{}"))
        log.write_receipt(transaction, command_id, b"\0" * 32, first, head.size, "{}")


def stored_events(database: Database) -> list[StoredEvent]:
    with database.reading() as transaction:
        return log.read_all(transaction, limit=1_000_000)


def head_size(database: Database) -> int:
    with database.reading() as transaction:
        return log.read_head(transaction).size


def as_owner(url: str, *statements: str | tuple[str, Sequence[Any]]) -> None:
    """Change the database behind the ledger's back, as somebody could who owns it: nothing refuses it."""
    database = Database(url, role=None)
    try:
        with database.writing() as transaction:
            lift_guards(transaction, lists=any(_OF_LISTS.search(str(statement)) for statement in statements))
            for statement in statements:
                sql, values = (statement, ()) if isinstance(statement, str) else statement
                transaction.run(sql, values)
    finally:
        database.close()


def lift_guards(transaction: Transaction, *, lists: bool = False) -> None:
    """Drop the triggers and checks of the facts, and those of the lists as well; on SQLite the checks come back with the
    next connection. On PostgreSQL it waits for whoever is using these tables."""
    if transaction.dialect == "sqlite":
        transaction.run("PRAGMA ignore_check_constraints = ON")
        for (name,) in transaction.run("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            transaction.run(f"DROP TRIGGER {name}")
        return
    triggers = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    for name, table in transaction.run(triggers).fetchall():
        if lists or not _OF_LISTS.search(table):
            transaction.run(f"DROP TRIGGER {name} ON {table}")
    checks = "SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'ck_%'"
    for name, table in transaction.run(checks).fetchall():
        transaction.run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def end_connections(url: str) -> None:
    """What a restart of the server does to those who are connected. When it returns, they are gone."""
    others = (
        "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
        "AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"SELECT pg_terminate_backend(pid) {others}")
        until(lambda: server.execute(f"SELECT {others}").fetchone() is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Result):
    registered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(Result):
    renamed: bool


class Register(Command[Registered]):
    """Registers a subject once, and adds so many reference values with it."""

    name: str
    values: int = 0

    def authorise(self, world: World) -> None:
        """Anybody may."""

    def decide(self, world: World) -> Decision:
        key = f"0/{self.name}"
        if world.state.subjects.get(key) is not None:
            return Decision((), Registered(registered=False))
        subject = NewEvent(f"subject/{key}", SubjectRegistered(datasource_id=0, name=self.name), subject=key)
        values = [added(f"{self.name}_{number}") for number in range(self.values)]
        return Decision([subject, *values], Registered(registered=True))


class Rename(Command[Renamed]):
    """Has the fields of Register and is another command."""

    name: str
    values: int = 0

    def authorise(self, world: World) -> None:
        """Anybody may."""

    def decide(self, world: World) -> Decision:
        return Decision([added(self.name)], Renamed(renamed=True))


def submit_many(
    url: str, writer: str, commands: int, halfway: Barrier | None = None, go_on: Event | None = None
) -> None:
    """At ``halfway`` it meets the others, and waits until it may ``go_on``."""
    daybook = Daybook.open(url, Actor(writer))
    for number in range(commands):
        if halfway is not None and go_on is not None and number == commands // 2:
            halfway.wait(PATIENCE_S)
            assert go_on.wait(PATIENCE_S)
        daybook.submit(Register(name=f"{writer}_{number}", values=number % 3))
    daybook.close()


def submit_the_same(url: str, command_id: str) -> None:
    daybook = Daybook.open(url, Actor("user_1"))
    daybook.submit(Register(name="12345", values=2, command_id=command_id))
    daybook.close()


def elsewhere(function: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Run a function in a process of its own. It stands in a module that the fork server has loaded (``PROCESSES``): a module
    of tests would be loaded again for each."""
    process = processes.Process(target=function, args=arguments)
    process.start()
    return process


def join_all(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)
