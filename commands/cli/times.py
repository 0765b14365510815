"""Times on the command line: ISO 8601 or in words, read and shown in the user's zone, and UTC in the log; those of
probes are kept as naive local time.

``utc_time``, ``local_time`` and ``moment`` are callbacks of click options; they raise click.BadParameter.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from commands.answers.sentences import shown as shown_in_utc
from commands.answers.times import EXAMPLES, moment_of, time_of

Command = Callable[..., Any]


def zone_of(context: click.Context | None) -> tzinfo | None:
    """The reader's zone: UTC with --utc, else that of the settings, else None for the machine's. Without a command
    line, UTC.
    """
    invocation = None if context is None else context.find_root().obj
    if invocation is None or invocation.utc:
        return UTC
    zone: tzinfo | None = invocation.settings.zone
    return zone


def shown(recorded_at: str | None) -> str:
    """A time of the log, to the second, in the user's zone: ``2026-01-31 14:30:00Z``, ``2026-01-31 15:30:00+01:00``."""
    if not recorded_at:
        return ""
    zone = zone_of(click.get_current_context(silent=True))
    if zone is UTC:
        return shown_in_utc(recorded_at)
    try:
        text = datetime.fromisoformat(recorded_at).astimezone(zone).isoformat(sep=" ", timespec="seconds")
    except (ValueError, OverflowError):  # at either end of the calendar
        return shown_in_utc(recorded_at)
    return text.replace("+00:00", "Z")


def utc_time(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """A date or a time of the user's zone, as ``time_of`` reads it."""
    return None if value is None else _read(value, zone_of(context))


def time_in_utc(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Like ``utc_time``, for what is counted by days of UTC, wherever the user is."""
    return None if value is None else _read(value, UTC)


def _read(value: str, zone: tzinfo | None) -> str:
    try:
        return time_of(value, zone)
    except ValueError:
        raise click.BadParameter(f'"{value}" is not a time. Expected a date or a time: {EXAMPLES}.') from None


def moment(context: click.Context, _parameter: click.Parameter, value: str | None) -> int | str | None:
    """A position of the log, or a time as in ``utc_time``; None for now. Digits alone are a position."""
    if value is None:
        return None
    plain = value.strip()
    zone = UTC if plain == "now" or plain.isdigit() else zone_of(context)  # which asks the settings
    try:
        return moment_of(value, zone)
    except ValueError:
        raise click.BadParameter(
            f'"{value}" is neither a position of the log, such as 1234, nor now, nor a date or a time, such as '
            f"{EXAMPLES}."
        ) from None


def as_of_option(function: Command) -> Command:
    """``--as-of``, for a verb that reads: its value is for ``invocation.reading``."""
    return click.option(
        "--as-of",
        metavar="MOMENT",
        callback=moment,
        help="What it said then: a position of the log, or a time.",
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
