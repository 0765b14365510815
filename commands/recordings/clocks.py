"""Whether the start of a recording can be true: clocks of acquisition computers stand at 1969, 2000 or 2049."""

from datetime import datetime, timedelta

from commands.recordings.session import Remark, SessionDirectory, System

_FIRST_YEAR: dict[System, int] = {
    "neuropixels": 2016,
    "openephys": 2011,
    "neurologger": 2005,
    "neuralynx": 1995,
    "axona": 1990,
}
"""No recording of the system is older."""

_LAST_YEAR = 2040
_RESET = (
    1900,
    1904,
    1969,
    1970,
    1980,
    2000,
)  # where a clock without a battery begins; only these years' first or last day


def clock_remark(session: SessionDirectory, *, now: datetime | None) -> Remark | None:
    """A remark where the start cannot be true, or lies ahead of ``now`` (naive; None: that is not asked)."""
    start = session.start
    if start is None:
        return None
    why = ""
    if start.year < _FIRST_YEAR[session.system]:
        why = f"before there was a recording of {session.system}"
    elif start.year in _RESET and (start.month, start.day) in ((1, 1), (12, 31)):
        why = "when a clock without a battery begins"
    elif start.year > _LAST_YEAR or (now is not None and start > now + timedelta(days=1)):
        why = "in the future"
    if not why:
        return None
    source = next((r.start_source or r.file for r in session.recordings if r.start == start), "")
    said = start.isoformat(sep=" ", timespec="seconds")
    message = (
        f"The recording starts at {said} ({source}), {why}: the clock of the acquisition computer was wrong."
    )
    return Remark("clock-in-doubt", said, (source,), message)
