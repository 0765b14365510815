"""What comes from a disk is checked where it enters: plain, finite, storable, bounded."""

import json
import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.recordings.plausible import DEEPEST, checked
from commands.recordings.session import Recording, UnreadableSession

deep: Any = []
for _ in range(DEEPEST + 5):
    deep = [deep]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"name": "a\0b"}, "name holds a NUL character"),
        (["\ud800"], r"half a character \(U\+D800\)"),
        ({"a\0": 1}, "NUL character"),
        ({"rate": math.inf}, "rate is not a finite number: inf"),
        ([math.nan], "not a finite number"),
        ({"n": 2**63}, "more than 64 bits"),
        ([-(2**63) - 1], "more than 64 bits"),
        ("x" * 20_001, "20,001 characters"),
        (deep, "nested more than 24 deep"),
        ([[0] * 1000] * 501, "more than 500,000 values"),
        ({1, 2}, "set, which is not plain data"),
        (Recording("axona", "a\0", "a.set"), "name holds a NUL character"),
        (Recording("axona", "a", "a.set", duration_s=math.inf), "duration_s is not a finite number"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(value: Any, says: str) -> None:
    with pytest.raises(UnreadableSession, match=says) as raised:
        checked(value, file="a.set")
    assert raised.value.code == "bad-value" and raised.value.message.startswith("a.set: ")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**63 - 1,
        -(2**63),
        1.5,
        "ä\n",
        [],
        {},
        ("a", [1, {"b": None}]),
        Recording("axona", "a", "b", start=datetime(2023, 5, 1)),
    ],
)
def test_what_can_be_stored_is_given_back(value: Any) -> None:
    assert checked(value, file="a.set") is value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_what_passes_is_json_in_utf8_of_64_bits(value: Any) -> None:
    try:
        checked(value, file="x")
    except UnreadableSession:
        return
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert "\0" not in text and "\\u0000" not in text
    text.encode("utf-8")
