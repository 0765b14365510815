"""A page holds what a list in plain Python says, now and as of every moment; cursors lead through all of it."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import log
from ledger.database import Database, Transaction
from ledger.errors import Refusal
from ledger.log import Head
from projections import pages
from projections.past import Past, put_before
from projections.queries import Kind, Query
from tests.conftest import ROOT
from tests.length import TIMES
from tests.listings.model import TABLES, Folded, cut, folded, matching, some_query
from tests.past.test_shadowed_tables import write

EXAMPLES = {"sqlite": 4, "postgresql": 2}
KINDS: tuple[Kind, ...] = get_args(Kind)
MOMENTS = 3
QUESTIONS = 4  # of each kind


@contextmanager
def looking(database: Database, position: int | None) -> Iterator[tuple[Transaction, Head]]:
    if position is None:
        with database.reading() as transaction:
            yield transaction, log.read_head(transaction)
        return
    with database.past() as transaction:
        yield transaction, put_before(transaction, position, Past.lists)


def numbers(page: pages.Page[Any], kind: Kind) -> list[int]:
    return [int(getattr(row, kind.removesuffix("s"))[1:]) for row in page.rows]


def check_page(page: pages.Page[Any], state: Folded, kind: Kind, query: Query, position: int) -> None:
    everything = matching(state, kind, query)
    expected, more = cut(everything, query)
    assert numbers(page, kind) == expected
    assert (page.more, page.position, page.looked_back_to) == (more, position, None)
    assert (page.first, page.last) == ((expected[0], expected[-1]) if expected else (None, None))
    if query.text is None:
        assert page.count == pages.Count(len(everything), or_more=False)
    check_lines(page, state, kind)
    assert orjson.loads(orjson.dumps(page))["position"] == position


def check_lines(page: pages.Page[Any], state: Folded, kind: Kind) -> None:
    """What a line says beyond its row."""
    for line, number in zip(page.rows, numbers(page, kind), strict=True):
        row = getattr(state, TABLES[kind])[number]
        assert line.status == row.status
        if kind == "sessions":
            statuses = state.clusterings_of.get(number, [])
            assert line.clusterings_inserted == statuses.count("inserted")
            assert line.clusterings_waiting == statuses.count("waiting") + statuses.count("pending")
        elif kind == "clusterings":
            standing = [
                one
                for one in state.clusterings_of.get(row.session, [])
                if one in ("inserted", "waiting", "pending")
            ]
            assert line.clusterings_of_session == (None if row.session is None else len(standing))
        elif kind == "uploads":
            check_counts(line, row, state)


def check_counts(line: Any, row: Any, state: Folded) -> None:
    statuses = state.entries_of.get(row.id, [])
    if row.status != "rejected":
        assert (line.inserted, line.waiting, line.errors) == tuple(
            map(statuses.count, ("inserted", "waiting", "error"))
        )
        left_out = tuple(map(statuses.count, ("pending", "withdrawn", "deleted")))
        if row.inserted + row.duplicates + row.waiting + row.errors >= row.sessions + row.clusterings:
            left_out = (0, 0, 0)  # where the counts add up, nothing is left out
        assert (line.pending, line.withdrawn, line.deleted) == left_out


@pytest.mark.parametrize("portion", [3, 500])
def test_a_page_is_what_a_list_in_plain_python_says(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setattr("projections.pages_then._CHUNK", portion)

    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), steps=st.integers(5, 60))
    def check(seed: int, steps: int) -> None:
        before, size = write(shared_database, seed, steps)
        with shared_database.reading() as transaction:
            events = log.read_all(transaction, limit=size)
        choices = random.Random(seed)
        for position in [None, *(choices.randint(before, size) for _ in range(MOMENTS))]:
            at = size if position is None else position
            state = folded(events[:at])
            asked = [(kind, some_query(choices, state, kind)) for kind in KINDS for _ in range(QUESTIONS)]
            with looking(shared_database, position) as (transaction, head):
                for kind, query in asked:
                    check_page(pages.page(transaction, head, kind, query), state, kind, query, at)

    check()


def test_cursors_lead_through_all_of_it_however_little_is_looked_at(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.pages_then._CHUNK", 2)
    monkeypatch.setattr("projections.pages_then.FOLDED_AT_MOST", 4)
    monkeypatch.setattr("projections.pages.TEXT_STEP", 5)
    stopped = []

    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), steps=st.integers(20, 60))
    def check(seed: int, steps: int) -> None:
        before, size = write(shared_database, seed, steps)
        with shared_database.reading() as transaction:
            events = log.read_all(transaction, limit=size)
        choices = random.Random(seed)
        for position in (None, choices.randint(before, size), size - 1):
            state = folded(events[: size if position is None else position])
            for kind in KINDS:
                some = replace(some_query(choices, state, kind), after=None, before=None)
                for query in (some, Query(text="stands nowhere", limit=5)):
                    expected = matching(state, kind, query)
                    with looking(shared_database, position) as (transaction, head):
                        for older in (True, False):
                            found = walked(transaction, head, kind, query, stopped, older=older)
                            assert found == expected, (kind, query, position, older)

    check()
    assert any(stopped)


def walked(
    transaction: Transaction, head: Head, kind: Kind, query: Query, stopped: list[bool], *, older: bool
) -> list[int]:
    """Newest first, through every page: from the newest on, or from the oldest on and turned round."""
    found: list[int] = []
    query = query if older else replace(query, before=0)
    while True:
        page = pages.page(transaction, head, kind, query)
        assert len(page.rows) <= (query.limit or 0)
        found = found + numbers(page, kind) if older else numbers(page, kind) + found
        stopped.append(page.looked_back_to is not None)
        cursor = page.looked_back_to
        if cursor is None and page.more:
            cursor = page.last if older else page.first
        if cursor is None:
            return found
        query = replace(query, after=cursor) if older else replace(query, before=cursor)


def test_all_of_a_list_comes_page_by_page(shared_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.pages._A_PAGE", 3)
    _, size = write(shared_database, 7, 60)
    for position in (None, size // 2):
        with looking(shared_database, position) as (transaction, head):
            for kind in KINDS:
                for limit in (None, 7):
                    found = list(pages.pages(transaction, head, kind, Query(limit=limit)))
                    whole = pages.page(transaction, head, kind, Query(limit=limit or 10_000))
                    assert [row for page in found for row in page.rows] == whole.rows
                    assert all(len(page.rows) <= 3 for page in found)


def test_a_page_behind_a_record_stays_while_others_are_added(shared_database: Database) -> None:
    write(shared_database, 11, 40)
    query = Query(limit=3)
    with looking(shared_database, None) as (transaction, head):
        first = pages.page(transaction, head, "uploads", query)
        behind = replace(query, after=first.last)
        second = [line.upload for line in pages.page(transaction, head, "uploads", behind).rows]

    write(shared_database, 12, 40)

    with looking(shared_database, None) as (transaction, head):
        newest = pages.page(transaction, head, "uploads", query)
        assert newest.first != first.first
        assert [line.upload for line in pages.page(transaction, head, "uploads", behind).rows] == second


def test_a_count_ends_where_it_is_not_worth_going_on(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, size = write(shared_database, 13, 60)
    monkeypatch.setattr("projections.pages.COUNTED", 2)
    for position in (None, size - 1):
        with looking(shared_database, position) as (transaction, head):
            assert pages.page(transaction, head, "uploads", Query(limit=1)).count == pages.Count(
                2, or_more=True
            )


def test_reading_a_page_of_then_leaves_nothing_to_be_read_wrongly(shared_database: Database) -> None:
    _, size = write(shared_database, 17, 20)
    with looking(shared_database, size // 2) as (transaction, head):
        pages.page(transaction, head, "sessions", Query(status="inserted"))
        for table in ("sessions", "clusterings", "session_tasks", "uploads"):
            with pytest.raises(RuntimeError, match="is not about"):
                transaction.run(f"SELECT 1 FROM {table}_{head.live_slot}")


@pytest.mark.parametrize(
    ("kind", "query", "code"),
    [
        ("requests", Query(task="OpenField"), "no-such-filter"),
        ("requests", Query(missing=("tasks",)), "no-such-filter"),
        ("clusterings", Query(missing=("clusterings",)), "no-such-filter"),
        ("sessions", Query(missing=("sleep",)), "no-such-filter"),  # type: ignore[arg-type]
        ("uploads", Query(status="inserted"), "no-such-status"),
        ("sessions", Query(after=1, before=2), "two-cursors"),
    ],
)
def test_what_a_list_cannot_be_asked_is_said(
    shared_database: Database, kind: Kind, query: Query, code: str
) -> None:
    with looking(shared_database, None) as (transaction, head), pytest.raises(Refusal) as refused:
        pages.page(transaction, head, kind, query)
    assert refused.value.code == code


def test_listing_the_present_imports_no_pydantic() -> None:
    modules = "projections.pages, projections.queries, projections.lines, commands.answers.lists"
    script = f"import sys, {modules}; sys.exit(any(name.startswith('pydantic') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
