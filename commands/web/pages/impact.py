"""What a request takes, as a drawing: what was asked for, what goes with it record by record, and whose it is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commands.web.pages.addresses import record_address
from commands.web.pages.lineage import Box

MOST = 12
"""Records that are drawn; the others are counted in one box."""
_WIDE, _HIGH, _GAP, _STEP = 190, 44, 10, 270
_LETTERS = 24


@dataclass(frozen=True, slots=True)
class Impact:
    """``says`` is the same in words."""

    height: int
    boxes: list[Box]
    lines: list[str]
    says: str
    width: int = 2 * _STEP + _WIDE + 20
    box_width: int = _WIDE
    box_height: int = _HIGH


def drawn(asked: Sequence[str], takes: Any, grown: Sequence[str]) -> Impact | None:
    """``asked`` are the records that were named, ``grown`` those that have come since."""
    if takes is None or not takes.records:
        return None
    going = [(_ref(each), each.username) for each in takes.first]
    going.sort(key=lambda one: (one[1], one[0] not in asked))
    shown, left = going[:MOST], takes.records - min(len(going), MOST)
    rows = max(len(shown) + (left > 0), min(len(asked), MOST), len(takes.owners))
    height = rows * (_HIGH + _GAP) + _GAP
    boxes: list[Box] = []
    lines: list[str] = []
    first = _column(10, [(ref, "what was asked for", "here", ref) for ref in asked[:MOST]], height)
    middle = [
        (ref, "new since it was asked" if ref in grown else "asked for" if ref in asked else "goes with it",
         "grown" if ref in grown else "node", ref)
        for ref, _ in shown
    ]  # fmt: skip
    if left > 0:
        middle.append((f"{left:,} more", "listed below", "node", ""))
    second = _column(10 + _STEP, middle, height)
    third = _column(
        10 + 2 * _STEP, [(owner.user, _counted(owner), "stays", f"user:{owner.user}") for owner in takes.owners],
        height,
    )  # fmt: skip
    boxes += first + second + third
    by_owner = dict(zip((owner.user for owner in takes.owners), third, strict=True))
    for box, (ref, owner) in zip(second, shown, strict=False):
        roots = [one for one in first if one.name == ref] or (first if len(first) == 1 else [])
        lines += [_line(root, box) for root in roots]
        if owner in by_owner:
            lines.append(_line(box, by_owner[owner]))
    return Impact(height, boxes, lines, _said(asked, takes, grown))


def _ref(line: Any) -> str:
    return str(getattr(line, "clustering", None) or line.session)


def _column(x: int, given: Sequence[tuple[str, str, str, str]], height: int) -> list[Box]:
    first = (height - len(given) * (_HIGH + _GAP) + _GAP) // 2
    return [
        Box(
            x,
            first + row * (_HIGH + _GAP),
            _cut(name),
            _cut(says),
            kind,
            record_address(ref) if ref else None,
        )
        for row, (name, says, kind, ref) in enumerate(given)
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}\u2026"


def _counted(owner: Any) -> str:
    parts = [(owner.sessions, "session"), (owner.clusterings + owner.over_several, "clustering")]
    return ", ".join(f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in parts if number)


def _line(start: Box, end: Box) -> str:
    x, y, to_x, to_y = start.x + _WIDE, start.y + _HIGH // 2, end.x, end.y + _HIGH // 2
    half = (x + to_x) // 2
    return f"M{x} {y} C{half} {y} {half} {to_y} {to_x} {to_y}"


def _said(asked: Sequence[str], takes: Any, grown: Sequence[str]) -> str:
    owners = ", ".join(f"{_counted(owner)} of {owner.user}" for owner in takes.owners)
    more = f" New since it was asked: {', '.join(grown[:MOST])}." if grown else ""
    return f"{', '.join(asked[:MOST])}: takes {owners}.{more}"
