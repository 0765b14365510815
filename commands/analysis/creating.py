"""Write an archive: closed ranges of the log as Parquet files, each with its companion. Nothing leaves the database.

A range is read at one moment and written aside; then it gets its name. What was redacted since is looked for again
after that, so that no file keeps what a redaction removed meanwhile. The same range under the same checkpoint, with
the same redactions, gives the same bytes.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname
from typing import Literal

from commands.analysis.engine import Engine, EngineError, require_engine
from commands.analysis.ranges import (
    COLUMNS,
    EVENTS,
    LEAST_EVENTS,
    MOST_EVENTS,
    PAGE,
    ROWS_IN_GROUP,
    Companion,
    Hashed,
    NoCompanion,
    Range,
    closed_ranges,
    digest_of,
    is_as_written,
    path_of,
    ranges_in,
    read_companion,
    require_path,
    write_companion,
)
from commands.door.alone import lock
from commands.door.freshness import refuse_unfinished
from commands.door.private_files import OWN
from commands.door.submit import Daybook
from commands.door.world import Result, World
from commands.proving.checkpoints import ledger_key, make_checkpoint, own_checkpoint
from ledger import archives, log
from ledger.archives import Archive
from ledger.errors import IntegrityFailure, LedgerUnavailable, NextStep, Refusal
from ledger.folders import sync_folder
from ledger.plurals import plural
from ledger.proofs import StoredTree
from ledger.signing_keys import public_key_text

_OWN, _LOCK = ".daybook", "lock"
_ATTEMPTS = 5
_LOOK_EVERY_S = 0.05
Progress = Callable[[int, int], None]
Became = Literal["written", "kept", "redacted", "mended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """``became``: written, as it was not there; kept as it is; redacted: written anew, without what was redacted since;
    mended: written anew, as it was another than the ledger's. ``redacted`` counts the payloads that are not in it."""

    file: str
    first: int
    last: int
    became: Became
    redacted: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMade(Result):
    """``archived_to`` is the last position that is in a file. ``unsigned`` counts the events of closed ranges that no
    checkpoint covers; they are left out, as is the last range, which is open. ``known``: whether the ledger could note
    where the archive is, so that redactions reach it."""

    folder: str
    origin: str
    events_in_file: int
    archived_to: int
    unsigned: int
    files: list[ArchivedFile]
    known: bool


