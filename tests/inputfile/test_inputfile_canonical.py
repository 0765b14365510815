"""The stored form of an entry: one text per meaning, restorable, and compared field by field."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given

from commands.inputfile.canonical import (
    differences,
    entry_json,
    group_clustering_from_json,
    session_entry_from_json,
)
from commands.inputfile.entries import GroupClusteringEntry, InputFile, SessionEntry, TaskEntry
from commands.inputfile.read import read_input_file
from tests.inputfile.documents import EXAMPLE_JSON, EXAMPLE_YAML, with_changes
from tests.inputfile.test_inputfile_formats_agree import documents


def entries(text: str) -> InputFile:
    found = read_input_file(text.encode()).input_file
    assert found is not None
    return found


def test_text_is_compact_holds_what_was_given_and_leaves_out_place_and_defaults() -> None:
    text = entry_json(entries(EXAMPLE_YAML).sessions[1])
    assert json.loads(text) == {
        "location": "N:/my_project/recordings/12345/date_2",
        "experimenter": ["user_1"],
        "tasks": [],
        "clustering": False,
        "name": "12345_2",
    }
    assert " " not in text.replace("N:/my", "")


def test_same_entry_from_yaml_and_json_and_at_another_place_is_the_same_text() -> None:
    from_yaml, from_json = entries(EXAMPLE_YAML), entries(EXAMPLE_JSON)
    for one, other in zip(from_yaml.sessions, from_json.sessions, strict=True):
        assert entry_json(one) == entry_json(dataclasses.replace(other, index=99))
    assert entry_json(from_yaml.clustering[0]) == entry_json(from_json.clustering[0])


def test_default_that_is_written_out_is_the_same_text() -> None:
    bare = TaskEntry(task_type="A")
    explicit = TaskEntry(task_type="A", task_start=True, task_stop=True, notes=None, objects=())
    one = SessionEntry(0, "a", ("b",), (bare,))
    other = SessionEntry(0, "a", ("b",), (explicit,), project=())
    assert entry_json(one) == entry_json(other)


def test_one_second_is_not_true() -> None:
    started = SessionEntry(0, "a", ("b",), (TaskEntry("A", task_start=1.0),))
    inherited = SessionEntry(0, "a", ("b",), (TaskEntry("A", task_start=True),))
    assert entry_json(started) != entry_json(inherited)
    assert differences(entry_json(inherited), started)
    assert session_entry_from_json(entry_json(started), 0) == started


@given(documents)
def test_every_entry_is_restored_from_its_text_and_does_not_differ_from_it(document: Any) -> None:
    found = read_input_file(json.dumps(document).encode(), filename="a.json").input_file
    for session in found.sessions if found else ():
        text = entry_json(session)
        assert session_entry_from_json(text, session.index) == session
        assert entry_json(session_entry_from_json(text, 0)) == text
        assert differences(text, session) == []
    for group in found.clustering if found else ():
        assert group_clustering_from_json(entry_json(group), group.index) == group
        assert differences(entry_json(group), group) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("room: 2.345", "room: 2.346"), [("room", "2.345", "2.346")]),
        (('        notes: "no stimulation"\n', ""), [("tasks[0].notes", "no stimulation", None)]),
        (("coord_x: 27", "coord_x: 28"), [("tasks[0].objects[0].coord_x", 27.0, 28.0)]),
        (
            ("probe_1: npx_1_18408403232", "probe_1: npx_2"),
            [("probe_association.probe_1", "npx_1_18408403232", "npx_2")],
        ),
        (('name: "12345_1"', 'name: "other"'), []),
        (("    project: my_project\n", ""), [("project[0]", "my_project", None)]),
    ],
)
def test_difference_is_told_field_by_field(
    change: tuple[str, str], expected: list[tuple[str, Any, Any]]
) -> None:
    stored = entry_json(entries(EXAMPLE_YAML).sessions[0])
    now = entries(with_changes(EXAMPLE_YAML, change)).sessions[0]
    found = differences(stored, now)
    assert [
        (difference["field"], difference["stored"], difference["given"]) for difference in found
    ] == expected


def test_difference_of_a_default_is_told_with_the_default() -> None:
    stored = entry_json(SessionEntry(0, "a", ("b",), ()))
    now = SessionEntry(0, "a", ("b",), (), clustering=False)
    assert differences(stored, now) == [{"field": "clustering", "stored": True, "given": False}]


def test_difference_of_group_clustering() -> None:
    stored = GroupClusteringEntry(0, "user_1", "a", "g", ("x", "y"))
    now = dataclasses.replace(stored, sessions=("x", "z"), curation_time="2023-04-05 12:13:14")
    assert differences(entry_json(stored), now) == [
        {"field": "sessions[1]", "stored": "y", "given": "z"},
        {"field": "curation_time", "stored": True, "given": "2023-04-05 12:13:14"},
    ]


def test_true_and_one_differ_wherever_they_stand() -> None:
    task = TaskEntry("A", notes=True)

    assert differences('{"task_type":"A","notes":1}', task) == [
        {"field": "notes", "stored": 1, "given": True}
    ]
    assert differences('{"task_type":"A","notes":true}', task) == []
