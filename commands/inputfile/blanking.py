"""Take pieces out of the text of an input file, and leave every other line where it is. Pure.

An entry becomes ``"(redacted) 57"``, with the number of its record, and stays at its place in the list; a text becomes
``"(redacted)"``. What is written then is read again: where it would say something else, it is laid out anew.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from commands.inputfile.document import Document, line_starts
from commands.inputfile.pieces import Piece, pieces_of, pieces_of_json, pieces_of_yaml

BLANK = "(redacted)"
_PLACEHOLDER = re.compile(r"\(redacted\) ([1-9][0-9]{0,17})")
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT = re.compile("(?<!\\S)#[^\n\r\x85\u2028\u2029]*")
_JSON_BARE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'', re.DOTALL)
_AHEAD = re.compile(r"(?:[-?]\s+)*")
_TOGETHER = 6  # lines of one text, at most, in a file that cannot be read
_MOST_LINES = 20_000  # beyond them, each line by itself
Edit = tuple[int, int, str]
"""Start and end of what is replaced, and by what."""


def placeholder(record: int) -> str:
    """What stands in the place of an entry, and of its name, whose record has this number."""
    return f"{BLANK} {record}"


def record_of(text: Any) -> int | None:
    """The number in a placeholder; None for any other value."""
    found = _PLACEHOLDER.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else int(found[1])


@dataclass(slots=True)
class Source:
    """A text that was read, in pieces."""

    document: Document
    root: Piece
    _ends: list[int]

    @classmethod
    def of(cls, document: Document) -> "Source":
        root = pieces_of(document)
        return cls(document, root, sorted({piece.end for piece in root.scalars()}))

    def comments(self) -> Iterator[tuple[int, int]]:
        """Where they start and end; JSON has none."""
        if self.document.is_json:
            return
        at = 0
        for piece in sorted(self.root.scalars(), key=lambda piece: piece.start):
            yield from self._comments_in(at, piece.start)
            at = max(at, piece.end)
        yield from self._comments_in(at, len(self.document.text))

    def _comments_in(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Nothing but signs of the format and comments stands there."""
        yield from (found.span() for found in _COMMENT.finditer(self.document.text, start, end))

    def comment(self, start: int, end: int) -> str:
        """Its words."""
        return self.document.text[start:end].lstrip("#").strip()

    def comments_about(self, entry: Piece) -> list[tuple[int, int]]:
        """Those above an entry, behind it and below it: nobody can tell which are about the next one."""
        if self.document.is_json:
            return []
        text = self.document.text
        number = bisect_right(self._ends, entry.start)
        before = self._ends[number - 1] if number else 0
        broken = _BREAK.search(text, before, entry.start) if number else None
        above = 0 if not number else broken.end() if broken is not None else entry.start
        after = min(
            (piece.start for piece in self.root.scalars() if piece.start >= entry.end), default=len(text)
        )
        return [*self._comments_in(above, entry.start), *self._comments_in(entry.end, after)]

    def blanked(self, replaced: Mapping[Piece, str], comments: Collection[tuple[int, int]]) -> str:
        """The text with what stands for these pieces in their place, and without the words of these comments."""
        edits = [self._edit(piece, new) for piece, new in replaced.items()]
        edits += [(start, end, "#") for start, end in comments]
        text = _applied(self.document.text, edits)
        expected = _plain(self.root, replaced)
        return text if self._says(text, expected) else _as_json(self.root, replaced)

    def _says(self, text: str, expected: Any) -> bool:
        try:
            pieces = pieces_of_json(text) if self.document.is_json else pieces_of_yaml(text)
        except (yaml.YAMLError, ValueError):
            return False
        return bool(_plain(pieces, {}) == expected)

    def _edit(self, piece: Piece, new: str) -> Edit:
        text, start, end = self.document.text, piece.start, piece.end
        line = max((found.end() for found in _BREAK.finditer(text, start, end)), default=start)
        if line > start and not text[line:end].strip():
            end = line  # the indentation of what follows
        breaks = _BREAK.findall(text, start, end)
        return start, end, json.dumps(new) + "".join(breaks)

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last line of a part of the text, from 1."""
        starts = line_starts(self.document.text, yaml=not self.document.is_json)
        end = start + len(self.document.text[start:end].rstrip())
        return bisect_right(starts, start), bisect_left(starts, max(end, start + 1))


def _applied(text: str, edits: Iterable[Edit]) -> str:
    """What lies inside of something that goes, goes with it."""
    parts, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start >= at:
            parts += [text[at:start], new]
            at = end
    return "".join([*parts, text[at:]])


def _plain(piece: Piece, replaced: Mapping[Piece, str]) -> Any:
    new = replaced.get(piece)
    if new is not None:
        return new
    if piece.kind == "list":
        return [_plain(item, replaced) for item in piece.items]
    if piece.kind == "mapping":
        return [(_plain(key, replaced), _plain(value, replaced)) for key, value in piece.pairs]
    return piece.text


def _as_json(piece: Piece, replaced: Mapping[Piece, str]) -> str:
    """Laid out anew: an anchor went with what was taken out, or it all stands on one line."""
    new = replaced.get(piece)
    if new is not None:
        return json.dumps(new)
    if piece.kind == "list":
        return f"[{', '.join(_as_json(item, replaced) for item in piece.items)}]"
    if piece.kind == "mapping":
        pairs = (
            f"{json.dumps(key.text, ensure_ascii=False)}: {_as_json(value, replaced)}"
            for key, value in piece.pairs
        )
        return f"{{{', '.join(pairs)}}}\n"
    if piece.bare and _JSON_BARE.fullmatch(piece.text):
        return piece.text
    return json.dumps(piece.text, ensure_ascii=False)


# --- what cannot be read --------------------------------------------------------------------------------------------


def words_of(text: str) -> Iterator[str]:
    """The texts that may be meant in what is neither YAML nor JSON: what stands in quotes, behind a key or a sign for a
    comment, and lines together."""
    for found in _QUOTED.finditer(text):
        yield _unquoted(found[0])
    lines = [_AHEAD.sub("", line.strip(), count=1) for line in _BREAK.split(text)]
    for line in lines:
        yield from _of_line(line)
    if len(lines) > _MOST_LINES:
        return
    for first, line in enumerate(lines):
        for start in {line, line.partition(": ")[2], line.partition(":")[2]}:
            for last in range(first + 1, min(first + _TOGETHER, len(lines))):
                yield _unquoted(" ".join([start, *lines[first + 1 : last + 1]]))


def _of_line(line: str) -> Iterator[str]:
    comment = line.find("#")
    for part in (line, *((line[:comment], line[comment:].lstrip("#")) if comment >= 0 else ())):
        yield _unquoted(part)
        for sign in (":", ": "):
            yield _unquoted(part.partition(sign)[2])


def _unquoted(text: str) -> str:
    text = text.strip().rstrip(",").strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text, strict=False))
        except ValueError:
            return text[1:-1]
    return text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == text[-1] == "'" else text