def create_archive(
    daybook: Daybook,
    folder: Path,
    *,
    events: int | None = None,
    key_file: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> ArchiveMade:
    """Write what is missing in a folder, which is made if it is not there, and anew what does not hold any more.

    ``events`` are in one file: a power of two, which an archive keeps. A checkpoint is made where one is missing and
    the key is there. Raises Refusal where it cannot be written, IntegrityFailure where the ledger is not as it was
    signed.
    """
    require_engine()
    if events is not None and not (LEAST_EVENTS <= events <= MOST_EVENTS and events & (events - 1) == 0):
        raise Refusal(
            "events-in-file",
            f"A file holds {LEAST_EVENTS}, {LEAST_EVENTS * 2}, {LEAST_EVENTS * 4}, ... {MOST_EVENTS:,} events: "
            f"a power of two, not {events:,}.",
            "Leave it out, or give one of these.",
        )
    with _written(folder), _alone(folder) as aside:
        events = _events_in_file(folder, events)
        size, signed = _sign(daybook, events, key_file)
        known = _noted(daybook, folder, events, signed - signed % events)
        made = []
        for of in closed_ranges(signed, events):
            made.append(_archived(daybook, folder, aside, of))
            progress(of.last, signed)
    with daybook.reading() as world:
        origin = world.head.origin
    closed = size - size % events
    archived_to = made[-1].last if made else 0
    return ArchiveMade(
        position=size, folder=str(folder), origin=origin, events_in_file=events, archived_to=archived_to,
        unsigned=closed - archived_to, files=made, known=known,
    )  # fmt: skip


def write_anew(
    daybook: Daybook, folder: Path, positions: Collection[int], *, wait_s: float
) -> list[ArchivedFile]:
    """The files of an archive that hold these positions, as far as they do not hold any more. Raises as above."""
    require_engine()
    if not folder.is_dir():
        raise Refusal("no-archive", f"There is no folder {folder}.", "Name another folder.")
    with _written(folder), _alone(folder, wait_s=wait_s) as aside:
        concerned = [of for of in ranges_in(folder) if any(of.first <= at <= of.last for at in positions)]
        return [_archived(daybook, folder, aside, of) for of in concerned]


def _events_in_file(folder: Path, events: int | None) -> int:
    """What the archive has, or as it is asked for."""
    there = {of.events for of in ranges_in(folder)}
    if events is None:
        events = min(there, default=EVENTS)
    if there - {events}:
        raise Refusal(
            "other-archive",
            f"Each file in {folder} holds {plural(min(there - {events}), 'event')}, not {events:,}.",
            "Leave the number out, or name another folder.",
        )
    return events


def _sign(daybook: Daybook, events: int, key_file: Path | None) -> tuple[int, int]:
    """The size of the log, and that of its newest checkpoint; one is made where a closed range has none."""
    with daybook.reading() as world:
        refuse_unfinished(world.head)
        size, signed = world.head.size, _newest(world)
    if signed < size - size % events and key_file is not None and key_file.exists():
        make_checkpoint(daybook, key_file)
        with daybook.reading() as world:
            signed = _newest(world)
    return size, min(signed, size)


def _noted(daybook: Daybook, folder: Path, events: int, archived_to: int) -> bool:
    """Have the ledger know of it before there is anything in it. False where it cannot be written to."""
    archive = Archive(gethostname(), str(folder.resolve()), events, archived_to)
    with daybook.database.reading() as transaction:
        if not archived_to or archive in archives.known(transaction):
            return True
    try:
        with daybook.database.writing() as transaction:
            archives.note(transaction, archive, log.now())
    except LedgerUnavailable:
        return False
    return True


def _newest(world: World) -> int:
    return int(world.transaction.run("SELECT coalesce(max(size), 0) FROM checkpoints").fetchone()[0])


# --- a range ----------------------------------------------------------------------------------------------------------


def _archived(daybook: Daybook, folder: Path, aside: Path, of: Range) -> ArchivedFile:
    became: Became | None = None
    for _ in range(_ATTEMPTS):
        with daybook.reading() as world:
            wanted, found = _wanted(world, of), _found(folder, of)
            if found is not None and found.origin != wanted.origin:
                raise _other_ledger(folder, found.origin, wanted.origin)
            if found is not None and _says(found, wanted) and is_as_written(folder, found):
                return ArchivedFile(
                    file=of.file(folder).name, first=of.first, last=of.last, became=became or "kept",
                    redacted=len(found.redacted), bytes=found.bytes,
                )  # fmt: skip
            became = became or _why(folder, found, wanted)
            _write(world, of, aside, wanted)
        for name in (of.file, of.companion):
            # a crash between the two: they do not fit, and the next run writes both anew
            name(aside).replace(name(folder))
        sync_folder(folder)
    raise Refusal("archive-busy", f"Somebody else is changing {of.name} in {folder}.", "Try again.")


def _other_ledger(folder: Path, found: str, origin: str) -> Refusal:
    return Refusal(
        "other-archive",
        f'{folder} is an archive of the ledger "{found}"; this one is "{origin}".',
        "Name another folder.",
    )


def _wanted(world: World, of: Range) -> Companion:
    """What has to stand beside the file, whose size and hash are not known yet. Raises IntegrityFailure where the
    ledger does not hold what it signed."""
    transaction = world.transaction
    sql = "SELECT text FROM checkpoints WHERE size >= ? ORDER BY size LIMIT 1"  # the same one each time
    text = str(transaction.run(sql, (of.last,)).fetchone()[0])
    signed, tree = own_checkpoint(transaction, text), StoredTree(transaction)
    root, path = tree(of.height, of.index), path_of(of, signed.size, tree)
    try:
        require_path(of, root=root, path=path, size=signed.size, under=signed.root)
    except ValueError as error:
        raise _not_as_signed(of, str(error)) from error
    return Companion(
        origin=signed.origin, first=of.first, last=of.last, root=root.hex(), path=path, checkpoint=text,
        public_key=public_key_text(ledger_key(transaction)), redacted=redacted_in(world, of), bytes=0, sha256="",
    )  # fmt: skip


def redacted_in(world: World, of: Range) -> tuple[int, ...]:
    """The positions of a range whose payloads are gone."""
    rows = world.state.redactions.where("position >= ? AND position <= ?", [of.first, of.last])
    return tuple(sorted(row.position for row in rows))


def _found(folder: Path, of: Range) -> Companion | None:
    try:
        return read_companion(folder, of)
    except NoCompanion:
        return None


def _says(found: Companion, wanted: Companion) -> bool:
    return replace(found, bytes=0, sha256="") == wanted


def _why(folder: Path, found: Companion | None, wanted: Companion) -> Became:
    if found is None or not wanted.range.file(folder).exists():
        return "written"
    return "redacted" if set(wanted.redacted) - set(found.redacted) else "mended"


def _write(world: World, of: Range, aside: Path, wanted: Companion) -> None:
    """The file and its companion, aside."""
    hashed, file = Hashed(), of.file(aside)
    for name in (of.file, of.companion):
        name(aside).unlink(missing_ok=True)
    with Engine(writes_to=aside) as engine:
        engine.create("events", COLUMNS)
        for page in log.stored_pages(world.transaction, of.first - 1, of.last, PAGE):
            try:
                leaves = hashed.take(page)
            except ValueError as error:
                raise _not_as_signed(of, str(error)) from error
            rows = [(*event, leaf) for event, leaf in zip(page, leaves, strict=True)]
            engine.insert("events", COLUMNS, rows)
        if hashed.events != of.events or hashed.root().hex() != wanted.root:
            raise _not_as_signed(of, "they do not have the root that was signed")
        if tuple(hashed.redacted) != wanted.redacted:
            raise _not_as_signed(of, "payloads are missing that nobody redacted")
        engine.write_parquet("events", file, rows_in_group=ROWS_IN_GROUP)
    with file.open("r+b") as stream:
        file.chmod(OWN)
        os.fsync(stream.fileno())
    digest, size = digest_of(file)
    write_companion(of.companion(aside), replace(wanted, bytes=size, sha256=digest))


def _not_as_signed(of: Range, why: str) -> IntegrityFailure:
    return IntegrityFailure(
        "not-as-signed",
        f"The events {of.first} to {of.last} cannot be archived: {why}.",
        "Verify the ledger",
        NextStep("verify"),
    )


# --- the folder -------------------------------------------------------------------------------------------------------


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Raises Refusal for what the disk, or DuckDB, refuses."""
    try:
        yield
    except EngineError as error:
        why = error.message.splitlines()[0]
    except OSError as error:
        why = error.strerror or str(error)
    else:
        return
    raise Refusal(
        "archive-not-written",
        f"The archive cannot be written to {folder}: {why.rstrip('.')}.",
        "What was written before stays. Free some space, or name another folder.",
    )


@contextmanager
def _alone(folder: Path, *, wait_s: float = 0) -> Iterator[Path]:
    """A folder in it for what is not whole yet, which is this process's alone; what another left there is removed.
    Raises Refusal where another archives there for longer than ``wait_s``."""
    aside = folder / _OWN
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(aside / _LOCK, os.O_RDWR | os.O_CREAT, OWN)
    try:
        _take(descriptor, folder, time.monotonic() + wait_s)
        for left in aside.iterdir():
            if left.name != _LOCK:
                left.unlink()
        yield aside
        for left in aside.iterdir():
            if left.name != _LOCK:
                left.unlink()
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path, until: float) -> None:
    while True:
        try:
            lock(descriptor)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Refusal(
                    "archive-busy", f"Another process archives to {folder}.", "Try again."
                ) from None
            time.sleep(_LOOK_EVERY_S)
        else:
            return
