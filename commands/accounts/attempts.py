"""Attempts to sign in: counted in the database, by account and by address, before they are made. The only module that
writes the table ``sign_in_failures``.

An attempt counts as failed until it has not: however many come at once, no more of them are made than may fail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

from ledger.database import Database, Transaction
from ledger.errors import Refusal

OF_ACCOUNT, OF_ADDRESS = 10, 100  # failures within an hour; a lab is one address
_TOLD, _MOST_TOLD = "told", 20  # series within an hour that are told of
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_FORMAT = "%Y-%m-%dT%H:%MZ"


Of = Literal["account", "name", "address"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What failures are counted of, and how many there may be."""

    of: Of
    which: str
    most: int

    @classmethod
    def account(cls, user: str, *, is_known: bool) -> "Counted":
        """Of a name that is nobody's no more is kept than a digest: it may be a password in the wrong field."""
        if is_known:
            return cls("account", user, OF_ACCOUNT)
        return cls("name", sha256(user.encode("utf-8", "surrogatepass")).hexdigest(), OF_ACCOUNT)

    @classmethod
    def address(cls, address: str) -> "Counted":
        return cls("address", address, OF_ADDRESS)

    @property
    def who(self) -> str:
        return f"{self.of} {self.which}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """``reached`` are those who may not fail again within the hour, if this attempt fails."""

    minute: str
    counted: tuple[Counted, ...]
    reached: tuple[Counted, ...]


class TooManyAttempts(Refusal):
    """``seconds`` is how long until another attempt is taken."""

    def __init__(self, message: str, hint: str, *, seconds: int) -> None:
        super().__init__("too-many-attempts", message, hint)
        self.seconds = seconds


def begin(database: Database, counted: Sequence[Counted]) -> Attempt:
    """Count an attempt as failed. Raises TooManyAttempts where there were too many within an hour."""
    now = datetime.now(UTC)
    minute, since = now.strftime(_FORMAT), (now - _HOUR).strftime(_FORMAT)
    with database.writing() as transaction:
        transaction.wait_for("sign-in")
        transaction.run("DELETE FROM sign_in_failures WHERE minute < ?", (since,))
        reached = []
        for each in counted:
            failures = _failures(transaction, each.who)
            if sum(number for _, number in failures) >= each.most:
                raise _too_many(each, failures, now)
            if sum(number for _, number in failures) + 1 == each.most:
                reached.append(each)
        for each in counted:
            transaction.run(
                "INSERT INTO sign_in_failures (who, minute, failures) VALUES (?, ?, 1) "
                "ON CONFLICT (who, minute) DO UPDATE SET failures = sign_in_failures.failures + 1",
                (each.who, minute),
            )
    return Attempt(minute, tuple(counted), tuple(reached))


def forgive(transaction: Transaction, attempt: Attempt) -> None:
    """The attempt has not failed."""
    for each in attempt.counted:
        transaction.run(
            "UPDATE sign_in_failures SET failures = failures - 1 WHERE who = ? AND minute = ?",
            (each.who, attempt.minute),
        )


def is_first(database: Database, counted: Counted) -> bool:
    """Whether nobody has been told within the hour that these fail in series, and not of too many others."""
    minute = datetime.now(UTC).strftime(_FORMAT)
    with database.writing() as transaction:
        transaction.wait_for("sign-in")
        rows = transaction.run(
            "SELECT who FROM sign_in_failures WHERE who LIKE ?", (f"{_TOLD} %",)
        ).fetchall()
        told = {who for (who,) in rows}
        if f"{_TOLD} {counted.who}" in told or len(told) >= _MOST_TOLD:
            return False
        transaction.run(
            "INSERT INTO sign_in_failures (who, minute, failures) VALUES (?, ?, 0)",
            (f"{_TOLD} {counted.who}", minute),
        )
    return True


def _failures(transaction: Transaction, who: str) -> list[tuple[str, int]]:
    rows = transaction.run(
        "SELECT minute, failures FROM sign_in_failures WHERE who = ? ORDER BY minute", (who,)
    ).fetchall()
    return [(minute, number) for minute, number in rows]


def _too_many(counted: Counted, failures: list[tuple[str, int]], now: datetime) -> TooManyAttempts:
    """The oldest are forgotten first; another is taken as soon as there are fewer than the most."""
    left = sum(number for _, number in failures)
    seconds = 0
    for minute, number in failures:
        left -= number
        forgotten = datetime.strptime(minute, _FORMAT).replace(tzinfo=UTC) + _HOUR + _MINUTE
        seconds = max(1, math.ceil((forgotten - now).total_seconds()))
        if left < counted.most:
            break
    minutes = math.ceil(seconds / 60)
    of = "from this address" if counted.of == "address" else "for this user name"
    return TooManyAttempts(
        f"{counted.most} attempts to sign in {of} failed within an hour.",
        f"Wait {minutes} {'minute' if minutes == 1 else 'minutes'}, then try again. Who is signed in goes on working.",
        seconds=seconds,
    )
