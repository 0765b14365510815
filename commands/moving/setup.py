"""Create a ledger, or upgrade an older one in place. The only module that runs migrations."""

import os
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from alembic import command as alembic
from alembic.config import Config
from sqlalchemy import Connection, inspect

import migrations
from commands.door.actor import Actor
from commands.door.command import Command
from commands.door.freshness import SCHEMA_REVISION, bring_up_to_date
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.moving.aside import find_key, is_key, key_for, place_for, remove_second_names
from ledger import log, marks, signing_keys
from ledger.addresses import shown
from ledger.database import Database, Transaction
from ledger.database_errors import APPLICATION_ROLE
from ledger.envelope import NewEvent, StoredEvent
from ledger.errors import LedgerUnavailable, NextStep
from ledger.events import LedgerCreated
from ledger.sqlite_files import create_sqlite_file
from ledger.tables import IMMUTABLE
from ledger.urls import quoted, schema_of
from projections.rebuild import rebuild
from projections.records import SLOTS
from projections.versions import versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(Result):
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised(Created):
    """``created`` is False where there was a ledger already, which ``created_by`` made at ``created_at`` (UTC). Where
    its schema was older, ``upgraded_from`` is that. ``db`` is its address without a password, ``key`` the file with
    its signing key."""

    upgraded_from: str | None
    created_by: str
    created_at: str
    db: str
    key: str
    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt(Result):
    """``longest_pause_s`` is the longest time that a writer can have waited for it; ``repaired`` says what was
    mended in the head row first, as sentences.
    """

    events: int
    seconds: float
    longest_pause_s: float
    repaired: list[str]


class CreateLedger(Command[Created]):
    origin: str
    public_key: str

    def authorise(self, world: World) -> None:
        """Who makes a ledger is its first admin."""

    def decide(self, world: World) -> Decision[Created]:
        if world.head.size:
            return Decision((), Created(created=False))
        event = LedgerCreated(origin=self.origin, public_key=self.public_key)
        return Decision([NewEvent("ledger", event)], Created(created=True))


def key_path(url: str, directory: Path) -> Path:
    """Where the signing key of a ledger lies: beside a SQLite file, else ``daybook.key`` in ``directory``."""
    database = Database(url, role=None)
    if database.dialect == "sqlite":
        file = Path(database.address.database)
        if not file.name:  # the root, which has no name to put an ending to
            raise LedgerUnavailable("not-a-database", f"{file} is a folder.", "Choose another ledger.")
        return file.with_suffix(".key")
    return directory / "daybook.key"


def initialise(url: str, actor: Actor, *, key_directory: Path = Path()) -> Initialised:
    """Create the tables, the signing key and the first event: all of it or nothing, however it ends.

    Running it again is harmless: it upgrades an older schema, and puts a key into place that a kill left waiting.
    Where two run at the same time, one makes the ledger and the other finds it.
    """
    path = key_path(url, key_directory)
    with place_for(url) as place, key_for(path, lambda key: _may_be_of(url, key)) as waiting:
        try:
            created, upgraded_from = _create(place.url, actor, path, waiting)
            place.arrive()
        except (FileExistsError, LedgerUnavailable):
            if place.path is None or not place.path.exists():
                raise
            waiting.unlink(missing_ok=True)  # somebody was faster
            return initialise(url, actor, key_directory=key_directory)
    head, first = _brought_up_to_date(url)
    if not find_key(path, _public_key(first)) and created:
        raise LedgerUnavailable(
            "key-not-written",
            f"The ledger was made, but another key came to {path} meanwhile. Its own waits in {waiting}.",
            "Move the other one away, and run this again.",
        )
    remove_second_names(path)
    return Initialised(
        position=head.size,
        created=created,
        upgraded_from=upgraded_from,
        created_by=first.actor,
        created_at=first.recorded_at,
        db=shown(url),
        key=str(path),
        next_steps=(NextStep("load-catalogue", arguments={"file": None}),) if created else (),
    )


