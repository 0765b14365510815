"""What messages say, read as the person who meets them: whole sentences, in the format of the file, no commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.inputfile import findings as findings_module
from commands.inputfile.field_notes import FIELD_NOTES
from commands.inputfile.kept_findings import kept, plural
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file
from commands.inputfile.schema import described_field
from commands.inputfile.template import template
from tests.inputfile.documents import EXAMPLE_JSON, EXAMPLE_YAML, with_changes
from tests.inputfile.test_inputfile_json_mistakes import CASES as JSON_CASES
from tests.inputfile.test_inputfile_yaml_mistakes import CASES as YAML_CASES
from tests.inputfile.test_inputfile_yaml_mistakes import SHORT_PATHS

ROOM = Path(findings_module.__file__).parent
TASK = '{"task_type": "a", %s}'
SESSION = '{"location": "N:/a", "experimenter": "b", "tasks": %s%s}'


def in_json(tasks="[]", more=""):
    return f'{{"subject": {{"name": "x"}}, "sessions": [{SESSION % (tasks, more)}]}}'


def found(text, filename):
    return read_input_file(text.encode(), filename=filename).findings


def test_nothing_in_the_room_is_a_command_of_the_shell():
    for module in ROOM.glob("*.py"):
        tree = ast.parse(module.read_text())
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        docstrings = {
            ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value not in docstrings
            ):
                assert not re.search(r"\bdaybook [a-z]|--[a-z]{2}", node.value), (module.name, node.value)


JSON_MISTAKES = [
    in_json(tasks="{}"),
    in_json(tasks='[{"task_type": "a", "task_start": "true"}]'),
    in_json(more=', "clustering": {"curator": "a"}'),
    in_json(more=', "//": "a comment"'),
    in_json(more=', "room": true'),
    in_json(more=', "room": null'),
    in_json(more=', "experimentr": "a"'),
    in_json(more=', "room": "“a”"'),
    in_json(more=', "room": " a "'),
    in_json().replace('{"name": "x"}', '"name:x"'),
    in_json().replace('"b"', '["b", null, {"a": "b"}, "b"]'),
    '{"subject": {"name": "x"}, "sessions": {"location": "a"}}',
]


@pytest.mark.parametrize("text", JSON_MISTAKES)
def test_advice_about_a_json_file_is_in_json(text):
    said = found(text, "a.json")
    assert said
    for finding in said:
        words = f"{finding.message} {finding.hint}".lower()
        assert not re.search(r"yaml|hyphen|dash\b|indent|comment starts|blank is missing", words), words


def test_advice_about_a_flow_style_yaml_file_is_in_yaml():
    (finding,) = found("{subject: {name: x}, sessions: [}\n", "a.yml")
    assert "YAML" in finding.message


@pytest.mark.parametrize("filename", ["a.json", "a.yml"])
def test_item_of_a_list_is_named_with_its_field(filename):
    text = in_json(tasks='[5, {"task_type": [1]}]').replace('"b"', '["b", {"a": 1}]')
    messages = [finding.message for finding in found(text, filename)]
    assert any(message.startswith("item 2 of experimenter is ") for message in messages)
    assert any(message.startswith("item 1 of tasks is 5") for message in messages)
    assert not any("of the list" in message for message in messages)


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 errors"), (1, "1 error"), (2, "2 errors"), (1_000, "1,000 errors")]
)
def test_number_and_noun_agree(number, words):
    assert plural(number, "error") == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1 more finding of this file is not shown: 1 error."),
        (2, "2 more findings of this file are not shown: 2 errors."),
    ],
)
def test_what_is_not_shown_is_counted_in_words_that_agree(number, words):
    given = found(in_json(tasks=str([1] * (number + 1))), "a.json")
    told, _ = kept(given, limits=Limits(findings=1))
    assert told[-1].message == words
    assert kept(given, limits=Limits(findings=number + 1))[0][-1].code != "more-findings"


@pytest.mark.parametrize(
    ("tasks", "words"),
    [("[]", "an empty list"), ('["a"]', "a list of 1 item"), ('["a", "b"]', "a list of 2 items")],
)
def test_list_in_a_wrong_place_is_counted_in_words_that_agree(tasks, words):
    (finding,) = found(in_json(more=f', "room": {tasks}'), "a.json")
    assert f"room is {words};" in finding.message


@pytest.mark.parametrize(
    ("lines", "words"), [(1, ";"), (2, "(and in 1 more line)"), (3, "(and in 2 more lines)")]
)
def test_lines_with_tabs_are_counted_in_words_that_agree(lines, words):
    text = "subject:\n" + "".join(f"\tk{n}: 1\n" for n in range(lines))
    finding = found(text, "a.yml")[0]
    assert finding.code == "tab-indentation"
    assert words in finding.message


@pytest.mark.parametrize(("shift", "words"), [(1, "1 blank too much"), (2, "2 blanks too much")])
def test_blanks_are_counted_in_words_that_agree(shift, words):
    text = with_changes(EXAMPLE_YAML, ("            coord_x: 27", f"{' ' * (12 + shift)}coord_x: 27"))
    assert words in found(text, "a.yml")[0].message


def test_advice_about_an_empty_arena_leads_to_no_missing_arena():
    (finding,) = found(
        in_json(tasks='[{"task_type": "a", "task_start": 1, "task_stop": 2, "arena_apparatus": null}]'),
        "a.json",
    )
    assert "optional" not in finding.hint
    assert "arena_required: false" in finding.hint
    assert described_field(FIELD_NOTES["task"]["arena_apparatus"]).startswith("Required unless ")
    assert "arena_apparatus:" in template("yaml")
    assert "# Required unless the task type has arena_required: false" in template("yaml")


@pytest.mark.parametrize("field", ["location", "experimenter"])
def test_required_text_that_is_empty_is_never_to_be_removed(field):
    text = in_json().replace('"N:/a"' if field == "location" else '"b"', '""')
    (finding,) = found(text, "a.json")
    assert (finding.code, finding.hint) == ("empty-text", "Fill it in.")


@pytest.mark.parametrize(
    ("field", "words"),
    [("task_start", "Write the seconds, or true."), ("notes", "Remove the key if there are no notes.")],
)
def test_false_in_a_field_without_false_gets_advice_that_fits_the_field(field, words):
    (finding,) = found(in_json(tasks=f'[{{"task_type": "a", "task_start": 1, "task_stop": 2, "{field}": false}}]'
                               .replace('"task_start": 1, ', "" if field == "task_start" else '"task_start": 1, ')), "a.json")  # fmt: skip
    assert (finding.code, finding.hint) == ("false-not-valid", words)


BROKEN = [
    *JSON_MISTAKES,
    EXAMPLE_YAML.replace("name:", "nme:"),
    EXAMPLE_YAML.replace("task_stop: ", "task_stop: -"),
    EXAMPLE_YAML.replace("2023", "1,2"),
    EXAMPLE_YAML.replace(": ", ":"),
    EXAMPLE_YAML.replace('"', "“"),
    EXAMPLE_JSON.replace('"', "'"),
    EXAMPLE_JSON.replace(",", ""),
    EXAMPLE_JSON.replace("}", ""),
    EXAMPLE_JSON.replace('"user_1"', "5").replace("true", "false"),
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("filename", ["a.json", "a.yml"])
def test_every_message_is_a_short_line_of_whole_words(text, filename):
    for finding in found(text, filename):
        words = f"{finding.message} {finding.hint}"
        assert len(words) < 420, words
        assert words.isprintable(), words
        assert not re.search(r"\bNone\b|\b1 [a-z]+s (too|are)\b", words), words


def _lengthened(text: str, words: str) -> Iterator[str]:
    """The text with one of those words at a time made far longer than a line, as a key may be in YAML or longer."""
    for word in sorted(set(re.findall(r"\w+", words))):
        for more in ("9" * 900, "é" * 3_000):
            yield re.sub(rf"\b{re.escape(word)}\b", lambda found, more=more: found[0] + more, text)


def _broken() -> Iterator[tuple[str, str, str]]:
    """Name of a file, its text, and the words of it that are told about, as the mistakes are that have tests."""
    for text, _ in JSON_CASES.values():
        yield "a.json", text, text
    for changes, _ in YAML_CASES.values():
        text = with_changes(SHORT_PATHS, *changes)
        yield "a.yml", text, " ".join(new for _, new in changes)
    for text in (
        EXAMPLE_YAML,
        "a: *b\n",
        "a: !b c\n",
        "a: &b [*b]\n",
        "subject: {name: 2023-01-01 10:00:00.1}\n",
    ):
        yield "a.yml", text, text
    for text in JSON_MISTAKES:
        yield "a.json", text, text


def test_no_message_repeats_more_of_a_word_than_a_line_holds() -> None:
    for filename, text, words in _broken():
        for longer in _lengthened(text, words):
            for finding in found(longer, filename):
                assert len(str(finding)) < 700, (finding.code, str(finding)[:300])
