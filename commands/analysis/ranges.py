"""What an archive consists of: a Parquet file for each range of the log, and beside it the companion that proves it.

A range is as many events as a complete subtree of the log's tree has leaves, a power of two: one hash stands for all of
them. The companion has that hash, a checkpoint that the ledger signed, and the audit path (RFC 6962) from the one to
the root of the other. Nothing that it says is believed; it is checked.
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from commands.analysis.engine import Engine
from ledger.envelope import StoredEvent, leaves_data, payload_digest
from ledger.errors import Refusal
from ledger.log import STORED_COLUMNS
from ledger.merkle import HASH_BYTES, CompactRange, NodeSource, inclusion_proof, leaf_hash, verify_inclusion
from ledger.small_files import read_small

FORMAT = "daybook/archive/1"
EVENTS = 1 << 16
"""In one file, unless said otherwise."""
LEAST_EVENTS = 1 << 4
MOST_EVENTS = 1 << 20
ROWS_IN_GROUP = 2_048
PAGE = 2_000
_PIECE = 1 << 20
_LARGEST = 1 << 24  # of a companion: a position of its redactions has some ten bytes
_NAME = re.compile(r"events-([0-9]{12,18})-([0-9]{12,18})\.(parquet|json)")
_TYPES = {
    "position": "BIGINT", "stream_version": "INTEGER", "schema": "INTEGER", "causation": "BIGINT",
    "payload_sha256": "BLOB", "leaf_sha256": "BLOB",
}  # fmt: skip
COLUMNS = {name: _TYPES.get(name, "VARCHAR") for name in STORED_COLUMNS}
"""Of a file: those of the log, as they were hashed, with their types."""


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The events from ``first`` to ``last``, both of them in it."""

    first: int
    last: int

    @property
    def events(self) -> int:
        return self.last - self.first + 1

    @property
    def height(self) -> int:
        """Of its subtree."""
        return self.events.bit_length() - 1

    @property
    def index(self) -> int:
        """Of its subtree, among those of its height."""
        return (self.first - 1) // self.events

    @property
    def name(self) -> str:
        return f"events-{self.first:012d}-{self.last:012d}"

    def file(self, folder: Path) -> Path:
        return folder / f"{self.name}.parquet"

    def companion(self, folder: Path) -> Path:
        return folder / f"{self.name}.json"


@dataclass(frozen=True, slots=True)
class Companion:
    """What stands beside a file. ``root`` is that of the range's subtree, ``path`` leads from it to the root of the
    ``checkpoint``; ``redacted`` are the positions whose payload is not in the file; ``sha256`` is the file's."""

    origin: str
    first: int
    last: int
    root: str
    path: tuple[str, ...]
    checkpoint: str
    public_key: str
    redacted: tuple[int, ...]
    bytes: int
    sha256: str

    @property
    def range(self) -> Range:
        return Range(self.first, self.last)


class NoCompanion(Refusal):
    """It is not there, or is none."""


def closed_ranges(size: int, events: int) -> Iterator[Range]:
    """Of a log of this size; the last part of it, which is open, is in none."""
    for last in range(events, size + 1, events):
        yield Range(last - events + 1, last)


def range_of(position: int, events: int) -> Range:
    """The one that holds a position."""
    first = position - (position - 1) % events
    return Range(first, first + events - 1)


