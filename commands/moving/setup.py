"""Create a ledger, or upgrade an older one in place. The only module that runs migrations."""

import os
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import inspect

import migrations
from commands.door.actor import Actor
from commands.door.freshness import SCHEMA_REVISION
from commands.door.incidents import without_passwords
from commands.door.submit import Daybook
from commands.door.world import Command, Decision, Result, World
from ledger import checkpoint, log
from ledger.database import Database, create_sqlite_file
from ledger.envelope import NewEvent
from ledger.errors import LedgerUnavailable, NextStep
from ledger.events import LedgerCreated
from ledger.tables import IMMUTABLE
from projections.rebuild import rebuild, versions
from projections.records import SLOTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Result):
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised(Created):
    """``created`` is False where there was a ledger already. ``db`` is its address without a password, ``key`` the file
    with its signing key."""

    db: str
    key: str
    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt(Result):
    """``longest_pause_s`` is the longest time that a writer can have waited for it; ``repaired`` what was mended of the
    head row before, as sentences."""

    events: int
    seconds: float
    longest_pause_s: float
    repaired: list[str]


class CreateLedger(Command[Created]):
    origin: str
    public_key: str

    def authorise(self, world: World) -> None:
        """Whoever makes a ledger is its first admin."""

    def decide(self, world: World) -> Decision[Created]:
        if world.head.size:
            return Decision((), Created(created=False))
        event = LedgerCreated(origin=self.origin, public_key=self.public_key)
        return Decision([NewEvent("ledger", event)], Created(created=True))


def key_path(url: str, directory: Path) -> Path:
    """Where the signing key of a ledger lies: beside a SQLite file, else ``daybook.key`` in ``directory``."""
    database = Database(url, role=None)
    if database.dialect == "sqlite":
        return Path(str(database.url.database)).with_suffix(".key")
    return directory / "daybook.key"


def initialise(url: str, actor: Actor, *, key_directory: Path = Path()) -> Initialised:
    """Create the tables, the signing key and the first event.

    Running it again is harmless: it upgrades an older schema and finishes what a crash left undone.
    """
    database = Database(url, role=None)
    try:
        head = prepare(database)
    finally:
        database.close()
    path = key_path(url, key_directory)
    if head.size == 0 and not path.exists():
        _write_key(path, head.origin)  # a crash here: the next run finds this key
    daybook = Daybook.open(url, actor)
    try:
        if head.size:
            return _initialised(url, path, Created(created=False, position=head.size))
        key = checkpoint.read_key(path)
        if key.name != head.origin:
            raise LedgerUnavailable(
                "foreign-key",
                f"{path} is the signing key of another ledger, {key.name}; this one is {head.origin}.",
                "Keep the keys of two ledgers in two folders.",
            )
        command = CreateLedger(origin=head.origin, public_key=checkpoint.public_key_text(key))
        return _initialised(url, path, daybook.submit(command).result)
    finally:
        daybook.close()


def _initialised(url: str, key: Path, made: Created) -> Initialised:
    return Initialised(
        position=made.position,
        created=made.created,
        db=without_passwords(url),
        key=str(key),
        next_steps=(NextStep("load-catalogue", arguments={"file": None}),) if made.created else (),
    )


def rebuild_lists(
    daybook: Daybook,
    *,
    repaired: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Rebuilt:
    """Make all lists anew from the events; readers and writers go on meanwhile. ``repaired`` is what
    ``freshness.repair`` said before the ledger could be opened."""
    done = rebuild(daybook.database, progress=progress)
    return Rebuilt(
        position=done.events,
        events=done.events,
        seconds=done.seconds,
        longest_pause_s=done.longest_pause_s,
        repaired=list(repaired),
    )


def _write_key(path: Path, origin: str) -> None:
    try:
        checkpoint.write_new_key(path, origin)
    except (checkpoint.CheckpointError, OSError) as error:
        raise LedgerUnavailable(
            "key-not-written",
            f"The signing key cannot be written to {path}: {error}.",
            "Make its folder writable and run the command again.",
        ) from error


def prepare(database: Database) -> log.Head:
    """The tables, the head row and current projections; what is there already stays."""
    if database.dialect == "sqlite":
        create_sqlite_file(database.url)
    with database.translated_errors():
        _migrate(database)
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())  # it is part of the key's name
    origin = f"daybook/{host}/{os.urandom(4).hex()}"
    with database.writing() as transaction:
        if transaction.run("SELECT origin FROM head").fetchone() is None:
            log.create_head(transaction, origin, SLOTS[0], versions())
    with database.reading() as transaction:
        head = log.read_head(transaction)
    if head.projections != versions():
        rebuild(database)
    return head


def _migrate(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with database.engine.connect() as connection:
        # one transaction around all of it: a crash leaves the schema as it was, two at a time follow each other
        if database.dialect == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('daybook migration'))")
        tables = set(inspect(connection).get_table_names())
        if "alembic_version" in tables:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if found is not None and str(found) > SCHEMA_REVISION:
                raise LedgerUnavailable(
                    "newer-schema",
                    f"The ledger has schema {found}, this version of Daybook expects {SCHEMA_REVISION}.",
                    "Install a newer Daybook.",
                )
        elif strangers := sorted(tables & {"head", *IMMUTABLE}):
            raise LedgerUnavailable(
                "not-a-ledger",
                f"The database holds tables of another program ({', '.join(strangers)}).",
                "Choose another database for the ledger.",
            )
        config.attributes["connection"] = connection
        alembic.upgrade(config, "head")
        connection.commit()
