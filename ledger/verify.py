"""Recompute everything from raw rows and say what does not hold.

Shares nothing with ``append`` but the definition of the hashes (``ledger.envelope``, ``ledger.merkle``): it reads the
tables as they are, checks every payload against its hash, rebuilds the tree and compares it with the head and with
every stored checkpoint. Ranges of the log are hashed by several processes; each returns the root of its subtree.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from ledger import checkpoint
from ledger.database import Database, Transaction
from ledger.envelope import leaf_data
from ledger.merkle import CompactRange, leaf_hash, subtree_root
from ledger.processes import process_pool

CHUNK_HEIGHT = 15
CHUNK = 1 << CHUNK_HEIGHT
_PARALLEL_FROM = 4 * CHUNK
_COLUMNS = (
    "position, stream, stream_version, type, schema, command_id, correlation, causation, actor, via, recorded_at, "
    "subject, username, payload_sha256, payload, leaf_sha256"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """``position`` is the first event concerned, or None where the problem is in no event."""

    code: str
    position: int | None
    message: str


@dataclass(slots=True)
class Report:
    events: int
    root: str
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Chunk:
    """The events in (after, after + count]: their leaf hashes' roots and what is wrong with them."""

    count: int
    roots: list[tuple[int, bytes]]
    problems: list[Problem]
    leaves: list[bytes]
    received: list[tuple[int, str]]


