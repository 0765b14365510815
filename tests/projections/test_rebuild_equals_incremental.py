"""A rebuild makes, to the bit, what applying each append made: whatever happened, in whatever portions."""

import os
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.door import new_command_id
from ledger import log
from ledger.database import Database
from ledger.events import TYPES
from ledger.input_files import keep
from projections import rebuild as rebuilding
from projections.apply import apply, prefetch
from projections.rebuild import contents, rebuild, versions
from projections.records import RECORDS, SLOTS
from projections.rows import State
from tests.projections.histories import CONTENT, History, Seeded, Step

EXAMPLES = {"sqlite": 40, "postgresql": 8}
LONG = 20 if os.environ.get("DAYBOOK_LONG_TESTS") else 1
_prefixes = (f"h{number}_" for number in count())


def append_steps(database: Database, steps: list[Step], kept: State | None) -> State:
    """Several steps in one append, as the door makes it; ``kept`` are the rows that the last one left."""
    events = [replace(event, correlation=step.correlation) for step in steps for event in step.events]
    command_id = new_command_id()
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        first = head.size + 1
        keep(transaction, CONTENT)
        stored = log.append(transaction, head, events, log.Cause(command_id, steps[0].actor, "{}"))
        state = State(head.live_slot, transaction)
        if kept is not None and kept.slot == head.live_slot:
            state = kept
            state.attach(transaction)
        prefetch(state, stored)
        apply(state, stored)
        state.flush()
        state.forget(beyond=20)
        log.write_receipt(transaction, command_id, b"\0" * 32, first, head.size, "{}")
    return state


def write_history(database: Database, seed: int, steps: int) -> History:
    choices = Seeded(seed)
    with database.reading() as transaction:
        history = History(choices, log.read_head(transaction).size, next(_prefixes))
    kept: State | None = None
    while steps > 0:
        batch = [history.step() for _ in range(min(steps, choices.choose([1, 1, 2, 3, 10])))]
        steps -= len(batch)
        kept = append_steps(database, batch, choices.choose([kept, None]))
    return history


def both_slots(database: Database) -> tuple[dict[str, list[tuple[object, ...]]], ...]:
    with database.reading() as transaction:
        live = log.read_head(transaction).live_slot
        other = SLOTS[1 - SLOTS.index(live)]
        return contents(transaction, live), contents(transaction, other)


def test_a_rebuild_makes_what_incremental_application_made(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: set[str] = set()

    @settings(max_examples=EXAMPLES[shared_database.dialect] * LONG)
    @given(
        seed=st.integers(0, 2**32),
        steps=st.integers(1, 40),
        page=st.sampled_from([1, 7, 10_000]),
        catch_up=st.sampled_from([0, 3, 2_000]),
        flush=st.sampled_from([1, 20, 20_000]),
        kept=st.sampled_from([0, 5, 250_000]),
    )
    @example(seed=1, steps=150, page=7, catch_up=3, flush=20, kept=5)
    @example(seed=2, steps=150, page=10_000, catch_up=0, flush=20_000, kept=250_000)
    @example(seed=3, steps=150, page=10_000, catch_up=2_000, flush=1, kept=0)
    def check(seed: int, steps: int, page: int, catch_up: int, flush: int, kept: int) -> None:
        write_history(shared_database, seed, steps)
        for name, value in (
            ("PAGE", page),
            ("CATCH_UP", catch_up),
            ("ROWS_A_FLUSH", flush),
            ("ROWS_KEPT", kept),
        ):
            monkeypatch.setattr(rebuilding, name, value)
        with shared_database.reading() as transaction:
            before = log.read_head(transaction)

        rebuilt = rebuild(shared_database)

        with shared_database.reading() as transaction:
            after = log.read_head(transaction)
            kinds.update(row[0] for row in transaction.run("SELECT DISTINCT type FROM events").fetchall())
        anew, incremental = both_slots(shared_database)
        assert after.live_slot != before.live_slot
        assert (after.size, after.compact_range, after.rebuild) == (before.size, before.compact_range, "")
        assert after.projections == versions()
        assert rebuilt.events == after.size
        assert anew == incremental

    check()
    assert kinds == set(TYPES)  # no kind of event was left out
    anew, _ = both_slots(shared_database)
    assert {table for table, rows in anew.items() if rows} == {record.TABLE for record in RECORDS}


def test_two_processes_make_what_incremental_application_made(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "PARALLEL_FROM", 1)
    for seed in range(3 * LONG):
        write_history(shared_database, seed, steps=120)
        with shared_database.reading() as transaction:
            size = log.read_head(transaction).size
        assert len(rebuilding._shares(shared_database, size)) == 2
        done: dict[int, int] = {}

        rebuilt = rebuild(shared_database, progress=done.__setitem__)

        anew, incremental = both_slots(shared_database)
        assert anew == incremental
        assert rebuilt.events == size
        assert done[size] == size


def test_a_history_is_what_the_projections_say(shared_database: Database) -> None:
    """The generator's own bookkeeping agrees with the projections, so that neither is wrong alone."""
    history = write_history(shared_database, seed=11, steps=200)

    with shared_database.reading() as transaction:
        slot = log.read_head(transaction).live_slot
        state = State(slot, transaction)
        for session in history.sessions:
            row = state.sessions[session.id]
            assert (row.status, row.status_position, row.location) == (
                session.status,
                session.position,
                session.key,
            )
            tasks = state.tasks.where("session = ?", [session.id])
            assert len(tasks) == (session.tasks if session.status == "inserted" else 0)
        for clustering in history.clusterings:
            assert state.clusterings[clustering.id].status == clustering.status
        for location, number in history.locations.items():
            assert state.locations[location].session == number
        assert all(
            state.locations.get(session.key) is None or state.locations[session.key].session != session.id
            for session in history.sessions
            if session.status == "error"
        )
        for group, number in history.groups.items():
            assert state.groups[group].clustering == number
        for subject, probe in history.inserted:
            there = state.insertions[subject, probe].removal_time is None
            assert there == history.inserted[subject, probe]
        for key, there in history.values.items():
            assert state.reference[key].retired == (not there)
        counted = transaction.run(f"SELECT sum(events) FROM activity_{slot}").fetchone()[0]
        assert int(counted) == log.read_head(transaction).size
