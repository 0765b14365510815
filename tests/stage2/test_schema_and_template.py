"""Schema, template, field notes, keywords and entries say the same about the format."""

import copy
import dataclasses
import json

import jsonschema
import pytest
import yaml

from commands.inputfile import entries, mappings
from commands.inputfile.field_notes import FIELD_NOTES, REQUIRED
from commands.inputfile.known import REFERENCE_TABLES
from commands.inputfile.read import read_input_file
from commands.inputfile.schema import SCHEMA_FILE_NAME, YAML_LANGUAGE_SERVER, schema
from commands.inputfile.template import template

ENTRIES = {
    "input file": (entries.InputFile, None),
    "subject": (entries.SubjectEntry, mappings.SUBJECT),
    "session": (entries.SessionEntry, mappings.SESSION),
    "task": (entries.TaskEntry, mappings._TASK),
    "arena object": (entries.ArenaObject, mappings._OBJECT),
    "cue card": (entries.CueCard, mappings._CUE_CARD),
    "curtain": (entries.Curtain, mappings._CURTAIN),
    "clustering": (entries.ClusteringEntry, mappings._CLUSTERING),
    "multi-session clustering": (entries.GroupClusteringEntry, mappings.GROUP_CLUSTERING),
}
VALIDATOR = jsonschema.Draft7Validator(schema())


