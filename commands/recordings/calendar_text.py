"""Dates as acquisition systems write them, with English month names, whatever this machine's locale is."""

import re
from datetime import datetime

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?", re.ASCII)

_IN_NAME = re.compile(r"(?<!\d)(\d{4})-(\d\d)-(\d\d)[_T -](\d\d)[-.:_](\d\d)[-.:_](\d\d)(?!\d)", re.ASCII)


def month_number(name: str) -> int | None:
    """1 to 12 for an English month name or its abbreviation to three letters or more, else None."""
    lowered = name.lower().rstrip(".")
    if len(lowered) < 3:
        return None
    return next((i for i, month in enumerate(_MONTHS, start=1) if month.startswith(lowered)), None)


def local_time(year: str, month: str, day: str, clock: str) -> datetime | None:
    """Naive local time of a date and a ``h:m:s[.fraction]``; ``month`` is a number or a name. None: no such.

    A year of two digits is of this century, as in the headers of BML and early Cheetah files.
    """
    match = _CLOCK.fullmatch(clock)
    number = int(month) if month.isdecimal() else month_number(month)
    if match is None or number is None or not (year.isdecimal() and day.isdecimal()):
        return None
    hour, minute, second, fraction = match.groups()
    full_year = int(year) + (2000 if len(year) == 2 else 0)
    clock_text = f"{int(hour):02}:{int(minute):02}:{int(second):02}.{(fraction or '0').ljust(6, '0')}"
    try:
        return datetime.fromisoformat(f"{full_year:04}-{number:02}-{int(day):02}T{clock_text}")
    except ValueError:
        return None


def time_in_name(name: str) -> datetime | None:
    """The date and time in the name of a folder (``2020-06-17_12-35-40``), as acquisition programs call them."""
    match = _IN_NAME.search(name)
    return local_time(match[1], match[2], match[3], ":".join(match.groups()[3:])) if match else None
