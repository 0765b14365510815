"""Times on the command line: ISO 8601 or in words, read as UTC for the log, kept as naive local time for probes.

``utc_time``, ``local_time`` and ``moment`` are callbacks of click options; they raise click.BadParameter.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from commands.answers.sentences import shown as shown
from commands.answers.times import EXAMPLES, moment_of, time_of

Command = Callable[..., Any]


def utc_time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A date or a time as ``time_of`` reads it."""
    if value is None:
        return None
    try:
        return time_of(value)
    except ValueError:
        raise click.BadParameter(
            f'"{value}" is not a time. Expected a date or a time in UTC: {EXAMPLES}.'
        ) from None


def moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | str | None:
    """A position of the log, or a time as in ``utc_time``; None for now. Digits alone are a position."""
    if value is None:
        return None
    try:
        return moment_of(value)
    except ValueError:
        raise click.BadParameter(
            f'"{value}" is neither a position of the log, such as 1234, nor now, nor a date or a time in UTC, such as '
            f"{EXAMPLES}."
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
