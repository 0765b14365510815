"""Append and read events. The only module that writes ``events``, ``tree_nodes`` and ``receipts``.

Every writer locks the head row first (``ledger.head``) and holds it to the commit. So positions have no gap and come
in commit order, and a reader that goes by position misses no event.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import orjson

from ledger.database import Transaction
from ledger.envelope import NewEvent, StoredEvent, leaves_data, payload_digest, stored_events
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from ledger.head import (
    EMPTYING,
    REDACTED,
    Head,
    create_head,
    lock_head,
    make_live,
    name_rebuild,
    read_head,
    store_head,
)
from ledger.merkle import leaf_hash

__all__ = [
    "COLUMNS", "EMPTYING", "NODES_EVERY", "REDACTED", "STORED_COLUMNS", "Cause", "Head", "StoredEvent", "append",
    "create_head", "lock_head", "make_live", "name_origin", "name_rebuild", "now", "pages", "read_all", "read_head",
    "read_positions", "read_receipt", "read_stream", "read_streams", "read_to_fold", "redact", "select_events",
    "stored_pages", "stored_stream", "stream_versions", "take_over", "take_over_receipts", "write_receipt",
]  # fmt: skip

COLUMNS = StoredEvent._fields
STORED_COLUMNS = (
    *COLUMNS,
    "leaf_sha256",
)  # the leaf is kept beside its event: a change is found at its position
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM events"
_BLANK = {"command_id": "''", "causation": "0", "payload_sha256": "''"}
_TO_FOLD = f"SELECT {', '.join(_BLANK.get(column, column) for column in COLUMNS)} FROM events"
_PAYLOAD = attrgetter("payload")
_PAGE = 10_000
_SCAN_FROM = 20_000  # streams
NODES_EVERY = 8  # heights: one in 255 of the tree's inner nodes is kept, and a proof hashes at most 255 anew
AHEAD_S = 300
"""How far ahead of the clock that counts a time may lie: clocks of machines differ by less."""
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # in JSON; an escaped backslash before u0000 is only text


@dataclass(frozen=True, slots=True)
class Cause:
    """Who acts, through what, and under which command: the same for all events of one append."""

    command_id: str
    actor: str
    via: str
    correlation: str = ""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def append(
    transaction: Transaction, head: Head, events: Sequence[NewEvent], cause: Cause
) -> list[StoredEvent]:
    """Append events under the lock that ``head`` was read with, and move the head.

    Raises Conflict where a stream is not at its ``expected_version``, and Refusal for text with the character NUL:
    PostgreSQL cannot keep it, and a ledger must be able to move there.
    """
    at = now()
    _refuse_clock_ahead(at, head)
    recorded_at = max(at, head.recorded_at)  # a clock that was set back must not reorder the log
    via = cause.via if recorded_at[:19] == at[:19] else _with_clock(cause.via, at)
    versions = _stream_versions(transaction, events)
    stored: list[StoredEvent] = []
    position = head.size
    for event in events:
        position += 1
        versions[event.stream] = version = versions.get(event.stream, 0) + 1
        kind, schema = type(event.body).__name__, event.body.SCHEMA
        payload = event.body.payload()
        if "\\u0000" in payload and _NUL.search(payload):
            raise _holds_nul(event.stream)
        stored.append(
            StoredEvent(
                position, event.stream, version, kind, schema, cause.command_id,
                event.correlation or cause.correlation, event.causation, cause.actor, via, recorded_at, event.subject,
                event.username, payload_digest(payload), payload,
            )
        )  # fmt: skip
    if stored:
        _write(transaction, head, stored, list(map(leaf_hash, leaves_data(stored))))
    return stored


def lies_ahead(recorded_at: str, of: datetime | None = None) -> bool:
    """Whether this time lies ahead of now, by this machine's clock unless another time is given."""
    latest = (of or datetime.now(UTC)) + timedelta(seconds=AHEAD_S)
    return recorded_at > latest.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _refuse_clock_ahead(at: str, head: Head) -> None:
    """A machine whose clock runs ahead would give its time to all later events: nobody could record an earlier one."""
    if head.clock is not None and lies_ahead(at, head.clock.now()):
        server = head.clock.now().isoformat(sep=" ", timespec="seconds")[:19]
        raise LedgerUnavailable(
            "clock-ahead",
            f"The clock of this machine says {at[:10]} {at[11:19]} UTC, the database server's {server}: what is "
            f"recorded may be {AHEAD_S // 60} minutes ahead of the server at most.",
            "Set the clock of this machine, and run the same command again.",
        )


def _with_clock(via: str, at: str) -> str:
    """How the actor came in, with what the clock there said, as the event itself gets the time of the event before
    it.
    """
    return orjson.dumps(orjson.loads(via) | {"clock": at}).decode()


