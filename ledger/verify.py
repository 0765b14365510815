"""Recompute everything from raw rows and say what does not hold.

The rows are hashed in ``ledger.hashing``. Here the tree over them is compared with the head row, with its stored
nodes and with every checkpoint, and everything else that belongs to the log is checked: streams, receipts, input
files, and what redactions removed (``ledger.gaps``).

A problem is reported at the first position that it concerns. Where the tree over a range does not fit, that is the
first event of the range that is damaged by itself; if none is, the first of the range.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from ledger import checkpoint, signing_keys
from ledger.bodies import SCHEMAS, UPCASTS
from ledger.database import Database, Transaction
from ledger.gaps import Gaps
from ledger.hashing import CHUNK, TILE, Chunk, Problem, chunks
from ledger.head import Head, fault_of_lists, is_as_written
from ledger.head import stored as stored_head
from ledger.log import NODES_EVERY
from ledger.merkle import CompactRange, subtree_root
from ledger.plurals import plural

__all__ = ["CHUNK", "Problem", "Report", "examine", "verify"]
_MOST = 100  # problems of one code that are reported
_ONCE = frozenset({"time-ahead"})  # everything after it has that time too
_PAGE = 10_000
_RECEIPTS = (
    "SELECT r.command_id, r.first_position, r.last_position, r.command_sha256, r.result, f.command_id, l.command_id "
    "FROM receipts r LEFT JOIN events f ON f.position = r.first_position "
    "LEFT JOIN events l ON l.position = r.last_position ORDER BY r.first_position"
)


@dataclass(slots=True)
class Report:
    """``latest`` is the latest time that an event has."""

    events: int
    root: str
    problems: list[Problem] = field(default_factory=list)
    latest: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Log:
    """What was read of the log, and the head row that it is compared with. ``changed``: positions whose leaf is another
    now, or which are missing."""

    size: int
    origin: Any
    recorded_at: Any
    compact_range: Any
    report: Report
    trees: dict[int, CompactRange] = field(default_factory=dict)
    tiles: list[bytes] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    @property
    def is_cut(self) -> bool:
        return any(chunk.is_cut for chunk in self.chunks)

    def first(self, first: int, last: int) -> int:
        """The position to name where something in this range is wrong."""
        return next((position for position in self.changed if first <= position <= last), first)

    def problem(self, code: str, position: int | None, message: str) -> None:
        self.take([Problem(code, position, message)])

    def take(self, problems: Iterable[Problem]) -> None:
        """Where the same thing is wrong all over, the first places are reported."""
        for problem in problems:
            self.told[problem.code] += 1
            if self.told[problem.code] <= (1 if problem.code in _ONCE else _MOST):
                self.report.problems.append(problem)


def verify(
    url: str,
    *,
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Check the whole ledger, and that it continues the checkpoints in ``kept``, which were out of the owner's
    reach.

    Raises LedgerUnavailable where the ledger cannot be read at all, CheckpointError for a text that is no
    checkpoint.
    """
    database = Database(url)
    try:
        with database.reading() as transaction:
            return examine(transaction, url, kept=kept, progress=progress)
    finally:
        database.close()


def examine(
    transaction: Transaction,
    url: str,
    *,
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
    head: Head | None = None,
) -> Report:
    """As ``verify``, in a transaction; ``url`` is for the processes that share the work on a long log. ``head`` is one
    that was made anew, to be judged in the place of the one that is stored."""
    elsewhere = [(checkpoint.parse(text).checkpoint.size, text) for text in kept]
    transaction.read_broken_text(True)
    rows, last = stored_head(transaction)
    if head is None and not rows:
        return Report(0, "", [Problem("head-missing", None, "The head row is gone: the log has no end.")])
    log = _log(rows[0] if head is None else None, head, last)
    if head is None:
        _check_head(rows, log)
    stored = _stored_checkpoints(transaction, log)
    _hash_all(url, transaction, {at for at, _ in (*stored, *elsewhere)}, log, progress)
    key, origin = _check_ends(transaction, log)
    _check_extent(transaction, log)
    _check_streams(transaction, log)
    _check_kinds(log)
    _check_times(log)
    _check_removals(transaction, log)
    _check_receipts(transaction, log)
    held = _check_checkpoints(stored, elsewhere, origin, key, log)
    _check_nodes(transaction, log)
    if log.size in log.trees:
        log.report.root = log.trees[log.size].root().hex()
        _check_tree(log.trees[log.size], log.compact_range, held, log)
    # nothing that a damaged head row says of the log counts
    log.report.problems.sort(key=lambda problem: (problem.code != "head-changed", *_order(problem.position)))
    return log.report


