"""Likely repairs of lines that YAML cannot parse, and the mistake that each of them would prove."""

import re
from collections.abc import Callable, Iterator

from commands.inputfile.field_notes import ALL_KEYS
from commands.inputfile.fields import clipped
from commands.inputfile.yaml_indentation import indentation, missing_dash, repeated_item
from commands.inputfile.yaml_lines import Failure, Repair, body_of, indent_of, without_comment
from commands.inputfile.yaml_quoting import missing_bracket, missing_quote, odd_quotes, quoted_value
from ledger.look_alikes import (
    BLANKS,
    DASHES,
    DOUBLE_QUOTES,
    INVISIBLE,
    SINGLE_QUOTES,
    TYPOGRAPHIC,
    first_typographic,
    sign_name,
    straightened,
)
from ledger.plurals import plural

_NO_BLANK_AFTER_COLON = re.compile(r"(\s*(?:- +)*)([A-Za-z_]\w*):([^\s:/\\].*)")
_NO_BLANK_AFTER_DASH = re.compile(r"(\s*)-([A-Za-z_\"'][^:]*(?::\s.*|:|))$")
_NO_COLON = re.compile(r"(\s*(?:- +)*)([A-Za-z_]\w*)(?:\s*=>?\s*|\s+|$)(.*)")
_DOUBLE_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)')  # it always matches, to the end if need be
_BAD_ESCAPE = re.compile(r'\\(?![0abt\tnvfre "/\\N_LPxuU])')
_FOREIGN_COMMENT = re.compile(r"\s*(//|/\*|%|--\s|;)")
_MOST_TABBED = 100_000  # lines that are mended at once
_LINES_BACK = 60
_LONGEST = 4_000  # characters: no line that a person looks through is longer


def repairs_near(lines: list[str], failure: Failure) -> Iterator[Repair]:
    """Candidates, the most telling first."""
    near = _suspects(lines, failure)
    yield from _tabs(lines, failure)
    for rule in _LINE_RULES:
        for number in near:
            yield from rule(lines, number)
    back = range(failure.line, max(-1, failure.line - _LINES_BACK), -1)
    quotes = [n for n in back if len(lines[n]) <= _LONGEST and odd_quotes(lines[n])]
    for number in quotes[:3]:
        yield from missing_quote(lines, number)
    for rule in (repeated_item, indentation, missing_dash, missing_bracket, quoted_value):
        for number in near:
            yield from rule(lines, number)


def _suspects(lines: list[str], failure: Failure) -> list[int]:
    """The line of the failure, the two before it that are not blank, and the line where the construct
    began."""
    near: list[int] = []
    number = failure.line
    while number >= 0 and len(near) < 3:
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            near.append(number)
        number -= 1
    if failure.context_line is not None and failure.context_line not in near:
        near.append(failure.context_line)
    return [number for number in near if len(lines[number]) <= _LONGEST]


def _tabs(lines: list[str], failure: Failure) -> Iterator[Repair]:
    if not any(_is_tabbed(line) for line in lines[: failure.line + 1]):
        return
    tabbed = [n for n, line in enumerate(lines) if _is_tabbed(line)]
    if len(tabbed) > _MOST_TABBED:
        return
    how_many = f" (and in {plural(len(tabbed) - 1, 'more line')})" if len(tabbed) > 1 else ""
    for indents in _without_tabs(lines, tabbed):
        yield Repair(
            "tab-indentation",
            tabbed[0],
            lines[tabbed[0]].index("\t"),
            f"A tab stands in the indentation{how_many}; YAML is indented with blanks only.",
            "Replace each tab by blanks (in most editors: Convert indentation to spaces).",
            {n: " " * indent + lines[n].lstrip() for n, indent in zip(tabbed, indents, strict=True)},
        )


def _is_tabbed(line: str) -> bool:
    return "\t" in line and "\t" in line[: len(line) - len(line.lstrip())]


def _without_tabs(lines: list[str], tabbed: list[int]) -> Iterator[list[int]]:
    """Indentations in blanks for those lines: by the width of a tab, then by the lines around them."""
    for width in (8, 4, 2):
        yield [len(lines[n][: len(lines[n]) - len(lines[n].lstrip())].expandtabs(width)) for n in tabbed]
    after = [indent_of(lines[n + 1]) if n + 1 < len(lines) else 0 for n in tabbed]
    yield after
    yield [max(0, indent - 2) for indent in after]
    yield [indent_of(lines[n - 1]) if n else 0 for n in tabbed]
    yield [body_of(lines[n - 1]) if n else 0 for n in tabbed]


def _placeholder(lines: list[str], number: int) -> Iterator[Repair]:
    line = lines[number]
    if line.strip().removeprefix("- ").strip() in ("...", "…"):
        yield Repair(
            "placeholder",
            number,
            indent_of(line),
            "... stands for something left out; it is not YAML.",
            "Remove the line, or put in what it stands for.",
            {number: ""},
        )


def _foreign_comment(lines: list[str], number: int) -> Iterator[Repair]:
    found = _FOREIGN_COMMENT.match(lines[number])
    if found:
        yield Repair(
            "comment",
            number,
            found.start(1),
            f"{found[1].strip()} does not start a comment in YAML.",
            "A comment starts with #.",
            {number: ""},
        )


