"""Is a curation_time possible? Nothing is curated in the future, or before it was recorded."""

from collections.abc import Iterable
from datetime import datetime

Said = tuple[str, str, str]  # code, message, hint


def doubtful_curation_time(
    curation_time: str, *, now: datetime | None, recordings: Iterable[tuple[str, datetime]]
) -> Said | None:
    """Code, message and hint of a warning, or None.

    ``curation_time`` is ``YYYY-MM-DD HH:MM:SS[.ffffff]``; all times are naive and of the lab's zone. ``now`` is None
    where it is not known. ``recordings`` are what was curated, each with what to call it and its start.
    """
    curated = datetime.fromisoformat(curation_time)
    if now is not None and curated > now:
        message = f"curation_time {curation_time} is in the future: it is {now:%Y-%m-%d %H:%M} now."
        return "curation-in-the-future", message, "Check the year, the month and the clock."
    before = max((start, name) for name, start in recordings) if (recordings := list(recordings)) else None
    if before is not None and curated < before[0]:
        message = f"curation_time {curation_time} is before {before[1]} was recorded ({before[0]:%Y-%m-%d %H:%M:%S})."
        return "curation-before-recording", message, "Check the year, the month and the clock."
    return None