def _log(row: tuple[Any, ...] | None, head: Head | None, last: tuple[Any, ...] | None) -> _Log:
    if head is not None:
        return _Log(
            head.size, head.origin, head.recorded_at, head.compact_range.to_bytes(), Report(head.size, "")
        )
    _, origin, size, compact_range, recorded_at, *_ = row or (None,) * 5
    if (
        type(size) is not int
    ):  # SQLite keeps a text where a number was; that the row was changed is said of it
        size = last[0] if last is not None else 0
    return _Log(size, origin, recorded_at, compact_range, Report(size, ""))


def _order(position: int | None) -> tuple[bool, bool, int]:
    return position is None, position is not None and position < 1, position or 0


# --- the log --------------------------------------------------------------------------------------------------------


def _hash_all(
    url: str, transaction: Transaction, sizes: set[int], log: _Log, progress: Callable[[int, int], None]
) -> None:
    """The tree at the head and at each of the other sizes that it has reached."""
    (highest,) = transaction.run("SELECT max(position) FROM events").fetchone()
    size = max(0, min(log.size, (highest or 0) + 1))  # one more: that one is missing
    wanted = {each for each in sizes if 0 <= each <= size} | {size}
    tree = CompactRange(0, ())
    log.trees[0] = tree
    for chunk in chunks(url, transaction, size, wanted):
        log.chunks.append(chunk)
        log.take(chunk.problems)
        log.changed += chunk.changed
        log.tiles += chunk.tiles
        if len(chunk.leaves) == chunk.count:
            for stop in sorted({n for n in wanted if tree.size < n < chunk.after + chunk.count}):
                tree = tree.extend(chunk.leaves[tree.size - chunk.after : stop - chunk.after])
                log.trees[stop] = tree
            tree = tree.extend(chunk.leaves[tree.size - chunk.after :])
        else:
            for tile in chunk.tiles:
                tree = tree.append_subtree(NODES_EVERY, tile)
            tree = tree.extend(chunk.leaves)
        log.trees[tree.size] = tree
        progress(tree.size, size)
        if chunk.is_cut:
            return  # what follows is out of place


def _check_head(rows: Sequence[tuple[Any, ...]], log: _Log) -> None:
    if len(rows) > 1:
        log.problem("head-changed", None, "There is more than one head row.")
    elif not is_as_written(rows[0]):
        log.problem("head-changed", None, "The head row is not the one that was written.")
    elif (found := fault_of_lists(rows[0])) is not None:
        log.problem("head-mismatch", None, f"The head row is damaged: {found}.")


def _check_tree(tree: CompactRange, stored_range: Any, held: int, log: _Log) -> None:
    """The head row's compact range has a root for each of the largest subtrees. The first that differs, after the
    last checkpoint that holds, tells between which positions an envelope was changed.
    """
    try:
        stored = CompactRange.from_bytes(tree.size, stored_range if isinstance(stored_range, bytes) else b"")
    except ValueError as error:
        log.problem("head-mismatch", None, f"The head row is damaged: {error}.")
        return
    first = 1
    for height in reversed(range(tree.size.bit_length())):
        if not tree.size >> height & 1:
            continue
        last = first + (1 << height) - 1
        at = (tree.size >> height + 1).bit_count()
        if stored.hashes[at] != tree.hashes[at]:
            first = max(first, min(held + 1, last))
            message = (
                f"The events {first} to {last} do not have the tree that the head row holds: one of them was "
                "changed, or the head row was."
            )
            log.problem("head-mismatch", log.first(first, last), message)
            return
        first = last + 1


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def _check_nodes(transaction: Transaction, log: _Log) -> None:
    """The stored nodes, which proofs are made from, are those of the events. Where an event was changed, that is
    reported of the event.
    """
    expected: dict[tuple[int, int], bytes] = {}
    level, height = log.tiles, NODES_EVERY
    while level:
        expected.update({(height, number): node for number, node in enumerate(level)})
        whole = len(level) - len(level) % TILE
        level = [subtree_root(level[at : at + TILE]) for at in range(0, whole, TILE)]
        height += NODES_EVERY
    rows = transaction.run("SELECT height, number, hash FROM tree_nodes").fetchall()
    stored = {(height, number): _plain(node) for height, number, node in rows}
    for (height, number), node in sorted(expected.items()):
        first, last = (number << height) + 1, (number + 1) << height
        if stored.pop((height, number), None) != node and log.first(first, last) not in log.changed:
            text = f"The node of the tree over the events {first} to {last} is not stored as it should be."
            log.problem("node-changed", first, text)
    for height, number in stored if not log.is_cut else ():
        text = f"There is a node of height {height!r} and number {number!r}, which the tree does not have."
        log.problem("node-changed", None, text)


