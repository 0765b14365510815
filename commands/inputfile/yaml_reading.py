"""YAML text -> document, straight from libyaml's events. The only module that runs the YAML parser for a document.

Nothing is constructed from tags and nothing is resolved: a bare scalar stays source text. Events are taken
one by one, without recursion, so that a limit holds at the first event beyond it.
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from commands.inputfile.document import (
    Plain,
    Position,
    Unreadable,
    stage_0_error,
    too_many_values,
    unreadable,
)
from commands.inputfile.fields import clipped
from commands.inputfile.findings import Finding
from commands.inputfile.limits import Limits
from commands.inputfile.plain_readings import other_reading
from commands.inputfile.yaml_document import MarkedList, MarkedMapping, YamlDocument

_STANDARD = "tag:yaml.org,2002:"
_BARE_TAGS = {_STANDARD + kind for kind in ("null", "bool", "int", "float", "timestamp")}
_TEXT_TAGS = {"!", _STANDARD + "str"}
_TAG_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%TAG")
_DIRECTIVES = 16
_NOTHING: Mapping[str, int] = {}
_SHAPES = 1_000  # kept: a file with more has no shapes
_CONTAINER_TAGS = {SequenceStartEvent: {"!", _STANDARD + "seq"}, MappingStartEvent: {"!", _STANDARD + "map"}}
_Size = tuple[int, int]  # nodes, characters


def _position(mark: Any) -> Position:
    return mark.line + 1, mark.column + 1


def load_yaml(text: str, limits: Limits) -> YamlDocument:
    """Raises ``Unreadable``: with ``syntax`` where the parser gave up, else for what the format does not
    admit."""
    _refuse_directives(text)
    builder = _Builder(limits)
    try:
        document = builder.build(text)
    except yaml.MarkedYAMLError as error:
        at = _position(error.problem_mark or error.context_mark)
        raise unreadable("yaml-syntax", f"This is not YAML: {problem(error)}.", at=at, syntax=True) from None
    except yaml.reader.ReaderError as error:
        raise unreadable("yaml-syntax", f"This is not YAML: {error.reason}.", syntax=True) from None
    if builder.findings:
        raise Unreadable(builder.findings)
    return document


def _refuse_directives(text: str) -> None:
    """libyaml compares each %TAG with all before it, which takes time by the square of their number."""
    if text.count("%TAG") <= _DIRECTIVES:
        return
    for number, found in enumerate(_TAG_DIRECTIVE.finditer(text), 1):
        if number > _DIRECTIVES:
            raise unreadable(
                "too-many-directives",
                f"The file has more than {_DIRECTIVES} %TAG lines; an input file needs none.",
                "Remove them; if they are part of a text, indent them.",
                at=YamlDocument(text, None, 0, None).position_at(found.end() - 4),
            )


def problem(error: yaml.MarkedYAMLError) -> str:
    """The parser's own words, on one line."""
    return ", ".join(part for part in (error.context, error.problem) if part)


