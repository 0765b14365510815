"""The bytes that a leaf commits to: fixed for ever, and different for different events."""

from hashlib import sha256

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.envelope import StoredEvent, leaf_data, payload_digest
from ledger.merkle import leaf_hash

# These hashes stand in ledgers and in checkpoints that people keep: whatever changes them breaks both.
PLAIN = (
    7, "session/5", 2, "SessionInserted", 1, "c0ffee", "u3", 5, "user_1", '{"interface":"cli"}',
    "2026-01-31T12:00:00.000000Z", "0/12345", "user_1", sha256(b'{"a":1}').digest(),
)  # fmt: skip
PLAIN_BYTES = (
    b"daybook/event/1\n7,2,1,5\n"
    b'9:session/515:SessionInserted6:c0ffee2:u36:user_119:{"interface":"cli"}'
    b"27:2026-01-31T12:00:00.000000Z7:0/123456:user_1"
    + bytes.fromhex("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862")
)
EMPTY = (0, "", 0, "", 0, "", "", 0, "", "", "", "", "", b"\0" * 32)
NON_ASCII = (*PLAIN[:8], "Ünïcödé 中文 \U0001f9e0", *PLAIN[9:])

GOLDEN = {
    "plain": "fa4bb64a474ff6b6403b32526af947b5d38d36f6f506ca40373f7cd217c358a2",
    "empty": "6e8162abfb044f8f3c25a2cb78abae0a9d9db724fd6132891dc6626fe1e645ed",
    "non-ascii": "7339354f12e97cf1bdc95ddb57b5b68bcfba7b59b5b097ba735a38f372c3935d",
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", ":", "1:", "0:0:", "1:a", "\n", ",", "é", "e\u0301"]
)
numbers = st.integers(0, 2**63 - 1)
envelopes = st.tuples(
    numbers, texts, numbers, texts, numbers, texts, texts, numbers, texts, texts, texts, texts, texts,
    st.binary(min_size=32, max_size=32),
)  # fmt: skip


def parsed(data: bytes) -> tuple[object, ...]:
    """The envelope that leaf data was made of, by the definition in ``ledger.envelope`` alone."""
    text, digest = data[:-32].decode(), data[-32:]
    tag, first, rest = text.split("\n", 2)
    assert tag == "daybook/event/1"
    position, version, schema, causation = map(int, first.split(","))
    fields = []
    while rest:
        length, _, rest = rest.partition(":")
        fields.append(rest[: int(length)])
        rest = rest[int(length) :]
    stream, kind, command, correlation, *others = fields
    return (position, stream, version, kind, schema, command, correlation, causation, *others, digest)


def test_the_bytes_of_an_event_are_those_of_the_definition() -> None:
    assert leaf_data(PLAIN) == PLAIN_BYTES


def test_the_leaf_hash_of_known_events_never_changes() -> None:
    assert leaf_hash(leaf_data(PLAIN)).hex() == GOLDEN["plain"]
    assert leaf_hash(leaf_data(EMPTY)).hex() == GOLDEN["empty"]
    assert leaf_hash(leaf_data(NON_ASCII)).hex() == GOLDEN["non-ascii"]


def test_lengths_count_characters_and_not_bytes() -> None:
    assert "12:Ünïcödé 中文 \U0001f9e0" in leaf_data(NON_ASCII)[:-32].decode()


def test_a_stored_event_gives_its_envelope_without_the_payload() -> None:
    stored = StoredEvent(*PLAIN, '{"a":1}')

    assert leaf_data(stored[:14]) == PLAIN_BYTES
    assert payload_digest('{"a":1}') == stored.payload_sha256


@given(envelopes)
@example(EMPTY)
def test_the_envelope_can_be_read_back_from_the_bytes(envelope: tuple[object, ...]) -> None:
    assert parsed(leaf_data(envelope)) == envelope  # type: ignore[arg-type]


@given(envelopes, envelopes, st.sets(st.integers(0, 13), min_size=1, max_size=3))
def test_two_different_envelopes_never_give_the_same_bytes(
    one: tuple[object, ...], other: tuple[object, ...], columns: set[int]
) -> None:
    near = tuple(other[at] if at in columns else one[at] for at in range(14))

    assert (leaf_data(near) == leaf_data(one)) == (near == one)  # type: ignore[arg-type]


@given(texts, texts)
def test_text_that_moves_from_one_field_to_the_next_changes_the_bytes(left: str, right: str) -> None:
    envelopes = {
        (*PLAIN[:11], (left + right)[:cut], (left + right)[cut:], PLAIN[13])
        for cut in range(len(left + right) + 1)
    }

    assert len(set(map(leaf_data, envelopes))) == len(envelopes)  # type: ignore[arg-type]