def _blank_after_colon(lines: list[str], number: int) -> Iterator[Repair]:
    found = _NO_BLANK_AFTER_COLON.fullmatch(lines[number])
    if found:
        lead, key, value = found.groups()
        yield Repair(
            "missing-blank",
            number,
            found.end(2),
            f"A blank is missing after the colon of {clipped(key)}.",
            f"Write {clipped(key)}: {clipped(value)}",
            {number: f"{lead}{key}: {value}"},
        )


def _blank_after_dash(lines: list[str], number: int) -> Iterator[Repair]:
    found = _NO_BLANK_AFTER_DASH.fullmatch(lines[number])
    if found:
        yield Repair(
            "missing-blank",
            number,
            found.end(1),
            "A blank is missing after the dash.",
            f"Write - {clipped(found[2])}",
            {number: f"{found[1]}- {found[2]}"},
        )


def _colon(lines: list[str], number: int) -> Iterator[Repair]:
    line = without_comment(lines[number])
    found = _NO_COLON.fullmatch(line)
    if not found:
        return
    lead, key, value = found.groups()
    has_children = number + 1 < len(lines) and indent_of(lines[number + 1]) > indent_of(line)
    if key in ALL_KEYS or "=" in line[: len(line) - len(value)] or (has_children and not value):
        yield Repair(
            "missing-colon",
            number,
            found.end(2),
            f"A colon is missing after {clipped(key)}.",
            f"Write {clipped(key)}: {clipped(value)}".rstrip(),
            {number: f"{lead}{key}: {value}".rstrip()},
        )


def _backslashes(lines: list[str], number: int) -> Iterator[Repair]:
    line = lines[number]
    for found in _DOUBLE_QUOTED.finditer(line):
        if not found[0].endswith('"') or len(found[0]) == 1:
            break
        if _BAD_ESCAPE.search(found[0]) or re.search(r"\\[xuU]", found[0]):
            slashes = found[0].replace("\\\\", "/").replace("\\", "/")
            yield Repair(
                "backslash",
                number,
                found.start(),
                f"In double quotes a backslash starts an escape sequence; {clipped(found[0])} holds a wrong one.",
                f"Write the path with slashes: {clipped(slashes)}, or put it in single quotes.",
                {number: line[: found.start()] + slashes + line[found.end() :]},
            )
    if line.rstrip().endswith('\\"'):  # "N:\data\" : the last backslash takes the quotation mark with it
        start = line.index('"')
        slashes = line[start:].rstrip()[:-2].replace("\\", "/") + '"'
        yield Repair(
            "backslash",
            number,
            start,
            f"In double quotes a backslash starts an escape sequence: in {clipped(line[start:].rstrip())} "
            "the last one takes the closing quotation mark with it.",
            f"Write the path with slashes: {clipped(slashes)}, or put it in single quotes.",
            {number: line[:start] + slashes},
        )


def _comma_at_end(lines: list[str], number: int) -> Iterator[Repair]:
    line = without_comment(lines[number]).rstrip()
    if line.endswith(('",', "',", "],", "},")):
        yield Repair(
            "extra-comma",
            number,
            len(line) - 1,
            "A comma at the end of the line belongs to JSON, not to YAML.",
            "Remove the comma.",
            {number: line[:-1]},
        )


def _typographic(lines: list[str], number: int) -> Iterator[Repair]:
    """Signs of word processors where YAML wants those of the keyboard: first where the line begins and after its key,
    then in the whole line."""
    line = lines[number]
    sign = first_typographic(line)
    if not sign:
        return
    lead = _TYPOGRAPHIC_LEAD.match(line)
    end = lead.end() if lead else 0
    for mended in dict.fromkeys(
        (_spaced(straightened(line[:end])) + line[end:], _spaced(straightened(line)))
    ):
        if mended == line:
            continue
        column = line.index(sign)
        is_quote = sign in DOUBLE_QUOTES or sign in SINGLE_QUOTES
        kind = "quotation mark" if is_quote else "sign"
        yield Repair(
            "smart-quotes" if is_quote else "typographic-sign",
            number,
            column,
            f"A word processor's {kind} stands here, {sign_name(sign)}, which YAML does not know.",
            "Use the straight marks \" or '."
            if is_quote
            else _INSTEAD.get(TYPOGRAPHIC[sign], _OF_THE_KEYBOARD),
            {number: mended},
        )


def _spaced(line: str) -> str:
    """With a blank after the first colon; a full-width colon needs none."""
    return _KEY_AND_COLON.sub(r"\1 ", line, count=1)


_OF_THE_KEYBOARD = "Type the sign of the keyboard instead."
_INSTEAD = {
    "": "Delete it; it cannot be seen.",
    " ": "Type a plain blank instead.",
    "-": "Type a hyphen instead.",
}
_ANY_BLANK = f"[ \t{BLANKS}{INVISIBLE}]"
_TYPOGRAPHIC_LEAD = re.compile(
    f"{_ANY_BLANK}*+(?:[-{DASHES}]{_ANY_BLANK}++)*+(?:[A-Za-z_]\\w*+{_ANY_BLANK}*+[:：]{_ANY_BLANK}*+)?+"
)
_KEY_AND_COLON = re.compile(r"^(\s*+(?:- ++)*+[A-Za-z_]\w*+:)(?=[^\s:/\\])")

_LINE_RULES: tuple[Callable[[list[str], int], Iterator[Repair]], ...] = (
    _placeholder,
    _typographic,
    _blank_after_colon,
    _blank_after_dash,
    _colon,
    _backslashes,
    _comma_at_end,
    _foreign_comment,
)
