"""Times and lists in sentences, the same in every face. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any


def shown(recorded_at: str | None) -> str:
    """A time of the log, to the second: ``2026-01-31 14:30:00Z``."""
    return "" if not recorded_at else recorded_at[:19].replace("T", " ") + "Z"


def listed(first: str, further: Sequence[str], most: int = 10) -> str:
    """A sentence with lines below it; of many lines the first ones, and how many more there are."""
    more = [f"... and {len(further) - most:,} more"] if len(further) > most else []
    return "\n".join([first, *further[:most], *more])


def said(value: Any) -> str:
    """A value of an answer in one line: its names, or how many parts it has."""
    if isinstance(value, list | tuple):
        if all(isinstance(each, str | int | float) for each in value):
            return ", ".join(map(str, value))
        return ", ".join(named for each in value if (named := _name_of(each)))
    if is_dataclass(value) or isinstance(value, Mapping):
        return _name_of(value)
    return "yes" if value is True else "" if value is None else str(value)


def _name_of(part: Any) -> str:
    """What somebody calls a part of a record by."""
    for name in ("session", "clustering", "task_type", "probe", "file", "location", "message", "name"):
        found = part.get(name) if isinstance(part, Mapping) else getattr(part, name, None)
        if found:
            return str(found)
    return ""


def authenticated(via: Mapping[str, str | None]) -> str:
    """How an actor was authenticated: ``os``, ``claimed``, ``token ab12cd``; and on whose behalf he or she acted."""
    token, owner = via.get("token"), via.get("on_behalf_of")
    by = f"{via.get('authentication') or 'claimed'}{f' {token}' if token else ''}"
    return f"{by}, for {owner}" if owner else by
