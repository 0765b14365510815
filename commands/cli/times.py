"""Times on the command line: ISO 8601 or in words, read as UTC for the log, kept as naive local time for probes.

``utc_time``, ``local_time`` and ``moment`` are callbacks of click options; they raise click.BadParameter.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from commands.answers.sentences import shown as shown

Command = Callable[..., Any]

_AGO = re.compile(r"(an?|[0-9]{1,6}) (second|minute|hour|day|week)s? ago", re.IGNORECASE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EXAMPLES = '2026-01-31, "2026-01-31 14:30", 2026-01-31T14:30:00+01:00, yesterday, monday or "2 hours ago"'


def utc_time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A date or a time, UTC unless it names another offset, as the text that the log is sorted by. A day is its
    beginning."""
    if value is None:
        return None
    text = " ".join(value.split())
    try:
        time = _in_words(text.lower()) or datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f'"{value}" is not a time. Expected a date or a time in UTC: {_EXAMPLES}.'
        ) from None
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _in_words(text: str) -> datetime | None:
    """``now``, ``today``, ``yesterday``, a day of the last week by its name, and so much ``ago``."""
    now = datetime.now(UTC)
    if text == "now":
        return now
    ago = _AGO.fullmatch(text)
    if ago is not None:
        number = 1 if ago[1] in ("a", "an") else int(ago[1])
        return now - timedelta(**{f"{ago[2]}s": number})
    days = {"today": 0, "yesterday": 1}
    days |= {name: (now.weekday() - at) % 7 for at, name in enumerate(_DAYS)}
    if text not in days:
        return None
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days[text])


def moment(context: click.Context, parameter: click.Parameter, value: str | None) -> int | str | None:
    """A position of the log, or a time as in ``utc_time``; None for now. Digits alone are a position."""
    text = (value or "").strip()
    if text == "now":
        return None
    if text.isascii() and text.isdigit():
        return int(text[:19])
    try:
        return utc_time(context, parameter, value)
    except click.BadParameter:
        raise click.BadParameter(
            f'"{value}" is neither a position of the log, such as 1234, nor now, nor a date or a time in UTC, such as '
            f"{_EXAMPLES}."
        ) from None


def as_of_option(function: Command) -> Command:
    """``--as-of``, for a verb that reads: its value is for ``invocation.reading``."""
    return click.option(
        "--as-of",
        metavar="MOMENT",
        callback=moment,
        help="What it said then: a position of the log, or a time (UTC).",
    )(function)


def local_time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A naive local time as ``YYYY-MM-DD HH:MM:SS``, with a fraction only where there is one."""
    if value is None:
        return None
    expected = 'Expected local time: 2023-03-01 or "2023-03-01 14:30:00".'
    try:
        time = datetime.fromisoformat(value.strip())
    except ValueError:
        raise click.BadParameter(f'"{value}" is not a time. {expected}') from None
    if time.tzinfo is not None:
        raise click.BadParameter(f'"{value}" names a time zone. {expected}')
    return time.isoformat(sep=" ")