class PlainLoader(yaml.SafeLoader):
    """YAML as an editor hands it to a schema: dates stay text."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if not tag.endswith("timestamp")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def accepted(data, filename="a.json"):
    """Does stage 1 accept it?"""
    result = read_input_file(data, filename=filename)
    return not any(finding.severity == "error" for finding in result.findings)


def test_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()
    assert SCHEMA_FILE_NAME in YAML_LANGUAGE_SERVER


def test_schema_can_be_changed_without_changing_the_next_one():
    first = schema()
    first["definitions"]["task"]["properties"]["task_type"]["type"].append("null")
    assert "null" not in schema()["definitions"]["task"]["properties"]["task_type"]["type"]


NO_KEYS = {"index", "redacted"}  # what is made of an entry's place, and of what stands in it


@pytest.mark.parametrize("kind", ENTRIES)
def test_field_names_agree_with_entries_and_keywords(kind):
    entry, known_keywords = ENTRIES[kind]
    fields = {field.name for field in dataclasses.fields(entry)} - NO_KEYS
    assert set(FIELD_NOTES[kind]) == fields
    whole = schema()
    part = whole if kind == "input file" else whole["definitions"][kind]
    assert set(part["properties"]) == fields
    assert part["additionalProperties"] is False
    if known_keywords is not None:
        assert set(known_keywords.readers) == fields
        assert set(part["required"]) == set(known_keywords.required)


def test_every_kind_of_entry_has_notes():
    assert set(FIELD_NOTES) == set(ENTRIES)


@pytest.mark.parametrize("kind", ENTRIES)
def test_defaults_agree_with_entries(kind):
    entry, _ = ENTRIES[kind]
    for field in dataclasses.fields(entry):
        if field.name in NO_KEYS or (kind, field.name) == ("task", "arena_apparatus"):
            continue
        if (kind, field.name) == ("session", "clustering"):  # left out, it is inherited without a word
            assert (FIELD_NOTES[kind][field.name].default, field.default) == (True, None)
            continue
        note = FIELD_NOTES[kind][field.name]
        if field.default is dataclasses.MISSING:
            assert note.default is REQUIRED, field.name
        else:
            stated = () if note.default == [] else note.default
            assert stated == (field.default or None if field.name == "project" else field.default), field.name


def test_every_reference_table_is_named():
    named = {note.table for notes in FIELD_NOTES.values() for note in notes.values()} - {""}
    assert named == set(REFERENCE_TABLES)
    descriptions = json.dumps(schema())
    assert all(table in descriptions for table in REFERENCE_TABLES)


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_example_passes_stage_1_and_the_schema(kind):
    text = template(kind, example=True)
    result = read_input_file(text.encode(), filename=f"example.{kind}")
    assert [finding for finding in result.findings if finding.severity != "notice"] == []
    assert result.input_file.subject.name == "12345"
    assert list(VALIDATOR.iter_errors(yaml.load(text, PlainLoader))) == []


def test_example_is_the_same_in_yaml_and_json():
    read = [read_input_file(template(kind, example=True).encode()) for kind in ("yaml", "json")]
    assert read[0].input_file == read[1].input_file
    assert yaml.safe_load(template("yaml", example=True)) == json.loads(template("json", example=True))


def test_example_shows_every_field():
    shown = json.loads(template("json", example=True))
    fields = {kind: set() for kind in FIELD_NOTES}

    def look(content, kind):
        fields[kind] |= set(content)
        for name, value in content.items():
            deeper = FIELD_NOTES[kind][name].entries
            for item in value if isinstance(value, list) else [value]:
                if deeper and isinstance(item, dict):
                    look(item, deeper)

    look(shown, "input file")
    assert fields == {kind: set(notes) for kind, notes in FIELD_NOTES.items()}


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_empty_template_has_every_field_and_fails_until_it_is_filled_in(kind):
    text = template(kind)
    result = read_input_file(text.encode(), filename=f"template.{kind}")
    assert {finding.code for finding in result.findings} == {"no-value"}
    for name in (name for notes in FIELD_NOTES.values() for name in notes):
        assert name in text
    assert not VALIDATOR.is_valid(yaml.safe_load(text))


def test_comments_of_the_template_say_what_is_required_and_what_must_match():
    lines = template("yaml").splitlines()
    experimenter = next(line for line in lines if line.strip().startswith("experimenter:"))
    assert "# Required: " in experimenter
    assert "must match reference.Experimenter" in experimenter
    start = next(line for line in lines if line.strip().startswith("task_start:"))
    assert "# Optional, default true: " in start
    assert all(len(line) <= 140 for line in lines)


@pytest.mark.parametrize(
    "name", ["mass_ingest_example.json", "mass_ingest_example.yml", "mass_ingest_template.yml"]
)
def test_schema_takes_a_published_file_exactly_when_stage_1_does(shared, name):
    data = (shared / "realdata" / "mass_ingest" / name).read_bytes()
    assert VALIDATOR.is_valid(yaml.load(data, PlainLoader)) == accepted(data, name)


CHANGES = [
    (("subject", "name"), [12345, "012345", 1.5, None, "", [], {}, ["a"]]),
    (("subject", "datasource_id"), [0, 1, -1, "0", None, True, 0.5]),
    (("subject", "nme"), ["a"]),
    (("sessions", 0, "location"), ["N:/a", None, "", 5, ["N:/a"]]),
    (("sessions", 0, "experimenter"), ["user_1", ["user_1"], [], None, [None], 5, [5], {}]),
    (("sessions", 0, "name"), ["a", "2023-05-01 10:00:00", "2023-05-01", None, 5]),
    (("sessions", 0, "room"), [2.345, "2.345", None, []]),
    (("sessions", 0, "project"), ["a", ["a", "b"], [], None, True]),
    (("sessions", 0, "notes"), ["", "a\nb", 5, None, [], {}]),
    (("sessions", 0, "probe_association"), [{}, {"a": "b"}, {"a": None}, {"a": 5}, [], "a", None]),
    (("sessions", 0, "tasks"), [[], None, {}, "a", ["a"], [{}], [{"task_type": "a"}]]),
    (("sessions", 0, "clustering"), [True, False, "true", "yes", "no", "maybe", [], [True], {}, None, 1]),
    (("sessions", 0, "clustering", 0, "curation_time"),
     [True, False, "true", "no", "2023-05-01 10:00:00", "2023-05-01T10:00", "2023-05-01", "", None, 5]),
    (("sessions", 0, "tasks", 0, "task_type"), ["a", None, "", 5]),
    (("sessions", 0, "tasks", 0, "task_start"), [0, 1.5, -2, True, False, "true", "yes", "5", "", None, []]),
    (("sessions", 0, "tasks", 0, "notes"), ["a", "", True, False, 5, None, []]),
    (("sessions", 0, "tasks", 0, "objects"), [[], None, {}, [{}], [{"object_name": "a"}]]),
    (("sessions", 0, "tasks", 0, "objects", 0, "coord_x"), [1, "1", True, None]),
    (("sessions", 0, "tasks", 0, "curtains", 0, "coverage"), [1, 1.5, "1", None]),
    (("clustering", 0, "group_name"), ["a" * 64, "a" * 65, None, "", 5]),
    (("clustering", 0, "sessions"),
     [[], ["a"], ["a", "b"], ["a", "a"], ["2023-05-01 10:00:00", "a"], None, "a", [1, 2], [None, "a"]]),
    (("sessions",), [[], None, {}, "a"]),
    (("clustering",), [[], None, {}, True]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, values in CHANGES for value in values], ids=repr
)
def test_schema_takes_a_changed_example_exactly_when_stage_1_does(path, value):
    document = json.loads(template("json", example=True))
    *parents, last = path
    target = document
    for part in parents:
        target = target[part]
    target[last] = copy.deepcopy(value)
    if path == ("sessions", 0, "name"):
        del document["clustering"]
    assert VALIDATOR.is_valid(document) == accepted(json.dumps(document).encode())


@pytest.mark.parametrize("kind", ENTRIES)
def test_schema_and_stage_1_miss_the_same_required_fields(kind):
    for name in FIELD_NOTES[kind]:
        document = json.loads(template("json", example=True))

        def without(content, at, name=name):
            if at == kind:
                content.pop(name, None)
            for key, value in content.items():
                deeper = FIELD_NOTES[at][key].entries
                for item in value if isinstance(value, list) else [value]:
                    if deeper and isinstance(item, dict):
                        without(item, deeper)

        without(document, "input file")
        assert VALIDATOR.is_valid(document) == accepted(json.dumps(document).encode()), name
