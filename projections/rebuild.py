"""Make all projections anew from the events, beside the live tables, and swap the two.

Writers go on meanwhile: pages of events are read and rows are written in short transactions of their own; only the
last catch-up and the swap happen under the append lock. Two processes fold a long log, each half of the subjects. A
rebuild that was killed leaves a half-filled slot that nobody reads; the next one begins by emptying it.
"""

import os
import uuid
from collections.abc import Callable
from concurrent.futures import as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter, sleep

from ledger import log
from ledger.collector import without_garbage_collection
from ledger.database import DRIVERS, Database, Transaction
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable, NextStep, Refusal
from ledger.events import misfit
from ledger.plurals import plural
from ledger.processes import process_pool
from projections.apply import apply, prefetch
from projections.records import RECORDS, SLOTS
from projections.renamed import all_renamed
from projections.rows import State
from projections.versions import refuse_newer, versions

PAGE = 10_000
ROWS_WAITING = 20_000  # until they are written
ROWS_A_FLUSH = 4_000  # on SQLite a flush holds up writers: some hundredths of a second
ROWS_KEPT = 250_000  # of each table: this bounds the memory
_GAP_S = 0.005  # between flushes, for writers that wait
CATCH_UP = 200  # events that may be left for the time under the lock
PARALLEL_FROM = 100_000  # events; below, starting processes costs more than they save
_SUBJECTS_NAMED = 2_000  # in one condition


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``longest_pause_s`` is the longest time that a writer can have waited for this rebuild."""

    events: int
    seconds: float
    longest_pause_s: float


def rebuild(
    database: Database, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Rebuilt:
    """Rebuild and swap. Raises Conflict where another rebuild was started meanwhile (the later one wins), and
    IntegrityFailure where the events do not follow from each other.
    """
    try:
        return _rebuild(database, progress)
    except Conflict as conflict:
        if conflict.code != "taken":
            raise
        # nobody else writes to this slot
        raise _contradiction(f"two of them take one key ({conflict.message})") from conflict
    except Refusal:
        raise
    except Exception as error:
        found = _first_misfit(database)
        if found is None:
            raise
        raise _contradiction(found) from error


def _contradiction(what: str) -> IntegrityFailure:
    return IntegrityFailure(
        "events-do-not-fold",
        f"The events of this ledger do not follow from each other: {what.rstrip('.')}. The lists stay as they are.",
        "Verify the ledger",
        NextStep("verify"),
    )


def _first_misfit(database: Database) -> str | None:
    """Only after a failure: looking at every field of every event takes long."""
    with database.reading() as transaction:
        for page in log.pages(transaction, 0, log.read_head(transaction).size):
            for event in page:
                if (why := misfit(event)) is not None:
                    return f"position {event.position} is no {event.type} ({why})"
    return None


def _rebuild(database: Database, progress: Callable[[int, int], None]) -> Rebuilt:
    started = perf_counter()
    token = uuid.uuid4().hex
    with without_garbage_collection():
        slot, size, pause = _begin(database, token)
        _require_whole(database, size)
        shares = _shares(database, size)
        state, position = State(slot, complete=True), 0
        if len(shares) > 1:
            pause = max(pause, _fold_in_parallel(database, slot, token, shares, size, progress))
            state, position = State(slot), size
        position, folding = _fold(database, state, position, token, Share(), None, progress)
        pause = max(pause, folding)
        size, swapping = _swap(database, state, position, token)
    return Rebuilt(size, perf_counter() - started, max(pause, swapping))


def _require_whole(database: Database, size: int) -> None:
    """Raises IntegrityFailure where a position is missing: the lists would lack what it said."""
    with database.reading() as transaction:
        (count,) = transaction.run(
            "SELECT count(*) FROM events WHERE position BETWEEN 1 AND ?", (size,)
        ).fetchone()
    if count != size:
        raise IntegrityFailure(
            "events-missing",
            f"Of the {plural(size, 'event')} here {size - count:,} cannot be found. The lists stay as they are.",
            "Verify the ledger",
            NextStep("verify"),
        )


@dataclass(frozen=True, slots=True)
class Share:
    """The events that one process folds: those of ``subjects``, or with ``others`` all but those."""

    subjects: tuple[str, ...] = ()
    others: bool = True

    def condition(self) -> tuple[str, list[str]]:
        if not self.subjects:
            return "", []
        marks = ", ".join("?" * len(self.subjects))
        return f" AND subject {'NOT ' if self.others else ''}IN ({marks})", list(self.subjects)


def _shares(database: Database, size: int) -> list[Share]:
    """Halves of about the same size, cut between subjects: no row but a dedup key is about two of them. The names of a
    renamed subject stay together.

    The live projections say how many events a subject has; if they are wrong, the halves are uneven.
    """
    if size < PARALLEL_FROM or (os.cpu_count() or 1) < 2:
        return [Share()]
    with database.reading() as transaction:
        table = f"activity_{log.read_head(transaction).live_slot}"
        counts = transaction.run(
            f"SELECT subject, sum(events) FROM {table} WHERE subject <> '' GROUP BY subject ORDER BY 2 DESC, 1"
        ).fetchall()
        one = {name: sorted(names) for names in all_renamed(transaction) for name in names}
    together: dict[str, int] = {}
    for subject, count in counts[:_SUBJECTS_NAMED]:
        first = one.get(subject, [subject])[0]
        together[first] = together.get(first, 0) + int(count)
    half: list[str] = []
    here, there = 0, 0
    for subject, count in sorted(together.items(), key=lambda item: -item[1]):
        if here <= there:
            here += count
            half += one.get(subject, [subject])
        else:
            there += count
    if not here or not there:
        return [Share()]
    return [Share(tuple(half), others=False), Share(tuple(half), others=True)]


def _fold_in_parallel(
    database: Database,
    slot: str,
    token: str,
    shares: list[Share],
    size: int,
    progress: Callable[[int, int], None],
) -> float:
    url = database.address.text
    with process_pool(len(shares), __name__, DRIVERS[database.dialect]) as pool:
        folds = [pool.submit(_fold_elsewhere, url, slot, token, share, size) for share in shares]
        pauses = []
        for done, fold in enumerate(as_completed(folds), start=1):
            pauses.append(fold.result())
            progress(size * done // len(shares), size)
    return max(pauses)


def _fold_elsewhere(url: str, slot: str, token: str, share: Share, up_to: int) -> float:
    database = Database(url)
    try:
        with without_garbage_collection():
            return _fold(
                database, State(slot, complete=True), 0, token, share, up_to, lambda done, total: None
            )[1]
    finally:
        database.close()


def _fold(
    database: Database,
    state: State,
    position: int,
    token: str,
    share: Share,
    up_to: int | None,
    progress: Callable[[int, int], None],
) -> tuple[int, float]:
    """Apply a share of the events after ``position``, to ``up_to`` or until little is left, and write the rows.

    Returns the position that the state stands at, and the longest time that writers were held up. A share writes its
    dedup keys last: until then another process may hold one that it gives up later.
    """
    pause = 0.0
    while (reached := _apply_page(database, state, position, token, share, up_to)) is not None:
        position, size = reached
        if state.dirty(keys=up_to is None) >= ROWS_WAITING:
            pause = max(pause, _write(database, state, token, keys=up_to is None))
            state.forget(beyond=ROWS_KEPT)
        progress(position, size)
    return position, max(pause, _write(database, state, token, keys=True))


def _begin(database: Database, token: str) -> tuple[str, int, float]:
    """Take the slot that is not live and empty it. Returns it, the ledger's size, and how long writers were held up."""
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        refuse_newer(head)
        log.name_rebuild(transaction, head, token)
    slot = SLOTS[1 - SLOTS.index(head.live_slot)]
    longest = 0.0
    for record in RECORDS:
        with database.writing() as transaction:
            # a rebuild that is writing now must commit first: rows that it committed later would stay
            transaction.wait_for("rebuild")
            began = perf_counter()
            _check_token(log.read_head(transaction), token)
            with nullcontext() if head.projections == log.REDACTED else transaction.giving_up_pages():
                # DELETE, not TRUNCATE: a reader that is still in this slot keeps its snapshot
                transaction.run(f"DELETE FROM {record.TABLE}_{slot}")
        longest = max(longest, perf_counter() - began)
    return slot, head.size, longest


