"""A YAML document: its values, and where in the text each of them stands."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from commands.inputfile.document import (
    Part,
    Position,
    line_starts,
)
from commands.inputfile.findings import Finding


class MarkedList(list[Any]):
    """``marks`` are the offsets at which the items start, in order."""

    __slots__ = ("marks",)
    marks: list[int]


class MarkedMapping(dict[str, Any]):
    """``marks`` are the offsets of key, value, key, value … in the dict's order; ``repeated`` the keys that
    came again, with the offset of the second."""

    __slots__ = ("marks", "repeated")
    marks: list[int]
    repeated: Mapping[str, int]


class YamlDocument:
    """See ``Document``. ``merged`` is the offset of the first merge key, if there is one."""

    is_json = False

    def __init__(self, text: str, root: Any, root_mark: int, merged: int | None) -> None:
        self.root = root
        self.text = text
        self._line_starts: Sequence[int] | None = None
        self._root_mark = root_mark
        self._orders: dict[int, dict[str, int]] = {}
        self.remarks: Sequence[Finding] = ()
        if merged is not None:
            self.remarks = (_merge_warning(self.position_at(merged)),)

    def position(self, parts: Sequence[Part]) -> Position:
        return self.position_at(self.offset(parts))

    def position_at(self, offset: int) -> Position:
        if self._line_starts is None:
            self._line_starts = line_starts(self.text, yaml=True)
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, parts: Sequence[Part]) -> int:
        value, mark = self.root, self._root_mark
        for part in parts:
            if isinstance(value, MarkedMapping) and part in value:
                mark = value.marks[2 * self._place_of(value, part) + 1]
                value = value[str(part)]
            elif isinstance(value, MarkedList) and isinstance(part, int) and part < len(value):
                mark = value.marks[part]
                value = value[part]
            else:
                break
        return mark

    def key_position(self, parts: Sequence[Part]) -> Position:
        parent, key = self._parent(parts), parts[-1]
        if isinstance(parent, MarkedMapping) and key in parent:
            return self.position_at(parent.marks[2 * self._place_of(parent, key)])
        return self.position(parts)

    def repeat_position(self, parts: Sequence[Part]) -> Position:
        parent = self._parent(parts)
        if isinstance(parent, MarkedMapping) and parts[-1] in parent.repeated:
            return self.position_at(parent.repeated[str(parts[-1])])
        return self.position(parts)

    def _place_of(self, mapping: MarkedMapping, key: Part) -> int:
        order = self._orders.get(id(mapping))
        if order is None:
            order = self._orders[id(mapping)] = {name: index for index, name in enumerate(mapping)}
        return order[str(key)]

    def _parent(self, parts: Sequence[Part]) -> Any:
        value = self.root
        for part in parts[:-1]:
            value = value[part]
        return value


def _merge_warning(at: Position) -> Finding:
    message = "Merge keys (<<) are taken into account here, but other readers of YAML may not know them."
    return Finding(1, "warning", "merge-key", "", *at, message, "Write the keys out.")
