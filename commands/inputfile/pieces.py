"""The text of an input file in pieces: every list, mapping and scalar, with where it starts and where it ends.

Unlike a ``Document``, a piece keeps what comes twice under one key, and knows its end: for who takes something out of
the text and leaves the rest as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from commands.inputfile.document import Document, Part
from commands.inputfile.json_document import children, value_at

Path = tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Offsets are in characters, ``end`` behind the last one; a list or mapping of YAML in block style ends where the
    next sign begins. ``text`` is a scalar's, ``bare`` says that it stands without quotes. ``items`` are a list's,
    ``pairs`` a mapping's, in order."""

    kind: Literal["scalar", "list", "mapping"]
    start: int
    end: int
    text: str = ""
    bare: bool = False
    items: tuple["Piece", ...] = ()
    pairs: tuple[tuple["Piece", "Piece"], ...] = ()

    def get(self, key: str) -> "Piece | None":
        """The first value of that key."""
        return next((value for name, value in self.pairs if name.text == key), None)

    def scalars(self) -> Iterator["Piece"]:
        """Keys and values, once each."""
        for _, piece in self.fields():
            if piece.kind == "scalar":
                yield piece
            yield from (key for key, _ in piece.pairs)

    def fields(self) -> Iterator[tuple[Path, "Piece"]]:
        """Every value with its path, once each, this one first."""
        seen: set[int] = set()
        todo: list[tuple[Path, Piece]] = [((), self)]
        while todo:
            path, piece = todo.pop()
            if id(piece) in seen:  # an alias
                continue
            seen.add(id(piece))
            yield path, piece
            below: list[tuple[Path, Piece]] = [((*path, n), item) for n, item in enumerate(piece.items)]
            below += [((*path, key.text), value) for key, value in piece.pairs]
            todo += reversed(below)


def pieces_of(document: Document) -> Piece:
    """Of a document that was loaded: its limits hold."""
    if document.is_json:
        return _of_json(document.text, document.offset(()))
    return pieces_of_yaml(document.text)


def pieces_of_yaml(text: str) -> Piece:
    """Raises ``yaml.YAMLError`` for what is none."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    return Piece("scalar", 0, 0, bare=True) if node is None else _of_node(node, {})


def pieces_of_json(text: str) -> Piece:
    """Raises ``ValueError`` for what is none."""
    return _of_json(text, len(text) - len(text.lstrip(" \t\r\n")))


def _of_json(text: str, at: int) -> Piece:
    value, end = value_at(text, at)
    if text[at] == "[":
        return Piece(
            "list", at, end, items=tuple(_of_json(text, child) for _, _, child in children(text, at))
        )
    if text[at] == "{":
        pairs = [
            (Piece("scalar", key_at, value_at(text, key_at)[1], str(key)), _of_json(text, child))
            for key, key_at, child in children(text, at)
        ]
        return Piece("mapping", at, end, pairs=tuple(pairs))
    if text[at] == '"':
        return Piece("scalar", at, end, value)
    return Piece("scalar", at, end, text[at:end], bare=True)


def _of_node(node: Node, known: dict[int, Piece]) -> Piece:
    """What an alias stands for is the same piece again."""
    found = known.get(id(node))
    if found is None:
        found = known[id(node)] = _new(node, known)
    return found


def _new(node: Any, known: dict[int, Piece]) -> Piece:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, SequenceNode):
        return Piece("list", start, end, items=tuple(_of_node(item, known) for item in node.value))
    if isinstance(node, MappingNode):
        pairs = tuple((_of_node(key, known), _of_node(value, known)) for key, value in node.value)
        return Piece("mapping", start, end, pairs=pairs)
    assert isinstance(node, ScalarNode)  # noqa: S101 - there are no other kinds
    return Piece("scalar", start, end, str(node.value), bare=not node.style)
