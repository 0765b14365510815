"""Times of secrets, written as the log's, and how long something may last. Pure."""

import re
from datetime import UTC, datetime, timedelta

from ledger.errors import Refusal

_LENGTH = re.compile(r"([1-9][0-9]{0,4})([hd])")
_LONGEST = timedelta(days=3660)


def now() -> str:
    return _written(datetime.now(UTC))


def from_now(length: timedelta) -> str:
    return _written(datetime.now(UTC) + length)


def before_now(length: timedelta) -> str:
    return _written(datetime.now(UTC) - length)


def _written(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def checked_length(text: str) -> timedelta:
    """``90d`` or ``12h``. Raises Refusal for anything else, and for more than ten years."""
    found = _LENGTH.fullmatch(text)
    length = timedelta(**{{"h": "hours", "d": "days"}[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise Refusal(
            "length-of-time",
            f'"{text[:40]}" is no length of time.',
            "Give hours or days, ten years at most, such as 12h or 90d.",
        )
    return length
