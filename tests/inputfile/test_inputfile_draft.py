"""A drafted input file says the same in YAML and in JSON, and names the values that are valid."""

import json

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given

from commands.inputfile.draft import (
    Draft,
    DraftProbe,
    DraftSession,
    DraftTask,
    draft_json,
    draft_yaml,
    must_match,
)
from commands.inputfile.read import read_input_file

DRAFT = Draft(
    None,
    (
        DraftSession(
            "N:/12345/day_1",
            "2023-05-01 10:00:00, SpikeGLX, 2 probes",
            (DraftProbe("imec0", "18408403232"), DraftProbe("imec1")),
            (DraftTask("#1 open_field, 57 to 1600 s"), DraftTask("#2 sleep, from 1700 s")),
        ),
        DraftSession("N:/12345/day_2", "start unknown, Axona, 1 probe", without_tasks="no sessions.txt here"),
    ),
    "12345",
    ("day_3: left out.",),
)
VALUES = {
    "reference.Experimenter": [f"user_{n:02}" for n in range(23)],
    "behavior.TaskType": ["OpenField"],
    "acquisition.Project": [],
}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "must match t, which has no values yet"),
        (1, "must match t: v00"),
        (20, "v19"),
        (21, "v19 and 1 more"),
        (22, "v19 and 2 more"),
    ],
)
def test_valid_values_are_listed_up_to_twenty_and_then_counted(number, words):
    said = must_match("t", {"t": [f"v{n:02}" for n in range(number)]})
    assert said.endswith(words)
    assert must_match("t") == "must match t"


def test_yaml_lists_the_values_of_a_table_where_it_is_named_first():
    lines = draft_yaml(DRAFT, VALUES).splitlines()
    named = [line for line in lines if "reference.Experimenter" in line]
    assert named[0].endswith("user_19 and 3 more")
    assert [line.endswith("must match reference.Experimenter") for line in named] == [False, True]
    assert sum("OpenField" in line for line in lines) == 1


def test_json_has_the_content_of_the_yaml():
    text, _ = draft_json(DRAFT, VALUES)
    assert json.loads(text) == yaml.safe_load(draft_yaml(DRAFT, VALUES))


def test_comments_of_the_yaml_stand_beside_the_json_each_with_its_place():
    text, notes = draft_json(DRAFT, VALUES)
    said = draft_yaml(DRAFT, VALUES)
    assert ("", "day_3: left out.") in notes
    assert ("sessions[1].tasks", "no sessions.txt here") in notes
    for path, note in notes:
        for piece in note.removeprefix("optional; ").split("; "):
            assert piece.removeprefix("imec0: ").split(": v")[0].split(": user")[0] in said, (path, piece)
    assert "must match" not in text


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_draft_is_refused_until_it_is_filled_in_and_only_for_that(kind):
    text = draft_yaml(DRAFT) if kind == "yaml" else draft_json(DRAFT)[0]
    findings = read_input_file(text.encode(), filename=f"a.{kind}").findings
    assert {f.code for f in findings if f.severity == "error"} == {"no-value"}


@given(st.text(max_size=20).filter(lambda t: t.isprintable() and t.strip() == t and t), st.text(max_size=20))
def test_any_path_and_remark_come_through(location, remark):
    draft = Draft("12345", (DraftSession(location, remark, without_tasks=remark),), remarks=(remark,))
    assert yaml.safe_load(draft_yaml(draft))["sessions"][0]["location"] == location
    assert json.loads(draft_json(draft)[0])["sessions"][0]["location"] == location
