"""The head row: where the log ends, and which lists are live. The only module that reads or writes the table ``head``.

Every writer locks it first and holds it to the commit. Nothing that it says is believed: it is compared with its own
hash and with the last event before it is used, and what it says only chooses among the program's constants.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any

from ledger.database import Transaction
from ledger.envelope import head_data
from ledger.errors import IntegrityFailure, LedgerUnavailable, NextStep
from ledger.merkle import CompactRange

SLOTS = ("a", "b")
"""Every projection has two tables: the live one and the one that the next rebuild fills."""

COLUMNS = (
    "id", "origin", "size", "compact_range", "recorded_at", "live_slot", "projections", "rebuild", "sha256",
)  # fmt: skip
REDACTED = "redacted"  # ``projections``: the lists still hold what the log does not any more
EMPTYING = "emptying"  # ``rebuild``: they were made anew, and the old ones are not all gone yet
_NONE = ""  # ``projections``: the lists do not fit the log
_VERSIONS = re.compile(r'\{("[a-z_]+":[0-9]{1,9}(,"[a-z_]+":[0-9]{1,9})*)?\}')
_KINDS = (int, str, int, bytes, str, str, str, str, bytes)
_REPAIR = "See what does not hold, then make anew what can be"
_REPAIRING = (NextStep("verify"), NextStep("rebuild"))


@dataclass(slots=True)
class Head:
    """Where the log ends. ``live_slot`` says which of the two sets of projection tables is current, ``projections``
    which version of each projection made it, ``rebuild`` who is filling the other set now.

    The row has a sha256 over all of this, so that a change of any of it is found."""

    origin: str
    size: int
    compact_range: CompactRange
    recorded_at: str
    live_slot: str
    projections: str
    rebuild: str
    clock: "ServerClock | None" = None


@dataclass(frozen=True, slots=True)
class ServerClock:
    """What the database server's clock said, in seconds since 1970, when this machine's stopwatch showed
    ``read_at``. All writers go by this one clock: that of a machine may be wrong.
    """

    seconds: float
    read_at: float

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds + time.monotonic() - self.read_at, UTC)


def lock_head(transaction: Transaction) -> Head:
    """Take the append lock and read the head. Every transaction that writes begins with it."""
    lock(transaction)
    if transaction.dialect != "postgresql":
        return read_head(transaction)
    asked = transaction.run("SELECT extract(epoch FROM clock_timestamp())::float8")  # answered with the head
    head = read_head(transaction)
    head.clock = ServerClock(asked.fetchone()[0], time.monotonic())
    return head


def lock(transaction: Transaction) -> None:
    """On SQLite a writer is alone as it is."""
    if transaction.dialect == "postgresql":
        transaction.run("SELECT id FROM head FOR UPDATE")  # not waited for here: the next statement waits


def read_head(transaction: Transaction) -> Head:
    """Raises LedgerUnavailable where there is no ledger, IntegrityFailure where the row is not as it was written or
    does not end where the log ends.
    """
    if transaction.past is not None:  # the past was put before it; it was judged before that
        return _head(transaction.run(f"SELECT {', '.join(COLUMNS[1:8])} FROM head").fetchone())
    found = transaction.run(_sql(transaction.durable)).fetchall()
    tree = _judged(*found[0]) if len(found) == 1 else None
    if tree is not None:
        return _head(found[0][1:8], tree)
    rows, last = stored(transaction)
    if not rows and last is None:
        raise LedgerUnavailable("no-ledger", "The database holds no ledger.", "Create one", NextStep("init"))
    wrong = fault(rows, last)
    if wrong is not None:
        raise IntegrityFailure(
            "head-damaged", f"The head row of the ledger is damaged: {wrong}.", _REPAIR, *_REPAIRING
        )
    return _head(rows[0][1:8])


@cache
def _sql(durable: str) -> str:
    """The head row and the last event, in one statement: a writer that commits meanwhile is seen whole or not
    at all."""
    return (
        f"SELECT {', '.join(f'head.{column}' for column in COLUMNS)}, last.position, last.recorded_at, "
        f"last.leaf_sha256 FROM {durable}head AS head LEFT JOIN {durable}events AS last "
        f"ON last.position = (SELECT max(position) FROM {durable}events) LIMIT 2"
    )


@lru_cache(maxsize=8, typed=True)
def _judged(*found: Any) -> CompactRange | None:
    """The tree of a head row, with the last event; None where something is wrong. What is the same byte for byte is
    judged once: most readings find what the reading before them found.
    """
    row, last = found[: len(COLUMNS)], found[len(COLUMNS) :]
    if fault([row], last if last[0] is not None else None) is not None:
        return None
    return CompactRange.from_bytes(row[2], row[3])


def stored(transaction: Transaction) -> tuple[list[tuple[Any, ...]], tuple[Any, ...] | None]:
    """The rows that there are, in the order of ``COLUMNS``, and of the last event position, time and leaf: also where
    there is no row. In one statement, as ``_sql``."""
    named = ", ".join(f"head.{column}" for column in COLUMNS)
    found = transaction.run(
        f"SELECT {named}, last.position, last.recorded_at, last.leaf_sha256 "
        "FROM (SELECT 1 AS one) AS one LEFT JOIN head ON 1 = 1 LEFT JOIN "
        "(SELECT position, recorded_at, leaf_sha256 FROM events ORDER BY position DESC LIMIT 1) "
        "AS last ON 1 = 1 ORDER BY head.id LIMIT 2"
    ).fetchall()
    last = found[0][9:] if found and found[0][9] is not None else None
    return [row[:9] for row in found if any(value is not None for value in row[:9])], last


def fault(rows: Sequence[tuple[Any, ...]], last: tuple[Any, ...] | None) -> str | None:
    """What is wrong with the head row, as the end of a sentence; None where nothing is, as far as the last event can
    tell.
    """
    if len(rows) != 1:
        return "it is gone" if not rows else "there is more than one"
    if not is_as_written(rows[0]):
        return "it is not the one that was written"
    return fault_of_lists(rows[0]) or _fault_of_end(rows[0], last or (0, "", b""))


def fault_of_lists(row: tuple[Any, ...]) -> str | None:
    """What is wrong with what an intact row says of the lists."""
    slot, projections = row[5], row[6]
    if slot not in SLOTS:
        return f"it names the lists {slot[:20]!r}, which are none"
    if projections not in (_NONE, REDACTED) and not _VERSIONS.fullmatch(projections):
        return "what it says of the version of the lists is none"
    return None


def _fault_of_end(row: tuple[Any, ...], last: tuple[Any, ...]) -> str | None:
    _, _, size, compact_range, recorded_at, *_ = row
    position, at, leaf = last
    if size != position:
        return f"it ends the log at event {size}; the last event is {position}"
    if recorded_at != at:
        return f"it says that event {size} was recorded at {recorded_at!r}; the event says {at!r}"
    try:
        tree = CompactRange.from_bytes(size, compact_range)
    except ValueError as error:
        return str(error)
    if size % 2 and tree.hashes[-1] != leaf:
        return f"its tree does not end with event {size}"
    return None


def is_as_written(row: tuple[Any, ...]) -> bool:
    """Whether the values have the right types, and the hash that stands beside them."""
    *values, digest = row
    try:
        return tuple(map(type, row)) == _KINDS and sha256(head_data(tuple(values))).digest() == digest
    except ValueError:  # text that is not UTF-8
        return False


def _head(row: Sequence[Any], tree: CompactRange | None = None) -> Head:
    origin, size, compact_range, recorded_at, slot, projections, rebuild = row
    if tree is None:
        tree = CompactRange.from_bytes(size, compact_range)
    return Head(origin, size, tree, recorded_at, SLOTS[SLOTS.index(slot)], projections, rebuild)


# --- writing --------------------------------------------------------------------------------------------------------


def create_head(transaction: Transaction, origin: str, live_slot: str, projections: str) -> None:
    """Write the one head row of a new ledger: an empty log."""
    insert_head(transaction, Head(origin, 0, CompactRange(), "", live_slot, projections, ""))


def insert_head(transaction: Transaction, head: Head) -> None:
    transaction.run(
        f"INSERT INTO head ({', '.join(COLUMNS)}) VALUES (1, {', '.join('?' * 8)})", _values(head)
    )


def store_head(transaction: Transaction, head: Head) -> None:
    """Under the append lock that ``head`` was read with. Comes before the events that it counts: the database takes
    no event beyond it, and no commit without them.
    """
    transaction.run(f"UPDATE head SET {', '.join(f'{column} = ?' for column in COLUMNS[1:])}", _values(head))


def _values(head: Head) -> tuple[Any, ...]:
    row = (
        head.origin, head.size, head.compact_range.to_bytes(), head.recorded_at, head.live_slot, head.projections,
        head.rebuild,
    )  # fmt: skip
    return (*row, sha256(head_data((1, *row))).digest())


def name_rebuild(transaction: Transaction, head: Head, token: str) -> None:
    """Say who fills the slot that is not live; whoever filled it before finds out and stops."""
    head.rebuild = token
    store_head(transaction, head)


def make_live(transaction: Transaction, head: Head, slot: str, projections: str) -> None:
    """Swap the projection slots. Under the append lock: the slot must stand at the head's position."""
    head.rebuild = EMPTYING if head.projections == REDACTED else ""
    head.live_slot, head.projections = slot, projections
    store_head(transaction, head)
