"""A catalogue file is read whole, in the user's own text, or refused with every reason and its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.inputfile.catalogue import (
    Catalogue,
    CatalogueInsertion,
    CatalogueSubject,
    CatalogueValue,
    read_catalogue,
)
from commands.inputfile.known import REFERENCE_TABLES
from commands.inputfile.limits import Limits

WHOLE = """\
reference.Experimenter: [user_1, user_2, user_3]
reference.ExperimentRoom: ["2.345"]
reference.Probe:
  - {probe: npx_1_18408403232, probe_model: "neuropixels 2.0 - MS"}
reference.ArenaApparatus: [150_square]
reference.ArenaObject: [object_1]
reference.CueCard: [card_1]
acquisition.Project: [my_project]
behavior.TaskType: [OpenField, {name: SleepTask, arena_required: false}]
behavior.TaskLightLevel: [dim]
subjects:
  - name: "12345"
    datasource_id: 0
    probes:
      - {probe: npx_1_18408403232, insertion_time: "2023-03-01 00:00:00"}
"""


def read(text):
    return read_catalogue(text.encode())


def good(text) -> Catalogue:
    result = read(text)
    assert result.catalogue is not None, result.findings
    return result.catalogue


def only(text):
    result = read(text)
    assert result.catalogue is None
    assert len(result.findings) == 1, result.findings
    return result.findings[0]


def test_whole_catalogue_is_read():
    catalogue = good(WHOLE)
    assert {value.table for value in catalogue.values} == set(REFERENCE_TABLES)
    assert CatalogueValue("reference.Experimenter", "user_3") in catalogue.values
    assert CatalogueValue(
        "reference.Probe", "npx_1_18408403232", {"probe_model": "neuropixels 2.0 - MS"}
    ) in (catalogue.values)
    assert CatalogueValue("behavior.TaskType", "OpenField") in catalogue.values
    assert CatalogueValue("behavior.TaskType", "SleepTask", {"arena_required": False}) in catalogue.values
    assert catalogue.subjects == (
        CatalogueSubject("12345", 0, (CatalogueInsertion("npx_1_18408403232", "2023-03-01 00:00:00"),)),
    )


def test_yaml_and_json_give_the_same_catalogue():
    import yaml

    plain = yaml.safe_load(WHOLE)
    assert good(json.dumps(plain, indent=2)) == good(WHOLE)


@pytest.mark.parametrize("room", ['"2.345"', "2.345", "012345", "2.340", "102_1", "no", "0x1f", "1e5"])
def test_value_is_the_text_that_the_user_wrote(room):
    assert good(f"reference.ExperimentRoom: [{room}]").values[0].value == room.strip('"')


@pytest.mark.parametrize("name", ["012345", "102_1", "12345"])
def test_subject_s_name_is_the_text_that_the_user_wrote(name):
    assert good(f"subjects: [{{name: {name}}}]").subjects == (CatalogueSubject(name),)


def test_doubtful_text_is_taken_with_a_warning():
    result = read("reference.ExperimentRoom:\n  - 2.340\n")
    assert [(f.severity, f.code, f.path, f.line, f.column) for f in result.findings] == [
        ("warning", "plain-scalar", '["reference.ExperimentRoom"][0]', 2, 5)
    ]


def test_insertion_time_is_naive_local_time_as_text():
    catalogue = good("subjects: [{name: a, probes: [{probe: p, insertion_time: 2023-3-1T10:20}]}]")
    assert catalogue.subjects[0].probes[0].insertion_time == "2023-03-01 10:20:00"


@pytest.mark.parametrize(
    ("text", "code", "path", "line", "column", "words"),
    [
        ("reference.Experimentr: [a]", "unknown-key", '["reference.Experimentr"]', 1, 1,
         'Did you mean "reference.Experimenter"?'),
        ("reference.Probe:\n  - {prob: a}", "unknown-key", '["reference.Probe"][0].prob', 2, 6,
         'Did you mean "probe"?'),
        ("behavior.TaskType:\n  - {name: a, arena_requird: no}", "unknown-key",
         '["behavior.TaskType"][0].arena_requird', 2, 15, 'Did you mean "arena_required"?'),
        ("behavior.TaskType:\n  - {name: a, arena_required: 0}", "wrong-type",
         '["behavior.TaskType"][0].arena_required', 2, 31, "expected true or false"),
        ("reference.Experimenter: user_1", "wrong-type", '["reference.Experimenter"]', 1, 25, "a list"),
        ("reference.Experimenter:", "no-value", '["reference.Experimenter"]', 1, 24, "has no value"),
        ("reference.Experimenter: [[a]]", "wrong-type", '["reference.Experimenter"][0]', 1, 26, "text"),
        ("reference.Experimenter: [~]", "no-value", '["reference.Experimenter"][0]', 1, 26, "has no value"),
        ("reference.Probe: [{probe_model: a}]", "missing-key", '["reference.Probe"][0]', 1, 19,
         "needs the key probe"),
        ("reference.Probe:\n- {probe: a, probe_model: x}\n- {probe: a, probe_model: y}", "duplicate-value",
         '["reference.Probe"][1]', 3, 3, "says otherwise"),
        ("subjects:\n- name: a\n- name: a", "duplicate-name", "subjects[1].name", 3, 9, "already"),
        ("subjects: [{name: a/b}]", "subject-name", "subjects[0].name", 1, 19, "slash"),
        ("subjects: [{name: a, datasource_id: 1}]", "datasource-id", "subjects[0].datasource_id", 1, 37,
         "valid"),
        ("subjects: [{name: a, probes: [{probe: p, insertion_time: true}]}]", "wrong-type",
         "subjects[0].probes[0].insertion_time", 1, 58, "a date-time"),
        ("subjects: [{name: a, probes: [{probe: p, insertion_time: 2023-02-30 10:00}]}]", "date-time",
         "subjects[0].probes[0].insertion_time", 1, 58, "no point in time"),
        ("subjects: [{name: a, probes: [{probe: p}]}]", "missing-key", "subjects[0].probes[0]", 1, 31,
         "insertion_time"),
        ("reference.CueCard: [a]\nreference.CueCard: [b]", "duplicate-key", '["reference.CueCard"]', 2, 1,
         "second time"),
        ("- a", "wrong-type", "", 1, 1, "expected a mapping"),
        ("reference.CueCard: [a", "yaml-syntax", "", None, None, ""),
        ("", "empty-file", "", 1, 1, "empty"),
    ],
)  # fmt: skip
def test_mistake_is_found_where_it_stands(text, code, path, line, column, words):
    finding = only(text)
    assert finding.path == path
    assert words in f"{finding.message} {finding.hint}"
    if code != "yaml-syntax":
        assert (finding.code, finding.line, finding.column) == (code, line, column)
    assert finding.severity == "error"


def test_one_probe_inserted_twice_in_a_subject_is_an_error():
    insertion = "{probe: p, insertion_time: 2023-03-01 00:00:00}"
    finding = only(f"subjects: [{{name: a, probes: [{insertion}, {insertion}]}}]")
    assert (finding.code, finding.path) == ("duplicate-probe", "subjects[0].probes[1].probe")


def test_value_that_is_repeated_alike_is_taken_once_with_a_warning():
    result = read("reference.CueCard: [card_1, card_1]")
    assert result.catalogue.values == (CatalogueValue("reference.CueCard", "card_1"),)
    assert [finding.code for finding in result.findings] == ["repeated-item"]


def test_every_mistake_is_reported_and_nothing_is_handed_on():
    result = read("reference.CueCard: [~, [a]]\nsubjects: [{nme: a}]\nextra: 1\n")
    assert result.catalogue is None
    assert [finding.line for finding in result.findings] == [1, 1, 2, 3]


def test_json_that_does_not_parse_has_a_place():
    finding = only('{"reference.CueCard": ["a" "b"]}')
    assert (finding.stage, finding.line) == (0, 1)


def test_limits_hold():
    assert read_catalogue(b"a: b", limits=Limits(input_file_bytes=3)).findings[0].code == "file-too-large"
    deep = '{"reference.CueCard": ' + "[" * 100 + "]" * 100 + "}"
    assert only(deep).code == "nested-too-deeply"


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_any_bytes_give_a_catalogue_or_findings(data):
    result = read_catalogue(data)
    assert result.catalogue is not None or any(finding.severity == "error" for finding in result.findings)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "probe", "probes", "insertion_time", "probe_model", "arena_required"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*REFERENCE_TABLES, "subjects"]), VALUES, max_size=4))
def test_any_shape_gives_a_catalogue_or_findings(document):
    result = read_catalogue(json.dumps(document).encode())
    errors = [finding for finding in result.findings if finding.severity == "error"]
    assert (result.catalogue is None) == bool(errors)
    assert all(finding.line is not None for finding in errors)
