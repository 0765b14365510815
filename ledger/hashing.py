"""Hash the log anew from its raw rows, and say which rows are not as they were written.

Shares nothing with ``append`` but the definition of the hashes (``ledger.envelope``, ``ledger.merkle``). Ranges of the
log are hashed by several processes; each returns the roots of its subtrees, and what else ``verify`` has to know.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from ledger.database import DRIVERS, Database, Transaction
from ledger.database_errors import is_broken_text
from ledger.envelope import leaf_data, leaves_data
from ledger.log import NODES_EVERY, STORED_COLUMNS
from ledger.merkle import leaf_hash, subtree_root
from ledger.processes import process_pool

CHUNK_HEIGHT = 15
CHUNK = 1 << CHUNK_HEIGHT
PARALLEL_FROM = 4 * CHUNK
Row = tuple[Any, ...]
TILE = 1 << NODES_EVERY
_NOTED_TYPES = frozenset(
    {
        "RedactionRequested", "DeletionApproved", "PayloadRedacted", "InputFileErased",
        "LedgerCreated", "RoleGranted", "RoleRevoked", "UserInvited", "UserJoined",
    }
)  # fmt: skip
_KEPT_TYPES = _NOTED_TYPES | {"InputFileReceived"}
_NOTED_STREAMS = ("redaction/", "deletion/", "input-file/")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
_AHEAD = timedelta(days=1)
_PAGE = 4096  # rows
_MOST = 100  # problems of one code that a chunk reports
_SELECT = (
    f"SELECT {', '.join(STORED_COLUMNS)} FROM events WHERE position > ? AND position <= ? ORDER BY position"
)
_KIND, _RECORDED_AT, _DIGEST, _PAYLOAD, _LEAF = (
    itemgetter(*at) for at in ((3, 4), (10,), (13,), (14,), (15,))
)


@dataclass(frozen=True, slots=True)
class Problem:
    """``position`` is the first event concerned, or None where the problem is in no event."""

    code: str
    position: int | None
    message: str


class Noted(NamedTuple):
    """An event by which something can go from the log, or by which somebody may decide on that. ``damaged``: it is
    not as it was written.
    """

    position: int
    stream: str
    type: str
    command_id: str
    correlation: str
    actor: str
    body: dict[str, Any]
    damaged: bool


def _latest() -> str:
    """A clock that is off by less is no forgery."""
    return (datetime.now(UTC) + _AHEAD).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Chunk:
    """The events in (after, after + count].

    ``tiles`` are the roots of every 256 of them; ``leaves`` those behind the last such root, or all where they were
    asked for. ``changed`` are the positions whose leaf is another one now, ``blank`` those without a payload,
    ``received`` the files that were received, by position. ``kinds`` are the types with their schema, and the first
    event of each; ``times`` the first and the last time. ``is_cut``: the last event that was asked for is missing.
    """

    after: int
    count: int = 0
    tiles: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    received: list[tuple[int, str]] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    kinds: dict[tuple[str, int], int] = field(default_factory=dict)
    times: tuple[str, str] = ("", "")
    is_cut: bool = False
    latest: str = field(default_factory=_latest)

    def problem(self, code: str, position: int, message: str) -> None:
        """Where the same thing is wrong all over, the first places are enough."""
        if sum(problem.code == code for problem in self.problems) < _MOST:
            self.problems.append(Problem(code, position, message))


def chunks(url: str, transaction: Transaction, size: int, wanted: set[int]) -> Iterator[Chunk]:
    """The log in order, to ``size`` or to the first event that is missing. Those in which one of the sizes ``wanted``
    lies come with all their leaves."""
    starts = range(0, size, CHUNK)
    inside = [any(start < n < start + CHUNK for n in wanted) for start in starts]
    counts = [min(CHUNK, size - start) for start in starts]
    if size < PARALLEL_FROM or (os.cpu_count() or 1) < 2:
        for start, count, keep in zip(starts, counts, inside, strict=True):
            yield _hash_chunk(transaction, start, count, keep)
        return
    with process_pool(min(os.cpu_count() or 1, 8), __name__, DRIVERS[transaction.dialect]) as pool:
        yield from pool.map(_hash_chunk_elsewhere, [url] * len(counts), starts, counts, inside)


def _hash_chunk_elsewhere(url: str, after: int, count: int, keep_leaves: bool) -> Chunk:
    database = Database(url)
    with database.reading() as transaction:
        chunk = _hash_chunk(transaction, after, count, keep_leaves)
    database.close()
    return chunk


def _hash_chunk(transaction: Transaction, after: int, count: int, keep_leaves: bool) -> Chunk:
    transaction.read_broken_text(False)  # one call for all texts: that is much faster
    try:
        chunk = _read_chunk(transaction, after, count)
    except Exception as error:
        if not is_broken_text(error):
            raise
        transaction.read_broken_text(True)
        chunk = _read_chunk(transaction, after, count)
    transaction.read_broken_text(True)
    whole = len(chunk.leaves) - len(chunk.leaves) % TILE
    chunk.tiles = [subtree_root(chunk.leaves[at : at + TILE]) for at in range(0, whole, TILE)]
    if not keep_leaves:
        del chunk.leaves[:whole]
    return chunk


def _read_chunk(transaction: Transaction, after: int, count: int) -> Chunk:
    chunk = Chunk(after)
    cursor = transaction.read(_SELECT, (after, after + count))
    while (rows := cursor.fetchmany(_PAGE)) and (_take_sound(chunk, rows) or _take_each(chunk, rows)):
        pass
    chunk.count = len(chunk.leaves)
    if chunk.count < count:
        chunk.is_cut = True
        missing = after + chunk.count + 1
        chunk.problem("position-missing", missing, f"There is no event at position {missing}.")
        chunk.changed.append(missing)
    return chunk


def _take_sound(chunk: Chunk, rows: Sequence[Row]) -> bool:
    """Take a page of events with which nothing is wrong, as nearly every page is. False: nothing was taken."""
    first = chunk.after + len(chunk.leaves) + 1
    if rows[0][0] != first or rows[-1][0] != first + len(rows) - 1:
        return False
    try:
        leaves = list(map(leaf_hash, leaves_data(rows)))
        digests = [sha256(payload.encode()).digest() for payload in map(_PAYLOAD, rows)]
        times = list(map(_RECORDED_AT, rows))
        if (
            leaves != list(map(_LEAF, rows))
            or digests != list(map(_DIGEST, rows))
            or times != sorted(times)
            or times[0] < chunk.times[1]
            or times[-1] > chunk.latest
            or not all(map(_TIME.fullmatch, set(times)))
        ):
            return False
    except (TypeError, ValueError, AttributeError):  # no payload, or values that no event has
        return False
    chunk.leaves += leaves
    chunk.times = (chunk.times[0] or times[0], times[-1])
    for kind in set(map(_KIND, rows)) - chunk.kinds.keys():
        chunk.kinds[kind] = next(row[0] for row in rows if _KIND(row) == kind)
    for row in [row for row in rows if row[3] in _KEPT_TYPES or row[1].startswith(_NOTED_STREAMS)]:
        _note(chunk, row, damaged=False)
    return True


def _take_each(chunk: Chunk, rows: Sequence[Row]) -> bool:
    """Take event after event, and say what is wrong with it. False: one is missing; what follows is out of place."""
    for row in rows:
        if row[0] != chunk.after + len(chunk.leaves) + 1:
            return False
        _take(chunk, row)
    return True


def _take(chunk: Chunk, row: Row) -> None:
    position, kind = row[0], row[3]
    problem, leaf = _hash_row(row)
    if problem is None:
        chunk.kinds.setdefault((kind, row[4]), position)
        if row[10] != chunk.times[1]:
            _take_time(chunk, position, row[10])
    else:
        chunk.problem(problem.code, position, problem.message)
        if leaf != row[15]:
            chunk.changed.append(position)
    chunk.leaves.append(leaf)
    if row[14] is None:
        chunk.blank.append(position)
    _note(chunk, row, damaged=problem is not None)


def _note(chunk: Chunk, row: Row, *, damaged: bool) -> None:
    position, stream, kind, payload = row[0], row[1], row[3], row[14]
    if kind == "InputFileReceived":
        if payload is not None:
            chunk.received.append((position, str(_body(payload).get("sha256"))))
    elif kind in _NOTED_TYPES or str(stream).startswith(_NOTED_STREAMS):
        noted = Noted(position, str(stream), kind, row[5], row[6], row[8], _body(payload), damaged)
        chunk.noted.append(noted)


def _take_time(chunk: Chunk, position: int, at: str) -> None:
    first, last = chunk.times
    if not _TIME.fullmatch(at):
        chunk.problem("time-wrong", position, f"Event {position} was recorded at no time that there is.")
        return
    if at < last:
        chunk.problem("time-wrong", position, f"Event {position} was recorded before the one before it.")
    if at > chunk.latest:
        text = (
            f"Event {position} was recorded at {at[:19]}Z, which lies ahead: so is whatever comes behind it."
        )
        chunk.problem("time-ahead", position, text)
    chunk.times = (first or at, max(at, last))


def _hash_row(row: Row) -> tuple[Problem | None, bytes]:
    position, digest, payload, stored = row[0], row[13], row[14], row[15]
    try:
        leaf = leaf_hash(leaf_data(row[:14]))
        intact = payload is None or sha256(payload.encode()).digest() == digest
    except (
        TypeError,
        ValueError,
        AttributeError,
    ):  # SQLite keeps what is not UTF-8, or a number where text was
        text = f"Event {position} holds values that no event has."
        return Problem("event-unreadable", position, text), b"\0" * 32
    if intact and leaf == stored:
        return None, leaf
    if intact:
        text = f"Event {position} is not the one that was written: its envelope, or the leaf kept with it, was changed."
        return Problem("event-changed", position, text), leaf
    text = f"The payload of event {position} is not the one that was written."
    return Problem("payload-changed", position, text), leaf


def _body(payload: Any) -> dict[str, Any]:
    """Of a damaged payload, which is reported as such, perhaps nothing."""
    try:
        body = orjson.loads(payload)
    except (orjson.JSONDecodeError, TypeError):  # JSONDecodeError: lone surrogates as well
        return {}
    return body if isinstance(body, dict) else {}
