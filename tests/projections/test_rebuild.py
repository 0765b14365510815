"""Rebuilding beside writers, beside another rebuild, and after one that was killed."""

import threading
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from ledger.database import Database
from ledger.errors import Conflict, IntegrityFailure
from projections import rebuild as rebuilding
from projections.rebuild import Rebuilt, contents, rebuild
from projections.records import SLOTS, VERSIONS
from projections.rows import State
from projections.versions import versions
from tests.ledger.crashing import DIED, rebuild_and_die
from tests.ledger.writing import (
    Register,
    added,
    append,
    as_owner,
    elsewhere,
    is_sqlite,
    join_all,
    processes,
    submit_many,
)
from tests.patience import PATIENCE_S, until

WRITERS, COMMANDS = 4, 60


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small ledger goes through everything that a large one does."""
    for name, value in {
        "PAGE": 20,
        "CATCH_UP": 10,
        "ROWS_WAITING": 15,
        "ROWS_A_FLUSH": 15,
        "ROWS_KEPT": 30,
    }.items():
        monkeypatch.setattr(rebuilding, name, value)


def live(daybook: Daybook) -> tuple[str, dict[str, list[tuple[object, ...]]]]:
    with daybook.reading() as world:
        return world.head.live_slot, contents(world.transaction, world.head.live_slot)


def size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


def test_nothing_is_lost_while_writers_go_on(
    daybook: Daybook, ledger_url: str, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # writers come first: steps as small as in the other tests would hardly gain on four of them
    for name, value in {"PAGE": 200, "CATCH_UP": 60, "ROWS_WAITING": 100, "ROWS_A_FLUSH": 100}.items():
        monkeypatch.setattr(rebuilding, name, value)
    halfway, go_on = processes.Barrier(WRITERS + 1), processes.Event()
    writers = [
        elsewhere(submit_many, ledger_url, f"user_{number}", COMMANDS, halfway, go_on)
        for number in range(WRITERS)
    ]
    halfway.wait(PATIENCE_S)
    half = size(daybook)

    def between_two_steps(_: float) -> None:
        if not go_on.is_set():
            go_on.set()
            until(lambda: size(daybook) > half)

    monkeypatch.setattr(rebuilding, "sleep", between_two_steps)
    rebuilds = [rebuild(daybook.database)]
    assert rebuilds[0].events > half  # with what was appended meanwhile
    while any(writer.is_alive() for writer in writers):
        rebuilds.append(rebuild(daybook.database))
    join_all(writers)

    _, incremental_and_rebuilt = live(daybook)
    assert len(incremental_and_rebuilt["subjects"]) == WRITERS * COMMANDS
    rebuild(daybook.database)
    assert live(daybook)[1] == incremental_and_rebuilt
    sizes = [one.events for one in rebuilds]
    assert sizes == sorted(sizes)


def test_a_rebuild_reports_what_it_did(daybook: Daybook, small_pages: None) -> None:
    daybook.submit(Register(name="1", values=60))
    seen: list[tuple[int, int]] = []

    done = rebuild(daybook.database, progress=lambda position, size: seen.append((position, size)))

    assert done.events == 62
    assert 0 <= done.longest_pause_s <= done.seconds
    assert seen == [(20, 62), (40, 62), (60, 62)]


def test_an_empty_ledger_is_rebuilt(daybook: Daybook) -> None:
    before = live(daybook)

    assert rebuild(daybook.database).events == 1
    assert live(daybook) == (SLOTS[1 - SLOTS.index(before[0])], before[1])


@pytest.mark.parametrize("step", ["_apply_page", "_write", "_swap"])
def test_of_two_rebuilds_the_later_one_wins_and_the_earlier_one_says_so(
    daybook: Daybook, ledger_url: str, small_pages: None, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    daybook.submit(Register(name="1", values=60))
    incremental = live(daybook)[1]
    original = getattr(rebuilding, step)
    finished: list[Rebuilt] = []

    def overtaken(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(rebuilding, step, original)
        other = Database(ledger_url)
        finished.append(rebuild(other))
        other.close()
        return original(*arguments, **options)

    monkeypatch.setattr(rebuilding, step, overtaken)
    with pytest.raises(Conflict, match="Another rebuild") as caught:
        rebuild(daybook.database)

    assert caught.value.code == "rebuild-superseded"
    assert len(finished) == 1
    assert live(daybook)[1] == incremental
    with daybook.reading() as world:
        assert world.head.rebuild == ""


def test_rows_of_a_rebuild_that_was_overtaken_while_writing_do_not_stay(
    daybook: Daybook, ledger_url: str, small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier rebuild holds its rows uncommitted when the later one empties the slot."""
    daybook.submit(Register(name="1", values=60))
    incremental = live(daybook)[1]
    later: list[threading.Thread] = []
    begun = threading.Event()
    failures: list[BaseException] = []
    flush = rebuilding.State.flush

    def rebuild_elsewhere() -> None:
        other = Database(ledger_url)
        begun.set()
        try:
            rebuild(other)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)
        finally:
            other.close()

    def is_kept_waiting() -> bool:
        """The later one has come as far as it can while these rows are not committed. SQLite says nothing of it."""
        if is_sqlite(ledger_url):
            return True
        with psycopg.connect(ledger_url) as server:
            sql = (
                "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return server.execute(sql).fetchone() is not None

    def flush_slowly(state: Any, **options: Any) -> None:
        flush(state, **options)
        if not later:
            later.append(threading.Thread(target=rebuild_elsewhere))
            later[0].start()
            assert begun.wait(PATIENCE_S)
            until(lambda: is_kept_waiting() or not later[0].is_alive())

    monkeypatch.setattr(rebuilding.State, "flush", flush_slowly)
    with suppress(Conflict):  # on SQLite the later one may be kept waiting until this one is done
        rebuild(daybook.database)
    later[0].join()

    assert failures == []
    assert live(daybook)[1] == incremental


def test_a_rebuild_that_was_killed_leaves_the_live_tables_and_the_next_one_succeeds(
    daybook: Daybook, ledger_url: str
) -> None:
    daybook.submit(Register(name="1", values=60))
    before = live(daybook)
    for statement in (3, 18, 24, 30, 38, 44):  # emptying, reading, writing, swapping
        child = elsewhere(rebuild_and_die, ledger_url, statement)
        child.join()
        assert child.exitcode == DIED, statement
        assert live(daybook) == before

    daybook.submit(Register(name="2", values=3))
    _, incremental = live(daybook)
    rebuild(daybook.database)
    assert live(daybook)[1] == incremental


def test_projections_of_another_version_are_rebuilt_when_the_ledger_is_opened(
    daybook: Daybook, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    daybook.submit(Register(name="1", values=3))
    before = live(daybook)
    monkeypatch.setitem(VERSIONS, "sessions", 99)

    opened = Daybook.open(ledger_url, Actor("user_1"))
    after = live(opened)
    opened.submit(Register(name="2"))
    opened.close()

    assert after == (SLOTS[1 - SLOTS.index(before[0])], before[1])
    with daybook.reading() as world:
        assert world.head.projections == versions()
    again = Daybook.open(ledger_url, Actor("user_1"))
    assert live(again)[0] == after[0]  # once is enough
    again.close()


def test_projections_that_are_current_are_not_rebuilt(daybook: Daybook, ledger_url: str) -> None:
    before = live(daybook)
    again = Daybook.open(ledger_url, Actor("user_2"))
    again.close()

    assert live(daybook) == before


def test_a_rebuild_over_missing_events_refuses_and_swaps_nothing(
    daybook: Daybook, ledger_url: str, small_pages: None, request: pytest.FixtureRequest
) -> None:
    request.node.add_marker(pytest.mark.tampers)
    append(daybook.database, [added(f"{number}") for number in range(40)])
    before = live(daybook)
    as_owner(ledger_url, "DELETE FROM events WHERE position BETWEEN 15 AND 25")

    with pytest.raises(IntegrityFailure, match="Verify the ledger"):
        rebuild(daybook.database)

    assert live(daybook) == before


def test_two_programs_that_append_in_turn_keep_the_projections_right(ledger_url: str) -> None:
    """Each keeps the rows of its last append in memory; those of the other must not be missed."""
    first, second = (Daybook.open(ledger_url, Actor(user)) for user in ("user_1", "user_2"))
    for number, daybook in enumerate([first, first, second, second, first, second, first, first]):
        daybook.submit(Register(name=f"{number // 2}", values=2))
        if number == 4:
            rebuild(first.database)
            rebuild(second.database)  # the slot that is live now is the one that was
    _, incremental = live(first)
    assert len(incremental["subjects"]) == 4

    rebuild(first.database)
    assert live(first)[1] == incremental
    first.close()
    second.close()


def test_a_step_of_a_rebuild_is_short_and_lets_a_writer_in(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    daybook.submit(Register(name="1", values=200))
    monkeypatch.setattr(rebuilding, "ROWS_A_FLUSH", 15)
    gaps, steps = [], []
    flush = State.flush

    def counted(state: State, **options: Any) -> None:
        before = state.dirty()
        flush(state, **options)
        steps.append(before - state.dirty())

    def written_between(seconds: float) -> None:
        gaps.append(seconds)
        daybook.submit(Register(name=f"between {len(gaps)}"))

    monkeypatch.setattr(State, "flush", counted)
    monkeypatch.setattr(rebuilding, "sleep", written_between)
    rebuild(daybook.database)
    monkeypatch.undo()

    assert len(gaps) > 5 and max(steps[:5]) <= 15
    with daybook.reading() as world:
        assert world.head.size == 1 + 201 + len(gaps)
        assert len(world.state.subjects.where("subject > ''", [])) == 1 + len(gaps)