def _apply_page(
    database: Database, state: State, position: int, token: str, share: Share, up_to: int | None
) -> tuple[int, int] | None:
    """Returns the position reached and the ledger's size; None at ``up_to``, or where the rest is left for the swap."""
    with database.reading() as transaction:
        head = log.read_head(transaction)
        _check_token(head, token)
        if up_to is None and head.size - position <= CATCH_UP:
            return None
        end = head.size if up_to is None else up_to
        page = log.read_to_fold(transaction, position, end, PAGE, *share.condition())
        if not page and up_to is not None:
            return None
        if not page:
            raise IntegrityFailure(
                "events-missing",
                f"The ledger has {plural(head.size, 'event')}, but none behind position {position}.",
                "Verify the ledger",
                NextStep("verify"),
            )
        state.attach(transaction)  # forgotten rows are read from the slot again
        if not state.complete():
            prefetch(state, page)
        apply(state, page)
    return page[-1].position, head.size


def _write(database: Database, state: State, token: str, *, keys: bool) -> float:
    """Write the rows, a flush at a time, so that writers get in between. Returns the longest that a writer had to
    wait.
    """
    longest = 0.0
    while True:
        with database.writing() as transaction:
            transaction.wait_for("rebuild")
            began = perf_counter()
            _check_token(log.read_head(transaction), token)
            state.attach(transaction)
            state.flush(keys=keys, most=ROWS_A_FLUSH)
        longest = max(longest, perf_counter() - began)
        if not state.dirty(keys=keys):
            return longest
        sleep(_GAP_S)


