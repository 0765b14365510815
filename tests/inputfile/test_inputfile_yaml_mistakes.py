"""What is said about YAML that does not parse: the mistake and its line."""

import pytest

from commands.inputfile.read import read_input_file
from tests.inputfile.documents import EXAMPLE_YAML, with_changes

Change = tuple[str, str]
SHORT_PATHS = with_changes(
    EXAMPLE_YAML,
    ('"N:/my_project/recordings/12345/date_1"', '"N:/first"'),
    ('"N:/my_project/recordings/12345/date_2"', '"N:/second"'),
)

CASES: dict[str, tuple[list[Change], list[tuple[str, str]]]] = {
    # name: (changes to the example, [(code, text of the line)])
    "key one blank too far right": (
        [("            coord_x: 27", "             coord_x: 27")],
        [("indentation", "coord_x: 27")],
    ),
    "list item with its keys too far right": (
        [("          - object_name: object_1\n", "         - object_name: object_1\n")],
        [("indentation", "coord_x: 27")],
    ),
    "key too far left": ([("    room:", "   room:")], [("indentation", "room: 2.345")]),
    "second session too far right": (
        [('  - location: "N:/second"', '   - location: "N:/second"')],
        [("indentation", '- location: "N:/second"')],
    ),
    "placeholder": ([("    project: my_project\n", "    ...\n")], [("placeholder", "...")]),
    "placeholder at the margin": ([("    project: my_project\n", "...\n")], [("placeholder", "...")]),
    "no blank after colon": ([("room: 2.345", "room:2.345")], [("missing-blank", "room:2.345")]),
    "no blank after dash": (
        [("- task_type: Open", "-task_type: Open")],
        [("missing-blank", "-task_type: OpenField")],
    ),
    "no colon": ([("room: 2.345", "room 2.345")], [("missing-colon", "room 2.345")]),
    "no colon before a list": ([("    tasks:\n", "    tasks\n")], [("missing-colon", "tasks")]),
    "equals sign": ([("room: 2.345", "room = 2.345")], [("missing-colon", "room = 2.345")]),
    "no dash": (
        [
            ("      - task_type: SleepTask", "      task_type: SleepTask"),
            ("        task_start: 1587\n        task_stop: 2110\n", ""),
        ],
        [("missing-dash", "task_type: SleepTask")],
    ),
    "colon in a value": (
        [('notes: "abc"', "notes: first: the second")],
        [("needs-quotes", "notes: first: the second")],
    ),
    "at sign": ([("- user_1", "- @user_1")], [("needs-quotes", "- @user_1")]),
    "percent sign": ([('notes: "abc"', "notes: %abc")], [("needs-quotes", "notes: %abc")]),
    "star": ([('notes: "abc"', "notes: * abc")], [("needs-quotes", "notes: * abc")]),
    "star before a word": ([('notes: "abc"', "notes: *abc")], [("unknown-alias", "notes: *abc")]),
    "greater than": ([('notes: "abc"', "notes: >5 cells")], [("needs-quotes", "notes: >5 cells")]),
    "exclamation mark": ([('notes: "abc"', "notes: !abc def")], [("tag", "notes: !abc def")]),
    "bracket in a text": ([('notes: "abc"', "notes: [a] b")], [("needs-quotes", "notes: [a] b")]),
    "list that is not closed": (
        [("tasks: []", "tasks: [{task_type: A}")],
        [("missing-bracket", "tasks: [{task_type: A}")],
    ),
    "bracket too many": ([("tasks: []", "tasks: []]")], [("extra-bracket", "tasks: []]")]),
    "backslashes": (
        [('"N:/first"', '"N:\\my_project\\date_1"')],
        [("backslash", '- location: "N:\\my_project\\date_1"')],
    ),
    "backslash at the end": ([('"N:/first"', '"N:\\new\\"')], [("backslash", '- location: "N:\\new\\"')]),
    "closing quote": ([('notes: "abc"', 'notes: "abc')], [("missing-quote", 'notes: "abc')]),
    "closing quote of the last text": (
        [('name: "12345_2"', 'name: "12345_2')],
        [("missing-quote", 'name: "12345_2')],
    ),
    "apostrophe": (
        [('notes: "abc"', "notes: 'the subject's arena'")],
        [("quote-in-text", "notes: 'the subject's arena'")],
    ),
    "quotes in quotes": (
        [('notes: "abc"', 'notes: "the "big" one"')],
        [("quote-in-text", 'notes: "the "big" one"')],
    ),
    "text after a quote": (
        [('notes: "abc"', 'notes: "abc" and so on')],
        [("text-after-quote", 'notes: "abc" and so on')],
    ),
    "comma": ([('notes: "abc"', 'notes: "abc",')], [("extra-comma", 'notes: "abc",')]),
    "tab": ([("    room", "\troom")], [("tab-indentation", "room: 2.345")]),
    "foreign comment": ([("    project: my_project\n", "    % project\n")], [("comment", "% project")]),
    "smart quotes": (
        [('notes: "abc"', "notes: “first: second”")],
        [("smart-quotes", "notes: “first: second”")],
    ),
    "three mistakes": (
        [
            ("room: 2.345", "room:2.345"),
            ('notes: "abc"', "notes: @x"),
            ("        light_level", "         light_level"),
        ],
        [("missing-blank", "room:2.345"), ("needs-quotes", "notes: @x"), ("indentation", "light_level: dim")],
    ),
    "second document": (
        [("clustering:\n  - curator: user_3", "---\nclustering:\n  - curator: user_3")],
        [("several-documents", "---")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mistake_is_named_at_its_line(name: str) -> None:
    changes, expected = CASES[name]
    text = with_changes(SHORT_PATHS, *changes)

    result = read_input_file(text.encode(), filename="subject.yml")

    assert result.stage == 0
    assert result.input_file is None
    lines = text.splitlines()
    assert [(f.code, lines[(f.line or 0) - 1].strip()) for f in result.findings] == expected
    assert all(f.stage == 0 and f.severity == "error" and f.message for f in result.findings)


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_is_the_same_with_other_line_ends(ending: str) -> None:
    text = with_changes(EXAMPLE_YAML, ("room: 2.345", "room:2.345"))
    result = read_input_file(text.replace("\n", ending).encode(), filename="subject.yml")
    assert [(f.code, f.line, f.column) for f in result.findings] == [("missing-blank", 10, 9)]


def test_indentation_hint_names_key_and_line_to_line_up_with() -> None:
    text = with_changes(EXAMPLE_YAML, ("            coord_x: 27", "             coord_x: 27"))
    finding = read_input_file(text.encode()).findings[0]
    assert "to line up under object_name in line 24" in finding.hint


def test_mistake_is_found_behind_blank_lines_and_comments() -> None:
    data = b'subject:\n  name "12345"\n\n# one\n# two\n# three\n# four\n  datasource_id: 0\n'

    [finding] = read_input_file(data).findings

    assert (finding.code, finding.line) == ("missing-colon", 2)


def test_mistake_beyond_guessing_keeps_the_place_where_the_parser_gave_up() -> None:
    result = read_input_file(b"subject: {name: x\n  }]]}:[ - :\n: : ?\n", filename="a.yml")
    assert result.stage == 0
    assert result.findings
    assert result.findings[0].line is not None


def test_mistake_in_a_long_file_is_found_at_its_end() -> None:
    text = EXAMPLE_YAML.partition("clustering:\n  - curator: user_3")[0]
    text += '  - location: "a"\n    experimenter: user_1\n    tasks: []\n' * 20_000 + "    notes: @x\n"
    result = read_input_file(text.encode(), filename="a.yml")
    assert [(f.code, f.line) for f in result.findings] == [("needs-quotes", text.count("\n"))]