def _check_ends(transaction: Transaction, log: _Log) -> tuple[signing_keys.PublicKey | None, str]:
    """The head row agrees with the first event and with the last one. Returns the ledger's key and name from the
    first, as far as that can be read."""
    rows = transaction.run(
        "SELECT position, type, recorded_at, payload FROM events WHERE position IN (1, ?) ORDER BY position",
        (log.size,),
    ).fetchall()
    if rows and rows[-1][0] == log.size and rows[-1][2] != log.recorded_at:
        text = f"The head row says that event {log.size} was recorded at {log.recorded_at}, the event {rows[-1][2]}."
        log.problem("head-mismatch", log.size, text)
    if not rows or rows[0][0] != 1:
        return None, log.origin  # an empty ledger, or the missing event is reported already
    try:
        created = orjson.loads(rows[0][3])
        stated, key = created["origin"], signing_keys.parse_public_key(created["public_key"])
    except (ValueError, KeyError, TypeError):  # CheckpointError and JSONDecodeError are ValueErrors
        log.problem("no-key", 1, "Event 1 does not say which key signs the checkpoints.")
        return None, log.origin
    if stated != log.origin:
        text = f'The head row calls the ledger "{log.origin}", its first event "{stated}".'
        log.problem("origin-changed", 1, text)
    return key, stated


def _check_extent(transaction: Transaction, log: _Log) -> None:
    for condition, value in (("position < ?", 1), ("position > ?", log.size)):
        (extra,) = transaction.run(f"SELECT min(position) FROM events WHERE {condition}", (value,)).fetchone()
        if extra is not None:
            text = f"There is an event at position {extra}, outside of the head's {log.size}."
            log.problem("beyond-head", extra, text)
            return


def _check_streams(transaction: Transaction, log: _Log) -> None:
    streams = transaction.run(
        "SELECT stream, count(*), max(stream_version) FROM events "
        "GROUP BY stream HAVING count(*) <> max(stream_version) OR min(stream_version) <> 1"
    ).fetchall()
    for stream, count, highest in streams:
        try:
            rows = transaction.run(
                "SELECT position, stream_version FROM events WHERE stream = ? ORDER BY stream_version",
                (stream,),
            ).fetchall()
        except UnicodeEncodeError:
            continue  # a name that is not UTF-8: that is said of its event
        position = next((at for number, (at, version) in enumerate(rows, start=1) if version != number), None)
        log.problem(
            "stream-gap", position, f"{stream} has {plural(count, 'event')}, but versions up to {highest}."
        )


def _check_kinds(log: _Log) -> None:
    """This version can read every event."""
    first: dict[tuple[str, int], int] = {}
    for chunk in log.chunks:
        first = chunk.kinds | first
    for (kind, schema), position in first.items():
        newest = SCHEMAS.get(kind, 0)
        if schema != newest and (kind, schema) not in UPCASTS:
            text = (
                f"Event {position} is {kind!r} version {schema}, which this version of Daybook cannot read: a newer "
                "one wrote it, or it was forged."
            )
            log.problem("event-unknown", position, text)


def _check_times(log: _Log) -> None:
    """Times never decrease along the log, from one chunk to the next either."""
    before = ""
    for chunk in log.chunks:
        first, last = chunk.times
        if first and first < before:
            text = f"Event {chunk.after + 1} was recorded before the one before it."
            log.problem("time-wrong", chunk.after + 1, text)
        before = max(before, last)
    log.report.latest = before


# --- what belongs to it ---------------------------------------------------------------------------------------------


def _check_removals(transaction: Transaction, log: _Log) -> None:
    """Every file that was received is there with the bytes that its name says, and what is gone was redacted."""
    present = set()
    for (digest,) in transaction.run("SELECT sha256 FROM input_files").fetchall():
        try:  # one at a time: memory may not hold all of them
            row = transaction.run("SELECT content FROM input_files WHERE sha256 = ?", (digest,)).fetchone()
        except UnicodeEncodeError:
            row = None
        content = None if row is None else _plain(row[0])
        if isinstance(content, bytes) and sha256(content).hexdigest() == digest:
            present.add(digest)
        else:
            log.problem("file-changed", None, f"The bytes of input file {digest} were changed.")
    blank = [position for chunk in log.chunks for position in chunk.blank]
    received = [each for chunk in log.chunks for each in chunk.received]
    noted = [event for chunk in log.chunks for event in chunk.noted]
    log.take(Gaps(blank, received, noted, is_cut=log.is_cut).problems(present))