def _swap(database: Database, state: State, position: int, token: str) -> tuple[int, float]:
    with database.writing() as transaction:
        transaction.wait_for("rebuild")
        head = log.lock_head(transaction)
        began = perf_counter()
        _check_token(head, token)
        state.attach(transaction)
        for page in log.pages(transaction, position, head.size):
            if not state.complete():
                prefetch(state, page)
            apply(state, page)
        state.flush()
        log.make_live(transaction, head, state.slot, versions())
    return head.size, perf_counter() - began


def remove_remains(database: Database) -> bool:
    """After a rebuild that a redaction called for: empty the other slot, which still holds what was redacted, and
    clear it from the file. True where none of it is left in the database's free space.

    Where it is killed, or cannot be done now (the disk is full, somebody else holds the file, or whoever opened it
    may not write), it is done again when the ledger is next opened. Does nothing where nothing was redacted.
    """
    with database.reading() as transaction:
        if log.read_head(transaction).rebuild != log.EMPTYING:
            return True
    try:
        return _remove_remains(database)
    except LedgerUnavailable:
        return False


def _remove_remains(database: Database) -> bool:
    for record in RECORDS:
        with database.writing() as transaction:
            transaction.wait_for("rebuild")
            head = log.read_head(transaction)
            if head.rebuild != log.EMPTYING:  # another rebuild has taken the slot, and empties it first
                return False
            transaction.run(f"DELETE FROM {record.TABLE}_{SLOTS[1 - SLOTS.index(head.live_slot)]}")
    clean = database.overwrite_free_space()
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        if head.rebuild == log.EMPTYING:
            log.name_rebuild(transaction, head, "")
    return clean


def _check_token(head: log.Head, token: str) -> None:
    if head.rebuild != token:
        raise Conflict(
            "rebuild-superseded", "Another rebuild began after this one and goes on.", "Nothing to do."
        )


def contents(transaction: Transaction, slot: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every projection in key order, to compare two slots."""
    found = {}
    for record in RECORDS:
        order = ", ".join(record.KEY)
        rows = transaction.run(f"SELECT * FROM {record.TABLE}_{slot} ORDER BY {order}").fetchall()
        found[record.TABLE] = sorted(rows)
    return found
