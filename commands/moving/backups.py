"""Back a ledger up while it runs, check what was written, and restore it elsewhere. Overwrites nothing.

A backup holds one moment: what was committed before it, and nothing of what came after. It is written aside, checked
whole, and only then gets its name. A restored ledger is the same ledger: same events, same root, same accounts.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commands.door.freshness import SCHEMA_REVISION, bring_up_to_date, check_schema
from commands.door.world import Result
from commands.moving.aside import place_for
from commands.moving.backup_files import (
    Manifest,
    NoBackup,
    Part,
    Progress,
    Writing,
    copied_row,
    faults,
    part_of_file,
    read_manifest,
    write_manifest,
)
from commands.moving.importing import require_empty
from commands.moving.setup import tables_of_this_version
from ledger import __version__, log
from ledger.addresses import shown
from ledger.database import Database, Transaction
from ledger.errors import IntegrityFailure, LedgerUnavailable, NextStep, Refusal
from ledger.folders import sync_folder
from ledger.head import COLUMNS as OF_HEAD
from ledger.head import is_as_written, lock, store_head
from ledger.merkle import CompactRange
from ledger.tables import OWN
from ledger.verify import verify
from projections.rebuild import rebuild
from projections.versions import versions

_FILE = "daybook.db"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupLine:
    """One backup, and the point in time that it holds: the ``position`` and time of its last event, and the root of the
    tree over all of them. ``problem``: why it is none; then only ``backup`` is known."""

    backup: str
    made_at: str | None
    position: int | None
    recorded_at: str | None
    root: str | None
    origin: str | None
    database: str | None
    version: str | None
    bytes: int | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade(Result):
    """``backup`` is the folder that it is in. It holds secrets: only its owner may read it."""

    backup: str
    made_at: str
    recorded_at: str
    root: str
    origin: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups(Result):
    """Newest first. ``position`` is that of the newest one that can be read, else 0."""

    folder: str
    backups: list[BackupLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupChecked(Result):
    """``problems`` are sentences; where there are none, ``ok``."""

    ok: bool
    backup: BackupLine
    problems: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRestored(Result):
    """``db`` is the address of the ledger that was made, ``upgraded_from`` the schema that the backup had."""

    backup: str
    db: str
    origin: str
    recorded_at: str
    root: str
    upgraded_from: str | None


# --- create -----------------------------------------------------------------------------------------------------------


def create_backup(url: str, folder: Path, progress: Progress = lambda done, total: None) -> BackupMade:
    """A new backup in ``folder``, which is made if it is not there. Raises Refusal where it cannot be written,
    IntegrityFailure where what was written does not hold: then nothing is left of it."""
    database = Database(url)
    aside = folder / f".{os.urandom(6).hex()}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.mkdir(mode=0o700)
        try:
            write = _write_file if database.dialect == "sqlite" else _write_tables
            manifest = write(database, aside)
            write_manifest(aside, manifest)
            problems = faults(aside, manifest, progress)
            if problems:
                raise _not_intact(problems)
            backup = folder / _name(manifest)
            aside.rename(backup)
            sync_folder(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise Refusal(
            "backup-not-written",
            f"The backup cannot be written to {folder}: {error.strerror or error}.",
            "Free some space, or name another folder.",
        ) from error
    finally:
        database.close()
    return BackupMade(
        position=manifest.position, backup=str(backup), made_at=manifest.made_at, recorded_at=manifest.recorded_at,
        root=manifest.root, origin=manifest.origin, bytes=manifest.size,
    )  # fmt: skip


def _write_file(database: Database, aside: Path) -> Manifest:
    with database.reading() as transaction:
        check_schema(transaction)
        log.read_head(transaction)
    file = aside / _FILE
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    database.copy_file(file)
    copy = Database(f"sqlite:///{file}")
    try:
        with copy.reading() as transaction:
            head = log.read_head(transaction)
    finally:
        copy.close()
    report = verify(f"sqlite:///{file}")
    if not report.ok:
        raise _not_intact([problem.message for problem in report.problems])
    return _manifest(head, "sqlite", (part_of_file(file),))


def _write_tables(database: Database, aside: Path) -> Manifest:
    with database.reading() as transaction:
        check_schema(transaction)
        head = log.read_head(transaction)
        parts = tuple(_written(transaction, aside, *table) for table in _tables())
    return _manifest(head, "postgresql", parts)


def _tables() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """All but the lists: names, columns, and by what the rows are ordered."""
    for table in OWN:
        key = ", ".join(column.name for column in table.primary_key.columns)
        yield table.name, tuple(column.name for column in table.columns), key


def _written(transaction: Transaction, aside: Path, table: str, columns: tuple[str, ...], key: str) -> Part:
    writing = Writing(aside / f"{table}.copy")
    writing.take(transaction.copy_out(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}"))
    return writing.part(table, columns)


def _manifest(head: log.Head, database: str, parts: tuple[Part, ...]) -> Manifest:
    return Manifest(
        1, head.origin, database, SCHEMA_REVISION, __version__, log.now(), head.size, head.recorded_at,
        head.compact_range.root().hex(), parts,
    )  # fmt: skip


def _name(manifest: Manifest) -> str:
    origin = re.sub(r"[^A-Za-z0-9.-]", "-", manifest.origin)
    made = re.sub(r"[-:]", "", manifest.made_at)
    return f"{origin}-{manifest.position:012d}-{made}"


def _not_intact(problems: list[str]) -> IntegrityFailure:
    return IntegrityFailure(
        "backup-not-intact",
        f"What was backed up does not hold: {problems[0]} Nothing was kept.",
        "See what does not hold in the ledger",
        NextStep("verify"),
    )


# --- list, check ------------------------------------------------------------------------------------------------------


def list_backups(folder: Path) -> Backups:
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise Refusal(
            "no-folder", f"{folder} cannot be read: {error.strerror or error}.", "Name another folder."
        ) from error
    lines = [_line(path) for path in inside if not path.name.startswith(".")]
    lines.sort(key=lambda line: (line.position or 0, line.made_at or "", line.backup), reverse=True)
    newest = next((line.position for line in lines if line.position is not None), 0)
    return Backups(position=newest, folder=str(folder), backups=lines)


def unfinished(folder: Path) -> list[Path]:
    """Backups that wait to be whole: of processes that were killed, or are still at it."""
    return sorted(path for path in folder.glob(".????????????.part") if path.is_dir())


def _line(backup: Path) -> BackupLine:
    try:
        found = read_manifest(backup)
    except NoBackup as refusal:
        return BackupLine(
            backup=str(backup), made_at=None, position=None, recorded_at=None, root=None, origin=None,
            database=None, version=None, bytes=None, problem=refusal.message,
        )  # fmt: skip
    return BackupLine(
        backup=str(backup), made_at=found.made_at, position=found.position, recorded_at=found.recorded_at,
        root=found.root, origin=found.origin, database=found.database, version=found.version, bytes=found.size,
        problem=None,
    )  # fmt: skip


def check_backup(backup: Path, progress: Progress = lambda done, total: None) -> BackupChecked:
    """Whether a backup is as it was written, and its events are those of its tree. Raises NoBackup."""
    manifest = read_manifest(backup)
    problems = faults(backup, manifest, progress)
    return BackupChecked(position=manifest.position, ok=not problems, backup=_line(backup), problems=problems)


# --- restore ----------------------------------------------------------------------------------------------------------


def restore_backup(url: str, backup: Path, progress: Progress = lambda done, total: None) -> BackupRestored:
    """Make the ledger of a backup where there is none. Raises IntegrityFailure for a backup that does not hold, Refusal
    where there is a ledger already, or a database of another kind."""
    manifest = read_manifest(backup)
    if manifest.schema > SCHEMA_REVISION:
        raise LedgerUnavailable(
            "newer-schema",
            f"{backup} has schema {manifest.schema}, this version of Daybook expects {SCHEMA_REVISION}.",
            "Install a newer Daybook.",
        )
    _require_place(url, manifest)
    problems = faults(backup, manifest, progress)
    if problems:
        raise IntegrityFailure(
            "backup-not-intact", f"{backup}: {problems[0]} Nothing was restored.", "Restore another backup."
        )
    with place_for(url) as place:
        restore = _restore_file if manifest.database == "sqlite" else _restore_tables
        restore(place.url, backup, manifest)
        report = verify(place.url)
        if not report.ok or report.root != manifest.root:
            found = report.problems[0].message if report.problems else "its root is another."
            raise IntegrityFailure(
                "restored-not-intact", f"What was restored does not hold: {found}", "Restore another backup."
            )
        try:
            place.arrive()
        except FileExistsError:
            _require_place(url, manifest)
            raise
    older = None if manifest.schema == SCHEMA_REVISION else manifest.schema
    return BackupRestored(
        position=manifest.position, backup=str(backup), db=shown(url), origin=manifest.origin,
        recorded_at=manifest.recorded_at, root=manifest.root, upgraded_from=older,
    )  # fmt: skip


def _require_place(url: str, manifest: Manifest) -> None:
    database = Database(url, role=None)
    try:
        if database.dialect != manifest.database:
            raise Refusal(
                "other-database",
                f"The backup is one of {manifest.database}, and {shown(url)} is {database.dialect}.",
                "Restore it where it came from, then take the ledger there by an export and an import.",
            )
        if database.dialect == "sqlite" and os.path.lexists(database.address.database):
            raise Refusal(
                "not-empty", f"{database.address.database} is there already.", "Restore to another file."
            )
    finally:
        database.close()
    if manifest.database != "sqlite":
        require_empty(url)


def _restore_file(url: str, backup: Path, manifest: Manifest) -> None:
    database = Database(url, role=None)
    try:
        target = Path(database.address.database)
        with (backup / manifest.part(None).name).open("rb") as source, target.open("r+b") as stream:
            shutil.copyfileobj(source, stream, _PIECE)
            stream.flush()
            os.fsync(stream.fileno())
        with tables_of_this_version(database):  # in write-ahead mode again, and upgraded
            pass
        with database.reading() as transaction:
            head = log.read_head(transaction)
        if head.projections != versions():
            bring_up_to_date(database)
    finally:
        database.close()


def _restore_tables(url: str, backup: Path, manifest: Manifest) -> None:
    """The tables in one transaction; then the upgrade of an older schema, and the lists, as at any start."""
    database = Database(url, role=None)
    try:
        with tables_of_this_version(database, at=manifest.schema) as (transaction, _):
            lock(transaction)
            _take_over(transaction, backup, manifest)
        with tables_of_this_version(database):
            pass
        rebuild(database)
    finally:
        database.close()


def _take_over(transaction: Transaction, backup: Path, manifest: Manifest) -> None:
    store_head(transaction, _head(backup, manifest))
    for part in manifest.parts:
        if part.table in (None, "head"):
            continue
        with (backup / part.name).open("rb") as stream:
            transaction.copy_in(str(part.table), part.columns, iter(lambda: stream.read(_PIECE), b""))


def _head(backup: Path, manifest: Manifest) -> log.Head:
    """The head row of the backup, without what it said of lists, which are made anew."""
    part = manifest.part("head")
    (line,) = (backup / part.name).read_bytes().splitlines(keepends=True)
    row = dict(zip(part.columns, copied_row(line, part.columns), strict=True))
    row |= {"id": int(row["id"]), "size": int(row["size"])}
    row["compact_range"] = bytes.fromhex(row["compact_range"].removeprefix("\\x"))
    if not is_as_written(tuple(row[name] for name in OF_HEAD)) or row["size"] != manifest.position:
        raise IntegrityFailure(
            "backup-not-intact",
            f"{backup}: its head row is not the one that was written.",
            "Restore another backup.",
        )
    tree = CompactRange.from_bytes(row["size"], row["compact_range"])
    return log.Head(row["origin"], row["size"], tree, row["recorded_at"], "a", "", "")
