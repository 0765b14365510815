"""Recompute everything from raw rows and say what does not hold.

Shares nothing with ``append`` but the definition of the hashes (``ledger.envelope``, ``ledger.merkle``): it reads the
tables as they are, checks every payload against its hash, rebuilds the tree and compares it with the head and with
every stored checkpoint. Ranges of the log are hashed by several processes; each returns the root of its subtree.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context

from ledger import checkpoint
from ledger.database import Database, Transaction
from ledger.envelope import leaf_data
from ledger.errors import Refusal
from ledger.merkle import CompactRange, leaf_hash, subtree_root

CHUNK_HEIGHT = 15
CHUNK = 1 << CHUNK_HEIGHT
_PARALLEL_FROM = 4 * CHUNK
_COLUMNS = (
    "position, stream, stream_version, type, schema, command_id, correlation, causation, actor, via, recorded_at, "
    "subject, username, payload_sha256, payload"
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


def verify(url: str, *, progress: Callable[[int, int], None] = lambda done, total: None) -> Report:
    """Check the whole ledger. Raises LedgerUnavailable where it cannot be read at all."""
    database = Database(url)
    try:
        with database.reading() as transaction:
            size, stored_range, origin = transaction.run("SELECT size, compact_range, origin FROM head").fetchone()
            report = Report(size, "")
            trees = _hash_all(url, transaction, size, report, progress)
            report.root = trees[size].root().hex() if size in trees else ""
            if size in trees and trees[size].to_bytes() != bytes(stored_range):
                report.problems.append(
                    Problem("head-mismatch", None, "The tree of the events is not the one that the head row holds.")
                )
            _check_extent(transaction, size, report)
            _check_streams(transaction, report)
            _check_input_files(transaction, report)
            _check_receipts(transaction, size, report)
            _check_checkpoints(transaction, trees, origin, report)
    finally:
        database.close()
    report.problems.sort(key=lambda problem: (problem.position is None, problem.position or 0))
    return report


def _hash_all(
    url: str, transaction: Transaction, size: int, report: Report, progress: Callable[[int, int], None]
) -> dict[int, CompactRange]:
    """The tree at the head and at the size of every stored checkpoint."""
    wanted = {row[0] for row in transaction.run("SELECT size FROM checkpoints").fetchall() if row[0] <= size}
    wanted.add(size)
    trees: dict[int, CompactRange] = {}
    tree = CompactRange(0, ())
    if 0 in wanted:
        trees[0] = tree
    for chunk in _chunks(url, transaction, size, wanted):
        report.problems += chunk.problems
        start = tree.size
        if chunk.leaves:
            for stop in sorted({n for n in wanted if start < n <= start + chunk.count} | {start + chunk.count}):
                tree = tree.extend(chunk.leaves[tree.size - start : stop - start])
                trees[stop] = tree
        else:
            for height, root in chunk.roots:
                tree = tree.append_subtree(height, root)
            trees[tree.size] = tree
        progress(tree.size, size)
        if chunk.count < min(CHUNK, size - start):
            break  # an event is missing: what follows cannot be in its place
    return trees


def _chunks(url: str, transaction: Transaction, size: int, wanted: set[int]) -> Iterator[_Chunk]:
    starts = range(0, size, CHUNK)
    inside = [any(start < n < start + CHUNK for n in wanted) for start in starts]
    counts = [min(CHUNK, size - start) for start in starts]
    if size < _PARALLEL_FROM or (os.cpu_count() or 1) < 2:
        for start, count, keep in zip(starts, counts, inside, strict=True):
            yield _hash_chunk(transaction, start, count, keep)
        return
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=get_context("forkserver")) as pool:
        yield from pool.map(_hash_chunk_elsewhere, [url] * len(counts), starts, counts, inside)


def _hash_chunk_elsewhere(url: str, after: int, count: int, keep_leaves: bool) -> _Chunk:
    database = Database(url)
    with database.reading() as transaction:
        chunk = _hash_chunk(transaction, after, count, keep_leaves)
    database.close()
    return chunk


def _hash_chunk(transaction: Transaction, after: int, count: int, keep_leaves: bool) -> _Chunk:
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position",  # noqa: S608
        (after, after + count),
    )
    problems: list[Problem] = []
    leaves: list[bytes] = []
    expected = after
    for row in rows:
        expected += 1
        if row[0] != expected:
            problems.append(Problem("position-missing", expected, f"There is no event at position {expected}."))
            break
        digest, payload = bytes(row[13]), row[14]
        if payload is not None and sha256(payload.encode()).digest() != digest:
            problems.append(
                Problem("payload-changed", expected, f"The payload of event {expected} is not the one that was written.")
            )
        leaves.append(leaf_hash(leaf_data((*row[:13], digest))))
    if len(leaves) < count and not problems:
        problems.append(Problem("position-missing", expected + 1, f"There is no event at position {expected + 1}."))
    if keep_leaves or len(leaves) < CHUNK:
        return _Chunk(len(leaves), [], problems, leaves)
    return _Chunk(len(leaves), [(CHUNK_HEIGHT, subtree_root(leaves))], problems, [])


def _check_extent(transaction: Transaction, size: int, report: Report) -> None:
    extra = transaction.run("SELECT min(position) FROM events WHERE position > ? OR position < 1", (size,)).fetchone()
    if extra[0] is not None:
        report.problems.append(
            Problem("beyond-head", extra[0], f"There is an event at position {extra[0]}, outside of the head's {size}.")
        )


def _check_streams(transaction: Transaction, report: Report) -> None:
    rows = transaction.run(
        "SELECT stream, min(position), count(*), max(stream_version), min(stream_version) FROM events "
        "GROUP BY stream HAVING count(*) <> max(stream_version) OR min(stream_version) <> 1"
    ).fetchall()
    for stream, position, count, highest, _ in rows:
        report.problems.append(
            Problem("stream-gap", position, f"{stream} has {count} events, but versions up to {highest}.")
        )


def _check_input_files(transaction: Transaction, report: Report) -> None:
    """Every file that was received is there, and holds the bytes that its name says."""
    present = set()
    for (digest,) in transaction.run("SELECT sha256 FROM input_files").fetchall():
        content = transaction.run("SELECT content FROM input_files WHERE sha256 = ?", (digest,)).fetchone()[0]
        if sha256(bytes(content)).hexdigest() == digest:
            present.add(digest)
        else:
            report.problems.append(Problem("file-changed", None, f"The bytes of input file {digest} were changed."))
    received = transaction.run(
        "SELECT position, payload FROM events WHERE type = 'InputFileReceived' ORDER BY position"
    ).fetchall()
    for position, payload in received:
        digest = _sha256_in(payload)
        if digest is not None and digest not in present:
            report.problems.append(
                Problem("file-missing", position, f"Event {position} received input file {digest}, which is not there.")
            )


def _sha256_in(payload: str | None) -> str | None:
    import orjson

    try:
        return None if payload is None else str(orjson.loads(payload)["sha256"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None  # reported as a changed payload already


def _check_receipts(transaction: Transaction, size: int, report: Report) -> None:
    rows = transaction.run(
        "SELECT r.command_id, r.first_position, r.last_position FROM receipts r "
        "LEFT JOIN events e ON e.position = r.first_position "
        "WHERE r.last_position > ? OR r.last_position < r.first_position OR e.command_id IS NULL "
        "OR e.command_id <> r.command_id",
        (size,),
    ).fetchall()
    for command, first, last in rows:
        report.problems.append(
            Problem("receipt-wrong", first, f"The receipt of command {command} names events {first} to {last}.")
        )


def _check_checkpoints(
    transaction: Transaction, trees: dict[int, CompactRange], origin: str, report: Report
) -> None:
    for size, text in transaction.run("SELECT size, text FROM checkpoints ORDER BY size").fetchall():
        try:
            stated = checkpoint.parse(text).checkpoint
        except Refusal as error:
            report.problems.append(Problem("checkpoint-unreadable", None, f"Checkpoint {size}: {error}"))
            continue
        if stated.size != size or stated.origin != origin or size not in trees or trees[size].root() != stated.root:
            report.problems.append(
                Problem("checkpoint-mismatch", None, f"The tree of the first {size} events is not the one signed then.")
            )
