"""An answer as JSON, whole and row by row; types as schemas."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from commands.answers.document import json_pieces
from commands.answers.log import log
from commands.answers.typed import json_schema, read
from commands.door.submit import Daybook
from commands.lab.catalogue import AddReferenceValue
from ledger.bodies import body_of
from ledger.envelope import StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    position: int
    rows: Iterable[Row]
    others: Iterable[Row]


rows = st.lists(st.builds(Row, name=st.text(), number=st.none() | st.integers(-(2**70), 2**70)))


@given(rows, rows)
def test_row_by_row_is_the_same_document_as_whole(first: list[Row], second: list[Row]) -> None:
    whole = b"".join(json_pieces(Answer(position=3, rows=first, others=second), {"ok": True}))
    in_rows = b"".join(json_pieces(Answer(position=3, rows=iter(first), others=iter(second)), {"ok": True}))

    import json

    assert json.loads(whole) == json.loads(in_rows)
    assert list(json.loads(whole)) == ["ok", "position", "rows", "others"]
    assert json.loads(whole)["rows"] == [asdict(row) for row in first]


def test_rows_are_read_while_they_are_written() -> None:
    read_so_far = 0

    def many() -> Iterator[Row]:
        nonlocal read_so_far
        for number in range(100_000):
            read_so_far += 1
            yield Row(name="x" * 100, number=number)

    pieces = json_pieces(Answer(position=1, rows=many(), others=[]), {"ok": True})

    next(pieces)
    assert 0 < read_so_far < 1_000


def test_the_whole_log_is_read_as_far_as_it_is_asked_for(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in "abcdef":
        daybook.submit(AddReferenceValue(table="acquisition.Project", value=value))
    monkeypatch.setattr("commands.answers.log._AT_ONCE", 2)
    read_pages = []
    original = Daybook.reading

    with original(daybook) as world:
        run = type(world.transaction).run
        monkeypatch.setattr(
            type(world.transaction), "run", lambda *a, **k: (read_pages.append(a[1]), run(*a, **k))[1]
        )
        events = iter(log(world, limit=None).events)
        next(events)
        after_one = len(read_pages)
        rest = list(events)

    assert after_one == 1 and len(rest) == 6 and len(read_pages) > 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One that holds itself."""

    label: str
    below: list["Tree"] | None = None


def test_a_document_is_read_from_plain_data_all_the_way_down() -> None:
    plain = {"label": "a", "below": [{"label": "b", "below": None}], "unknown": 1}

    assert read(Tree, plain) == Tree(label="a", below=[Tree(label="b")])


def test_a_schema_takes_what_is_written_and_nothing_else() -> None:
    validator = Draft202012Validator(json_schema(Tree, own={"ok": {"type": "boolean"}}))
    document = orjson.loads(b"".join(json_pieces(Tree(label="a", below=[Tree(label="b")]), {"ok": True})))

    assert validator.is_valid(document)
    assert not validator.is_valid(document | {"more": 1})
    assert not validator.is_valid({key: value for key, value in document.items() if key != "below"})
    assert not validator.is_valid(document | {"label": 3})


def test_a_failure_of_the_first_version_names_no_other_session() -> None:
    payload = '{"code":"session-time-taken","message":"Session s3 has it.","hint":""}'
    event = StoredEvent(
        5, "session/4", 2, "SessionInsertFailed", 1, "c", "u1", 4, "user_1", "{}", "2026-01-31T12:00:00.000000Z",
        "0/12345", "user_1", b"", payload,
    )  # fmt: skip

    assert body_of(event)["taken_by"] is None
