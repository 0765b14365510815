"""A moment of the ledger: a position, or a time. Reads the log; writes nothing."""

import re

from ledger.database import Transaction
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.log import Head, now

__all__ = ["Moment", "last_until", "position_of", "recorded_around", "recorded_at", "shown"]

_AT_ONCE = 100  # events that one statement looks at
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)
Moment = int | str
"""How many events there were, or a time as the log writes it: ``2026-01-31T12:00:00.000000Z``."""


def position_of(transaction: Transaction, head: Head, moment: Moment) -> int:
    """How many events there were at that moment. Raises Refusal for a moment before the ledger or after now."""
    if isinstance(moment, int):
        if not 0 <= moment <= head.size:
            raise Refusal(
                "no-such-position",
                f"The ledger ends at position {head.size:,}: there is no position {moment:,}.",
                f"Give a position from 0 (the empty ledger) to {head.size}, or a time.",
            )
        return moment
    first = recorded_at(transaction, 1) if head.size else head.recorded_at
    if not head.size or moment < first:
        raise Refusal(
            "before-the-ledger",
            f"At {shown(moment)} there was no ledger yet: it began at {shown(first)}.",
            "Give a later time, in UTC, or a position",
            NextStep("log"),
        )
    if moment > max(now(), head.recorded_at):
        raise Refusal(
            "not-yet",
            f"{shown(moment)} has not come yet; the last event is of {shown(head.recorded_at)}.",
            "Give a time that is past, in UTC, or a position.",
        )
    return last_until(transaction, head.size, moment)


def last_until(transaction: Transaction, size: int, time: str) -> int:
    """The last position that was recorded at a time or before it, 0 where none was: times never decrease along the
    log."""
    low, high = 0, size
    sql = f"SELECT position, recorded_at FROM events WHERE position IN ({', '.join('?' * _AT_ONCE)})"
    while low < high:  # a million events are three round trips
        step = (high - low) / _AT_ONCE
        asked = [low + max(1, round(step * number)) for number in range(1, _AT_ONCE + 1)]
        times = dict(transaction.run(sql, asked).fetchall())
        for position in sorted(set(asked)):
            if position not in times:
                raise _missing(position)
            if times[position] > time:
                high = position - 1
                break
            low = position
    return low


def recorded_at(transaction: Transaction, position: int) -> str:
    row = transaction.run("SELECT recorded_at FROM events WHERE position = ?", (position,)).fetchone()
    if row is None:
        raise _missing(position)
    return _time(position, row[0])


def recorded_around(transaction: Transaction, position: int) -> tuple[str, str]:
    """When the event at a position was recorded (empty for position 0), and when the next one."""
    rows = transaction.run(
        "SELECT position, recorded_at FROM events WHERE position >= ? AND position <= ?",
        (position, position + 1),
    ).fetchall()
    times = dict(rows)
    for expected in (position, position + 1):
        if expected and expected not in times:
            raise _missing(expected)
    at = _time(position, times[position]) if position else ""
    return at, _time(position + 1, times[position + 1])


def _time(position: int, found: object) -> str:
    if not isinstance(found, str) or not _TIME.fullmatch(found):
        raise IntegrityFailure(
            "time-damaged",
            f"Position {position} was recorded at no time that there is.",
            "Verify the ledger",
            NextStep("verify"),
        )
    return found


def _missing(position: int) -> IntegrityFailure:
    return IntegrityFailure(
        "events-missing", f"Position {position} is missing.", "Verify the ledger", NextStep("verify")
    )


def shown(time: str) -> str:
    return time[:19].replace("T", " ") + "Z"
