"""Whether the lists are what the events add up to: fold the events beside, and compare row by row.

It folds into a database of its own, in a temporary file that is gone when it is closed: the ledger is only read, and
memory stays at some pages, whatever the ledger's size. The only module that makes tables outside a ledger.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import zip_longest
from typing import Any

from sqlalchemy import create_mock_engine
from sqlalchemy.dialects import sqlite

from ledger import log
from ledger.collector import without_garbage_collection
from ledger.database import Transaction
from ledger.errors import IntegrityFailure, Refusal
from ledger.events import misfit
from ledger.hashing import Problem
from ledger.head import SLOTS
from ledger.tables import metadata
from projections.apply import apply, prefetch
from projections.records import RECORDS
from projections.rows import State
from projections.tables import TABLES
from projections.versions import versions

COMPARED_BY_DEFAULT = 100_000  # events: about five seconds
_PAGE = 5_000
_ROWS_A_FLUSH = 20_000
_ROWS_KEPT = 20_000  # of each table
_CACHE_KIB = 32_768
_Progress = Callable[[int, int], None]
Row = tuple[Any, ...]


def compare(transaction: Transaction, progress: _Progress = lambda done, total: None) -> list[Problem]:
    """The first row of each list that differs from the events, and the first events that do not fold. Raises
    IntegrityFailure where the head row does not hold, as it says where the log ends and which lists are live.
    """
    head = log.read_head(transaction)
    if head.projections != versions():
        text = "The lists were not made by this version of Daybook, and are made anew when the ledger is next opened."
        return [Problem("lists-not-current", None, text)]
    try:
        with folded(transaction, progress) as (beside, problems):
            return problems + differences(transaction, beside, head.live_slot)
    except Refusal as refusal:  # an event that does not fold: nothing after it can be told
        text = f"The lists could not be compared: {refusal.message}"
        return [Problem("event-does-not-fold", getattr(refusal, "position", None), text)]


@contextmanager
def folded(
    transaction: Transaction, progress: _Progress = lambda done, total: None
) -> Iterator[tuple[Transaction, list[Problem]]]:
    """All events, folded into a separate database; and the first of each type that no program wrote. Raises Refusal
    for one that does not fold.
    """
    with without_garbage_collection(), _beside() as beside:
        state = State(SLOTS[0], beside, complete=True)
        yield beside, _fold(transaction, state, log.read_head(transaction).size, progress)


def differences(transaction: Transaction, beside: Transaction, live_slot: str) -> list[Problem]:
    """The first row of each list that differs between the two, in key order."""
    return [problem for record in RECORDS for problem in _differences(transaction, beside, record, live_slot)]


@contextmanager
def _beside() -> Iterator[Transaction]:
    """A database in a temporary file, as SQLite makes it for an empty name, with one slot of the projections."""
    with closing(_temporary()) as connection:
        for statement in _statements():
            connection.execute(statement)
        yield Transaction(connection, "sqlite")


@cache
def _statements() -> tuple[str, ...]:
    """What makes the tables. Wording them takes longer than to compare a small ledger."""
    worded: list[str] = []
    engine = create_mock_engine(
        "sqlite+pysqlite://",
        lambda made, *_, **__: worded.append(str(made.compile(dialect=sqlite.dialect()))),
    )
    metadata.create_all(engine, [TABLES[record.TABLE, SLOTS[0]] for record in RECORDS], checkfirst=False)
    return tuple(worded)


def _temporary() -> Any:
    import sqlite3

    connection = sqlite3.connect("", isolation_level=None)
    for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB:d}"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _fold(transaction: Transaction, state: State, size: int, progress: _Progress) -> list[Problem]:
    """Returns the first event of each type that no program wrote."""
    unfit: dict[str, Problem] = {}
    for page in log.pages(transaction, 0, size, _PAGE):
        for event in page:
            if event.type not in unfit and (why := misfit(event)) is not None:
                text = f"Event {event.position} is not what a {event.type} is: {why.rstrip('.')}."
                unfit[event.type] = Problem("event-unfit", event.position, text)
        if not state.complete():
            prefetch(state, page)
        apply(state, page)
        if state.dirty() >= _ROWS_A_FLUSH:
            _flush(state)
            state.forget(beyond=_ROWS_KEPT)
        progress(page[-1].position, size)
    _flush(state)
    return list(unfit.values())


def _flush(state: State) -> None:
    import sqlite3

    try:
        state.flush()
    except sqlite3.Error as error:
        raise IntegrityFailure(
            "events-do-not-fold", f"the events contradict each other ({error})."
        ) from error


def _differences(transaction: Transaction, beside: Transaction, record: Any, slot: str) -> list[Problem]:
    with (
        closing(_rows(beside, record, SLOTS[0])) as folded,
        closing(_rows(transaction, record, slot)) as live,
    ):
        for expected, found in zip_longest(folded, live):
            if expected != found:
                return [Problem("list-wrong", None, _said(record, expected, found))]
    return []


def _rows(transaction: Transaction, record: Any, slot: str) -> Generator[Row, None, None]:
    columns = TABLES[record.TABLE, slot].columns
    binary = ' COLLATE "C"' if transaction.dialect == "postgresql" else ""
    order = ", ".join(
        f"{name}{binary if columns[name].type.python_type is str else ''}" for name in record.KEY
    )
    sql = f"SELECT {', '.join(columns.keys())} FROM {record.TABLE}_{slot} ORDER BY {order}"
    for page in transaction.stream(sql, _PAGE):
        yield from page


def _said(record: Any, expected: Row | None, found: Row | None) -> str:
    names = list(TABLES[record.TABLE, SLOTS[0]].columns.keys())
    key = [names.index(name) for name in record.KEY]
    what = record.TABLE.replace("_", " ")
    if expected is not None and found is not None and all(expected[at] == found[at] for at in key):
        at = next(at for at, value in enumerate(expected) if value != found[at])
        where = _shown(expected, key)
        has, should = f"{found[at]!r:.60}", f"{expected[at]!r:.60}"
        return f"In the list of {what}, {where} has {names[at]} {has}; by the events it is {should}."
    if found is None or (expected is not None and _order(expected, key) < _order(found, key)):
        return f"In the list of {what}, {_shown(expected or (), key)} is missing."
    return f"In the list of {what}, {_shown(found, key)} is there, which no event put there."


def _shown(row: Row, key: list[int]) -> str:
    return ", ".join(f"{row[at]!r:.60}" for at in key)


def _order(row: Row, key: list[int]) -> list[tuple[int, Any]]:
    """Orders values of any kind as the databases do."""
    ranks: dict[type, int] = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}
    return [
        (
            ranks.get(type(row[at]), 4),
            row[at].encode("utf-8", "surrogateescape") if isinstance(row[at], str) else row[at],
        )
        for at in key
    ]
