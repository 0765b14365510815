"""Repairs of values: quotation marks and brackets that are missing, or that the value needs around it."""

import re
from collections.abc import Iterator

from commands.inputfile.fields import clipped
from commands.inputfile.yaml_lines import Repair, without_comment

_KEY_AND_VALUE = re.compile(
    r"""(?P<lead>\s*+(?:- ++)*+)(?P<key>[^\s"'#:\[{-][^"'#:]*+|"[^"]*+"\s*+|'[^']*+'\s*+):\s++(?P<value>\S.*+)"""
)
_ITEM = re.compile(r"(?P<lead>\s*+(?:- ++)++)(?P<value>\S.*+)")
_TEXT_KEY = re.compile(r"\s*(?:- +)*(?:notes?|location)\s*:")
_SPECIAL = {
    "@": "@",
    "`": "a backtick",
    "%": "%",
    "*": "*, which refers to an anchor",
    "&": "&, which sets an anchor",
    "!": "!, which starts a tag",
    "|": "|, which starts a block of text",
    ">": ">, which starts a block of text",
    "[": "[, which starts a list",
    "{": "{, which starts a mapping",
    "]": "]",
    "}": "}",
    ",": ",",
    "?": "?, which starts a key",
    "-": "-, which starts a list item",
}


def _value_of(line: str) -> tuple[int, str] | None:
    """Column and source text of the value on a line, without a comment after it."""
    found = _KEY_AND_VALUE.fullmatch(line) or _ITEM.fullmatch(line)
    if not found:
        return None
    value = found["value"]
    if value[0] not in "\"'":
        value = without_comment(value)
    return found.start("value"), value.rstrip()


def odd_quotes(line: str) -> bool:
    line = line.replace('\\"', "")
    return line.count('"') % 2 == 1 or line.count("'") % 2 == 1


def missing_quote(lines: list[str], number: int) -> Iterator[Repair]:
    line = lines[number]
    found = _value_of(line)
    if not found:
        return
    column, value = found
    mark = value[0]
    if mark == "'" and len(value) > 1 and value[-1] == "'":  # 'the subject's arena'
        yield _apostrophe(line, number, column, value)
        return
    if mark in "\"'":
        bare = without_comment(value)
        for body in dict.fromkeys((bare.rstrip(), value)):
            yield Repair(
                "missing-quote",
                number,
                column,
                f"The closing quotation mark of {clipped(body)} is missing.",
                f"Write {clipped(body + mark)}",
                {number: line[:column] + body + mark},
            )
    elif value[-1] in "\"'" and value.count(value[-1]) == 1:
        yield Repair(
            "missing-quote",
            number,
            column,
            f"The quotation mark before {clipped(value)} is missing.",
            f"Write {clipped(value[-1] + value)}",
            {number: line[:column] + value[-1] + value},
        )


def _apostrophe(line: str, number: int, column: int, value: str) -> Repair:
    right = "'" + value[1:-1].replace("''", "'").replace("'", "''") + "'"
    return Repair(
        "quote-in-text",
        number,
        column,
        f"An apostrophe inside of single quotes ends the text: {clipped(value)}.",
        f"Use double quotes around it, or write the apostrophe twice: {clipped(right)}",
        {number: line[:column] + right},
    )


def quoted_value(lines: list[str], number: int) -> Iterator[Repair]:
    """A value that must stand in quotes, or that has quotes inside of its quotes."""
    line = lines[number]
    found = _value_of(line)
    if not found:
        return
    column, value = found
    first = value[0]
    inner = value
    if first == "'" and value[-1] == "'" and len(value) > 2:
        yield _apostrophe(line, number, column, value)
        return
    if first == '"' and value[-1] == '"' and value.count('"') > 2:
        code, message = "quote-in-text", f"Quotation marks stand inside of quotation marks: {clipped(value)}."
        inner = value[1:-1]
    elif first in "\"'":
        code, message = (
            "text-after-quote",
            f"Text follows after the closing quotation mark: {clipped(value)}.",
        )
    elif first in _SPECIAL:
        code, message = "needs-quotes", f"The value {clipped(value)} starts with {_SPECIAL[first]}."
    elif ": " in value or value.endswith(":"):
        code, message = "needs-quotes", f"The value {clipped(value)} holds a colon, which starts a new value."
    else:
        return
    right = "'" + inner.replace("'", "''") + "'"
    yield Repair(
        code, number, column, message, f"Put it in quotes: {clipped(right)}", {number: line[:column] + right}
    )


def missing_bracket(lines: list[str], number: int) -> Iterator[Repair]:
    """A list or mapping on one line whose brackets do not match; not in a text, where quotes are the cure."""
    found = _value_of(lines[number])
    if not found or found[1][0] not in "[{" or _TEXT_KEY.match(lines[number]):
        return
    column, value = found
    line = lines[number][: column + len(value)]
    for opener, closer in (("[", "]"), ("{", "}")):
        if value.count(opener) > value.count(closer):
            message = f"The {opener} is not closed: a {closer} is missing."
            right = [value + closer, *([f"{value[:-1]}{closer}{value[-1]}"] if value[-1] in "]}" else [])]
            for mended in right:
                yield Repair(
                    "missing-bracket",
                    number,
                    column + value.rindex(opener),
                    message,
                    f"Write {clipped(mended)}",
                    {number: lines[number][:column] + mended},
                )
        elif value.count(opener) < value.count(closer):
            at = line.rindex(closer)
            message = f"This {closer} closes nothing."
            yield Repair(
                "extra-bracket", number, at, message, "Remove it.", {number: line[:at] + line[at + 1 :]}
            )
