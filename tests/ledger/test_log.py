"""Appending and reading: positions, versions, pages and times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import log
from ledger.bodies import body_of
from ledger.database import Database
from ledger.envelope import NewEvent
from ledger.errors import Conflict, IntegrityFailure, LedgerUnavailable
from ledger.events import ReferenceValueAdded, SubjectRegistered
from ledger.merkle import EMPTY_ROOT, CompactRange
from tests.ledger.writing import added, append, as_owner, head_size, stored_events
from tests.length import LONG

ROWS_THAT_ARE_COPIED = 25  # on PostgreSQL: more rows than executemany is used for


def subject(name: str, expected_version: int | None = 0) -> NewEvent:
    key = f"0/{name}"
    body = SubjectRegistered(datasource_id=0, name=name)
    return NewEvent(f"subject/{key}", body, expected_version, subject=key)


def test_positions_follow_each_other_without_a_gap(database: Database) -> None:
    before = head_size(database)
    for batch in (1, 3, ROWS_THAT_ARE_COPIED, 1):
        append(database, [added(f"{batch}_{number}") for number in range(batch)])

    positions = [event.position for event in stored_events(database)]
    assert positions == list(range(1, before + 3 + ROWS_THAT_ARE_COPIED + 3))


def test_what_is_read_is_what_was_appended(database: Database) -> None:
    events = [added("user_1", causation=1, username="user_1"), subject("12345")]
    stored = append(database, events, "command", actor="user_2")

    with database.reading() as transaction:
        assert log.read_all(transaction, stored[0].position - 1) == stored
        assert log.read_positions(transaction, [e.position for e in stored]) == {
            e.position: e for e in stored
        }
        assert log.read_stream(transaction, "subject/0/12345") == [stored[1]]
    first = stored[0]
    assert (first.stream_version, first.type, first.schema) == (1, "ReferenceValueAdded", 1)
    assert (first.command_id, first.actor, first.causation) == ("command", "user_2", 1)
    assert (first.subject, first.username, stored[1].subject) == ("", "user_1", "0/12345")


TEXTS = {
    "empty": "",
    "blank": " ",
    "non-ASCII": "Überfluß, naïve: 中文 \U0001f9e0 e\u0301 \u00e9",
    "odd": "\ufffd\ufffe\u2028",
    "control": "a\tb\nc\\d\r\n\\N\\.",
    "long": "x" * 1_000_000,
}


@pytest.mark.parametrize("rows", [1, ROWS_THAT_ARE_COPIED])
def test_every_text_comes_back_as_it_was_given(database: Database, rows: int) -> None:
    for what, text in TEXTS.items():
        short = text[:2000]  # what is the key of an index cannot be much longer
        event = NewEvent(
            f"reference/{short}",
            ReferenceValueAdded(table="reference.Curator", value=short, attributes={"note": text}),
            expected_version=None,
            subject=short,
            username=short,
        )
        stored = append(database, [event] * rows, actor=short)

        with database.reading() as transaction:
            found = log.read_all(transaction, stored[0].position - 1)
        assert found == stored, what
        assert body_of(found[0])["attributes"] == {"note": text}


def test_reading_starts_behind_a_position_and_stops_at_the_limit(database: Database) -> None:
    append(database, [added(f"{number}") for number in range(9)])

    with database.reading() as transaction:
        assert [e.position for e in log.read_all(transaction, after=3, limit=2)] == [4, 5]
        assert [e.position for e in log.read_all(transaction, after=9)] == [10]
        assert log.read_all(transaction, after=10) == []
        assert log.read_all(transaction, after=0, limit=0) == []


def test_pages_hold_every_event_of_the_range_once(database: Database) -> None:
    append(database, [added(f"{number}") for number in range(9)])

    with database.reading() as transaction:
        for size in (1, 3, 4, 100):
            pages = list(log.pages(transaction, 2, 8, size))
            assert [event.position for page in pages for event in page] == [3, 4, 5, 6, 7, 8]
            assert max(map(len, pages)) == min(size, 6)
            assert list(log.pages(transaction, 8, 8, size)) == []
            assert sum(map(len, log.pages(transaction, 0, 1_000, size))) == 10  # more than there is


def test_selection_gives_the_newest_matches_with_the_oldest_first(database: Database) -> None:
    append(database, [added("a"), subject("1")], actor="user_1")
    middle = append(database, [added("b"), subject("2")], actor="user_2")
    append(database, [added("c")], actor="user_1")

    with database.reading() as transaction:

        def positions(**conditions: object) -> list[int]:
            return [event.position for event in log.select_events(transaction, **conditions)]  # type: ignore[arg-type]

        assert positions() == [1, 2, 3, 4, 5, 6]
        assert positions(limit=2) == [5, 6]
        assert positions(actor="user_2") == [4, 5]
        assert positions(type="SubjectRegistered", limit=1) == [5]
        assert positions(subject="0/1") == [3]
        assert positions(up_to=4, limit=2) == [3, 4]
        assert positions(since=middle[0].recorded_at) == [4, 5, 6]
        assert positions(since=middle[0].recorded_at, until=middle[0].recorded_at) == []
        assert positions(until=middle[0].recorded_at) == [1, 2, 3]
        assert positions(actor="user_1", type="ReferenceValueAdded") == [2, 6]
        assert positions(actor="nobody") == []


def test_quotes_in_a_filter_are_only_text(database: Database) -> None:
    with database.reading() as transaction:
        assert log.select_events(transaction, actor="' OR '1' = '1", type="%", subject='"; --') == []


def test_stream_versions_count_from_one_within_and_over_appends(database: Database) -> None:
    append(database, [added("a"), subject("1"), added("b")])
    append(database, [added("c")])

    with database.reading() as transaction:
        versions = [
            e.stream_version for e in log.read_stream(transaction, "reference/reference.Experimenter")
        ]
    assert versions == [1, 2, 3]


@pytest.mark.parametrize("rows", [1, ROWS_THAT_ARE_COPIED])
def test_an_append_at_the_expected_version_is_taken(database: Database, rows: int) -> None:
    append(database, [added("a", expected_version=0)])
    append(database, [added(f"b{number}", expected_version=1) for number in range(rows)])

    assert head_size(database) == 2 + rows


def test_an_append_at_another_version_is_refused_and_writes_nothing(database: Database) -> None:
    append(database, [added("a"), added("b")])

    for wrong in (1, 3, 100, -1):
        with pytest.raises(Conflict, match="is at version 2, not at") as caught:
            append(database, [subject("1"), added("c", expected_version=wrong)])
        assert caught.value.code == "stream-moved"
        assert caught.value.hint
    assert head_size(database) == 3


@pytest.mark.parametrize("rows", [1, ROWS_THAT_ARE_COPIED])
def test_a_stream_that_must_be_new_and_is_not_is_a_conflict(database: Database, rows: int) -> None:
    append(database, [subject("1")])

    with pytest.raises(Conflict) as caught:
        append(database, [subject("1"), *[added(f"{number}") for number in range(rows)]])

    assert caught.value.code == "taken"
    assert head_size(database) == 2
    append(database, [subject("2")])  # the connection is good again
    assert head_size(database) == 3


def test_a_new_stream_with_an_expected_version_is_refused(database: Database) -> None:
    with pytest.raises(Conflict, match="is at version 0, not at 1"):
        append(database, [subject("1", expected_version=1)])


@pytest.mark.tampers  # verify says that events of that time lie ahead
def test_time_never_goes_back_when_the_clock_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.log._refuse_clock_ahead", lambda *_: None)
    monkeypatch.setattr(log, "now", lambda: "2199-01-01T00:00:00.000000Z")
    append(database, [added("a")])
    monkeypatch.undo()
    append(database, [added("b")])

    times = [event.recorded_at for event in stored_events(database)]
    assert times == sorted(times)
    assert times[-1] == "2199-01-01T00:00:00.000000Z"


def test_recorded_times_are_utc_with_microseconds() -> None:
    assert len(log.now()) == len("2026-01-31T12:00:00.000000Z")
    assert log.now()[-1] == "Z"
    assert log.now() <= log.now()


def test_a_failed_append_moves_neither_head_nor_tree(database: Database) -> None:
    with database.reading() as transaction:
        before = log.read_head(transaction)
    with pytest.raises(ZeroDivisionError), database.writing() as transaction:
        head = log.lock_head(transaction)
        log.append(transaction, head, [added("a")], log.Cause("c", "user_1", "{}"))
        raise ZeroDivisionError

    with database.reading() as transaction:
        assert log.read_head(transaction) == before
    assert len(stored_events(database)) == before.size


@pytest.mark.tampers
def test_an_empty_database_says_how_to_make_a_ledger(ledger_url: str, database: Database) -> None:
    as_owner(ledger_url, "DELETE FROM head")
    with pytest.raises(IntegrityFailure, match="it is gone"), database.reading() as transaction:
        log.read_head(transaction)

    as_owner(ledger_url, "DELETE FROM events")
    with pytest.raises(LedgerUnavailable) as refused, database.reading() as transaction:
        log.read_head(transaction)
    assert [step.action for step in refused.value.steps] == ["init"]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_head_row_brings_back_every_tree(leaves: list[bytes]) -> None:
    tree = CompactRange().extend(leaves)

    assert CompactRange.from_bytes(tree.size, tree.to_bytes()) == tree
    assert leaves or tree.root() == EMPTY_ROOT


@pytest.mark.skipif(not LONG, reason="DAYBOOK_LONG_TESTS is not set")
def test_a_hundred_thousand_events_in_one_append(database: Database) -> None:
    append(database, [added(f"{number}") for number in range(100_000)])

    assert head_size(database) == 100_001


@pytest.mark.tampers
@pytest.mark.parametrize("change", ["size = 2 * size + 1", "compact_range = sha256", "size = -1"])
def test_damaged_head_row_is_refused_with_what_to_do(
    database: Database, ledger_url: str, change: str
) -> None:
    append(database, [added(str(number)) for number in range(6)])
    as_owner(ledger_url, f"UPDATE head SET {change}")

    for read, transaction in ((log.read_head, database.reading()), (log.lock_head, database.writing())):
        with transaction as opened, pytest.raises(IntegrityFailure) as failure:
            read(opened)
        assert failure.value.code == "head-damaged"
        assert (
            failure.value.message
            == "The head row of the ledger is damaged: it is not the one that was written."
        )
        assert [step.action for step in failure.value.steps] == ["verify", "rebuild"]