def _write(
    transaction: Transaction, head: Head, stored: Sequence[StoredEvent], leaves: Sequence[bytes]
) -> None:
    """The rows of these events, the nodes of the tree that they complete, and the head after them."""
    nodes: list[tuple[int, int, bytes]] = []

    def completed(height: int, index: int, hashes: Sequence[bytes]) -> None:
        if height and height % NODES_EVERY == 0:
            nodes.extend((height, index + i, digest) for i, digest in enumerate(hashes))

    head.compact_range = head.compact_range.extend(leaves, completed)
    head.size = stored[-1].position
    head.recorded_at = stored[-1].recorded_at
    store_head(transaction, head)
    rows = [(*each, leaf) for each, leaf in zip(stored, leaves, strict=True)]
    transaction.insert_many("events", STORED_COLUMNS, rows)
    if nodes:
        transaction.insert_many("tree_nodes", ("height", "number", "hash"), nodes)


def _holds_nul(stream: str) -> Refusal:
    return Refusal(
        "nul-character",
        f"A text of {stream} holds the character NUL (U+0000), which cannot be kept.",
        "Remove it, and try again.",
    )


def _stream_versions(transaction: Transaction, events: Sequence[NewEvent]) -> dict[str, int]:
    """The versions of the streams that exist already. Whether a new stream is new is left to the unique key."""
    expected: dict[str, int | None] = {}
    for event in events:
        expected.setdefault(event.stream, event.expected_version)
    known = [stream for stream, version in expected.items() if version != 0]
    versions = stream_versions(transaction, known)
    for stream in known:
        version = expected[stream]
        if version is not None and versions.get(stream, 0) != version:
            raise Conflict(
                "stream-moved",
                f"{stream} is at version {versions.get(stream, 0)}, not at {version}: somebody changed it meanwhile.",
                "Look at it again and repeat the command.",
            )
    return versions


def stream_versions(transaction: Transaction, streams: Collection[str]) -> dict[str, int]:
    """The newest version of each of these streams that exists."""
    versions: dict[str, int] = {}
    wanted = list(streams)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        marks = ", ".join("?" * len(some))
        sql = f"SELECT stream, max(stream_version) FROM events WHERE stream IN ({marks}) GROUP BY stream"
        versions.update(transaction.run(sql, some).fetchall())
    return versions


def write_receipt(
    transaction: Transaction, command_id: str, command_sha256: bytes, first: int, last: int, result: str
) -> None:
    transaction.run(
        "INSERT INTO receipts (command_id, command_sha256, first_position, last_position, result) "
        "VALUES (?, ?, ?, ?, ?)",
        (command_id, command_sha256, first, last, result),
    )


def read_receipt(transaction: Transaction, command_id: str) -> tuple[bytes, int, int, str] | None:
    """The command's hash, its first and last position and its result, if it was carried out before."""
    row = transaction.run(
        "SELECT command_sha256, first_position, last_position, result FROM receipts WHERE command_id = ?",
        (command_id,),
    ).fetchone()
    return None if row is None else (bytes(row[0]), row[1], row[2], row[3])


def actor_of(transaction: Transaction, position: int) -> str:
    """The user who, as the log says, appended the event at this position."""
    return str(transaction.run("SELECT actor FROM events WHERE position = ?", (position,)).fetchone()[0])


def read_stream(transaction: Transaction, stream: str) -> list[StoredEvent]:
    rows = transaction.run(_SELECT + " WHERE stream = ? ORDER BY stream_version", (stream,)).fetchall()
    return _events(transaction, rows)


def read_streams(transaction: Transaction, streams: Collection[str], up_to: int) -> Iterator[StoredEvent]:
    """The events of these streams up to a position, in the order of the log."""
    if len(streams) > _SCAN_FROM:  # then one pass over the log is cheaper, and takes a page of memory
        wanted = frozenset(streams)
        for page in pages(transaction, 0, up_to):
            yield from (event for event in page if event.stream in wanted)
        return
    names = sorted(streams)
    rows: list[Any] = []
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        sql = f"{_SELECT} WHERE stream IN ({', '.join('?' * len(some))}) AND position <= ?"
        rows += transaction.run(sql, (*some, up_to)).fetchall()
    rows.sort()
    yield from _events(transaction, rows)


def read_positions(transaction: Transaction, positions: Collection[int]) -> dict[int, StoredEvent]:
    found: dict[int, StoredEvent] = {}
    wanted = sorted(positions)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        rows = transaction.run(f"{_SELECT} WHERE position IN ({', '.join('?' * len(some))})", some).fetchall()
        found.update((event.position, event) for event in _events(transaction, rows))
    return found


def read_all(
    transaction: Transaction,
    after: int = 0,
    limit: int = _PAGE,
    condition: str = "",
    values: Sequence[str | int] = (),
) -> list[StoredEvent]:
    """The events behind position ``after``, oldest first, ``limit`` at most; ``condition`` is SQL: AND ..."""
    sql = f"{_SELECT} WHERE position > ?{condition} ORDER BY position LIMIT ?"
    return _events(transaction, transaction.run(sql, (after, *values, limit)).fetchall())


