"""What a backup consists of: a folder with a manifest and the files that it names, each with its size and sha256.

Of a SQLite ledger there is one file, a database of one moment. Of a PostgreSQL one there is a file for each table but
the lists, rows as COPY writes them, all of one transaction; the lists are made anew from the events. Nothing that a
backup says is believed: ``faults`` hashes its files, counts their rows and recomputes the tree over its events.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import orjson

from ledger.envelope import StoredEvent, leaves_data, payload_digest, stored_events
from ledger.errors import Refusal
from ledger.merkle import CompactRange, leaf_hash
from ledger.plurals import plural
from ledger.small_files import read_small
from ledger.tables import OWN

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE = 1 << 20
_ROWS = 5_000
_ESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_NUMBERS = frozenset({"position", "stream_version", "schema", "causation"})
_OF_EVENTS = (*StoredEvent._fields, "leaf_sha256")
Progress = Callable[[int, int], None]


class NoBackup(Refusal):
    """The folder holds none, or one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its ``name``, and the ``table`` whose ``rows`` it holds; of a SQLite ledger none, it is all of it."""

    name: str
    table: str | None
    columns: tuple[str, ...]
    rows: int | None
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The point in time that a backup holds: ``position``, the time of the event there, and the ``root`` of the tree.
    ``schema`` is that of the tables, ``version`` the program's that made it."""

    format: int
    origin: str
    database: str
    schema: str
    version: str
    made_at: str
    position: int
    recorded_at: str
    root: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(part.bytes for part in self.parts)

    def part(self, table: str | None) -> Part:
        return next(part for part in self.parts if part.table == table)


