"""Repairs of lines that stand in the wrong column, or lack the dash of a list item."""

import re
from collections.abc import Iterator

from commands.inputfile.fields import clipped
from commands.inputfile.yaml_lines import Repair, body_of, indent_of

_FAR = 400  # lines: how far a block reaches, and how far up a line is sought to line up with


def indentation(lines: list[str], number: int) -> Iterator[Repair]:
    """The line, with those that hang on it, moved to where it would line up with a line above."""
    line = lines[number]
    body = indent_of(line)
    block = [number]
    for following in range(number + 1, min(len(lines), number + _FAR)):
        if lines[following].strip():
            if indent_of(lines[following]) < body:
                break
            block.append(following)
    is_item = line.lstrip().startswith("- ")
    for column, above in _columns_above(lines, number, is_item=is_item):
        shift = column - body
        if shift == 0:
            continue
        blanks = f"{abs(shift)} blank{'' if abs(shift) == 1 else 's'}"
        found, wanted = ("too little", "more") if shift > 0 else ("too much", "less")
        what = _name_at(lines[above], column)
        for moved in (block, [number]) if len(block) > 1 else (block,):
            yield Repair(
                "indentation",
                number,
                body,
                f"This line is indented {blanks} {found}.",
                f"Indent this line by {blanks} {wanted}, to line up under {what} in line {above + 1}.",
                {n: " " * max(0, indent_of(lines[n]) + shift) + lines[n].lstrip(" ") for n in moved},
            )


def _columns_above(lines: list[str], number: int, *, is_item: bool) -> Iterator[tuple[int, int]]:
    """(column, line) of what a line could line up with: keys and dashes of the lines above, the nearest
    first."""
    seen: set[int] = set()
    least = 1 << 30
    for above in range(number - 1, max(-1, number - _FAR), -1):
        line = lines[above]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent, body = indent_of(line), body_of(line)
        if indent > least:
            continue
        least = indent
        dashes = [i for i in range(indent, body) if line[i] == "-"]
        for column in dashes[::-1] if is_item else [body]:
            if column not in seen:
                seen.add(column)
                yield column, above
        if len(seen) > 6:
            return


def _name_at(line: str, column: int) -> str:
    if line[column : column + 1] == "-":
        return "the dash"
    found = re.match(r"[\w.-]+", line[column:])
    return clipped(found[0]) if found else "the text"


def repeated_item(lines: list[str], number: int) -> Iterator[Repair]:
    """A dash is missing before the key with which the items of the list above begin."""
    line = lines[number]
    found = re.match(r" *([A-Za-z_]\w*):", line)
    for above in range(number - 1, max(-1, number - _FAR), -1) if found else ():
        text = lines[above]
        if text.strip() and indent_of(text) <= indent_of(line):
            if text.startswith(f"{' ' * indent_of(line)}- {line.strip().partition(':')[0]}:"):
                yield from missing_dash(lines, number)
            return


def missing_dash(lines: list[str], number: int) -> Iterator[Repair]:
    line = lines[number]
    body = indent_of(line)
    if not line.strip() or line.lstrip().startswith("- "):
        return
    mended = {number: f"{' ' * body}- {line.lstrip()}"}
    for following in range(number + 1, min(len(lines), number + _FAR)):
        text = lines[following]
        if text.strip() and (
            indent_of(text) < body or (text.lstrip().startswith("- ") and indent_of(text) == body)
        ):
            break
        if indent_of(text) == body:
            mended[following] = f"  {text}"
    hint = "Start each item of a list with a dash and a blank."
    message = f"A dash is missing before {_name_at(line, body)}."
    yield Repair("missing-dash", number, body, message, hint, mended)
    if len(mended) > 1:
        yield Repair("missing-dash", number, body, message, hint, {number: mended[number]})
