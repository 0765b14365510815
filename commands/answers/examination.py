"""Whether everything that Daybook stands on is as it should be: a line for each thing, fine or with what to do.

For whoever has to find out why it does not work. So nothing here raises: what cannot be asked is said. It reads, and
changes nothing, not even lists that are to be made anew.
"""

import os
import platform
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from commands.door.private_files import OWN, has_modes, mode_of
from ledger import __version__
from ledger.errors import NextStep, Refusal

if TYPE_CHECKING:
    from commands.door.actor import Actor
    from commands.door.settings import Settings
    from ledger.database import Transaction

LEAST_FREE = 100 << 20
"""Bytes: with less, a long upload may end in the middle."""
_APART_S = 60
Health = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """``health`` is unknown where something before it has to be mended first. ``hint`` says what to do, and
    ``next_steps`` do it."""

    name: str
    health: Health
    message: str
    hint: str = ""
    next_steps: tuple[NextStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """``ok`` where nothing is wrong and all could be asked."""

    ok: bool
    version: str
    checks: list[Examined]


def examination(checks: list[Examined]) -> Examination:
    return Examination(ok=all(each.health == "ok" for each in checks), version=__version__, checks=checks)


def fine(name: str, message: str) -> Examined:
    return Examined(name=name, health="ok", message=message)


def wrong(name: str, message: str, hint: str = "", *steps: NextStep) -> Examined:
    return Examined(name=name, health="wrong", message=message, hint=hint, next_steps=steps)


def unknown(name: str, after: str) -> Examined:
    return Examined(name=name, health="unknown", message=f"Not asked: {after} has to be mended first.")


def refused(name: str, refusal: Refusal) -> Examined:
    return wrong(name, refusal.message, refusal.hint, *refusal.steps)


def versions() -> Examined:
    import psycopg

    return fine(
        "versions",
        f"daybook {__version__}, Python {platform.python_version()} on {platform.platform(terse=True)}, SQLite "
        f"{sqlite3.sqlite_version}, psycopg {psycopg.__version__}.",
    )


# --- a ledger of this machine ---------------------------------------------------------------------------------------


def of_ledger(settings: "Settings", actor: "Actor") -> Iterator[Examined]:
    """The database and what is in it, in the order in which it is needed."""
    from ledger.addresses import shown
    from ledger.database import Database

    names = ("database", "schema", "projections", "triggers", "clock", "account")
    done: list[str] = []
    database = None
    try:
        database = Database(settings.db, connections=2)
        with database.reading() as transaction:
            done.append("database")
            yield fine("database", f"{shown(settings.db)} is reached, and takes {_login(transaction)}.")
            for name, ask in (
                ("schema", lambda: _schema(transaction)), ("projections", lambda: _projections(transaction)),
                ("triggers", lambda: _triggers(transaction)), ("clock", lambda: _clock(transaction)),
                ("account", lambda: _account(transaction, actor)),
            ):  # fmt: skip
                found = _asked(name, ask)
                done.append(name)
                yield found
                if name == "schema" and found.health != "ok":
                    break
    except Refusal as refusal:
        if "database" not in done:
            done.append("database")
            yield refused("database", refusal)
    finally:
        if database is not None:
            database.close()
    last = done[-1] if done else "database"
    yield from (unknown(name, f"the {last}") for name in names if name not in done)


def _asked(name: str, ask: Callable[[], Examined]) -> Examined:
    try:
        return ask()
    except Refusal as refusal:
        return refused(name, refusal)


def _login(transaction: "Transaction") -> str:
    if transaction.dialect == "sqlite":
        return "this account"
    login, role, version = transaction.run(
        "SELECT session_user, current_user, current_setting('server_version')"
    ).fetchone()
    return f"the login {login} as {role} (PostgreSQL {version})"


def _schema(transaction: "Transaction") -> Examined:
    from commands.door.freshness import SCHEMA_REVISION, check_schema

    check_schema(transaction)
    return fine("schema", f"Its revision is {SCHEMA_REVISION}, which this version expects.")


def _projections(transaction: "Transaction") -> Examined:
    from commands.door.freshness import to_be_made_anew
    from ledger import log
    from projections.versions import refuse_newer, versions

    head = log.read_head(transaction)
    if to_be_made_anew(head):
        return wrong("projections", "They have to be made anew.", "Whoever opens the ledger next does it.")
    refuse_newer(head)
    if head.projections != versions():
        return wrong(
            "projections", "Another version of Daybook made them.", "Whoever opens the ledger next makes them anew."
        )  # fmt: skip
    return fine("projections", f"They are those of this version, up to position {head.size:,}.")


def _triggers(transaction: "Transaction") -> Examined:
    from commands.door.guards import expected_guards, missing_guards

    missing = missing_guards(transaction)
    if missing:
        return wrong(
            "triggers",
            f"The database does not refuse every change: {', '.join(missing[:5])}{' …' if missing[5:] else ''} "
            f"{'are' if missing[1:] else 'is'} not there, or off.",
            "Somebody who owns the database lifted them. See whether anything was rewritten",
            NextStep("verify"),
        )
    return fine("triggers", f"All {len(expected_guards(transaction.dialect))} that refuse change are there.")


def _clock(transaction: "Transaction") -> Examined:
    from datetime import UTC

    from ledger import log

    head, now = log.read_head(transaction), datetime.now(UTC)
    if transaction.dialect == "postgresql":
        [theirs] = transaction.run("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        apart = now.timestamp() - theirs
        if abs(apart) > _APART_S:
            return apart_by("clock", apart, "the database server's")
    if log.lies_ahead(head.recorded_at):
        return wrong(
            "clock",
            f"The last event is of {head.recorded_at}, which lies ahead of this machine's clock.",
            "Set the clock of the machine that is wrong.",
        )
    return fine("clock", f"It shows {now.isoformat(timespec='seconds').replace('+00:00', 'Z')}.")


def apart_by(name: str, seconds: float, whose: str) -> Examined:
    way = "ahead of" if seconds > 0 else "behind"
    return wrong(
        name, f"This machine's clock is {abs(seconds):,.0f} s {way} {whose}.", "Set it, or let it be set by NTP."
    )  # fmt: skip


def _account(transaction: "Transaction", actor: "Actor") -> Examined:
    from commands.door.permission import role_of
    from commands.door.world import World
    from ledger import log
    from projections.rows import State

    head = log.read_head(transaction)
    world = World(
        transaction, head, State(head.live_slot, transaction), actor.user, actor.authentication, actor.owner
    )
    role = role_of(world, actor.user)
    how = "the account of this process" if actor.authentication == "os" else "only claimed"
    if not role:
        return wrong(
            "account", f"{actor.user} ({how}) has no role.", "Ask an admin for one",
            NextStep("request-role", arguments={"role": "researcher", "reason": None}),
        )  # fmt: skip
    return fine("account", f"{actor.user} ({how}), role {role}.")


# --- this machine ---------------------------------------------------------------------------------------------------


def of_roots(settings: "Settings") -> Iterator[Examined]:
    if not settings.roots.directories:
        yield fine("roots", "None are set: every absolute path of this machine is taken.")
    for prefix, places in settings.roots.directories.items():
        for place in places:
            yield _root(f"root {prefix}", Path(place))


def _root(name: str, place: Path) -> Examined:
    try:
        with os.scandir(place) as entries:
            is_empty = next(entries, None) is None
    except FileNotFoundError:
        return wrong(name, f"{place} is not there.", "Mount it, or mend [roots] in daybook.toml.")
    except OSError as error:
        return wrong(
            name, f"{place} cannot be read: {error.strerror}.", "Is it mounted, and may you read it?"
        )
    if is_empty:
        return wrong(name, f"{place} is empty.", "Is it mounted?")
    return fine(name, f"{place} is mounted and can be read.")


def of_disk(folder: Path | None) -> Iterator[Examined]:
    """Where a SQLite ledger lies."""
    if folder is None:
        return
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield wrong("disk", f"{folder} cannot be looked at: {error.strerror}.")
        return
    if free < LEAST_FREE:
        yield wrong("disk", f"{free >> 20:,} MiB are free at {folder}.", "Free some space.")
    elif not os.access(folder, os.W_OK):
        yield wrong("disk", f"{folder} cannot be written to.", "Ask its owner, or choose another ledger.")
    else:
        yield fine("disk", f"{free >> 20:,} MiB are free at {folder}.")


def of_keys(settings: "Settings", folder: Path | None) -> Iterator[Examined]:
    """The key that signs checkpoints, and that of a server; neither has to be here."""
    from commands.moving.setup import key_path

    kept = settings.checkpoints.key if settings.checkpoints is not None else None
    try:
        signing = (kept or key_path(settings.db, Path())).absolute()
    except Refusal:  # an address that names no ledger: the database's line says so
        return
    beside = settings.file.parent if settings.file is not None else (folder or Path()).absolute()
    for name, file in (("signing key", signing), ("server key", beside / "server.key")):
        yield _key(name, file)


def _key(name: str, file: Path) -> Examined:
    try:
        mode = mode_of(file)
    except FileNotFoundError:
        return fine(name, f"None at {file}; nothing here needs it.")
    except OSError as error:
        return wrong(name, f"{file} cannot be read: {error.strerror}.")
    if has_modes() and mode & 0o077:
        return wrong(
            name, f"{file} has the mode {mode:04o}: others can read it.", "Set it right",
            NextStep("protect-file", arguments={"mode": f"{OWN:o}", "file": str(file)}),
        )  # fmt: skip
    return fine(name, f"{file} is for its owner alone.")


def of_checkpoints(settings: "Settings") -> Iterator[Examined]:
    if settings.checkpoints is None:
        return
    folder = settings.checkpoints.folder
    if not folder.is_dir():
        yield wrong("checkpoints", f"{folder}, where they are kept, is not there.", "Mount it, or make it.")
    elif not os.access(folder, os.W_OK):
        yield wrong("checkpoints", f"{folder}, where they are kept, cannot be written to.", "Ask its owner.")
    else:
        yield fine("checkpoints", f"They are kept in {folder}.")
