"""What the search for mistakes in YAML knows of a line, and the shapes of a failure and of its repair."""

import re
from dataclasses import dataclass

_LEAD = re.compile(r"[ \t]*+(?:- ++)*+")


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the parser gave up and why; lines and columns from 0. ``context_line`` is where the construct
    began."""

    line: int
    column: int
    problem: str
    context: str
    context_line: int | None


@dataclass(frozen=True, slots=True)
class Repair:
    """``lines`` are the lines as they should be, by number from 0; the mistake is at ``line`` and
    ``column``."""

    code: str
    line: int
    column: int
    message: str
    hint: str
    lines: dict[int, str]


def without_comment(line: str) -> str:
    """The line up to the first # that stands after a blank."""
    at = line.find("#", 1)
    while at > 0:
        if line[at - 1].isspace():
            return line[:at].rstrip()
        at = line.find("#", at + 1)
    return line


def body_of(line: str) -> int:
    """The column where the text of a line starts, after indentation and dashes."""
    lead = _LEAD.match(line)
    return lead.end() if lead else 0


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
