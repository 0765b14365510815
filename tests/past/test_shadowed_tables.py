"""The past that is put before the present is, row by row, what the events up to there add up to."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import log
from ledger.database import Database, Transaction
from ledger.envelope import StoredEvent, leaf_data
from ledger.errors import Refusal
from ledger.log import Head
from ledger.merkle import CompactRange, leaf_hash
from projections import listings
from projections.apply import apply
from projections.past import About, Past, put_before
from projections.rebuild import contents, rebuild
from projections.records import RECORDS
from projections.references import find
from projections.rows import State
from projections.versions import versions
from tests.length import TIMES
from tests.projections.test_rebuild_equals_incremental import write_history

EXAMPLES = {"sqlite": 6, "postgresql": 3}
POSITIONS = 12  # looked at in each example
Contents = dict[str, list[tuple[object, ...]]]


@contextmanager
def past(database: Database, position: int, about: About) -> Iterator[tuple[Transaction, Head]]:
    with database.past() as transaction:
        yield transaction, put_before(transaction, position, about)


def everything(past: Past) -> None:
    past.everything()
    past.counts()


def write(database: Database, seed: int, steps: int) -> tuple[int, int]:
    """A random history, redactions carried out. Returns the positions that it lies between."""
    with database.reading() as transaction:
        before = log.read_head(transaction).size
    write_history(database, seed, steps)
    with database.reading() as transaction:
        head = log.read_head(transaction)
    if head.projections != versions():
        rebuild(database)
    return before, head.size


def folded(events: list[StoredEvent]) -> Contents:
    """What all of these events add up to."""
    state = State("a", complete=True)
    apply(state, events)
    tables = {rows.table: rows for rows in state.all}
    found = {}
    for record in RECORDS:
        columns = [name for name in record.__dataclass_fields__ if name not in ("TABLE", "KEY")]
        rows = tables[f"{record.TABLE}_a"].every()
        found[record.TABLE] = sorted(tuple(getattr(row, name) for name in columns) for row in rows)
    return found


def test_every_table_holds_what_the_events_up_to_a_position_add_up_to(shared_database: Database) -> None:
    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), steps=st.integers(1, 60))
    def check(seed: int, steps: int) -> None:
        before, size = write(shared_database, seed, steps)
        with shared_database.reading() as transaction:
            events = log.read_all(transaction, limit=size)
            now = contents(transaction, log.read_head(transaction).live_slot)
        choices = random.Random(seed)

        for position in {0, size, *(choices.randint(before, size) for _ in range(POSITIONS))}:
            with past(shared_database, position, everything) as (transaction, head):
                seen = contents(transaction, head.live_slot)
                log_then = log.read_all(transaction, limit=size)
                tree = head.compact_range

            expected = folded(events[:position])
            # what cannot be read any more was not read then either
            expected["redactions"] = [row for row in now["redactions"] if int(str(row[0])) <= position]
            for table, rows in expected.items():
                assert seen[table] == rows, (table, position)
            assert log_then == events[:position]
            leaves = [leaf_hash(leaf_data(event[:14])) for event in events[:position]]
            assert tree == CompactRange().extend(leaves)
            assert (head.size, head.recorded_at) == (
                position,
                events[position - 1].recorded_at if position else "",
            )

    check()


# --- a reading that is about less answers the same ------------------------------------------------------------------


def outcome(answer: Callable[[], Any]) -> Any:
    try:
        return answer()
    except Refusal as refusal:
        return refusal.code, refusal.message


def told(transaction: Transaction, slot: str, text: str) -> Any:
    reference = find(transaction, slot, text)
    stream = [event.position for event in log.read_stream(transaction, reference.stream)]
    return reference, listings.whole(transaction, slot, reference), stream


def test_a_record_is_found_and_shown_as_by_a_look_at_everything(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.past._FEW", 0)

    @settings(max_examples=EXAMPLES[shared_database.dialect] * TIMES)
    @given(seed=st.integers(0, 2**32), steps=st.integers(10, 60))
    @example(seed=1395, steps=16)  # an entry that came again for other sessions
    def check(seed: int, steps: int) -> None:
        before, size = write(shared_database, seed, steps)
        choices = random.Random(seed)
        for _ in range(4):
            position = choices.randint(before, size)
            names = reference_texts(shared_database, choices, before)
            with past(shared_database, position, Past.everything) as (transaction, head):
                expected = [
                    outcome(lambda: told(transaction, head.live_slot, name))  # noqa: B023
                    for name in names
                ]
            for name, answer in zip(names, expected, strict=True):
                for about in (Past.named, Past.one):
                    with past(shared_database, position, partial(about, text=name)) as (transaction, head):
                        seen = outcome(lambda: told(transaction, head.live_slot, name))  # noqa: B023
                    assert seen == answer, (name, position, about)

    check()


def reference_texts(database: Database, choices: random.Random, before: int) -> list[str]:
    """Some of what people can call records: ids, beginnings of ids, locations, times, groups."""
    with database.reading() as transaction:
        state = State(log.read_head(transaction).live_slot, transaction)
        sessions = state.sessions.where("id > ?", [before])
        clusterings = state.clusterings.where("id > ?", [before])
        uploads = state.uploads.where("id > ?", [before])
        deletions = state.deletions.where("id > ?", [before])
    names = [f"s{row.id}" for row in sessions] + [row.location for row in sessions]
    names += [f"s{row.id}"[: choices.randint(2, 4)] for row in sessions]
    names += [row.session_time for row in sessions if row.session_time is not None]
    names += [f"c{row.id}" for row in clusterings] + [row.group_name for row in clusterings if row.group_name]
    names += [f"u{row.id}" for row in uploads] + [f"d{row.id}" for row in deletions]
    return choices.sample(names, min(6, len(names)))
