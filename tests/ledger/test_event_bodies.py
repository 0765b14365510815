"""Reading bodies: older versions are upcast, what a newer program wrote is refused."""

from typing import Any

import pytest

from ledger import events
from ledger.bodies import SCHEMAS, UPCASTS, body_of
from ledger.envelope import NewEvent, StoredEvent
from ledger.errors import IntegrityFailure
from ledger.events import TYPES, Body
from projections.apply import apply
from projections.rows import State
from tests.ledger.writing import append, append_plainly, stored_events


def stored(kind: str, schema: int, payload: str | None) -> StoredEvent:
    return StoredEvent(
        9, "reference/x", 1, kind, schema, "c", "", 0, "user_1", "{}", "2026-01-31T12:00:00.000000Z", "", "", b"",
        payload,
    )  # fmt: skip


@pytest.fixture
def renamed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 1 had ``table``, version 2 ``kind``; version 3 adds ``origin``."""

    def to_2(body: dict[str, Any]) -> dict[str, Any]:
        return {"kind": body["table"], "value": body["value"]}

    def to_3(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"origin": "unknown"}

    monkeypatch.setitem(SCHEMAS, "ReferenceValueRetired", 3)
    monkeypatch.setitem(UPCASTS, ("ReferenceValueRetired", 1), to_2)
    monkeypatch.setitem(UPCASTS, ("ReferenceValueRetired", 2), to_3)


def test_an_older_body_is_read_through_every_version_between(renamed_twice: None) -> None:
    newest = {"kind": "t", "value": "v", "origin": "unknown"}

    assert body_of(stored("ReferenceValueRetired", 1, '{"table":"t","value":"v"}')) == newest
    assert body_of(stored("ReferenceValueRetired", 2, '{"kind":"t","value":"v"}')) == newest
    assert (
        body_of(stored("ReferenceValueRetired", 3, '{"kind":"t","value":"v","origin":"o"}'))["origin"] == "o"
    )


@pytest.mark.parametrize(
    ("kind", "payload", "added"),
    [
        ("InputFileReceived", '{"filename":"f.yml","sha256":"00","size_bytes":1}', "replays"),
        ("SessionInsertRequested", '{"location":"N:/a","entry":{}}', "replaces"),
        ("ClusteringInsertRequested", '{"location":"N:/a","entry":{}}', "replaces"),
    ],
)
def test_what_the_first_version_wrote_replaces_and_replays_nothing(
    kind: str, payload: str, added: str
) -> None:
    read = body_of(stored(kind, 1, payload))

    assert read.pop(added) is None
    assert read == body_of(stored(kind, 2, payload))


@pytest.mark.parametrize(("kind", "schema"), [("ReferenceValueRetired", 2), ("SubjectMoved", 1)])
def test_an_event_of_a_newer_program_is_refused_with_its_position(kind: str, schema: int) -> None:
    with pytest.raises(IntegrityFailure, match=f"Position 9 holds {kind} version {schema}") as caught:
        body_of(stored(kind, schema, "{}"))

    assert caught.value.code == "unknown-event"
    assert "newer" in caught.value.hint


@pytest.mark.parametrize(("kind", "schema"), [("LedgerCreated", 2), ("SubjectMoved", 1)])
def test_projections_do_not_skip_what_they_cannot_read(kind: str, schema: int) -> None:
    state = State("a", complete=True)

    with pytest.raises(IntegrityFailure, match=kind):
        apply(state, [stored(kind, schema, "{}")])


def test_every_older_version_of_every_event_can_be_upcast() -> None:
    missing = [
        (kind, version)
        for kind, newest in SCHEMAS.items()
        for version in range(1, newest)
        if (kind, version) not in UPCASTS
    ]
    assert missing == []
    assert set(UPCASTS) <= {
        (kind, version) for kind, newest in SCHEMAS.items() for version in range(1, newest)
    }


def test_every_event_model_is_registered_under_its_own_name() -> None:
    models = {
        value.__name__: value
        for value in vars(events).values()
        if isinstance(value, type) and issubclass(value, Body) and value is not Body
    }
    assert models == TYPES
    assert {kind: model.SCHEMA for kind, model in models.items()} == SCHEMAS


def test_events_are_frozen_and_know_no_other_fields() -> None:
    body = events.SubjectRegistered(datasource_id=0, name="12345")

    with pytest.raises(ValueError, match="frozen"):
        body.name = "1"  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        events.SubjectRegistered(datasource_id=0, name="12345", nickname="x")  # type: ignore[call-arg]


def test_what_is_stored_is_the_text_that_was_hashed(database: Any) -> None:
    body = events.ReferenceValueAdded(
        table="t", value="é\u2028\\", attributes={"b": 1.0, "a": [1e300, 0.1, -0.0, 2**60]}
    )
    append_plainly(database, [NewEvent("reference/t", body)])
    append(database, [NewEvent("reference/t", body, expected_version=None)])

    texts = {event.payload for event in stored_events(database)[1:]}
    assert texts == {body.model_dump_json()}
    assert body_of(stored_events(database)[1]) == body.model_dump()
