"""Recompute everything from raw rows and say what does not hold.

The rows are hashed in ``ledger.hashing``; here the tree over them is compared with the head row, with the nodes that
are stored of it and with every checkpoint, and what else belongs to the log is looked at: streams, receipts, input
files, and what redactions removed (``ledger.gaps``).

A problem is named at the first position that it concerns. Where the tree over a range does not fit, that is the first
event of the range which is damaged by itself; only if none is, the first of the range.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from ledger import checkpoint
from ledger.database import Database, Transaction
from ledger.envelope import head_data
from ledger.gaps import Gaps
from ledger.hashing import CHUNK, TILE, Chunk, Problem, chunks
from ledger.log import NODES_EVERY
from ledger.merkle import CompactRange, subtree_root

__all__ = ["CHUNK", "Problem", "Report", "examine", "verify"]
_HEAD = "id, origin, size, compact_range, recorded_at, live_slot, projections, rebuild, sha256"


@dataclass(slots=True)
class Report:
    events: int
    root: str
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Log:
    """What was read of the log, and the head row that it is compared with. ``changed``: positions whose leaf is another
    now, or which are missing."""

    size: int
    origin: str
    recorded_at: str
    report: Report
    trees: dict[int, CompactRange] = field(default_factory=dict)
    tiles: list[bytes] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def is_cut(self) -> bool:
        return any(chunk.is_cut for chunk in self.chunks)

    def first(self, first: int, last: int) -> int:
        """The position to name where something in this range is wrong."""
        return next((position for position in self.changed if first <= position <= last), first)

    def problem(self, code: str, position: int | None, message: str) -> None:
        self.report.problems.append(Problem(code, position, message))


def verify(
    url: str,
    *,
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Check the whole ledger, and that it continues the checkpoints in ``kept``, which lay out of the owner's reach.

    Raises LedgerUnavailable where the ledger cannot be read at all, CheckpointError for a text that is none.
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
) -> Report:
    """As ``verify``, in a transaction; ``url`` is for the processes that share the work on a long log."""
    elsewhere = [(checkpoint.parse(text).checkpoint.size, text) for text in kept]
    transaction.read_broken_text(True)
    rows = transaction.run(f"SELECT {_HEAD} FROM head ORDER BY id").fetchall()
    if not rows:
        return Report(0, "", [Problem("head-missing", None, "The head row is gone: the log has no end.")])
    _, origin, size, stored_range, recorded_at, *_ = rows[0]
    report = Report(size, "")
    log = _Log(size, origin, recorded_at, report)
    _check_head(rows, log)
    stored = transaction.run("SELECT size, text FROM checkpoints").fetchall()
    _hash_all(url, transaction, {at for at, _ in (*stored, *elsewhere)}, log, progress)
    key, origin = _check_ends(transaction, log)
    _check_extent(transaction, log)
    _check_streams(transaction, log)
    _check_removals(transaction, log)
    _check_receipts(transaction, log)
    held = _check_checkpoints(stored, elsewhere, origin, key, log)
    _check_nodes(transaction, log)
    if size in log.trees:
        report.root = log.trees[size].root().hex()
        _check_tree(log.trees[size], stored_range, held, log)
    # what a damaged head row says of the log is worth nothing
    report.problems.sort(key=lambda problem: (problem.code != "head-changed", *_order(problem.position)))
    return report


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
        log.report.problems += chunk.problems
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
            return  # what follows cannot be in its place


def _check_head(rows: Sequence[tuple[object, ...]], log: _Log) -> None:
    *row, digest = rows[0]
    try:
        intact = sha256(head_data(tuple(_plain(value) for value in row))).digest() == digest  # type: ignore[arg-type]
    except ValueError:  # text that is not UTF-8
        intact = False
    if not intact or len(rows) > 1:
        what = "is not the one that was written" if not intact else f"is there {len(rows)} times"
        log.problem("head-changed", None, f"The head row {what}.")


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def _check_tree(tree: CompactRange, stored_range: bytes, held: int, log: _Log) -> None:
    """The head row's compact range has a root for each of the largest subtrees: the first that differs, behind the
    last checkpoint that holds, tells between which positions an envelope was changed."""
    try:
        stored = CompactRange.from_bytes(tree.size, bytes(stored_range))
    except (ValueError, TypeError) as error:
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


def _check_nodes(transaction: Transaction, log: _Log) -> None:
    """The nodes that proofs are made from are those of the events; where an event was changed, that is said of it."""
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
        if stored.get((height, number)) != node and log.first(first, last) not in log.changed:
            text = f"The node of the tree over the events {first} to {last} is not stored as it should be."
            log.problem("node-changed", first, text)
    for height, number in sorted(stored.keys() - expected.keys()) if not log.is_cut else ():
        text = f"There is a node of height {height} and number {number}, which the tree does not have."
        log.problem("node-changed", None, text)


def _check_ends(transaction: Transaction, log: _Log) -> tuple[checkpoint.PublicKey | None, str]:
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
        stated, key = created["origin"], checkpoint.parse_public_key(created["public_key"])
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
        position = next(at for number, (at, version) in enumerate(rows, start=1) if version != number)
        log.problem("stream-gap", position, f"{stream} has {count} events, but versions up to {highest}.")


# --- what belongs to it ---------------------------------------------------------------------------------------------


def _check_removals(transaction: Transaction, log: _Log) -> None:
    """Every file that was received is there and holds the bytes that its name says, and what is gone was redacted."""
    present = set()
    for (digest,) in transaction.run("SELECT sha256 FROM input_files").fetchall():
        try:  # one at a time: together they may be too much for the memory
            row = transaction.run("SELECT content FROM input_files WHERE sha256 = ?", (digest,)).fetchone()
        except UnicodeEncodeError:
            row = None
        if row is not None and sha256(bytes(row[0])).hexdigest() == digest:
            present.add(digest)
        else:
            log.problem("file-changed", None, f"The bytes of input file {digest} were changed.")
    blank = [position for chunk in log.chunks for position in chunk.blank]
    received = [each for chunk in log.chunks for each in chunk.received]
    noted = [event for chunk in log.chunks for event in chunk.noted]
    log.report.problems += Gaps(blank, received, noted, is_cut=log.is_cut).problems(present)


def _check_receipts(transaction: Transaction, log: _Log) -> None:
    """Every event belongs to one receipt: without it, the same command could be carried out a second time."""
    rows = transaction.run(
        "SELECT r.command_id, r.first_position, r.last_position, f.command_id, l.command_id FROM receipts r "
        "LEFT JOIN events f ON f.position = r.first_position LEFT JOIN events l ON l.position = r.last_position "
        "ORDER BY r.first_position"
    ).fetchall()
    expected = 1
    for command, first, last, at_first, at_last in rows:
        if not at_first == at_last == command or first < expected or last < first:
            text = f"The receipt of command {command} names events {first} to {last}, which are not its own."
            log.problem("receipt-wrong", log.first(first, last), text)
            continue
        if first > expected:
            _no_receipt(log, expected, first - 1)
        expected = last + 1
    if expected <= log.size:
        _no_receipt(log, expected, log.size)


def _no_receipt(log: _Log, first: int, last: int) -> None:
    log.problem("receipt-missing", log.first(first, last), f"No receipt names the events {first} to {last}.")


def _check_checkpoints(
    stored: Sequence[tuple[int, str]],
    elsewhere: Sequence[tuple[int, str]],
    origin: str,
    key: checkpoint.PublicKey | None,
    log: _Log,
) -> int:
    """Both come with the size that they are kept under. Returns the size of the largest checkpoint that holds."""
    held = 0
    texts = [*stored, *(each for each in elsewhere if each not in stored)]
    for size, text in sorted(texts, key=lambda each: each[0]):
        try:
            stated = (
                checkpoint.verify(text, [key], origin=origin) if key else checkpoint.parse(text).checkpoint
            )
            if stated.size != size:
                raise checkpoint.CheckpointError(f"it is kept under {size}, but is of size {stated.size}")
        except checkpoint.CheckpointError as error:
            log.problem("checkpoint-unsound", None, f"Checkpoint {size}: {str(error).rstrip('.')}.")
            continue
        if stated.origin == origin and size in log.trees and log.trees[size].root() == stated.root:
            held = size
            continue
        text = (
            f"The tree of the first {size} events is not the one signed then"
            if size in log.trees
            else f"The first {size} events, whose tree was signed, are not all there"
        )
        text += f"; that of the first {held} is as it was." if held else "."
        log.problem("checkpoint-mismatch", log.first(held + 1, size), text)
    return held