def _create(url: str, actor: Actor, path: Path, waiting: Path) -> tuple[bool, str | None]:
    """One transaction. Returns whether it made a ledger, whose key is then in ``path`` or ``waiting``, and which
    schema it upgraded.
    """
    database = Database(url, role=None)
    try:
        with tables_of_this_version(database) as (transaction, upgraded_from):
            head = log.lock_head(transaction)
            marks.newest_key(transaction)
            if head.size:
                return False, upgraded_from
            key = _signing_key(path, waiting, head.origin)
            command = CreateLedger(origin=head.origin, public_key=signing_keys.public_key_text(key))
            Daybook(Ledger(database), actor).within(transaction, command)
            return True, None
    finally:
        database.close()


def _signing_key(path: Path, waiting: Path, origin: str) -> signing_keys.SigningKey:
    """A new ledger; or the one that an older version of the program left half made."""
    try:
        if not path.exists():
            return signing_keys.write_new_key(waiting, origin)
    except (signing_keys.CheckpointError, OSError) as error:
        raise LedgerUnavailable(
            "key-not-written",
            f"The signing key cannot be written beside {path}: {error}.",
            "Make its folder writable and run the command again.",
        ) from error
    key = signing_keys.read_key(path)
    if key.name != origin:
        raise LedgerUnavailable(
            "foreign-key",
            f"{path} is the signing key of another ledger, {key.name}. Nothing was made.",
            "Keep the keys of two ledgers in two folders.",
        )
    return key


def _brought_up_to_date(url: str) -> tuple[log.Head, StoredEvent]:
    """The ledger that stands now, with lists of this version. Returns its head and its first event."""
    database = Database(url, role=None)
    try:
        if database.dialect == "sqlite":
            remove_second_names(Path(database.address.database))
        with database.reading() as transaction:
            head = log.read_head(transaction)
            first = log.read_positions(transaction, {1})[1]
        if head.projections != versions():
            bring_up_to_date(database)
    finally:
        database.close()
    return head, first


def _may_be_of(url: str, key: Path) -> bool:
    """Whether the ledger that this key was made for is there, or nobody can tell."""
    try:
        return is_key(key, _public_key(_brought_up_to_date(url)[1]))
    except LedgerUnavailable as unavailable:
        return unavailable.code != "no-ledger"
    except Exception:  # noqa: BLE001 - what went wrong is being raised already
        return True


def _public_key(first: StoredEvent) -> str:
    try:
        return str(orjson.loads(first.payload or "")["public_key"])
    except (ValueError, KeyError, TypeError):
        return ""  # a damaged ledger: verify says so


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


@contextmanager
def tables_of_this_version(
    database: Database, *, at: str = "head"
) -> Iterator[tuple[Transaction, str | None]]:
    """One transaction, in which the tables are made or brought up to date and the caller goes on: a crash leaves the
    database as it was, and two at a time follow each other. A new ledger has a head row and no event. For an older
    ledger, the schema that it had comes with it. ``at``: an older revision, for what was written in it.
    """
    if database.dialect == "sqlite":
        create_sqlite_file(database.address)
    with ExitStack() as opened:
        with database.translated_errors():
            connection = opened.enter_context(database.engine.connect())
        with database.translated_errors(begun=True):
            if database.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('daybook migration'))")
            upgraded_from = _migrate(connection, schema_of(database.address), at)
            transaction = Transaction(connection.connection.driver_connection, database.dialect)
            transaction.leave_pipeline()  # it would outlive an error
            if transaction.run("SELECT origin FROM head").fetchone() is None:
                host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())  # it is part of the key's name
                log.create_head(transaction, f"daybook/{host}/{os.urandom(4).hex()}", SLOTS[0], versions())
            yield transaction, upgraded_from
            transaction.close()
            connection.commit()


def _migrate(connection: Connection, schema: str | None, at: str) -> str | None:
    """Returns the older schema that was upgraded."""
    found: str | None = None
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
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
    if schema is not None and "alembic_version" not in tables:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    config.attributes["connection"] = connection
    alembic.upgrade(config, at)
    if schema is not None:
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {APPLICATION_ROLE}")
    return None if found is None or str(found) == SCHEMA_REVISION else str(found)
