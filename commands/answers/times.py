"""Times that people write, as the log has them: ISO 8601, or in words. Pure but for the clock."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

EXAMPLES = '2026-01-31, "2026-01-31 14:30", 2026-01-31T14:30:00+01:00, yesterday, monday or "2 hours ago"'
_AGO = re.compile(r"(an?|[0-9]{1,6}) (second|minute|hour|day|week)s? ago", re.IGNORECASE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def time_of(text: str, zone: tzinfo | None = UTC) -> str:
    """A date or a time as the text in UTC that the log sorts by. It is in this zone (None: the machine's) unless it
    names an offset; a day means its beginning. Raises ValueError for anything else.
    """
    plain = " ".join(text.split())
    try:
        time = _in_words(plain.lower(), zone) or datetime.fromisoformat(plain)
        if time.tzinfo is None and zone is not None:
            time = time.replace(tzinfo=zone)
        time = time.astimezone(UTC)  # without any zone, the machine's
    except (OverflowError, OSError) as error:
        raise ValueError(text) from error
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(text: str, zone: tzinfo | None = UTC) -> int | str | None:
    """A position of the log, or a time; None for now. Digits alone are a position. Raises ValueError."""
    plain = text.strip()
    if plain == "now":
        return None
    if plain.isascii() and plain.isdigit():
        return int(plain[:18])
    return time_of(plain, zone)


def _in_words(text: str, zone: tzinfo | None) -> datetime | None:
    """``now``, ``today``, ``yesterday``, a day of the last week by its name, and so much time ``ago``. Days are
    those of the wall clock, without a zone.
    """
    now = datetime.now(UTC)
    if text == "now":
        return now
    ago = _AGO.fullmatch(text)
    if ago is not None:
        number = 1 if ago[1] in ("a", "an") else int(ago[1])
        return now - timedelta(**{f"{ago[2]}s": number})
    on_the_wall = now.astimezone(zone).replace(tzinfo=None)
    days = {"today": 0, "yesterday": 1}
    days |= {name: (on_the_wall.weekday() - at) % 7 for at, name in enumerate(_DAYS)}
    if text not in days:
        return None
    midnight = on_the_wall.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days[text])