class Writing:
    """A file of a backup, hashed as it is written. For its owner alone: it holds secrets."""

    def __init__(self, path: Path) -> None:
        self._hash, self.bytes, self.rows, self.path = sha256(), 0, 0, path

    def take(self, pieces: Iterable[bytes]) -> None:
        with os.fdopen(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            for piece in pieces:
                stream.write(piece)
                self._hash.update(piece)
                self.bytes += len(piece)
                self.rows += piece.count(b"\n")  # in text for COPY each ends a row
            stream.flush()
            os.fsync(stream.fileno())

    def part(self, table: str, columns: tuple[str, ...]) -> Part:
        return Part(self.path.name, table, columns, self.rows, self.bytes, self._hash.hexdigest())


def part_of_file(path: Path) -> Part:
    with path.open("rb") as stream:
        digest, size = _hashed(stream)
        os.fsync(stream.fileno())
    return Part(path.name, None, (), None, size, digest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    writing = Writing(folder / MANIFEST)
    writing.take([orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2) + b"\n"])


def read_manifest(folder: Path) -> Manifest:
    """Raises NoBackup, also for what a newer program wrote."""
    try:
        plain = orjson.loads(read_small(folder / MANIFEST))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        inside = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
        if inside:
            holds = f"{folder} is no backup itself: it holds {plural(len(inside), 'backup')}."
            raise NoBackup("no-backup", holds, f"Name one of them, such as {inside[-1]}.") from None
        raise NoBackup(
            "no-backup",
            f"{folder} is no backup: its {MANIFEST} cannot be read ({why}).",
            "Name another folder.",
        ) from None
    if isinstance(plain, dict) and isinstance(plain.get("format"), int) and plain["format"] > FORMAT:
        raise NoBackup("newer-backup", f"{folder} was made by a newer Daybook.", "Install a newer Daybook.")
    try:
        parts = tuple(_part(part) for part in plain.pop("parts"))
        manifest = Manifest(**plain, parts=parts)
        _require_plain(manifest)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise NoBackup(
            "damaged-backup", f"The manifest of {folder} is none: {error}.", "Take another backup."
        ) from None
    return manifest


def _part(plain: dict[str, Any]) -> Part:
    part = Part(**plain | {"columns": tuple(plain["columns"])})
    known = {table.name: {column.name for column in table.columns} for table in OWN}
    known["alembic_version"] = {"version_num"}
    if part.table is not None and not set(part.columns) <= known.get(part.table, set()):
        raise ValueError(f"{part.table} has columns that no ledger has")
    if part.name != Path(part.name).name or part.name.startswith("."):
        raise ValueError("a file of it lies elsewhere")
    return part


def _require_plain(manifest: Manifest) -> None:
    texts = (manifest.origin, manifest.database, manifest.schema, manifest.version, manifest.made_at,
             manifest.recorded_at, manifest.root)  # fmt: skip
    if not all(isinstance(text, str) for text in texts) or type(manifest.position) is not int:
        raise ValueError("its fields have other types")
    if {part.table for part in manifest.parts} == {None} and manifest.database == "sqlite":
        return
    if manifest.database != "postgresql" or not {"events", "head"} <= {part.table for part in manifest.parts}:
        raise ValueError("files are missing in it")


# --- checking ---------------------------------------------------------------------------------------------------------


def faults(folder: Path, manifest: Manifest, progress: Progress = lambda done, total: None) -> list[str]:
    """What does not hold, as sentences."""
    found = [fault for part in manifest.parts for fault in _faults_of_part(folder, part)]
    if found:
        return found
    try:
        return _faults_of_tree(folder, manifest, progress)
    except (ValueError, TypeError, IndexError, sqlite3.Error) as error:
        return [f"Its events cannot be read: {error}."]


def _faults_of_part(folder: Path, part: Part) -> Iterator[str]:
    try:
        with (folder / part.name).open("rb") as stream:
            digest, size = _hashed(stream)
    except OSError as error:
        yield f"{part.name} cannot be read: {error.strerror}."
        return
    if size != part.bytes:
        yield f"{part.name} has {size:,} bytes; the manifest says {part.bytes:,}."
    elif digest != part.sha256:
        yield f"{part.name} is not the file that was written: its sha256 is another."


def _hashed(stream: IO[bytes]) -> tuple[str, int]:
    digest, size = sha256(), 0
    while piece := stream.read(_PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _faults_of_tree(folder: Path, manifest: Manifest, progress: Progress) -> list[str]:
    tree, recorded_at = CompactRange(), ""
    for page in _pages(folder, manifest):
        events = stored_events([row[:-1] for row in page])
        leaves = list(map(leaf_hash, leaves_data(events)))
        for event, leaf, row in zip(events, leaves, page, strict=True):
            if event.payload is not None and payload_digest(event.payload) != event.payload_sha256:
                return [f"The payload of event {event.position} is not the one that was hashed."]
            if leaf != row[-1]:
                return [f"Event {event.position} is not the one that was hashed."]
        tree, recorded_at = tree.extend(leaves), events[-1].recorded_at
        progress(tree.size, manifest.position)
    if tree.size != manifest.position:
        return [f"It holds {plural(tree.size, 'event')}; the manifest says {manifest.position:,}."]
    if tree.root().hex() != manifest.root or recorded_at != manifest.recorded_at:
        return ["The tree over its events is not the one that the manifest names."]
    return []


def _pages(folder: Path, manifest: Manifest) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of the events as they are stored, with their leaves."""
    if manifest.database == "sqlite":
        address = f"{(folder / manifest.part(None).name).absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            cursor = connection.execute(
                "SELECT position, stream, stream_version, type, schema, command_id, correlation, causation, actor, "
                "via, recorded_at, subject, username, payload_sha256, payload, leaf_sha256 "
                "FROM events ORDER BY position"
            )
            while rows := cursor.fetchmany(_ROWS):
                yield rows
        return
    part = manifest.part("events")
    order = [part.columns.index(name) for name in _OF_EVENTS]
    page = []
    with (folder / part.name).open("rb") as stream:
        for line in stream:
            values = copied_row(line, part.columns)
            page.append(tuple(values[at] for at in order))
            if len(page) == _ROWS:
                yield page
                page = []
    if page:
        yield page


def copied_row(line: bytes, columns: tuple[str, ...]) -> list[Any]:
    """One row in PostgreSQL's text format for COPY. Raises ValueError for what is none."""
    fields = line.removesuffix(b"\n").split(b"\t")
    if len(fields) != len(columns):
        raise ValueError("a row has another number of columns")
    return [_value(field, name) for field, name in zip(fields, columns, strict=True)]


def _value(field: bytes, column: str) -> Any:
    if field == b"\\N":
        return None
    if b"\\" in field:
        field = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), field)
    if column.endswith("sha256"):
        return bytes.fromhex(field.removeprefix(b"\\x").decode())
    return int(field) if column in _NUMBERS else field.decode()