def verify(
    url: str,
    *,
    kept: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Check the whole ledger, and that it continues the checkpoints in ``kept``, which lay out of the owner's reach.

    Raises LedgerUnavailable where the ledger cannot be read at all, CheckpointError for a text that is none.
    """
    elsewhere = [(checkpoint.parse(text).checkpoint.size, text) for text in kept]
    database = Database(url)
    try:
        with database.reading() as transaction:
            row = transaction.run("SELECT size, compact_range, origin, recorded_at FROM head").fetchone()
            if row is None:
                return Report(
                    0, "", [Problem("head-missing", None, "The head row is gone: the log has no end.")]
                )
            size, stored_range, origin, recorded_at = row
            report = Report(size, "")
            stored = transaction.run("SELECT size, text FROM checkpoints").fetchall()
            texts = [*stored, *(each for each in elsewhere if each not in stored)]
            sizes = {size for size, _ in texts}
            trees, received = _hash_all(url, transaction, size, sizes, report, progress)
            key = _check_ends(transaction, size, origin, recorded_at, report)
            _check_extent(transaction, size, report)
            _check_streams(transaction, report)
            _check_input_files(transaction, received, report)
            _check_receipts(transaction, size, report)
            held = _check_checkpoints(texts, trees, origin, key, report)
            if size in trees:
                report.root = trees[size].root().hex()
                _check_tree(trees[size], stored_range, held, report)
    finally:
        database.close()
    report.problems.sort(key=lambda problem: (problem.position is None, problem.position or 0))
    return report


def _hash_all(
    url: str,
    transaction: Transaction,
    size: int,
    sizes: set[int],
    report: Report,
    progress: Callable[[int, int], None],
) -> tuple[dict[int, CompactRange], list[tuple[int, str]]]:
    """The tree at the head and at each of the other sizes that it has reached; and the files that were received."""
    received: list[tuple[int, str]] = []
    wanted = {each for each in sizes if each <= size} | {size}
    trees: dict[int, CompactRange] = {}
    tree = CompactRange(0, ())
    if 0 in wanted:
        trees[0] = tree
    for chunk in _chunks(url, transaction, size, wanted):
        report.problems += chunk.problems
        received += chunk.received
        start = tree.size
        if chunk.leaves:
            for stop in sorted(
                {n for n in wanted if start < n <= start + chunk.count} | {start + chunk.count}
            ):
                tree = tree.extend(chunk.leaves[tree.size - start : stop - start])
                trees[stop] = tree
        else:
            for height, root in chunk.roots:
                tree = tree.append_subtree(height, root)
            trees[tree.size] = tree
        progress(tree.size, size)
        if chunk.count < min(CHUNK, size - start):
            break  # an event is missing: what follows cannot be in its place
    return trees, received


def _chunks(url: str, transaction: Transaction, size: int, wanted: set[int]) -> Iterator[_Chunk]:
    starts = range(0, size, CHUNK)
    inside = [any(start < n < start + CHUNK for n in wanted) for start in starts]
    counts = [min(CHUNK, size - start) for start in starts]
    if size < _PARALLEL_FROM or (os.cpu_count() or 1) < 2:
        for start, count, keep in zip(starts, counts, inside, strict=True):
            yield _hash_chunk(transaction, start, count, keep)
        return
    with process_pool(min(os.cpu_count() or 1, 8)) as pool:
        yield from pool.map(_hash_chunk_elsewhere, [url] * len(counts), starts, counts, inside)


def _hash_chunk_elsewhere(url: str, after: int, count: int, keep_leaves: bool) -> _Chunk:
    database = Database(url)
    with database.reading() as transaction:
        chunk = _hash_chunk(transaction, after, count, keep_leaves)
    database.close()
    return chunk


def _hash_chunk(transaction: Transaction, after: int, count: int, keep_leaves: bool) -> _Chunk:
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position",
        (after, after + count),
    )
    problems: list[Problem] = []
    leaves: list[bytes] = []
    received: list[tuple[int, str]] = []
    expected = after
    for row in rows:
        expected += 1
        if row[0] != expected:
            problems.append(
                Problem("position-missing", expected, f"There is no event at position {expected}.")
            )
            break
        problem, leaf = _hash_row(row)
        if problem is not None:
            problems.append(problem)
        leaves.append(leaf)
        if row[3] == "InputFileReceived" and (digest := _sha256_in(row[14])) is not None:
            received.append((row[0], digest))
    if len(leaves) < count and expected == after + len(leaves):
        problems.append(
            Problem("position-missing", expected + 1, f"There is no event at position {expected + 1}.")
        )
    if keep_leaves or len(leaves) < CHUNK:
        return _Chunk(len(leaves), [], problems, leaves, received)
    return _Chunk(len(leaves), [(CHUNK_HEIGHT, subtree_root(leaves))], problems, [], received)


def _hash_row(row: tuple[Any, ...]) -> tuple[Problem | None, bytes]:
    position, digest, payload, stored = row[0], row[13], row[14], row[15]
    try:
        leaf = leaf_hash(leaf_data(row[:14]))
        intact = payload is None or sha256(payload.encode()).digest() == digest
    except (TypeError, ValueError, AttributeError):  # SQLite keeps a number or bytes where text was
        return Problem(
            "event-unreadable", position, f"Event {position} holds values that no event has."
        ), b"\0" * 32
    if intact and leaf == stored:
        return None, leaf
    if intact:
        text = f"Event {position} is not the one that was written: its envelope, or the leaf kept with it, was changed."
        return Problem("event-changed", position, text), leaf
    text = f"The payload of event {position} is not the one that was written."
    return Problem("payload-changed", position, text), leaf


def _check_tree(tree: CompactRange, stored_range: bytes, held: int, report: Report) -> None:
    """The head row's compact range has a root for each of the largest subtrees: the first that differs, behind the
    last checkpoint that holds, tells between which positions an envelope was changed."""
    try:
        stored = CompactRange.from_bytes(tree.size, bytes(stored_range))
    except (ValueError, TypeError) as error:
        report.problems.append(Problem("head-mismatch", None, f"The head row is damaged: {error}."))
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
            report.problems.append(Problem("head-mismatch", first, message))
            return
        first = last + 1


def _check_ends(
    transaction: Transaction, size: int, origin: str, recorded_at: str, report: Report
) -> checkpoint.PublicKey | None:
    """The head row agrees with the first event and with the last one. Returns the ledger's key from the first."""
    rows = transaction.run(
        "SELECT position, type, recorded_at, payload FROM events WHERE position IN (1, ?) ORDER BY position",
        (size,),
    ).fetchall()
    if rows and rows[-1][0] == size and rows[-1][2] != recorded_at:
        message = (
            f"The head row says that event {size} was recorded at {recorded_at}, the event {rows[-1][2]}."
        )
        report.problems.append(Problem("head-mismatch", size, message))
    if not rows or rows[0][0] != 1:
        return None  # an empty ledger, or the missing event is reported already
    try:
        created = orjson.loads(rows[0][3])
        stated, key = created["origin"], checkpoint.parse_public_key(created["public_key"])
    except (ValueError, KeyError, TypeError):  # CheckpointError and JSONDecodeError are ValueErrors
        report.problems.append(Problem("no-key", 1, "Event 1 does not say which key signs the checkpoints."))
        return None
    if stated != origin:
        message = f'The head row calls the ledger "{origin}", its first event "{stated}".'
        report.problems.append(Problem("origin-changed", 1, message))
    return key


def _check_extent(transaction: Transaction, size: int, report: Report) -> None:
    for condition, value in (("position < ?", 1), ("position > ?", size)):
        (extra,) = transaction.run(f"SELECT min(position) FROM events WHERE {condition}", (value,)).fetchone()
        if extra is not None:
            message = f"There is an event at position {extra}, outside of the head's {size}."
            report.problems.append(Problem("beyond-head", extra, message))
            return


def _check_streams(transaction: Transaction, report: Report) -> None:
    streams = transaction.run(
        "SELECT stream, count(*), max(stream_version) FROM events "
        "GROUP BY stream HAVING count(*) <> max(stream_version) OR min(stream_version) <> 1"
    ).fetchall()
    for stream, count, highest in streams:
        rows = transaction.run(
            "SELECT position, stream_version FROM events WHERE stream = ? ORDER BY stream_version", (stream,)
        ).fetchall()
        position = next(at for number, (at, version) in enumerate(rows, start=1) if version != number)
        message = f"{stream} has {count} events, but versions up to {highest}."
        report.problems.append(Problem("stream-gap", position, message))


def _check_input_files(transaction: Transaction, received: Sequence[tuple[int, str]], report: Report) -> None:
    """Every file that was received is there, and holds the bytes that its name says."""
    present = set()
    for (digest,) in transaction.run("SELECT sha256 FROM input_files").fetchall():
        content = transaction.run("SELECT content FROM input_files WHERE sha256 = ?", (digest,)).fetchone()[0]
        if sha256(bytes(content)).hexdigest() == digest:
            present.add(digest)
        else:
            report.problems.append(
                Problem("file-changed", None, f"The bytes of input file {digest} were changed.")
            )
    for position, digest in received:
        if digest not in present:
            report.problems.append(
                Problem(
                    "file-missing",
                    position,
                    f"Event {position} received input file {digest}, which is not there.",
                )
            )


def _sha256_in(payload: str | None) -> str | None:
    try:
        return None if payload is None else str(orjson.loads(payload)["sha256"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None  # reported as a changed payload already


def _check_receipts(transaction: Transaction, size: int, report: Report) -> None:
    """Every event belongs to one receipt: without it, the same command could be carried out a second time."""
    rows = transaction.run(
        "SELECT r.command_id, r.first_position, r.last_position, f.command_id, l.command_id FROM receipts r "
        "LEFT JOIN events f ON f.position = r.first_position LEFT JOIN events l ON l.position = r.last_position "
        "ORDER BY r.first_position"
    ).fetchall()
    expected = 1
    for command, first, last, at_first, at_last in rows:
        if not at_first == at_last == command or first < expected or last < first:
            message = (
                f"The receipt of command {command} names events {first} to {last}, which are not its own."
            )
            report.problems.append(Problem("receipt-wrong", first, message))
            continue
        if first > expected:
            report.problems.append(_no_receipt(expected, first - 1))
        expected = last + 1
    if expected <= size:
        report.problems.append(_no_receipt(expected, size))


def _no_receipt(first: int, last: int) -> Problem:
    return Problem("receipt-missing", first, f"No receipt names the events {first} to {last}.")


def _check_checkpoints(
    texts: Sequence[tuple[int, str]],
    trees: dict[int, CompactRange],
    origin: str,
    key: checkpoint.PublicKey | None,
    report: Report,
) -> int:
    """``texts`` come with the size that they are kept under. Returns the size of the largest checkpoint that holds."""
    held = 0
    for size, text in sorted(texts):
        try:
            stated = (
                checkpoint.verify(text, [key], origin=origin) if key else checkpoint.parse(text).checkpoint
            )
        except checkpoint.CheckpointError as error:
            report.problems.append(
                Problem("checkpoint-unsound", None, f"Checkpoint {size}: {str(error).rstrip('.')}.")
            )
            continue
        if (
            stated.size == size
            and stated.origin == origin
            and size in trees
            and trees[size].root() == stated.root
        ):
            held = size
            continue
        message = (
            f"The tree of the first {size} events is not the one signed then"
            if size in trees
            else f"The first {size} events, whose tree was signed, are not all there"
        )
        message += f"; that of the first {held} is as it was." if held else "."
        report.problems.append(Problem("checkpoint-mismatch", held + 1, message))
    return held
