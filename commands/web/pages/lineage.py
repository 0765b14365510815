"""A lineage as a drawing: what a record came from, the record, what stands on it. Pure."""

from dataclasses import dataclass
from typing import Any

from commands.web.pages.addresses import record_address

_WIDE, _HIGH, _GAP = 200, 44, 12
_COLUMN = 280
_LETTERS = 26
_DRAWN = ("session", "clustering", "upload", "request", "subject", "probe", "left-out")
_BEFORE = {"entry", "stands", "clustered", "of", "recorded", "replaced", "corrects", "asks", "reads"}


@dataclass(frozen=True, slots=True)
class Box:
    """``kind``: node, here, grown or stays."""

    x: int
    y: int
    name: str
    says: str
    kind: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """``says`` is the same in words; ``left_out`` how many boxes there was no room for."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[str]
    says: str
    box_width: int = _WIDE
    box_height: int = _HIGH


def drawn(trace: Any, ref: str) -> Drawing | None:
    """None where there is nothing beside the record."""
    nodes = {node.id: node for node in trace.nodes if node.kind in _DRAWN}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for edge in trace.edges:
        if edge.target == ref and edge.source in nodes:
            before.setdefault(edge.source, edge)
        elif edge.source == ref and edge.target in nodes:
            after.setdefault(edge.target, edge)
    if not before and not after:
        return None
    rows = max(len(before), len(after), 1)
    height = rows * (_HIGH + _GAP) + _GAP
    columns = [bool(before), True, bool(after)]
    at = [10 + _COLUMN * sum(columns[:i]) for i in range(3)]
    middle = (height - _HIGH) // 2
    boxes = [Box(at[1], middle, ref, "this record", "here", None)]
    lines = []
    for side, x in ((before, at[0]), (after, at[2])):
        first = (height - len(side) * (_HIGH + _GAP) + _GAP) // 2
        for row, (node_id, edge) in enumerate(side.items()):
            y = first + row * (_HIGH + _GAP)
            boxes.append(_box(nodes[node_id], edge, x, y))
            left, right = (x, at[1]) if side is before else (at[1], x)
            start, end = (y, middle) if side is before else (middle, y)
            lines.append(_curve(left + _WIDE, start + _HIGH // 2, right, end + _HIGH // 2))
    width = at[2] + _WIDE + 10 if after else at[1] + _WIDE + 10
    return Drawing(width, height, boxes, lines, _in_words(nodes, before, after, ref))


def _curve(x1: int, y1: int, x2: int, y2: int) -> str:
    bend = (x2 - x1) // 2
    return f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _box(node: Any, edge: Any, x: int, y: int) -> Box:
    gone = getattr(node, "status", "") in ("deleted", "withdrawn")
    link = None if node.kind == "left-out" else record_address(_ref_of(node))
    return Box(x, y, _short(_name(node)), _short(_says(node, edge)), "stays" if gone else "node", link)


def _ref_of(node: Any) -> str:
    if node.kind in ("subject", "probe"):
        return f"{node.kind}:{str(node.id).partition(':')[2] or node.label}"
    return str(node.id)


def _name(node: Any) -> str:
    if node.kind in ("session", "clustering", "upload", "request"):
        return str(getattr(node, "group_name", None) or node.id)
    return str(node.label)


def _says(node: Any, edge: Any) -> str:
    if edge.kind == "entry" and edge.line is not None:
        return f"{getattr(node, 'filename', '')}, line {edge.line:,}".strip(", ")
    said = {
        "stands": "stands on it", "replaced": "a correction", "again": "brought it again", "recorded": "probe",
        "of": "subject", "took": "took it", "asks": "would take it",
    }  # fmt: skip
    if node.kind == "left-out":
        return "not drawn"
    if edge.kind in said and (edge.kind != "of" or node.kind == "subject"):
        status = getattr(node, "status", "")
        return f"{said[edge.kind]}, {status}" if status else said[edge.kind]
    for name in ("session_time", "filename", "curator", "status"):
        if getattr(node, name, None):
            return str(getattr(node, name))
    return str(node.kind)


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _in_words(nodes: dict[str, Any], before: dict[str, Any], after: dict[str, Any], ref: str) -> str:
    came = ", ".join(_name(nodes[each]) for each in before)
    stand = ", ".join(_name(nodes[each]) for each in after)
    parts = [f"{ref} came from {came}" if came else ref, f"beside it or on it: {stand}" if stand else ""]
    return "; ".join(part for part in parts if part)