def read_to_fold(
    transaction: Transaction, after: int, up_to: int, limit: int, condition: str, values: Sequence[str]
) -> list[StoredEvent]:
    """The events in (after, up_to], as ``read_all``, with what lists are made from. The command, the cause and the
    hash are left blank: reading them takes a tenth of the time.
    """
    sql = f"{_TO_FOLD} WHERE position > ? AND position <= ?{condition} ORDER BY position LIMIT ?"
    return _events(transaction, transaction.run(sql, (after, up_to, *values, limit)).fetchall())


def pages(transaction: Transaction, after: int, up_to: int, size: int = _PAGE) -> Iterator[list[StoredEvent]]:
    """All events in (after, up_to], page by page, in the memory of one page."""
    while after < up_to:
        page = read_all(transaction, after, min(size, up_to - after))
        if not page:
            return
        yield page
        after = page[-1].position


def select_events(
    transaction: Transaction,
    *,
    actor: str | None = None,
    type: str | None = None,  # noqa: A002 - the field's own name
    subject: str | None = None,
    since: str | None = None,
    until: str | None = None,
    up_to: int | None = None,
    limit: int = 100,
) -> list[StoredEvent]:
    """The newest ``limit`` events that match, the oldest of them first."""
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("actor = ?", actor), ("type = ?", type), ("subject = ?", subject),
        ("recorded_at >= ?", since), ("recorded_at < ?", until), ("position <= ?", up_to),
    ):  # fmt: skip
        if value is not None:
            conditions.append(condition)
            values.append(value)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = transaction.run(f"{_SELECT}{where} ORDER BY position DESC LIMIT ?", [*values, limit]).fetchall()
    return _events(transaction, rows[::-1])


# --- as it is stored ------------------------------------------------------------------------------------------------


def stored_stream(transaction: Transaction, stream: str) -> list[StoredEvent]:
    """The events of a stream as they were hashed: the payload of a redacted one is None."""
    sql = f"{_SELECT} WHERE stream = ? ORDER BY stream_version"
    return stored_events(transaction.run(sql, (stream,)).fetchall())


def stored_pages(
    transaction: Transaction, after: int, up_to: int, size: int = _PAGE
) -> Iterator[list[StoredEvent]]:
    """All events in (after, up_to], page by page, as they were hashed."""
    sql = f"{_SELECT} WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
    while after < up_to:
        page = stored_events(transaction.run(sql, (after, up_to, size)).fetchall())
        if not page:
            return
        yield page
        after = page[-1].position


def take_over(
    transaction: Transaction, head: Head, events: Sequence[StoredEvent], leaves: Sequence[bytes]
) -> None:
    """Append events of another database exactly as they were stored there; their positions follow the head.

    The projections no longer fit: the next one to open the ledger rebuilds them.
    """
    head.projections = ""
    _write(transaction, head, events, leaves)


def take_over_receipts(
    transaction: Transaction, receipts: Sequence[tuple[str, bytes, int, int, str]]
) -> None:
    columns = ("command_id", "command_sha256", "first_position", "last_position", "result")
    transaction.insert_many("receipts", columns, receipts)


def name_origin(transaction: Transaction, origin: str) -> None:
    """Say which ledger an empty log becomes."""
    head = lock_head(transaction)
    if head.size == 0:
        head.origin = origin
        store_head(transaction, head)


# --- redaction ------------------------------------------------------------------------------------------------------


def redact(transaction: Transaction, head: Head, positions: Collection[int]) -> None:
    """Remove the payloads, under the append lock and after the PayloadRedacted events that name them: the database
    refuses it otherwise. The projections no longer fit: whoever opens the ledger next rebuilds them. A rebuild that
    is under way has read what is gone now, and is stopped.
    """
    for position in positions:
        transaction.run("UPDATE events SET payload = NULL WHERE position = ?", (position,))
    head.projections, head.rebuild = REDACTED, ""
    store_head(transaction, head)


def _events(transaction: Transaction, rows: Sequence[Sequence[Any]]) -> list[StoredEvent]:
    """The events of these rows. A redacted one comes with what its redaction kept; ``redacted`` says by whom and
    why.
    """
    events = stored_events(rows)
    if None in map(_PAYLOAD, events):
        for i, event in enumerate(events):
            if event.payload is None:
                events[i] = event._replace(payload=_kept(transaction, event.position))
    return events


def _kept(transaction: Transaction, position: int) -> str | None:
    # the log itself, even where the past hides what came later: what is gone now is gone from the past too
    row = transaction.run(
        f"SELECT payload, actor, recorded_at FROM {transaction.durable}events "
        "WHERE stream = ? AND type = 'PayloadRedacted'",
        (f"redaction/{position}",),
    ).fetchone()
    if row is None:
        return None
    body = orjson.loads(row[0])
    who = {"by": row[1], "at": row[2], "reason": body["reason"], "requested_by": body["requested_by"]}
    return orjson.dumps(body["kept"] | {"redacted": who}).decode()
