"""What YAML cuts off is shown, and a number with a comma is asked about; neither is taken in silence."""

import pytest

from commands.inputfile.read import read_input_file

YAML = """\
subject:
  name: x
sessions:
  - location: N:/12345/run
    experimenter: user_1
    room: 2.345
    name: first
    tasks: []
clustering:
  - {curator: user_1, location: N:/c, group_name: sorting, sessions: [first, second]}
"""


def read(text):
    return read_input_file(text.encode(), filename="a.yml")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("N:/12345/run", "sessions[0].location"),
        ("user_1", "sessions[0].experimenter"),
        ("2.345", "sessions[0].room"),
        ("first", "sessions[0].name"),
        ("name: x", "subject.name"),
    ],
)
def test_text_that_is_cut_at_a_comment_is_shown_with_what_was_cut(value, path):
    result = read(YAML.replace(value, f"{value} #2", 1))
    (finding,) = result.findings
    assert (finding.severity, finding.code, finding.path) == ("warning", "cut-at-comment", path)
    assert "#2, is read as a comment" in finding.message
    longer = f"{value.removeprefix('name: ')} #2"
    assert f'"{longer}"' in finding.hint
    assert result.cut == {path: (longer,)}


def test_comment_of_several_pieces_gives_each_longer_text_that_may_be_meant():
    result = read(YAML.replace("run\n", "run #2  # the second\n"))
    assert result.cut == {"sessions[0].location": ("N:/12345/run #2", "N:/12345/run #2  # the second")}


def test_text_over_several_lines_is_looked_at_where_it_ends():
    result = read(YAML.replace("N:/12345/run\n", "N:/12345/\n      run #2\n"))
    assert {f.code for f in result.findings} == {"several-lines", "cut-at-comment"}


@pytest.mark.parametrize("comment", ["  # optional", "   #", "  #- optional", "\t# x"])
def test_comment_that_is_meant_as_one_gives_no_warning(comment):
    result = read(YAML.replace("2.345", f"2.345{comment}"))
    assert result.findings == ()


@pytest.mark.parametrize("key", ["location", "name", "group_name"])
def test_what_is_the_same_only_because_it_was_cut_is_not_advised_to_be_removed_or_renamed(key):
    entries = [
        {"location": f"N:/{n}", "name": f"n{n}", "group_name": f"g{n}"} | {key: f"run #{n}"} for n in (1, 2)
    ]
    text = "subject: {name: x}\nsessions:\n"
    for entry in entries:
        text += f"- location: {entry['location']}\n  name: {entry['name']}\n  experimenter: a\n  tasks: []\n"
    text += "clustering:\n"
    for entry in entries:
        text += f"- group_name: {entry['group_name']}\n  location: y\n  curator: a\n  sessions: [p, q]\n"
    (error,) = [f for f in read(text).findings if f.severity == "error"]
    assert error.code == f"duplicate-{key.replace('_', '-')}"
    assert error.hint == 'It is cut where a comment begins: write "run #2" in quotes.'


def test_quoted_text_is_never_cut():
    result = read(YAML.replace("N:/12345/run", '"N:/12345/run #2"'))
    assert result.findings == ()
    assert result.input_file.sessions[0].location == "N:/12345/run #2"


def task(fields):
    return YAML.replace("[]", f"[{{task_type: a, {fields}}}]")


@pytest.mark.parametrize("written", ["1,200", "0,5", "1.200,5", "1,200,000", "-0,5", "1,5"])
@pytest.mark.parametrize("style", ["flow", "block", "quoted", "json"])
def test_number_with_a_comma_is_asked_about_and_no_other_number_is_named(written, style):
    text = {
        "flow": task(f"task_start: {written}, task_stop: 7"),
        "block": YAML.replace("[]", f"\n      - task_type: a\n        task_start: {written}\n"),
        "quoted": task(f'task_start: "{written}"'),
        "json": '{"subject": {"name": "x"}, "sessions": [{"location": "a", "experimenter": "b", '
        f'"tasks": [{{"task_type": "c", "task_start": {written}, "task_stop": 7}}]}}]}}',
    }[style]
    (finding,) = [f for f in read_input_file(text.encode(), filename="").findings if f.severity == "error"]
    assert finding.code == "number-with-comma"
    assert written in finding.message
    assert finding.hint.startswith("Which number is meant?")
    assert not any(sign.isdigit() for sign in finding.hint)


def test_two_numbers_with_commas_in_one_flow_mapping_are_both_asked_about():
    result = read(task("task_start: 1,200, task_stop: 3,200"))
    assert [(f.code, f.path.rpartition(".")[2]) for f in result.findings] == [
        ("number-with-comma", "task_start"),
        ("number-with-comma", "task_stop"),
    ]


def test_key_of_digits_that_is_no_half_of_a_number_is_an_unknown_key():
    assert "unknown-key" in [f.code for f in read(task("notes: b, 5: ~")).findings]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("One", "one", "look-alike-name"),
        ("a\u00a0b", "a b", "look-alike-name"),
        ("One", "One", "duplicate-name"),
    ],
)
def test_two_names_of_one_file_that_look_alike_are_an_error(first, second, code):
    entry = "  - {{location: N:/{}, name: {}, experimenter: b, tasks: []}}\n"
    text = "subject: {name: x}\nsessions:\n" + entry.format(1, first) + entry.format(2, second)
    errors = [f for f in read(text).findings if f.severity == "error"]
    assert [(f.code, f.path) for f in errors] == [(code, "sessions[1].name")]


def test_names_are_matched_in_one_form_whatever_the_file_spells():
    text = YAML.replace("name: first", 'name: "Se\\u0301ance "').replace("[first", '["S\\u00e9ance"')
    result = read(text)
    assert result.input_file.sessions[0].name == result.input_file.clustering[0].sessions[0] == "S\u00e9ance"
