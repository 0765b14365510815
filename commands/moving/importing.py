"""Make the same ledger from an exported text in another database: same events, same tree, same root.

``cloudevents`` defines the lines. An import is one transaction, tables and all, and a SQLite file gets its name once
it is whole: all of the ledger or nothing of it, however it ends.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from commands.door.world import Result
from commands.moving.aside import place_for
from commands.moving.cloudevents import (
    CHECKPOINT,
    DAMAGED,
    END,
    ENDS,
    FILE,
    HEAD,
    RECEIPT,
    BadLine,
    Line,
    read_line,
)
from commands.moving.setup import tables_of_this_version
from ledger import checkpoint, input_files, log, signing_keys
from ledger.addresses import shown
from ledger.bodies import body_of
from ledger.checkpoint import Checkpoint
from ledger.collector import without_garbage_collection
from ledger.database import Database, Transaction
from ledger.envelope import StoredEvent
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, Refusal
from ledger.events import TYPES
from ledger.plurals import plural
from ledger.signing_keys import CheckpointError, PublicKey
from projections.rebuild import rebuild

_PAGE = 5_000
_Progress = Callable[[int, int], None]


ACCOUNT_EVENTS = frozenset({"UserInvited", "UserJoined", "ServiceAccountAdded"})
"""Those that somebody comes in by, where what they come in with is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Result):
    """What an export or an import held. ``file`` is where it was written to or read from; ``forgotten`` of an import:
    redactions whose key is not there, so that what they removed is not known when it comes again. ``accounts``: how
    many have one, or were invited: their events are in it, their passwords and tokens are not."""

    origin: str
    events: int
    root: str
    input_files: int
    checkpoints: int
    file: str | None = None
    forgotten: int = field(default=0, compare=False)
    accounts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDamaged(Moved):
    """What could be read of a ledger that is not intact: ``left_out`` rows could not be read, and a check finds
    ``damaged`` problems.
    """

    damaged: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported(Moved):
    """``db`` is the new ledger's address without a password, ``key`` where its signing key belongs; ``key_found``: it
    is there."""

    db: str
    key: str
    key_found: bool


def _digest_in(event: StoredEvent, kind: str) -> str | None:
    """The input file that this event received or erased."""
    if event.type != kind or event.payload is None:
        return None
    return str(orjson.loads(event.payload)["sha256"])


# --- import -----------------------------------------------------------------------------------------------------------


def import_ledger(url: str, lines: Iterable[bytes], progress: _Progress = lambda done, total: None) -> Moved:
    """Make a ledger where there is none. Raises Refusal with the number of the line that does not fit, and then
    makes nothing. A rebuild makes the lists, on PostgreSQL after the commit, where a crash loses nothing.
    """
    require_empty(url)
    lines = iter(lines)
    first = list(islice(lines, 1))  # it may take long to come, and nothing is held meanwhile
    require_empty(url)
    with place_for(url) as place:
        moved = _make(place.url, chain(first, lines), progress)
        try:
            place.arrive()
        except FileExistsError:
            require_empty(url)
            raise Refusal(
                "not-empty",
                f"Somebody made {place.path} meanwhile. Nothing was imported.",
                "Import elsewhere.",
            ) from None
    return moved


def _make(url: str, lines: Iterable[bytes], progress: _Progress) -> Moved:
    database = Database(url, role=None)
    try:
        with tables_of_this_version(database) as (transaction, _), without_garbage_collection():
            head = log.lock_head(transaction)
            if head.size:
                raise _not_empty(head.origin, head.size)
            moved = _Import(transaction, head).take(lines, progress)
        rebuild(database, progress=progress)
    except Conflict as conflict:  # only a command with two receipts is left to the unique keys
        raise Refusal("bad-line", f"Two lines contradict each other: {conflict.message}") from conflict
    finally:
        database.close()
    return moved


def imported(moved: Moved, *, db: str, key: Path, file: str) -> Imported:
    """What an import answers: ``db`` is the address, ``key`` where the ledger's key belongs, ``file`` what was read."""
    facts = {each.name: getattr(moved, each.name) for each in fields(moved)}
    return Imported(**facts | {"file": file}, db=shown(db), key=str(key), key_found=key.exists())


def require_empty(url: str) -> None:
    """Raises Refusal where there is a ledger. Called before the tables are made, or an older version's are altered."""
    database = Database(url, role=None)
    try:
        with database.reading() as transaction:
            row = transaction.run("SELECT origin, size FROM head").fetchone()
        if row is not None and row[1]:
            raise _not_empty(*row)
    except LedgerUnavailable as refusal:
        if refusal.code != "no-ledger":
            raise
    finally:
        database.close()


def _not_empty(origin: str, size: int) -> Refusal:
    return Refusal(
        "not-empty",
        f"There is already a ledger with {plural(size, 'event')}: {origin}.",
        "Import into a new database.",
    )