class _Builder:
    """Takes events, makes the document.

    Keys and values of a mapping are gathered in one flat list, as the items of a list are; what the keys
    are worth is worked out once per *shape* (the same keys in the same order), because an input file has
    few shapes and many mappings.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.findings: list[Finding] = []
        self._text = ""
        self._stack: list[tuple[Any, list[Any], list[Any]]] = []
        self._items: list[Any] = []
        self._marks: list[Any] = []
        self._shapes: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}
        self._anchors: dict[str, tuple[Any, _Size]] = {}
        self._sizes: dict[int, tuple[Any, _Size]] = {}  # holds the value too: an id must not be used again
        self._aliased: _Size = (0, 0)
        self._merged: int | None = None

    def build(self, text: str) -> YamlDocument:
        self._text = text
        parser: Any = yaml.CSafeLoader(text)
        plains: dict[str, Plain] = {}
        limit = self.limits.nodes
        event: Any = None
        add_item, add_mark = self._items.append, self._marks.append
        for event in islice(iter(parser.get_event, None), limit):
            kind = event.__class__
            if kind is ScalarEvent:
                value = event.value
                if not event.style:
                    plain = plains.get(value)
                    if plain is None:
                        plain = plains[value] = Plain(value)
                    value = plain
                if event.tag is not None or event.anchor is not None:
                    value = self._special(event, value)
                add_item(value)
                add_mark(event.start_mark.index)
            else:
                self._structure(kind, event)
                add_item, add_mark = self._items.append, self._marks.append
        if parser.get_event() is not None:
            raise too_many_values(limit, _position(event.start_mark))
        if not self._items:
            raise unreadable("empty-file", "The file is empty.", "Start from the template.", at=(1, 1))
        return YamlDocument(text, self._items[0], self._marks[0], self._merged)

    def _structure(self, kind: Any, event: Any) -> None:
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            self._open(event)
        elif kind is MappingEndEvent:
            self._close(self._mapping())
        elif kind is SequenceEndEvent:
            value = MarkedList(self._items)
            value.marks = self._marks
            self._close(value)
        elif kind is AliasEvent:
            self._alias(event)
        elif kind is DocumentStartEvent and self._items:
            raise unreadable(
                "several-documents",
                "A second document starts here, but an input file is one document.",
                "Remove the line with --- before it, or put the second document into a file of its own.",
                at=_position(event.start_mark),
            )

    def _open(self, event: Any) -> None:
        depth = self.limits.depth
        if len(self._stack) >= depth:
            raise unreadable(
                "nested-too-deeply",
                f"Lists and mappings are nested more than {depth} deep here.",
                "An input file needs fewer than ten levels: check the brackets and the indentation.",
                at=_position(event.start_mark),
            )
        if event.tag is not None and event.tag not in _CONTAINER_TAGS[event.__class__]:
            self._refuse_tag(event)
        if event.anchor is not None:
            # until it is closed, an alias to it is an alias to its own inside
            self._anchors[event.anchor] = None, (0, 0)
        self._stack.append((event, self._items, self._marks))
        self._items, self._marks = [], []

    def _close(self, value: Any) -> None:
        event, self._items, self._marks = self._stack.pop()
        if event.anchor is not None:
            size = self._size(value)
            self._sizes[id(value)] = value, size
            self._anchors[event.anchor] = value, size
        self._items.append(value)
        self._marks.append(event.start_mark.index)

    def _mapping(self) -> MarkedMapping:
        keys = tuple(self._items[::2])
        try:
            shape = self._shapes.get(keys)
        except TypeError:
            index = next(index for index, key in enumerate(keys) if not isinstance(key, str))
            raise unreadable(
                "key-is-not-text",
                "A list or a mapping stands where a key is expected.",
                "A key is a word followed by a colon and a blank, such as location: ...",
                at=self._position_at(self._marks[2 * index]),
            ) from None
        if shape is None:
            shape = self._shape(keys)
            if len(self._shapes) < _SHAPES:
                self._shapes[keys] = shape
        names, is_regular = shape
        if is_regular:
            value = MarkedMapping(zip(names, self._items[1::2], strict=True))
            value.marks = self._marks
            value.repeated = _NOTHING
            return value
        return self._irregular(names)

    @staticmethod
    def _shape(keys: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        names = tuple(_key_name(key) for key in keys)
        return names, len(set(names)) == len(names) and "<<" not in names

    def _irregular(self, names: tuple[str, ...]) -> MarkedMapping:
        """A mapping with repeated keys (the first of each is kept) or with merge keys."""
        value = MarkedMapping()
        repeated: dict[str, int] = {}
        value.marks, value.repeated = [], repeated
        merges = []
        for index, name in enumerate(names):
            item = self._items[2 * index + 1]
            key_mark, mark = self._marks[2 * index : 2 * index + 2]
            if name == "<<" and isinstance(self._items[2 * index], Plain):
                merges.append((item, key_mark))
            elif name in value:
                repeated.setdefault(name, key_mark)
            else:
                value[name] = item
                value.marks += (key_mark, mark)
        for item, key_mark in merges:
            self._merge(value, item, key_mark)
        return value

    def _merge(self, value: MarkedMapping, item: Any, key_mark: int) -> None:
        """``<<: *defaults`` as YAML 1.1 has it: keys that the mapping does not give itself come from the
        other."""
        sources = item if isinstance(item, MarkedList) else [item]
        if self._merged is None or key_mark < self._merged:
            self._merged = key_mark
        for source in sources:
            if not isinstance(source, MarkedMapping):
                self.findings.append(
                    stage_0_error(
                        "merge-key",
                        "The merge key << needs a mapping, such as <<: *defaults.",
                        "Write the keys out, or name a mapping that is marked with & above.",
                        at=self._position_at(key_mark),
                    )
                )
                continue
            for index, (key, inherited) in enumerate(source.items()):
                if key not in value:
                    value[key] = inherited
                    value.marks += source.marks[2 * index : 2 * index + 2]

    def _position_at(self, offset: int) -> Position:
        return YamlDocument(self._text, None, 0, None).position_at(offset)

    def _special(self, event: Any, value: Any) -> Any:
        tag = event.tag
        if tag is not None:
            if tag in _TEXT_TAGS:
                value = str(value)
            elif tag in _BARE_TAGS:
                value = Plain(value)
            else:
                self._refuse_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, (1, len(value))
        return value

    def _refuse_tag(self, event: Any) -> None:
        name = event.tag.removeprefix(_STANDARD)
        shown = f"!!{name}" if name != event.tag else event.tag
        self.findings.append(
            stage_0_error(
                "tag",
                f"The tag {clipped(shown)} has no place in an input file: it holds text, numbers, lists and mappings.",
                "Remove the tag; if it is part of the text, put the text in quotes.",
                at=_position(event.start_mark),
            )
        )

    def _alias(self, event: Any) -> None:
        anchor, at = event.anchor, _position(event.start_mark)
        name = clipped(anchor)
        if anchor not in self._anchors:
            raise unreadable(
                "unknown-alias",
                f"*{name} refers to an anchor &{name} that is not in the file before this place.",
                f'If the text *{name} is meant, put it in quotes: "*{name}".',
                at=at,
            )
        value, (nodes, characters) = self._anchors[anchor]
        if value is None:
            raise unreadable("recursive-alias", f"*{name} stands inside of what it refers to.", at=at)
        self._aliased = self._aliased[0] + nodes, self._aliased[1] + characters
        most = self.limits.nodes, self.limits.input_file_bytes
        if self._aliased[0] > most[0] or self._aliased[1] > most[1]:
            raise unreadable(
                "aliases-expand-too-far",
                f"With *{name} the aliases of this file expand to more than "
                + (f"{most[0]} values." if self._aliased[0] > most[0] else f"{most[1]} characters."),
                "Write out what is meant, without anchors and aliases.",
                at=at,
            )
        self._items.append(value)
        self._marks.append(event.start_mark.index)

    def _size(self, value: Any) -> _Size:
        """Nodes and characters that an anchored value stands for, what it reaches through aliases included."""
        if not isinstance(value, MarkedMapping | MarkedList):
            return 1, len(value)
        anchored = self._sizes.get(id(value))
        if anchored is not None:
            return anchored[1]
        nodes, characters = 1, 0
        if isinstance(value, MarkedMapping):
            nodes, characters = 1 + len(value), sum(map(len, value))
        for item in value.values() if isinstance(value, MarkedMapping) else value:
            more_nodes, more_characters = self._size(item)
            nodes, characters = nodes + more_nodes, characters + more_characters
        return nodes, characters


def _key_name(key: str) -> str | Plain:
    """A bare key that plain YAML would read as something else stays ``Plain``, so that it can be pointed
    out."""
    return key if isinstance(key, Plain) and other_reading(key) is not None else str(key)
