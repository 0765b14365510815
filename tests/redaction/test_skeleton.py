"""What a redaction keeps of a body: its shape, and nothing that anybody wrote."""

import re
from dataclasses import fields
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from commands.inputfile.entries import (
    ArenaObject,
    ClusteringEntry,
    CueCard,
    Curtain,
    GroupClusteringEntry,
    SessionEntry,
    TaskEntry,
)
from commands.inputfile.findings import Finding
from commands.recordings.clusterings import ClusteringOutput
from commands.recordings.session import Recording
from commands.recordings.sessions_txt import TaskRow
from ledger.events import TYPES
from ledger.redaction import BLANK, NESTED, VOCABULARY, skeleton, told_by_envelope

CANARY = "canary"
names = st.sampled_from(sorted(NESTED | VOCABULARY.keys() | {"attributes", "records"})) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(names, children, max_size=4),
    max_leaves=20,
)  # fmt: skip


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *texts(item))]
    return []


def shape(value: Any) -> Any:
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, dict):
        return [shape(item) for item in value.values()]
    return str if isinstance(value, str) else value


def without_attributes(value: Any) -> Any:
    """``attributes`` are emptied, so their shape is not kept."""
    if isinstance(value, list):
        return [without_attributes(item) for item in value]
    if isinstance(value, dict):
        return {key: without_attributes(item) for key, item in value.items() if key != "attributes"}
    return value


ALLOWED = frozenset().union(*VOCABULARY.values()) | NESTED.union(*(m.model_fields for m in TYPES.values()))


@given(st.dictionaries(st.sampled_from(sorted(ALLOWED)), JSON, max_size=6))
def test_no_text_that_is_not_the_programs_own_is_left(body: dict[str, Any]) -> None:
    kept = skeleton(body, unique="(redacted) 57")

    for text in texts(kept):
        assert text in ALLOWED or text.startswith(BLANK) or re.fullmatch("[sucd][0-9]+|[0-9a-f]{64}", text), (
            text
        )


@given(st.dictionaries(names, JSON, max_size=6))
def test_numbers_booleans_and_lengths_are_kept(body: dict[str, Any]) -> None:
    body = without_attributes(body)

    assert shape(skeleton(body, unique="(redacted) 57")) == shape(body)


def test_all_kinds_of_text_of_one_entry() -> None:
    entry = {
        "location": CANARY, "experimenter": [CANARY, CANARY], "probe_association": {CANARY: CANARY, "other": CANARY},
        "tasks": [{"task_type": CANARY, "task_start": 0.5, "task_stop": True, "notes": None}], "clustering": False,
    }  # fmt: skip
    body = {
        "datasource_id": 0, "subject": "12345", "location": CANARY, "entry_index": 3, "entry": entry, "replaces": 7,
    }  # fmt: skip

    kept = skeleton(body, unique="(redacted) 57", known=told_by_envelope("session/57", "0/12345"))

    assert kept == {
        "datasource_id": 0, "subject": "12345", "location": "(redacted) 57", "entry_index": 3, "replaces": 7,
        "entry": {
            "location": "(redacted) 57", "experimenter": [BLANK, BLANK],
            "probe_association": {"(redacted) 1": BLANK, "(redacted) 2": BLANK},
            "tasks": [{"task_type": BLANK, "task_start": 0.5, "task_stop": True, "notes": None}], "clustering": False,
        },
    }  # fmt: skip


def test_word_of_a_vocabulary_stays_only_in_its_own_field() -> None:
    body = {"reason": "acquiring", "message": "acquiring", "was": "inserted", "records": ["s12", "Jane"]}

    assert skeleton(body, unique="x") == {
        "reason": "acquiring", "message": BLANK, "was": "inserted", "records": ["s12", BLANK],
    }  # fmt: skip


def test_reason_that_somebody_wrote_is_blanked() -> None:
    assert skeleton({"reason": "Jane asked for it"}, unique="x") == {"reason": BLANK}


def test_names_in_one_list_stay_apart() -> None:
    """Two probes of one session under one name would be one row."""
    probes = [
        {"name": "imec0", "matched_by": "serial", "shanks": 4},
        {"name": "imec1", "matched_by": "given"},
    ]

    assert skeleton({"probes": probes}, unique="x")["probes"] == [
        {"name": "(redacted) 1", "matched_by": "serial", "shanks": 4}, {"name": "(redacted) 2", "matched_by": "given"},
    ]  # fmt: skip


def test_attributes_keep_nothing_but_booleans() -> None:
    body = {"attributes": {"arena_required": False, "phone": 5551234, "who": CANARY}}

    assert skeleton(body, unique="x") == {"attributes": {"arena_required": False}}


def test_field_that_is_added_tomorrow_is_blanked() -> None:
    assert skeleton({"operator": CANARY, "entry": {"surgeon": CANARY}}, unique="x") == {
        "operator": BLANK, "entry": {"(redacted) 1": BLANK},
    }  # fmt: skip


def test_what_stream_and_subject_say_as_well_is_not_blanked_at_the_top() -> None:
    known = told_by_envelope("reference/reference.Experimenter", "")
    body = {"table": "reference.Experimenter", "value": "Jane", "attributes": {}}

    assert skeleton(body, unique="(redacted) 9", known=known) == body | {"value": "(redacted) 9"}


def test_every_field_name_of_entries_findings_and_recordings_is_known() -> None:
    for kind in (
        SessionEntry, TaskEntry, ArenaObject, CueCard, Curtain, ClusteringEntry, GroupClusteringEntry, Finding, Recording,
        ClusteringOutput, TaskRow,
    ):  # fmt: skip
        missing = {field.name for field in fields(kind)} - ALLOWED
        assert missing == set(), kind


def test_kept_is_json_that_reads_back() -> None:
    kept = skeleton({"task_start": 0.1, "light_level": CANARY, "é": 2**60}, unique="x")

    assert orjson.loads(orjson.dumps(kept)) == kept == {"task_start": 0.1, "light_level": BLANK, "é": 2**60}
