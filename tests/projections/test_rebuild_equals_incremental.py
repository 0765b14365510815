"""A rebuild makes, to the bit, what applying each append made: whatever happened, in whatever portions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count, cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.command import new_command_id
from commands.door.freshness import bring_up_to_date
from ledger import log
from ledger.database import Database
from ledger.events import TYPES
from ledger.input_files import erase, keep
from projections import rebuild as rebuilding
from projections.apply import apply, prefetch
from projections.rebuild import contents, rebuild
from projections.records import RECORDS, SLOTS
from projections.renamed import linked
from projections.rows import State
from projections.versions import versions
from tests.length import TIMES
from tests.projections.catalogue_history import Step
from tests.projections.choices import Seeded
from tests.projections.histories import Entry
from tests.projections.pools import InTurn
from tests.projections.seeds import STEPS, batches, covering, first_seed
from tests.projections.whole_history import WholeHistory

EXAMPLES = {"sqlite": 30, "postgresql": 8}
VIAS = (
    "{}",
    '{"authentication":"os"}',
    '{"authentication":"claimed"}',
    '{"authentication":"token","token":"t1"}',
)
_prefixes = (f"h{number}_" for number in count())


def append_steps(database: Database, steps: list[Step], kept: State | None) -> State | None:
    """Several steps in one append by the actor of the last, or of one that only an admin can take; ``kept`` are the rows
    that the append before left, which no longer fit behind a redaction: as the door does, the projections are then made
    anew."""
    events = [
        replace(event, correlation=event.correlation or step.correlation)
        for step in steps
        for event in step.events
    ]
    redacted = [position for step in steps for position in step.redacted]
    command_id = new_command_id()
    with database.writing() as transaction:
        head = log.lock_head(transaction)
        first = head.size + 1
        for step in steps:
            for content in step.kept:
                keep(transaction, content)
        actor = next((step.actor for step in steps if step.is_for_admins), steps[-1].actor)
        stored = log.append(
            transaction, head, events, log.Cause(command_id, actor, VIAS[head.size % len(VIAS)])
        )
        state = State(head.live_slot, transaction)
        if kept is not None and kept.slot == head.live_slot:
            state = kept
            state.attach(transaction)
        prefetch(state, stored)
        apply(state, stored)
        state.flush()
        state.forget(beyond=20)
        if redacted:
            log.redact(transaction, head, redacted)
            for step in steps:
                for digest in step.erased:
                    erase(transaction, digest)
        log.write_receipt(transaction, command_id, b"\0" * 32, first, head.size, "{}")
    if redacted:
        bring_up_to_date(database)
        return None
    return state


def write_history(database: Database, seed: int, steps: int) -> WholeHistory:
    choices = Seeded(seed)
    with database.reading() as transaction:
        history = WholeHistory(choices, log.read_head(transaction).size, next(_prefixes))
    kept: State | None = None
    for batch in batches(history, choices, steps):
        kept = append_steps(database, batch, choices.choose([kept, None]))
    return history


def both_slots(database: Database) -> tuple[dict[str, list[tuple[object, ...]]], ...]:
    with database.reading() as transaction:
        live = log.read_head(transaction).live_slot
        other = SLOTS[1 - SLOTS.index(live)]
        return contents(transaction, live), contents(transaction, other)


def rebuilt_as_before(
    database: Database, seed: int, steps: int, bounds: tuple[int, int, int, int], patch: pytest.MonkeyPatch
) -> None:
    page, catch_up, flush, kept = bounds
    write_history(database, seed, steps)
    for name, value in (
        ("PAGE", page),
        ("CATCH_UP", catch_up),
        ("ROWS_WAITING", flush),
        ("ROWS_A_FLUSH", flush),
        ("ROWS_KEPT", kept),
    ):
        patch.setattr(rebuilding, name, value)
    with database.reading() as transaction:
        before = log.read_head(transaction)

    rebuilt = rebuild(database)

    with database.reading() as transaction:
        after = log.read_head(transaction)
    anew, incremental = both_slots(database)
    assert after.live_slot != before.live_slot
    assert (after.size, after.compact_range, after.rebuild) == (before.size, before.compact_range, "")
    assert after.projections == versions()
    assert rebuilt.events == after.size
    assert anew == incremental


def test_a_rebuild_makes_what_incremental_application_made_of_every_kind_of_event(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = [(1, 3, 20, 5), (10_000, 0, 20_000, 250_000), (10_000, 2_000, 1, 0)]
    seeds = covering(TYPES.keys() - {"LedgerCreated"}, (212, 152, 120))

    for seed, of_it in zip(seeds, cycle(bounds)):
        rebuilt_as_before(shared_database, seed, STEPS, of_it, monkeypatch)

    with shared_database.reading() as transaction:
        kinds = {row[0] for row in transaction.run("SELECT DISTINCT type FROM events").fetchall()}
    assert kinds == set(TYPES)
    anew, _ = both_slots(shared_database)
    assert {table for table, rows in anew.items() if rows} == {record.TABLE for record in RECORDS}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_rebuild_makes_what_incremental_application_made_in_whatever_portions(
    kind: str,
    new_databases: Callable[[str], AbstractContextManager[Database]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each example has a ledger to itself: in one that they share, all before it would be folded anew with each."""

    @settings(max_examples=EXAMPLES[kind] * TIMES)
    @given(
        seed=st.integers(0, 2**32),
        steps=st.lists(st.integers(1, 40), min_size=1, max_size=2),
        page=st.sampled_from([7, 100, 10_000]),
        catch_up=st.sampled_from([0, 3, 2_000]),
        flush=st.sampled_from([1, 20, 20_000]),
        kept=st.sampled_from([0, 5, 250_000]),
    )
    def check(seed: int, steps: list[int], page: int, catch_up: int, flush: int, kept: int) -> None:
        with new_databases(kind) as database:
            for number, some in enumerate(steps):
                rebuilt_as_before(database, seed + number, some, (page, catch_up, flush, kept), monkeypatch)

    check()


