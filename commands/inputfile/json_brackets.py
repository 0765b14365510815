"""What a reader of broken JSON has open, and what it holds against the text."""

from dataclasses import dataclass

CLOSER = {"{": "}", "[": "]"}
LISTS = {
    f'"{key}"'
    for key in (
        "sessions",
        "tasks",
        "clustering",
        "objects",
        "cue_cards",
        "curtains",
        "experimenter",
        "project",
    )
}


@dataclass(slots=True)
class Mistake:
    """``edit`` replaces text[start:end]; ``at`` is the offset to point at."""

    code: str
    at: int
    message: str
    hint: str
    start: int
    end: int
    edit: str


@dataclass(slots=True)
class Open:
    """An open bracket.

    ``indent`` is the indentation of its line, ``child`` the column in which its children start. ``expects``
    is "first key", "key", "colon", "first value", "value" or "comma". ``key`` is the last key that was read;
    ``item_key`` and ``item_at`` are key and offset of the last value.
    """

    bracket: str
    at: int
    indent: int
    expects: str
    child: int | None = None
    key: str = ""
    item_key: str = ""
    item_at: int = -1
