"""JSON text -> document, by the C scanner; positions are worked out afterwards, for those paths that are
asked for.

Numbers keep their source text (``2.340`` stays ``2.340``), repeated keys and ``NaN`` are marked.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from commands.inputfile.document import (
    NotJson,
    Part,
    Place,
    Plain,
    Position,
    RepeatedKeys,
    Unreadable,
    line_starts,
    parts_of,
    rest_of_line,
    unreadable,
)
from commands.inputfile.findings import Finding
from commands.inputfile.limits import Limits

_BLANKS = re.compile(r"[ \t\n\r]+")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    first: dict[str, Any] = RepeatedKeys()
    first.repeated = repeated = []  # type: ignore[attr-defined]
    for key, item in pairs:
        if key in first:
            repeated.append(key)
        else:
            first[key] = item
    return first


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Plain, parse_int=Plain, parse_constant=NotJson
)
_skip = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode


class JsonDocument:
    """See ``Document``. A container on the way to a path is indexed when first visited, its values
    skipped in C."""

    def __init__(self, text: str, root: Any) -> None:
        self.root = root
        self.remarks: Sequence[Finding] = ()
        self._text = text
        self._line_starts: list[int] | None = None
        self._children: dict[int, dict[Part, list[tuple[int, int]]]] = {}

    def position(self, parts: Sequence[Part]) -> Position:
        return self.position_at(self._value(parts))

    def rest_of_line(self, parts: Sequence[Part]) -> str:
        return rest_of_line(self._text, self._value(parts))

    def key_position(self, parts: Sequence[Part]) -> Position:
        return self._occurrence(parts, 0)

    def repeat_position(self, parts: Sequence[Part]) -> Position:
        return self._occurrence(parts, 1)

    def position_at(self, offset: int) -> Position:
        if self._line_starts is None:
            self._line_starts = line_starts(self._text)
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def _occurrence(self, parts: Sequence[Part], number: int) -> Position:
        parent = self._value(parts[:-1])
        found = self._index(parent).get(parts[-1], ())
        return self.position_at(found[number][0] if len(found) > number else parent)

    def _value(self, parts: Sequence[Part]) -> int:
        """The offset at which the value starts, or that of its nearest parent."""
        at = self._past_blanks(0)
        for part in parts:
            found = self._index(at).get(part)
            if found is None:
                break
            at = found[0][1]
        return at

    def _index(self, at: int) -> dict[Part, list[tuple[int, int]]]:
        """(offset of the key, offset of the value) of each child, several where a key is repeated."""
        children = self._children.get(at)
        if children is None:
            children = self._children[at] = {}
            for part, key_at, value_at in self._walk(at) if self._text[at : at + 1] in ("{", "[") else ():
                children.setdefault(part, []).append((key_at, value_at))
        return children

    def _walk(self, at: int) -> Iterator[tuple[Part, int, int]]:
        text, past_blanks = self._text, self._past_blanks
        is_object = text[at] == "{"
        at = past_blanks(at + 1)
        for index in count():
            if text[at] in "}]":
                return
            part: Part = index
            key_at = at
            if is_object:
                part, at = _skip(text, at)
                at = past_blanks(past_blanks(at) + 1)
            yield part, key_at, at
            at = past_blanks(_skip(text, at)[1])
            if text[at] == ",":
                at = past_blanks(at + 1)

    def _past_blanks(self, at: int) -> int:
        blanks = _BLANKS.match(self._text, at)
        return blanks.end() if blanks else at


def load_json(text: str, limits: Limits) -> JsonDocument:
    """Raises ``Unreadable``: with ``syntax`` where the text is not JSON, else for what the format does
    not admit."""
    try:
        root = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = JsonDocument(text, None).position_at(error.pos)
        raise unreadable("json-syntax", f"This is not JSON: {error.msg}.", at=at, syntax=True) from None
    except RecursionError:
        raise _too_deep(limits.depth) from None
    return JsonDocument(text, root)


def refuse_deep_nesting(document: JsonDocument, limits: Limits) -> None:
    """Raises ``Unreadable`` where lists and objects are nested deeper than the limit."""
    level: list[tuple[Place, Any]] = [(None, document.root)] if isinstance(document.root, dict | list) else []
    for depth in count():
        level = [
            ((place, part), item)
            for place, value in level
            for part, item in (value.items() if isinstance(value, dict) else enumerate(value))
            if isinstance(item, dict | list)
        ]
        if not level:
            return
        if depth >= limits.depth - 1:
            raise _too_deep(limits.depth, document.position(parts_of(level[0][0])))


def _too_deep(depth: int, at: Position | None = None) -> Unreadable:
    return unreadable(
        "nested-too-deeply",
        f"Lists and objects are nested more than {depth} deep" + (" here." if at else "."),
        "An input file needs fewer than ten levels: check the brackets.",
        at=at,
    )
