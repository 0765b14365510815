"""Signs that word processors put in are named, at their place, whatever they are in the way of."""

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from commands.inputfile.read import read_input_file
from ledger.look_alikes import TYPOGRAPHIC, comparable, difference, folded

YAML = """\
subject:
  name: x
sessions:
  - location: N:/a
    experimenter: user_1
    tasks: []
"""
JSON = '{"subject": {"name": "x"}, "sessions": [{"location": "a", "experimenter": "b", "tasks": [{"task_type": "c", "task_start": 5}]}]}'


def only(text, filename="a.yml"):
    (finding,) = read_input_file(text.encode(), filename=filename).findings
    return finding


@pytest.mark.parametrize(
    ("right", "wrong", "line", "name"),
    [
        ("experimenter: ", "experimenter:\u00a0", 5, "no-break space"),
        ("experimenter: ", "experimenter:\u202f", 5, "narrow no-break space"),
        ("    experimenter", "\u00a0\u00a0\u00a0\u00a0experimenter", 5, "no-break space"),
        ("    experimenter", "\u3000\u3000\u3000\u3000experimenter", 5, "ideographic space"),
        ("  - location", "  – location", 4, "en dash"),
        ("  - location", "  — location", 4, "em dash"),
        ("  - location", "  -\u00a0location", 4, "no-break space"),
        ("location: ", "location：", 4, "fullwidth colon"),
        ("location: ", "location： ", 4, "fullwidth colon"),
        ("N:/a", "“N: /a”", 4, "left double quotation mark"),
        ("N:/a", "‘N: /a’", 4, "left single quotation mark"),
    ],
)
def test_sign_that_breaks_a_yaml_file_is_blamed_on_its_own_line_and_named(right, wrong, line, name):
    finding = only(YAML.replace(right, wrong, 1))
    assert (finding.stage, finding.line) == (0, line)
    assert finding.code in ("typographic-sign", "smart-quotes")
    assert f"({name})" in finding.message
    assert YAML.replace(right, wrong, 1).splitlines()[line - 1][finding.column - 1] in TYPOGRAPHIC


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("    tasks", "    \u200btasks", "U+200B (zero width space)"),
        ("tasks:", "tasks\u00a0:", "U+00A0 (no-break space)"),
        ("tasks:", "ta\u00adsks:", "U+00AD (soft hyphen)"),
    ],
)
def test_sign_in_a_key_that_nobody_sees_is_named(right, wrong, words):
    finding = only(YAML.replace(right, wrong))
    assert finding.code == "unknown-key"
    assert finding.hint.startswith('Did you mean "tasks"?')
    assert words in finding.hint


def test_item_that_begins_with_a_dash_is_explained_where_the_file_parses():
    finding = only("subject:\n  – name: x\n")
    assert "U+2013 (en dash)" in finding.hint


@pytest.mark.parametrize(
    ("right", "wrong", "name", "at"),
    [
        ('"name": ', '"name":\u00a0', "no-break space", 20),
        ('"name": ', '"name"：', "fullwidth colon", 19),
        ('"x"}, ', '"x"}，', "fullwidth comma", 25),
        (": 5", ": −5", "minus sign", None),
        (": 5", ": 5\u200b", "zero width space", None),
    ],
)
def test_sign_that_json_does_not_know_is_named_at_its_place(right, wrong, name, at):
    finding = only(JSON.replace(right, wrong, 1), "a.json")
    assert finding.code == "typographic-sign"
    assert f"({name})" in finding.message
    assert at is None or finding.column == at + 1


def test_number_with_a_typographic_minus_is_told_so_in_yaml():
    finding = only(
        YAML.replace("[]", "[{task_type: a, objects: [{object_name: b, coord_x: −5, coord_y: 1}]}]")
    )
    assert "U+2212 (minus sign)" in finding.hint


@pytest.mark.parametrize("given_text", ["user_1\u00a0", "\u200buser_1", " user_1", "user_1\ufeff"])
def test_blanks_and_signs_without_width_at_the_ends_of_a_name_are_left_out_with_a_warning(given_text):
    escaped = given_text.encode("unicode_escape").decode()
    result = read_input_file(YAML.replace("user_1", f'"{escaped}"').encode())
    assert result.input_file.sessions[0].experimenter == ("user_1",)
    assert [f.code for f in result.findings] == ["outer-blanks"]


def test_path_is_kept_as_it_was_written():
    for path in ("N:/Se\u0301bastien", "N:/S\u00e9bastien"):
        result = read_input_file(YAML.replace("N:/a", path).encode())
        assert result.input_file.sessions[0].location == path


@given(st.text(max_size=12))
def test_names_are_kept_in_one_form(text):
    name = comparable(text)
    assert comparable(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert folded(text) == folded(name)


@given(st.text(max_size=8), st.text(max_size=8))
def test_two_texts_of_one_folded_form_are_always_told_apart(one, other):
    said = difference(one, other)
    assert (said == "") == (one == other) or folded(one) != folded(other)
    said.encode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("Openfield", "OpenField", 'capitals: yours has "f", the other "F"'),
        ("object_l", "object_1", "At character 8"),
        ("r\u043eom", "room", "cyrillic small letter o"),
        ("e\u0301", "\u00e9", "how accents are encoded"),
        ("a b", "a\u00a0b", "U+00A0 (no-break space)"),
        ("user_1 ", "user_1", "Yours ends with U+0020 (space)."),
        ("user1", "user_1", ""),
    ],
)
def test_what_two_look_alikes_differ_in_is_shown(one, other, words):
    said = difference(one, other)
    assert words in said
    assert bool(said) == bool(words)
