"""Whether what a file on disk says can be used and stored. The one check for every reader and side file.

Numbers are finite and fit 64 bits; text holds no NUL and no lone surrogate; lengths, counts and depth are bounded.
Formats have their own, narrower limits; these are what every database and every JSON reader bears.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import TypeVar

from commands.recordings.disk import shown
from commands.recordings.session import UnreadableSession

LONGEST_TEXT = 20_000
MOST_VALUES = 500_000
DEEPEST = 24

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST = 1 << 63

Value = TypeVar("Value")


def checked(value: Value, *, file: str) -> Value:
    """The value itself: plain data, or a record of it, read from ``file``. Raises UnreadableSession."""
    if _is_harmless(value):
        return value
    for count, (name, depth, part) in enumerate(_parts(value)):
        if depth > DEEPEST:
            raise _bad(file, name, f"is nested more than {DEEPEST} deep")
        if count > MOST_VALUES:
            raise _bad(file, name, f"is one of more than {MOST_VALUES:,} values")
        if problem := _problem(part):
            raise _bad(file, name, problem)
    return value


def _is_harmless(value: object) -> bool:
    """Whether a flat record is of scalars that nearly all are: short plain text, small numbers. False: look closer."""
    names = getattr(value.__class__, "__slots__", None)
    if not names or not is_dataclass(value):
        return False
    for name in names:
        part = getattr(value, name)
        if part is None or part.__class__ is bool or part.__class__ is datetime:
            continue
        if part.__class__ is str:
            if len(part) > 1000 or not part.isascii() or "\0" in part:
                return False
        elif part.__class__ is float or part.__class__ is int:
            if not -1e15 < part < 1e15:
                return False
        else:
            return False
    return True


def _problem(part: object) -> str:
    if isinstance(part, str):
        if len(part) > LONGEST_TEXT:
            return f"is a text of {len(part):,} characters; at most {LONGEST_TEXT:,} are read"
        if found := _UNSTORABLE.search(part):
            what = "a NUL character" if found[0] == "\0" else f"half a character (U+{ord(found[0]):04X})"
            return f"holds {what}: {shown(part[:60])}"
    elif isinstance(part, float):
        if not math.isfinite(part):
            return f"is not a finite number: {part}"
    elif isinstance(part, int) and not -_LARGEST <= part < _LARGEST:
        return "is a number of more than 64 bits"
    elif part is not None and not isinstance(part, int | datetime):
        return f"is a {type(part).__name__}, which is not plain data"
    return ""


def _parts(value: object) -> Iterator[tuple[str, int, object]]:
    """Every scalar in plain data, with the name it stands under and its depth; keys of dicts too."""
    pending: list[tuple[str, int, object]] = [("", 0, value)]
    while pending:
        name, depth, part = pending.pop()
        inner: list[tuple[str, object]]
        if is_dataclass(part) and not isinstance(part, type):
            inner = [(field.name, getattr(part, field.name)) for field in fields(part)]
        elif isinstance(part, dict):
            yield from ((name, depth + 1, key) for key in part)
            inner = [(str(key), item) for key, item in part.items()]
        elif isinstance(part, list | tuple):
            inner = [(name, item) for item in part]
        else:
            yield name, depth, part
            continue
        if depth >= DEEPEST:
            yield name, depth + 1, None
        else:
            pending.extend((key, depth + 1, item) for key, item in reversed(inner))


def _bad(file: str, name: str, problem: str) -> UnreadableSession:
    what = f"{shown(name[:60])} " if name else ""
    return UnreadableSession(
        "bad-value",
        f"{shown(file)}: {what}{problem}.",
        "The file is damaged, or no program of its acquisition system wrote it: copy it again.",
    )
