"""What stage 0 makes of a text: plain dicts, lists and scalars, and the way from a document path to its
position.

A scalar is an exact ``str`` where the user quoted it, a ``Plain`` where it stands bare (then it is the
source text, which the field types later), or one of JSON's own ``True``, ``False``, ``None``. Only shapes
and paths are here.
"""

import json
import re
from array import array
from collections.abc import Sequence
from typing import Any, Protocol

from commands.inputfile.findings import Finding
from ledger.plurals import plural

Part = str | int
Position = tuple[int, int]
# A place in the document while it is read: (place of the parent, key or index). Linked, so that it costs one
# tuple per mapping on the way down, and turns into a path only for a finding.
Place = tuple[Any, Part] | None


class Plain(str):
    """A scalar without quotes: source text whose type is not decided yet."""

    __slots__ = ()


class NotJson(Plain):
    """``NaN`` or ``Infinity`` bare in a JSON file: Python's reader takes them, JSON has no such values."""

    __slots__ = ()


class RepeatedKeys(dict[str, Any]):
    """A JSON object in which a key comes twice; it holds the first value of each."""

    __slots__ = ("repeated",)
    repeated: list[str]


class Document(Protocol):
    """A loaded input file. Positions count lines and columns (characters) from 1."""

    text: str
    root: Any
    is_json: bool
    remarks: Sequence[Finding]  # findings about the way it is written

    def position(self, parts: Sequence[Part]) -> Position:
        """Where the value at that path starts; for a path that is not there, its nearest parent that is."""

    def offset(self, parts: Sequence[Part]) -> int:
        """The same as characters from the start of the text, from 0."""

    def key_position(self, parts: Sequence[Part]) -> Position:
        """Where the key of the last part starts."""

    def repeat_position(self, parts: Sequence[Part]) -> Position:
        """Where the key of the last part comes the second time."""


class Unreadable(Exception):
    """Stage 0 failed. ``findings`` says why; ``syntax`` is True where the parser gave up, so that
    guessing at the mistake makes sense."""

    def __init__(self, findings: Sequence[Finding], *, syntax: bool = False) -> None:
        super().__init__(plural(len(findings), "finding"))
        self.findings = tuple(findings)
        self.syntax = syntax


def unreadable(
    code: str,
    message: str,
    hint: str = "",
    *,
    at: Position | None = None,
    path: str = "",
    syntax: bool = False,
) -> Unreadable:
    return Unreadable([stage_0_error(code, message, hint, at=at, path=path)], syntax=syntax)


def stage_0_error(
    code: str, message: str, hint: str = "", *, at: Position | None = None, path: str = ""
) -> Finding:
    line, column = at or (None, None)
    return Finding(0, "error", code, path, line, column, message, hint)


def too_many_values(limit: int, at: Position | None = None) -> Unreadable:
    return unreadable(
        "too-many-values",
        f"The file holds more than {limit:,} keys and values.",
        "Split it into several files.",
        at=at,
    )


_LONGEST_KEY = 255  # characters
_SIMPLE_KEY = re.compile(r"[^\W\d][\w-]*|\d[\w-]*")
_STEP = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\.?([^.\[\]]+)')


def parts_of(place: Place) -> list[Part]:
    parts: list[Part] = []
    while place is not None:
        place, part = place
        parts.append(part)
    parts.reverse()
    return parts


def path_text(parts: Sequence[Part]) -> str:
    """``sessions[3].tasks[0].notes``; a key that is not a word is written ``["in quotes"]``, and one that is
    longer than any key may be is cut."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        if len(part) > _LONGEST_KEY:
            part = f"{part[:_LONGEST_KEY]}…"
        if _SIMPLE_KEY.fullmatch(part):
            path += f".{part}" if path else part
        else:
            path += f"[{json.dumps(part)}]"
    return path


def path_parts(path: str) -> list[Part]:
    """The reverse of ``path_text``. Raises ``ValueError`` for what is not a path."""
    parts: list[Part] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(f"{path!r} is not a document path: it goes wrong at character {at + 1}")
        index, quoted, word = step.groups()
        parts.append(
            int(index) if index is not None else word if word is not None else json.loads(f'"{quoted}"')
        )
        at = step.end()
    return parts


_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_YAML_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_LONGEST_REST = 8_192  # characters: a file may be one line, and have a million values on it


def rest_of_line(text: str, at: int) -> str:
    """From ``at`` to the end of the line, no longer than anybody would read."""
    lines = text[at : at + _LONGEST_REST].splitlines()
    return lines[0] if lines else ""


def line_starts(text: str, *, yaml: bool = False) -> Sequence[int]:
    """The offset at which each line starts, whichever way its lines end; ``yaml`` has more ways than others."""
    starts = array("L", [0])
    breaks = _YAML_LINE_BREAK if yaml and not text.isascii() else _LINE_BREAK
    starts.extend(found.end() for found in breaks.finditer(text))
    return starts
