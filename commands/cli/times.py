"""Times on the command line: ISO 8601, read as UTC for the log, kept as naive local time for probes.

``utc_time``, ``local_time`` and ``moment`` are callbacks of click options; they raise click.BadParameter.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

Command = Callable[..., Any]


def utc_time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A date or a time, UTC unless it names another offset, as the text that the log is sorted by."""
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value.strip())
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        expected = '2026-01-31, "2026-01-31 14:30" or 2026-01-31T14:30:00+01:00'
        raise click.BadParameter(
            f'"{value}" is not a time. Expected a date or a time in UTC: {expected}.'
        ) from None
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


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
            '2026-01-31, "2026-01-31 14:30" or 2026-01-31T14:30:00+01:00.'
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


def shown(recorded_at: str | None) -> str:
    """A time of the log, to the second: ``2026-01-31 14:30:00Z``."""
    return "" if not recorded_at else recorded_at[:19].replace("T", " ") + "Z"
