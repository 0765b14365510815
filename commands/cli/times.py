"""Times on the command line: ISO 8601, read as UTC for the log, kept as naive local time for probes.

``utc_time`` and ``local_time`` are callbacks of click options; they raise click.BadParameter.
"""

from datetime import UTC, datetime

import click


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
