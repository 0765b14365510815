"""Every checkpoint that is kept, here or elsewhere, compared with the tree of its size."""

from collections.abc import Sequence

from ledger import checkpoint, signing_keys
from ledger.database import Transaction
from ledger.plurals import plural
from ledger.verify.report import ReadLog


def stored_checkpoints(transaction: Transaction, log: ReadLog) -> list[tuple[int, str]]:
    found = []
    for size, text in transaction.run("SELECT size, text FROM checkpoints").fetchall():
        if isinstance(text, str):
            found.append((size, text))
        else:  # bytes, or nothing, that SQLite kept
            log.problem("checkpoint-unsound", None, f"Checkpoint {size} is no text.")
    return found


def check_checkpoints(
    stored: Sequence[tuple[int, str]],
    elsewhere: Sequence[tuple[int, str]],
    origin: str,
    key: signing_keys.PublicKey | None,
    log: ReadLog,
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


def _gone(size: int, held: int, log: ReadLog) -> str:
    first = log.size + 1
    events = f"The event {first:,} is" if size == first else f"The events {first:,} to {size:,} are"
    text = f"{events} gone: a checkpoint of {plural(size, 'event')} was signed, and the log ends with {log.size:,}."
    if held < log.size:
        text += (
            f" Whether the events {held + 1:,} to {log.size:,} are those that were signed, it cannot tell."
        )
    return text
