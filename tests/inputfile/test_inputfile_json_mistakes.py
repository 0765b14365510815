"""What is said about JSON that does not parse."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from commands.inputfile.json_mistakes import json_mistakes
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file
from tests.inputfile.documents import EXAMPLE_JSON, with_changes

CASES = {
    # name: (text, [(code, line, column)])
    "comma": ('{"a": 1\n "b": 2}', [("missing-comma", 2, 2)]),
    "comma in a list": ('{"a": ["x" "y"]}', [("missing-comma", 1, 12)]),
    "closing brace before a bracket": ('{"s": [{"a": 1\n]}', [("missing-bracket", 2, 1)]),
    "closing brace before the next item": ('{"s": [\n {"a": 1,\n {"a": 2}\n]}', [("missing-bracket", 3, 2)]),
    "closing brace by indentation": (
        '{\n  "subject": {\n    "name": 1,\n  "sessions": [],\n  "clustering": []\n}',
        [("missing-bracket", 4, 3)],
    ),
    "closing bracket at the end": ('{"a": [1, 2', [("missing-bracket", 1, 12), ("missing-bracket", 1, 12)]),
    "opening brace": ('{"tasks": ["task_type": "x"}]}', [("missing-bracket", 1, 12)]),
    "first brace": ('"subject": {"name": "x"}, "sessions": []}', [("missing-bracket", 1, 1)]),
    "bracket too many": ('{"a": [1]]}', [("extra-bracket", 1, 10)]),
    "brace too many": ('{"a": 1}}', [("extra-bracket", 1, 9)]),
    "trailing commas": ('{"a": [1,2,],}', [("trailing-comma", 1, 11), ("trailing-comma", 1, 13)]),
    "two commas": ('{"a": 1,, "b": 2}', [("extra-comma", 1, 9)]),
    "semicolon": ('{"a": 1; "b": 2}', [("missing-comma", 1, 8)]),
    "comment with slashes": ('{"a": 1, // one\n"b": 2}', [("comment", 1, 10)]),
    "comment with hash": ('{"a": 1 # one\n, "b": 2}', [("comment", 1, 9)]),
    "comment with percent": ('{"a": 1,\n% one\n"b": 2}', [("comment", 2, 1)]),
    "comment over lines": ('{"a": 1 /* x\n y */, "b": 2}', [("comment", 1, 9)]),
    "single quotes": ("{'a': \"b\", \"c\": 'd'}", [("single-quotes", 1, 2), ("single-quotes", 1, 17)]),
    "smart quotes": ('{“a”: "b"}', [("smart-quotes", 1, 2)]),
    "words of Python": ('{"a": True, "b": None}', [("word", 1, 7), ("word", 1, 18)]),
    "Windows path": ('{"location": "N:\\my\\new", "b": 1}', [("backslash", 1, 14)]),
    "closing quote of a value": ('{"location": "N:/my,\n "b": 1}', [("missing-quote", 1, 14)]),
    "closing quote of a key": ('{"location: "N:/my",\n "b": 1}', [("missing-quote", 1, 2)]),
    "opening quote": ('{location": "x", "b": abc"}', [("missing-quote", 1, 2), ("missing-quote", 1, 23)]),
    "no quotes": ('{location: "x", "b": abc}', [("key-without-quotes", 1, 2), ("missing-quote", 1, 22)]),
    "date without quotes": ('{"t": 2023-04-05 12:13:14\n, "b": 1}', [("missing-quote", 1, 7)]),
    "quotes in quotes": ('{"notes": "the "big" one", "b": 2}', [("quote-in-text", 1, 11)]),
    "colon": ('{"a" 1, "b": 2}', [("missing-colon", 1, 6)]),
    "equals sign": ('{"a" = 1, "b": 2}', [("missing-colon", 1, 6)]),
    "placeholders": ('{"a": [1, 2],\n...\n "b": 2}', [("placeholder", 2, 1)]),
    "no values": ('{"a": , "b": 2, "c": }', [("missing-value", 1, 7), ("missing-value", 1, 22)]),
    "numbers": ('{"a": 012, "b": .5, "c": +3, "d": 1_000}', [("number", 1, c) for c in (7, 17, 26, 35)]),
    "tab in a text": ('{"a": "x\ty"}', [("control-character", 1, 7)]),
    "second document": ('{"a": 1}\n{"b": 2}', [("text-after-end", 2, 1)]),
    "lines end with CR": ('{"a": 1\r "b": 2}', [("missing-comma", 2, 2)]),
}


@pytest.mark.parametrize("name", CASES)
def test_mistake_is_named_at_its_place(name: str) -> None:
    text, expected = CASES[name]
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)

    result = read_input_file(text.encode(), filename="subject.json")

    assert result.stage == 0
    assert [(f.code, f.line, f.column) for f in result.findings] == expected


def test_comma_message_says_before_what_and_where_to_put_it() -> None:
    text = with_changes(EXAMPLE_JSON, ('"task_stop": 1533.5,', '"task_stop": 1533.5'))
    (finding,) = read_input_file(text.encode(), filename="subject.json").findings
    assert finding.message == 'A comma is missing before "notes".'
    assert finding.hint == "Put it at the end of line 17."
    assert finding.line == 18


def test_all_mistakes_are_found_in_one_reading() -> None:
    text = with_changes(
        EXAMPLE_JSON,
        ('"name": "12345_1",', '"name": "12345_1"'),
        ('"light_level": "dim",', '"light_level": "dim"'),
        ('"task_stop": 2110}', '"task_stop": 2110,}'),
        ('"tasks": [],', '"tasks": [], // none'),
    )
    codes = [f.code for f in read_input_file(text.encode(), filename="subject.json").findings]
    assert codes == ["missing-comma", "missing-comma", "trailing-comma", "comment"]


def test_a_guess_that_does_not_prove_itself_is_not_shown() -> None:
    found = read_input_file(b'{"a": }{"b" ]: , {', filename="a.json").findings
    for finding in found:
        assert finding.line == 1
    assert found


def test_each_single_deletion_of_punctuation_is_told_at_most_two_lines_away() -> None:
    """Take out one sign at a time: the guess must be near it (a bracket's place is where it is missed)."""
    near = total = 0
    for at, sign in enumerate(EXAMPLE_JSON):
        if sign not in ',:"':
            continue
        text = EXAMPLE_JSON[:at] + EXAMPLE_JSON[at + 1 :]
        try:
            json.loads(text)
        except json.JSONDecodeError:
            line = EXAMPLE_JSON.count("\n", 0, at) + 1
            first = read_input_file(text.encode(), filename="a.json").findings[0]
            total += 1
            near += first.line is not None and abs(first.line - line) <= 1 and first.code != "json-syntax"
    assert total > 200
    assert near / total > 0.97, (near, total)


def test_number_of_mistakes_is_bounded() -> None:
    text = "[" + "1 " * 1000 + "]"
    found = read_input_file(text.encode(), filename="a.json", limits=Limits(repairs=5)).findings
    assert len(found) == 5
    first = found[0]
    assert json_mistakes("[1", first, Limits())[0].code == "missing-bracket"


def test_a_json_file_is_never_advised_to_be_written_as_yaml() -> None:
    text = """{"subject": {"name": "12345"}, "sessions": [{
      "\u2013location": "N:/x", "experimenter": "\u201cuser_1\u201d", "project": "- a", "tasks": "- task_type: a",
      "probe_association": "a: b", "clustering": {"curator": "a"}, "#notes": "x", "- room": "y"}]}"""
    hints = [finding.hint for finding in read_input_file(text.encode(), filename="a.json").findings]
    assert 'It begins with U+2013 (en dash). Write the key alone: "location".' in hints
    assert "Leave it out; the text stands in quotes already." in hints
    for hint in hints:
        assert not any(
            word in hint for word in ("hyphen", "dash and", "indent", "line of its own", "A comment starts")
        )


OTHERWISE = [
    None,
    True,
    "",
    "yes",
    "true",
    "- a",
    "a: b",
    "a #b",
    "#b",
    "0,5",
    1,
    [],
    {},
    "a, b",
    "a\nb",
    "2023-04-05",
]
OF_YAML = (
    "hyphen",
    "indent",
    "line of its own",
    "comment starts",
    "blank after",
    "is missing after the colon",
    "YAML",
)


def test_whatever_stands_in_a_json_file_is_not_advised_on_in_yaml() -> None:
    document = json.loads(EXAMPLE_JSON)
    hints = set()
    for place in _places(document):
        for value in OTHERWISE:
            text = json.dumps(_with(document, place, value))
            hints |= {finding.hint for finding in read_input_file(text.encode(), filename="a.json").findings}

    assert len(hints) > 30
    assert [hint for hint in hints if any(word in hint for word in OF_YAML)] == []
    assert "If they should be inherited from sessions.txt, write true without quotes." in hints


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to each value below this one; of several items of a list, to the first."""
    if above:
        yield above
    below = (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    )
    for key, item in below:
        yield from _places(item, (*above, key))


def _with(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    around = changed
    for key in place[:-1]:
        around = around[key]
    around[place[-1]] = value
    return changed