@dataclass(slots=True)
class _Import:
    """One import: what was read so far, and what the next line has to fit."""

    transaction: Transaction
    head: log.Head
    number: int = 0
    origin: str = ""
    promised: dict[str, Any] = field(default_factory=dict)
    key: PublicKey | None = None
    command: str = ""  # whose receipt is to come
    first_of_command: int = 1
    events: list[StoredEvent] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # of these events
    receipts: list[tuple[str, bytes, int, int, str]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    received: dict[str, int] = field(default_factory=dict)  # to the line
    erased: set[str] = field(default_factory=set)
    emptied: dict[int, int] = field(default_factory=dict)  # events without payload, to the line
    forgotten: int = 0
    accounts: set[str] = field(default_factory=set)
    checkpoints: int = 0
    end: Any = None  # the root that the last line says

    def take(self, lines: Iterable[bytes], progress: _Progress) -> Moved:
        for text in lines:
            self.number += 1
            try:
                self._take(read_line(text))
            except (BadLine, IntegrityFailure) as error:
                raise self._refusal(str(error).rstrip(".")) from error
            if len(self.events) >= _PAGE:
                self._flush()
                progress(self.head.size, self.promised["events"])
        self._flush()
        self._finish()
        root = self.head.compact_range.root().hex()
        return Moved(
            position=self.head.size, origin=self.origin, events=self.head.size, root=root,
            input_files=len(self.kept), checkpoints=self.checkpoints, forgotten=self.forgotten,
            accounts=len(self.accounts),
        )  # fmt: skip

    def _refusal(self, what: str, number: int | None = None) -> Refusal:
        return Refusal(
            "bad-line",
            f"Line {number or self.number}: {what}.",
            "Nothing was imported. Export the ledger again, or take an unchanged copy of the file.",
        )

    def _take(self, line: Line) -> None:
        if self.number == 1:
            self._begin(line)
        elif self.end is not None:
            raise BadLine("the export ended with the line before it")
        elif line.origin != self.origin:
            raise BadLine(f'the source is "{line.origin}"; the file began with "{self.origin}"')
        elif line.event is not None:
            self._event(line.event, line.leaf)
        elif line.kind == FILE:
            self._file(line)
        elif line.kind == RECEIPT:
            self._receipt(line)
        elif line.kind == CHECKPOINT:
            self._checkpoint(line)
        elif line.kind == END:
            self._end(line)
        else:
            raise BadLine("the head of an export can only be its first line")

    def _begin(self, line: Line) -> None:
        data = line.data
        if line.kind == HEAD and DAMAGED in data:
            raise BadLine("this is what could be read of a damaged ledger, and makes no other")
        if (
            line.kind != HEAD
            or data.keys() - {ENDS} != {"events", "root", "checkpoints"}
            or line.name != str(data["events"])
        ):
            raise BadLine("this is not the head of an export; expected a file that an export wrote")
        if type(data["events"]) is not int or not isinstance(data["root"], str):
            raise BadLine("the head of an export says how many events there are, and their root")
        self.origin, self.promised = line.origin, data
        self.head.origin = line.origin
        log.name_origin(self.transaction, line.origin)

    def _event(self, event: StoredEvent, leaf: bytes) -> None:
        position = self.head.size + len(self.events) + 1
        if event.position != position:
            raise BadLine(f"this is event {event.position}; expected event {position}")
        if event.payload is not None:
            self._require_body(event)
        if position == 1:
            self.key = self._created(event)
        if not self.command:
            self.command, self.first_of_command = event.command_id, position
        elif event.command_id != self.command:
            raise BadLine(f"the receipt of command {self.command} is missing before it")
        if event.payload is None:
            self.emptied[position] = self.number
        if (digest := _digest_in(event, "InputFileReceived")) is not None:
            self.received.setdefault(digest, self.number)
        if (digest := _digest_in(event, "InputFileErased")) is not None:
            self.erased.add(digest)
        if event.type == "PayloadRedacted" and event.payload is not None:
            body = body_of(event)
            self.emptied.pop(body["position"], None)
            self.forgotten += bool(body["marks"])
        if event.type in ACCOUNT_EVENTS:
            self.accounts.add(event.stream)
        self.events.append(event)
        self.leaves.append(leaf)
        self.lines.append(self.number)

    def _require_body(self, event: StoredEvent) -> None:
        """What the handlers of the projections rely on: a body of a known version, with all of its fields."""
        try:
            body = body_of(event)
            TYPES[event.type].model_validate(body)
        except ValueError as error:  # of pydantic, or no JSON
            raise BadLine(f"this is not what a {event.type} holds ({_first_line(error)})") from error

    def _created(self, event: StoredEvent) -> PublicKey:
        if event.type != "LedgerCreated" or event.payload is None:
            raise BadLine("the first event of a ledger is LedgerCreated")
        body = orjson.loads(event.payload)
        if body["origin"] != self.origin:
            raise BadLine(f'the ledger was created as "{body["origin"]}", the file calls it "{self.origin}"')
        try:
            return signing_keys.parse_public_key(body["public_key"])
        except CheckpointError as error:
            raise BadLine(f"its public key cannot be read: {error}") from error

    def _file(self, line: Line) -> None:
        if sha256(line.data).hexdigest() != line.name:
            raise BadLine(f"the bytes of input file {line.name} are not those that its name says")
        self.kept.add(input_files.keep(self.transaction, line.data))

    def _receipt(self, line: Line) -> None:
        size, data = self.head.size + len(self.events), line.data
        expected = {"command_id", "command_sha256", "first_position", "last_position", "result"}
        if data.keys() != expected or not isinstance(data["result"], str):
            raise BadLine(f"a receipt has {', '.join(sorted(expected))}")
        span = data["first_position"], data["last_position"]
        if not self.command or line.name != data["command_id"] or data["command_id"] != self.command:
            raise BadLine(f'this receipt is of command "{data["command_id"]}", not of the events before it')
        if span != (self.first_of_command, size):
            raise BadLine(f"this receipt names events {span[0]} to {span[1]}; its command has others")
        try:
            digest = bytes.fromhex(data["command_sha256"])
        except (ValueError, TypeError):
            raise BadLine("command_sha256 is not hexadecimal") from None
        self.receipts.append((self.command, digest, *span, data["result"]))
        self.command = ""

    def _checkpoint(self, line: Line) -> None:
        self._flush()
        text = line.data.get("text")
        if self.key is None or not isinstance(text, str):
            raise BadLine("a checkpoint has a text, and comes after the events that it covers")
        try:
            signed = checkpoint.verify(text, [self.key], origin=self.origin)
        except CheckpointError as error:
            raise BadLine(str(error).rstrip(".")) from error
        tree = self.head.compact_range
        if signed != Checkpoint(self.origin, tree.size, tree.root(), signed.extensions):
            raise BadLine(f"the first {plural(tree.size, 'event')} are not what this checkpoint signed")
        self.transaction.run("INSERT INTO checkpoints (size, text) VALUES (?, ?)", (signed.size, text))
        self.checkpoints += 1

    def _end(self, line: Line) -> None:
        said = {name: line.data.get(name) for name in ("lines", "events")}
        counted = {"lines": self.number, "events": self.head.size + len(self.events)}
        if said != counted or line.data.keys() != {*counted, "root"}:
            raise BadLine(f"the end of the export counts {said}; up to it there are {counted}")
        self.end = line.data["root"]

    def _flush(self) -> None:
        """Write what was read since the last call."""
        if self.events:
            self._check_versions()
            log.take_over(self.transaction, self.head, self.events, self.leaves)
        if self.receipts:
            log.take_over_receipts(self.transaction, self.receipts)
        self.events, self.leaves, self.lines, self.receipts = [], [], [], []

    def _check_versions(self) -> None:
        versions = log.stream_versions(self.transaction, {event.stream for event in self.events})
        for event, number in zip(self.events, self.lines, strict=True):
            expected = versions.get(event.stream, 0) + 1
            if event.stream_version != expected:
                what = f"event {event.position} is version {event.stream_version} of {event.stream}"
                raise self._refusal(f"{what}; expected version {expected}", number)
            versions[event.stream] = expected

    def _finish(self) -> None:
        if not self.number:
            raise self._refusal("the file is empty", 1)
        counts = {"events": self.head.size, "checkpoints": self.checkpoints}
        found = {**counts, "root": self.head.compact_range.root().hex()}
        for what, number in counts.items():
            if number != self.promised[what]:
                whole = (
                    f"the file ends after {plural(number, what[:-1])}; line 1 promises {self.promised[what]}"
                )
                raise self._refusal(f"{whole}: it is cut off")
        if self.promised.get(ENDS) and self.end is None:
            raise self._refusal("the line that ends an export is missing: it is cut off")
        if self.command:
            raise self._refusal(f"the receipt of command {self.command} is missing behind it")
        if found["root"] != self.promised["root"]:
            what = f"the events have the root {found['root']}; line 1 says {self.promised['root']}"
            raise self._refusal(what)
        if self.end not in (None, found["root"]):
            raise self._refusal(f"the events have the root {found['root']}; the last line says {self.end}")
        for digest, number in self.received.items():
            if digest not in self.kept and digest not in self.erased:
                raise self._refusal(
                    f"this event received input file {digest}, which is not in the file", number
                )
        for position, number in self.emptied.items():
            what = f"event {position} has no data, and no later event says that it was redacted"
            raise self._refusal(what, number)


def _first_line(error: ValueError) -> str:
    return " ".join(str(error).splitlines()[1:3]) or str(error)
