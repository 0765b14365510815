"""A moment of the ledger: a position, or a time. Reads the log; writes nothing."""

from ledger.database import Transaction
from ledger.errors import IntegrityFailure, NextStep, Refusal
from ledger.log import Head, now

Moment = int | str
"""How many events there were, or a time as the log writes it: ``2026-01-31T12:00:00.000000Z``."""


def position_of(transaction: Transaction, head: Head, moment: Moment) -> int:
    """How many events there were at that moment. Raises Refusal for one before the ledger or after now."""
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
    while low < high:
        middle = (low + high + 1) // 2
        if recorded_at(transaction, middle) <= time:
            low = middle
        else:
            high = middle - 1
    return low


def recorded_at(transaction: Transaction, position: int) -> str:
    row = transaction.run("SELECT recorded_at FROM events WHERE position = ?", (position,)).fetchone()
    if row is None:
        raise IntegrityFailure(
            "events-missing", f"Position {position} is missing.", "Verify the ledger", NextStep("verify")
        )
    return str(row[0])


def shown(time: str) -> str:
    return time[:19].replace("T", " ") + "Z"