def test_two_processes_make_what_incremental_application_made(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "PARALLEL_FROM", 1)
    for seed in range(3 * TIMES):
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


def to_another(history: WholeHistory) -> list[tuple[Entry, Entry]]:
    """The sessions that a correction replaced by one of another subject."""
    rows = {one.id: one for one in history.sessions}
    pairs = [(rows[one.replaces], one) for one in history.sessions if one.replaces is not None]
    return [(old, new) for old, new in pairs if old.subject != new.subject]


def test_a_location_that_two_subjects_had_is_folded_in_either_order(
    shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction to another animal deletes under one subject and inserts under another, at the same location."""
    seed = first_seed(
        lambda history: {new.time is None for _, new in to_another(history)} == {True, False}, 16
    )
    moved = to_another(write_history(shared_database, seed, STEPS))
    assert {new.time is None for _, new in moved} == {True, False}  # some were inserted, some went before
    for name, value in (
        ("PARALLEL_FROM", 1),
        ("PAGE", 50),
        ("ROWS_WAITING", 20),
        ("ROWS_A_FLUSH", 20),
        ("ROWS_KEPT", 5),
    ):
        monkeypatch.setattr(rebuilding, name, value)
    monkeypatch.setattr(rebuilding, "process_pool", InTurn)
    with shared_database.reading() as transaction:
        names = {tuple(sorted(linked(transaction, [old.subject]))) for old, _ in moved}
    halves = [
        [rebuilding.Share(subjects, others=False), rebuilding.Share(subjects, others=True)]
        for subjects in sorted(names)
    ]
    for shares in (*halves, *(half[::-1] for half in halves)):
        monkeypatch.setattr(rebuilding, "_shares", lambda database, size, shares=shares: shares)

        rebuild(shared_database)

        anew, incremental = both_slots(shared_database)
        assert anew == incremental


@pytest.mark.parametrize("seed", [11, 12])
def test_a_history_is_what_the_projections_say(shared_database: Database, seed: int) -> None:
    """The generator's own bookkeeping agrees with the projections, so that neither is wrong alone."""
    history = write_history(shared_database, seed=seed, steps=400)

    with shared_database.reading() as transaction:
        head = log.read_head(transaction)
        state = State(head.live_slot, transaction)
        assert_records_agree(state, history)
        assert_keys_agree(state, history)
        for subject, probe in history.inserted:
            there = state.insertions[subject, probe].removal_time is None
            assert there == history.inserted[subject, probe]
        for key, there in history.values.items():
            assert state.reference[key].retired == (not there)
        for request in history.requests:
            assert (state.deletions[request.id].kind, state.deletions[request.id].status) == (
                request.kind,
                request.status,
            )
        for position, event in history.redactions.items():
            assert state.redactions[position].event == event
        assert {user: state.users[user].role for user in history.roles} == history.roles
        counted = transaction.run(f"SELECT sum(events) FROM {state.activity.table}").fetchone()[0]
        assert int(counted) == head.size


def assert_records_agree(state: State, history: WholeHistory) -> None:
    for session in history.sessions:
        row = state.sessions[session.id]
        assert (row.status, row.status_position, row.location) == (
            session.status,
            session.position,
            session.key,
        )
        assert (row.session_time, row.replaces, row.replaced_by) == (
            session.time,
            session.replaces,
            session.replaced_by,
        )
        tasks = state.tasks.where("session = ?", [session.id])
        assert len(tasks) == (session.tasks if session.time else 0)
    for clustering in history.clusterings:
        group = state.clusterings[clustering.id]
        assert (group.status, group.replaces, group.replaced_by) == (
            clustering.status,
            clustering.replaces,
            clustering.replaced_by,
        )
        links = state.clustering_sessions.where("clustering = ?", [clustering.id])
        stands_on = [link.session for link in links] if clustering.key else [group.session]
        assert stands_on == sorted(clustering.sessions)
    for upload in history.uploads:
        own = [
            one for one in [*history.sessions, *history.clusterings] if one.upload == upload.id and one.counts
        ]
        counts = [sum(one.status == status for one in own) for status in ("inserted", "waiting", "error")]
        counted = state.uploads[upload.id]
        assert [counted.inserted, counted.waiting, counted.errors] == counts


def assert_keys_agree(state: State, history: WholeHistory) -> None:
    """All of the history's, and no other: each place, time and group was somebody's once."""
    own = {session.id for session in history.sessions}
    rows = state.locations.where("location > ''", [])
    held = {row.location: row.session for row in rows if row.session in own}
    assert held == history.locations
    times = {(one.subject, one.time) for one in history.sessions if one.time is not None}
    taken = {key: row.session for key in times if (row := state.times.get(key)) is not None}
    assert taken == history.times
    groups = {
        name: row.clustering for name in history.group_names if (row := state.groups.get(name)) is not None
    }
    assert groups == history.groups