def ranges_in(folder: Path) -> list[Range]:
    """Those that a folder has a file or a companion of, in order. Raises Refusal where it cannot be read."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise Refusal(
            "no-folder", f"{folder} cannot be read: {error.strerror or error}.", "Name another folder."
        ) from error
    found = {Range(int(match[1]), int(match[2])) for match in map(_NAME.fullmatch, names) if match}
    return sorted(each for each in found if is_range(each))


def is_range(found: Range) -> bool:
    """Whether it is the whole of a subtree."""
    events = found.events
    sized = LEAST_EVENTS <= events <= MOST_EVENTS and events & (events - 1) == 0
    return sized and found.first > 0 and (found.first - 1) % events == 0


# --- the companion ----------------------------------------------------------------------------------------------------


def write_companion(file: Path, companion: Companion) -> None:
    """A new file, for its owner alone."""
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
        stream.write(
            orjson.dumps({"format": FORMAT, **asdict(companion)}, option=orjson.OPT_INDENT_2) + b"\n"
        )
        stream.flush()
        os.fsync(stream.fileno())


def read_companion(folder: Path, of: Range) -> Companion:
    """Raises NoCompanion."""
    file = of.companion(folder)
    try:
        plain = orjson.loads(read_small(file, limit=_LARGEST))
        companion = _companion(plain)
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NoCompanion("no-companion", f"{file.name} cannot be read: {why}.") from None
    if companion.range != of:
        raise NoCompanion("no-companion", f"{file.name} is that of other events.")
    return companion


def _companion(plain: dict[str, Any]) -> Companion:
    if plain.pop("format") != FORMAT:
        raise ValueError("a newer Daybook wrote it")
    made = Companion(**plain | {"path": tuple(plain["path"]), "redacted": tuple(plain["redacted"])})
    texts = (made.origin, made.root, *made.path, made.checkpoint, made.public_key, made.sha256)
    numbers = (made.first, made.last, made.bytes, *made.redacted)
    if not all(type(each) is str for each in texts) or not all(type(each) is int for each in numbers):
        raise ValueError("its fields have other types")
    return made


# --- the proof --------------------------------------------------------------------------------------------------------


def path_of(of: Range, size: int, node: NodeSource) -> tuple[str, ...]:
    """From the root of the range's subtree to that of the tree of ``size`` events: the upper part of the path of any
    of its leaves."""
    whole = inclusion_proof(of.first - 1, size, node)
    return tuple(b64encode(one).decode() for one in whole[of.height :])


def require_path(of: Range, *, root: bytes, path: Sequence[str], size: int, under: bytes) -> None:
    """Raises ValueError (ProofError) unless the path leads from the range's ``root`` to the one of the tree of ``size``
    events, ``under`` which it is."""
    nodes = ((size - 1) >> of.height) + 1  # of the range's height, the last of them perhaps incomplete
    proof = [b64decode(one, validate=True) for one in path]
    if len(root) != HASH_BYTES or size < of.last:
        raise ValueError("its checkpoint does not reach its end")
    verify_inclusion(leaf=root, index=of.index, size=nodes, proof=proof, root=under)


# --- rows -------------------------------------------------------------------------------------------------------------


class Hashed:
    """Events in the order of the log, hashed anew as they come: payloads to their hashes, all of it to one root."""

    def __init__(self) -> None:
        self._tree = CompactRange()
        self.redacted: list[int] = []

    def take(self, events: Sequence[StoredEvent]) -> list[bytes]:
        """Returns their leaves. Raises ValueError, which names the first event whose payload was changed."""
        leaves = list(map(leaf_hash, leaves_data(events)))
        for event in events:
            if event.payload is None:
                self.redacted.append(event.position)
            elif payload_digest(event.payload) != event.payload_sha256:
                raise ValueError(f"the payload of event {event.position} is not the one that was written")
        self._tree = self._tree.extend(leaves)
        return leaves

    @property
    def events(self) -> int:
        return self._tree.size

    def root(self) -> bytes:
        return self._tree.root()


def rows_of(engine: Engine, file: Path) -> Iterator[list[tuple[Any, ...]]]:
    """Of an archived file: page by page, as ``COLUMNS`` has them."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    yield from engine.pages(f"SELECT {names} FROM {engine.parquet([file])}", PAGE)


def digest_of(file: Path) -> tuple[str, int]:
    """The sha256 of a file, and its size in bytes. Raises OSError."""
    digest, size = sha256(), 0
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def is_as_written(folder: Path, companion: Companion) -> bool:
    """Whether a file is the one that its companion was written beside."""
    try:
        return digest_of(companion.range.file(folder)) == (companion.sha256, companion.bytes)
    except OSError:
        return False
