"""A head row that does not hold is found before anything is made of it, and made anew where the events agree."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest

from commands.door.actor import Actor
from commands.door.freshness import repair
from commands.door.submit import Daybook
from commands.proving.checking import check_ledger
from ledger.database import Database
from ledger.envelope import head_data
from ledger.errors import IntegrityFailure, LedgerUnavailable
from ledger.head import COLUMNS, read_head
from projections.rebuild import contents
from projections.versions import VERSIONS, versions
from tests.ledger.writing import Register, added, append, append_plainly, as_owner

pytestmark = pytest.mark.tampers
NOTHING: Callable[[int, int], None] = lambda done, total: None  # noqa: E731


@pytest.fixture
def filled(ledger_url: str) -> Iterator[str]:
    """Twelve events: a tree of two subtrees, whose end no single leaf tells."""
    daybook = Daybook.open(ledger_url, Actor("user_1"))
    daybook.submit(Register(name="1", values=3))
    append(daybook.database, [added(f"{number}") for number in range(7)])
    daybook.close()
    yield ledger_url


def head_of(url: str) -> dict[str, Any]:
    database = Database(url, role=None)
    with database.reading() as transaction:
        row = transaction.run(f"SELECT {', '.join(COLUMNS)} FROM head").fetchone()
    database.close()
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in zip(COLUMNS, row, strict=True)
    }


def damage(url: str, *, hashed: bool, **changed: Any) -> None:
    """Change the head row; ``hashed``: by somebody who knows how the row is hashed."""
    row = head_of(url) | changed
    if hashed:
        row["sha256"] = sha256(head_data(tuple(row[name] for name in COLUMNS[:8]))).digest()  # type: ignore[arg-type]
    as_owner(url, (f"UPDATE head SET {', '.join(f'{name} = ?' for name in COLUMNS)}", list(row.values())))


def lists_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = Database(url)
    with database.reading() as transaction:
        found = contents(transaction, read_head(transaction).live_slot)
    database.close()
    return found


DAMAGES: dict[str, dict[str, Any]] = {
    "the other slot": {"live_slot": "b"},
    "no slot": {"live_slot": "q"},
    "a statement as slot": {"live_slot": "a CROSS JOIN LATERAL (SELECT set_config('role', 'none', false)) i"},
    "no version": {"projections": "x"},
    "one event more": {"size": 13},
    "far too many": {"size": 2**40},
    "fewer": {"size": 8},
    "below nothing": {"size": -1},
    "no range": {"compact_range": b""},
    "another range": {"compact_range": bytes(64)},
    "another time": {"recorded_at": "2199-01-01T00:00:00.000000Z"},
    "another name": {"origin": "elsewhere"},
}
UNNOTICED_WITH_ITS_HASH = ("the other slot", "another range", "another name")  # by the last event alone


@pytest.mark.parametrize("what", DAMAGES)
@pytest.mark.parametrize("hashed", [False, True], ids=["careless", "hashed"])
def test_writer_and_reader_refuse_and_rebuild_repairs(filled: str, what: str, hashed: bool) -> None:
    before, lists = head_of(filled), lists_of(filled)
    daybook = Daybook.open(filled, Actor("user_1"))
    damage(filled, hashed=hashed, **DAMAGES[what])

    assert not check_ledger(filled).report.ok
    if hashed and what in UNNOTICED_WITH_ITS_HASH:
        daybook.close()
        return
    with pytest.raises(IntegrityFailure, match="head row"):
        daybook.submit(Register(name="2"))
    with pytest.raises(IntegrityFailure, match="head row"), daybook.reading():
        pass
    daybook.close()
    said = repair(filled, NOTHING)

    assert "made anew from 12 events" in said[0]
    Daybook.open(filled, Actor("user_1")).close()
    assert check_ledger(filled).report.problems == []
    after = head_of(filled)
    for name in ("origin", "size", "compact_range", "recorded_at"):
        assert after[name] == before[name], name
    assert lists_of(filled) == lists


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM events WHERE position = 13",
        "UPDATE events SET recorded_at = '2000-01-01T00:00:00.000000Z' WHERE position = 13",
        "UPDATE events SET leaf_sha256 = payload_sha256 WHERE position = 13",
        "UPDATE events SET position = 14 WHERE position = 13",
    ],
    ids=["gone", "another time", "another leaf", "elsewhere"],
)
def test_last_event_that_changed_behind_a_row_that_was_read_before_is_found(filled: str, change: str) -> None:
    daybook = Daybook.open(filled, Actor("user_1"))
    append(daybook.database, [added("13")])
    with daybook.reading() as world:
        assert world.head.size == 13
    as_owner(filled, change)

    with pytest.raises(IntegrityFailure, match="head row"), daybook.reading():
        pass
    with pytest.raises(IntegrityFailure, match="head row"):
        daybook.submit(Register(name="2"))
    daybook.close()


def test_tree_that_only_its_nodes_betray_is_found_by_verify_and_by_rebuild(filled: str) -> None:
    damage(filled, hashed=True, compact_range=bytes(64))

    assert [problem.code for problem in check_ledger(filled).report.problems] == ["head-mismatch"]
    assert "its tree is not that of the events" in repair(filled, NOTHING)[0]
    Daybook.open(filled, Actor("user_1")).close()
    assert check_ledger(filled).report.problems == []


def test_other_slot_with_its_right_hash_is_betrayed_by_the_lists(filled: str) -> None:
    damage(filled, hashed=True, live_slot="b")

    assert {problem.code for problem in check_ledger(filled).report.problems} == {"list-wrong"}


def test_head_row_that_is_gone_is_made_anew(filled: str) -> None:
    as_owner(filled, "DELETE FROM head")

    with pytest.raises(IntegrityFailure, match="it is gone"):
        Daybook.open(filled, Actor("user_1"))
    assert "it is gone" in repair(filled, NOTHING)[0]
    Daybook.open(filled, Actor("user_1")).close()
    assert check_ledger(filled).report.problems == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET actor = 'user_2' WHERE position = 5",
        "DELETE FROM events WHERE position = 5",
        "DELETE FROM receipts",
    ],
)
def test_nothing_is_made_anew_from_events_that_do_not_hold_themselves(filled: str, change: str) -> None:
    damage(filled, hashed=False, live_slot="q")
    as_owner(filled, change)
    before = head_of(filled)

    with pytest.raises(IntegrityFailure, match="cannot be made anew"):
        repair(filled, NOTHING)

    assert head_of(filled) == before


def test_a_head_row_that_holds_is_left_alone(filled: str) -> None:
    before = head_of(filled)

    assert repair(filled, NOTHING) == []
    assert head_of(filled) == before


def test_older_program_refuses_newer_lists_and_never_rebuilds_them(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Daybook.open(filled, Actor("user_1"))
    for made_by in (
        versions().replace('"sessions":', '"sessions":9'),
        versions().replace("{", '{"cages":1,', 1),
    ):
        damage(filled, hashed=True, projections=made_by)
        before = head_of(filled)

        for attempt in (
            lambda: Daybook.open(filled, Actor("user_1")),
            lambda: opened.submit(Register(name="2")),
        ):
            with pytest.raises(LedgerUnavailable, match="newer version") as caught:
                attempt()
            assert caught.value.code == "newer-projections"
        assert head_of(filled) == before
    damage(
        filled,
        hashed=True,
        projections=versions().replace(f'"sessions":{VERSIONS["sessions"]}', '"sessions":1'),
    )
    opened.close()
    Daybook.open(filled, Actor("user_1")).close()
    assert head_of(filled)["projections"] == versions()


def test_event_that_does_not_fold_is_named_by_rebuild_and_verify(filled: str) -> None:
    from ledger.envelope import NewEvent
    from ledger.events import SessionInserted

    empty = type("SessionInserted", (SessionInserted,), {"__module__": __name__, "payload": lambda _: "{}"})
    body = empty(session_time="", system="", recordings=[], probes=[], tasks=[])
    append_plainly(database := Database(filled), [NewEvent("session/2", body)])
    from projections.rebuild import rebuild

    with pytest.raises(IntegrityFailure, match="position 13"):
        rebuild(database)
    database.close()

    problems = check_ledger(filled).report.problems
    assert [(problem.code, problem.position) for problem in problems] == [("event-does-not-fold", 13)]
