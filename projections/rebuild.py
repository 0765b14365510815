"""Make all projections anew from the events, beside the live tables, and swap.

Writers go on meanwhile: pages of events are read and rows are written in short transactions of their own; only the
last catch-up and the swap happen under the append lock. A rebuild that was killed leaves a half-filled slot that
nobody reads; the next one begins by emptying it.
"""

import gc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import orjson

from ledger import log
from ledger.database import Database, Transaction
from ledger.errors import Conflict, IntegrityFailure
from projections.apply import apply, prefetch
from projections.records import RECORDS, SLOTS, VERSIONS
from projections.rows import State

PAGE = 10_000
ROWS_A_FLUSH = 20_000  # on SQLite a flush holds up writers: about a tenth of a second
ROWS_KEPT = 250_000  # of each table: what bounds the memory
CATCH_UP = 2_000  # events that may be left for the moment under the lock


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``longest_pause_s`` is the longest time that a writer can have waited for this rebuild."""

    events: int
    seconds: float
    longest_pause_s: float


def versions() -> str:
    """What ``head.projections`` says where the tables were made by this version of the program."""
    return orjson.dumps(VERSIONS, option=orjson.OPT_SORT_KEYS).decode()


def rebuild(database: Database, *, progress: Callable[[int, int], None] = lambda done, total: None) -> Rebuilt:
    """Rebuild and swap. Raises Conflict where another rebuild was started meanwhile: the later one wins."""
    started = perf_counter()
    token = uuid.uuid4().hex
    with without_garbage_collection():
        slot, pause = _begin(database, token)
        state = State(slot, complete=True)
        position = 0
        while (read := _apply_page(database, state, position, token)) is not None:
            position, size = read
            if state.dirty() >= ROWS_A_FLUSH:
                pause = max(pause, _write(database, state, token))
                state.forget(beyond=ROWS_KEPT)
            progress(position, size)
        pause = max(pause, _write(database, state, token))
        size, swapping = _swap(database, state, position, token)
    return Rebuilt(size, perf_counter() - started, max(pause, swapping))


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Many small rows and no cycles: the collector would only walk over them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _begin(database: Database, token: str) -> tuple[str, float]:
    with database.writing() as transaction:
        # a rebuild that is writing now must commit first: rows that it committed later would not be deleted here
        transaction.wait_for("rebuild")
        head = log.lock_head(transaction)
        began = perf_counter()
        slot = SLOTS[1 - SLOTS.index(head.live_slot)]
        log.name_rebuild(transaction, token)
        for record in RECORDS:
            # DELETE, not TRUNCATE: a reader that is still in this slot keeps its snapshot
            transaction.run(f"DELETE FROM {record.TABLE}_{slot}")  # noqa: S608 - names are ours
    return slot, perf_counter() - began


def _apply_page(database: Database, state: State, position: int, token: str) -> tuple[int, int] | None:
    """Returns the position reached and the ledger's size, or None where the rest is for the moment of the swap."""
    with database.reading() as transaction:
        head = log.read_head(transaction)
        _check_token(head, token)
        if head.size - position <= CATCH_UP:
            return None
        page = log.read_all(transaction, position, PAGE)
        if not page:
            raise IntegrityFailure(
                "events-missing",
                f"The ledger has {head.size} events, but none behind position {position}.",
                "Run: daybook verify",
            )
        state.attach(transaction)  # rows that were forgotten are read from the slot again
        if not state.complete():
            prefetch(state, page)
        apply(state, page)
    return page[-1].position, head.size


def _write(database: Database, state: State, token: str) -> float:
    with database.writing() as transaction:
        transaction.wait_for("rebuild")
        began = perf_counter()
        _check_token(log.read_head(transaction), token)
        state.attach(transaction)
        state.flush()
    return perf_counter() - began


def _swap(database: Database, state: State, position: int, token: str) -> tuple[int, float]:
    with database.writing() as transaction:
        transaction.wait_for("rebuild")
        head = log.lock_head(transaction)
        began = perf_counter()
        _check_token(head, token)
        state.attach(transaction)
        for page in log.pages(transaction, position, head.size):
            apply(state, page)
        state.flush()
        log.make_live(transaction, state.slot, versions())
    return head.size, perf_counter() - began


def _check_token(head: log.Head, token: str) -> None:
    if head.rebuild != token:
        raise Conflict("rebuild-superseded", "Another rebuild began after this one and goes on.", "Nothing to do.")


def contents(transaction: Transaction, slot: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every projection in key order: what two slots are compared by."""
    found = {}
    for record in RECORDS:
        order = ", ".join(record.KEY)
        rows = transaction.run(f"SELECT * FROM {record.TABLE}_{slot} ORDER BY {order}").fetchall()  # noqa: S608
        found[record.TABLE] = sorted(rows)
    return found
