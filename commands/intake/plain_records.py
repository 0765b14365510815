"""What was read, as the plain data that events hold: times as text. Pure."""

from datetime import datetime
from typing import Any


def time_text(time: datetime) -> str:
    """Naive local time as it is stored everywhere: ``YYYY-MM-DD HH:MM:SS``, with a fraction only where there is one."""
    return time.isoformat(sep=" ")


def is_local_time(text: str) -> bool:
    """Whether text is a naive local time in that form: texts then compare as times do."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    return time.tzinfo is None and time_text(time) == text


def plain_record(record: Any) -> dict[str, Any]:
    """A flat record as plain data. (``dataclasses.asdict`` would copy every value, which takes longer than reading.)"""
    plain = {}
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        if value.__class__ is datetime:
            value = time_text(value)
        plain[name] = list(value) if value.__class__ is tuple else value
    return plain