def _check_receipts(transaction: Transaction, log: _Log) -> None:
    """Every event belongs to one receipt: without it, the same command could be carried out twice."""
    expected = 1
    for page in transaction.stream(_RECEIPTS, _PAGE):
        for command, first, last, digest, result, at_first, at_last in page:
            if type(first) is not int or type(last) is not int:  # a text, or nothing, that SQLite kept
                log.problem(
                    "receipt-wrong", None, f"The receipt of command {command} does not name its events."
                )
            elif not at_first == at_last == command or first < expected or last < first:
                text = (
                    f"The receipt of command {command} names events {first} to {last}, which are not its own."
                )
                log.problem("receipt-wrong", log.first(first, last), text)
            else:
                if first > expected:
                    _no_receipt(log, expected, first - 1)
                if not _is_answer(_plain(digest), result):
                    text = f"The receipt of command {command} does not hold an answer and the hash of its command."
                    log.problem("receipt-wrong", first, text)
                expected = last + 1
    if expected <= log.size:
        _no_receipt(log, expected, log.size)


def _is_answer(digest: object, result: object) -> bool:
    """Whether it is the receipt that was given cannot be told: it stands nowhere else."""
    try:
        answered = isinstance(result, str) and isinstance(orjson.loads(result), dict)
    except ValueError:
        answered = False
    return answered and isinstance(digest, bytes)


def _no_receipt(log: _Log, first: int, last: int) -> None:
    log.problem("receipt-missing", log.first(first, last), f"No receipt names the events {first} to {last}.")


def _stored_checkpoints(transaction: Transaction, log: _Log) -> list[tuple[int, str]]:
    found = []
    for size, text in transaction.run("SELECT size, text FROM checkpoints").fetchall():
        if isinstance(text, str):
            found.append((size, text))
        else:  # bytes, or nothing, that SQLite kept
            log.problem("checkpoint-unsound", None, f"Checkpoint {size} is no text.")
    return found


def _check_checkpoints(
    stored: Sequence[tuple[int, str]],
    elsewhere: Sequence[tuple[int, str]],
    origin: str,
    key: signing_keys.PublicKey | None,
    log: _Log,
) -> int:
    """Both come with the size that they are kept under. Returns the size of the largest checkpoint that holds."""
    held, is_rewritten = 0, False
    texts = [*stored, *(each for each in elsewhere if each not in stored)]
    for size, text in sorted(texts, key=lambda each: each[0]):
        try:
            stated = (
                checkpoint.verify(text, [key], origin=origin) if key else checkpoint.parse(text).checkpoint
            )
            if stated.size != size:
                raise signing_keys.CheckpointError(f"it is kept under {size}, but is of size {stated.size}")
        except signing_keys.CheckpointError as error:
            log.problem("checkpoint-unsound", None, f"Checkpoint {size}: {str(error).rstrip('.')}.")
            continue
        if stated.origin == origin and size in log.trees and log.trees[size].root() == stated.root:
            held = size
            continue
        if size > log.size:
            at = log.first(held + 1, size) if is_rewritten else log.size + 1
            log.problem("checkpoint-mismatch", at, _gone(size, held, log))
            continue
        text = (
            f"The tree of the first {plural(size, 'event')} is not the one signed then"
            if size in log.trees
            else f"The first {plural(size, 'event')}, whose tree was signed, are not all there"
        )
        text += f"; that of the first {held} is as it was." if held else "."
        is_rewritten = True
        log.problem("checkpoint-mismatch", log.first(held + 1, size), text)
    return held


def _gone(size: int, held: int, log: _Log) -> str:
    first = log.size + 1
    events = f"The event {first:,} is" if size == first else f"The events {first:,} to {size:,} are"
    text = f"{events} gone: a checkpoint of {plural(size, 'event')} was signed, and the log ends with {log.size:,}."
    if held < log.size:
        text += (
            f" Whether the events {held + 1:,} to {log.size:,} are those that were signed, it cannot tell."
        )
    return text
