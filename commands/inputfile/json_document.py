"""JSON text -> document, by the C scanner; positions are worked out afterwards, for those paths that are
asked for.

Numbers keep their source text (``2.340`` stays ``2.340``), repeated keys and ``NaN`` are marked.
"""

import json
import re
from array import array
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
    too_many_values,
    unreadable,
)
from commands.inputfile.findings import Finding
from commands.inputfile.limits import Limits

_BLANKS = re.compile(r"[ \t\n\r]+")
_TEXTS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # it always matches, to the end if need be


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


class _Plains(dict[str, Plain]):
    """Each number once, however often it stands in the file."""

    def __missing__(self, source: str) -> Plain:
        plain = self[source] = Plain(source)
        return plain


_skip = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode


class JsonDocument:
    """See ``Document``. A container on the way to a path is indexed as far as it is asked for, its values
    skipped in C."""

    is_json = True

    def __init__(self, text: str, root: Any) -> None:
        self.root = root
        self.remarks: Sequence[Finding] = ()
        self.text = text
        self._line_starts: Sequence[int] | None = None
        self._indexes: dict[int, _Index] = {}

    def position(self, parts: Sequence[Part]) -> Position:
        return self.position_at(self.offset(parts))

    def key_position(self, parts: Sequence[Part]) -> Position:
        parent = self.offset(parts[:-1])
        found = self._index(parent).find(parts[-1])
        return self.position_at(parent if found is None else found[0])

    def repeat_position(self, parts: Sequence[Part]) -> Position:
        parent = self.offset(parts[:-1])
        found = self._index(parent).find_again(parts[-1])
        return self.position_at(parent if found is None else found)

    def position_at(self, offset: int) -> Position:
        if self._line_starts is None:
            self._line_starts = line_starts(self.text)
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, parts: Sequence[Part]) -> int:
        at = _past_blanks(self.text, 0)
        for part in parts:
            found = self._index(at).find(part)
            if found is None:
                break
            at = found[1]
        return at

    def _index(self, at: int) -> "_Index":
        index = self._indexes.get(at)
        if index is None:
            index = self._indexes[at] = _Index(self.text, at)
        return index


class _Index:
    """Where the children of one container stand. It is read up to the child that is asked for, and no further: a
    list may have a million items of which only the first is wrong.
    """

    def __init__(self, text: str, at: int) -> None:
        self._keys: dict[str, int] = {}  # the number of the child that a key has first
        self._again: dict[str, int] = {}  # where a key comes the second time
        self._key_at = array("L")
        self._value_at = array("L")
        self._is_object = text[at : at + 1] == "{"
        self._rest = children(text, at) if text[at : at + 1] in ("{", "[") else iter(())

    def find(self, part: Part) -> tuple[int, int] | None:
        """The offsets of key and value, the same for an item of a list."""
        if isinstance(part, str) != self._is_object:
            return None
        if isinstance(part, int):
            number: int | None = part
            while len(self._value_at) <= part and self._read_on():
                pass
        else:
            while (number := self._keys.get(part)) is None and self._read_on():
                pass
        if number is None or not 0 <= number < len(self._value_at):
            return None
        return self._key_at[number], self._value_at[number]

    def find_again(self, key: Part) -> int | None:
        while (found := self._again.get(str(key))) is None and self._read_on():
            pass
        return found

    def _read_on(self) -> bool:
        child = next(self._rest, None)
        if child is None:
            return False
        key, key_at, value_at = child
        if key is not None:
            if key in self._keys:
                self._again.setdefault(key, key_at)
            else:
                self._keys[key] = len(self._key_at)
        self._key_at.append(key_at)
        self._value_at.append(value_at)
        return True


def children(text: str, at: int) -> Iterator[tuple[str | None, int, int]]:
    """Key, offset of the key and offset of the value of each child of the list or object at ``at``."""
    is_object = text[at] == "{"
    at = _past_blanks(text, at + 1)
    while text[at] not in "}]":
        key, key_at = None, at
        if is_object:
            key, at = _skip(text, at)
            at = _past_blanks(text, _past_blanks(text, at) + 1)
        yield key, key_at, at
        at = _past_blanks(text, _skip(text, at)[1])
        if text[at] == ",":
            at = _past_blanks(text, at + 1)


def value_at(text: str, at: int) -> tuple[Any, int]:
    """The value there and where it ends; numbers are their source text."""
    value, end = _skip(text, at)
    return value, end


def _past_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


def load_json(text: str, limits: Limits) -> JsonDocument:
    """Raises ``Unreadable``: with ``syntax`` where the text is not JSON, else for what the format does
    not admit."""
    _refuse_many_values(text, limits.nodes)
    try:
        number = _Plains().__getitem__
        root = json.JSONDecoder(
            object_pairs_hook=_object, parse_float=number, parse_int=number, parse_constant=NotJson
        ).decode(text)
    except json.JSONDecodeError as error:
        at = JsonDocument(text, None).position_at(error.pos)
        raise unreadable("json-syntax", f"This is not JSON: {error.msg}.", at=at, syntax=True) from None
    except RecursionError:
        raise _too_deep(limits.depth) from None
    return JsonDocument(text, root)


def _refuse_many_values(text: str, limit: int) -> None:
    """Counts before anything is built: each key and each value but the first follows one of four signs."""
    if sum(map(text.count, "[{,:")) <= limit:
        return
    if sum(map(_TEXTS.sub("", text).count, "[{,:")) > limit:
        raise too_many_values(limit)


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
