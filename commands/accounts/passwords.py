"""Passwords: what a good one is, how it is kept, how it is checked. Pure, but for the time and memory that it takes.

Argon2id (RFC 9106), the second of its recommended choices. A check takes 64 MiB and a tenth of a second on purpose; so
many at once are made that a burst of them cannot starve the machine, so many more wait, and the rest is turned away.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from ledger.errors import LedgerUnavailable, Refusal
from ledger.plurals import plural

SHORTEST, LONGEST = 12, 200  # characters
_GOOD_ENOUGH = 3  # of zxcvbn: somewhere above 10^8 guesses
_LOOKED_AT = 72  # characters: what zxcvbn takes grows with the square
HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, hash_len=32, salt_len=16)
AT_ONCE = max(1, min(4, (os.cpu_count() or 1) // 2))
_WAITING = 8
_checking, _coming = BoundedSemaphore(AT_ONCE), BoundedSemaphore(AT_ONCE + _WAITING)


def hashed(password: str) -> str:
    """What is kept of it. Raises LedgerUnavailable where too many come at once."""
    with _one_of_few():
        return HASHER.hash(_bytes(password))


def is_right(password: str, kept: str | None) -> bool:
    """``kept`` None: nobody's. The answer takes as long as that for a user who is known."""
    with _one_of_few():
        try:
            right = HASHER.verify(_nobodys(HASHER) if kept is None else kept, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None


def refuse_weak(password: str, *, words: Iterable[str]) -> None:
    """Raises Refusal for a password that is short or can be guessed. ``words`` are those that an attacker of this
    account would try: user, lab."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refusal(
            "weak-password",
            f"The password has {plural(len(password), 'character')}; it must have {SHORTEST} to {LONGEST}.",
            "Take four or five words that do not belong together.",
        )
    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[word for word in words if word])
    if found["score"] < _GOOD_ENOUGH:
        said = found["feedback"]
        why = said["warning"].rstrip(".") or "Somebody who tries the usual ones would find it"
        raise Refusal(
            "weak-password",
            f"The password can be guessed: {why[0].lower()}{why[1:]}.",
            "Take four or five words that do not belong together.",
        )


def prepare() -> None:
    """Make what the first check would else have to make, and would take longer for."""
    _nobodys(HASHER)


@contextmanager
def _one_of_few() -> Iterator[None]:
    if not _coming.acquire(blocking=False):
        raise LedgerUnavailable(
            "too-many-sign-ins", "Too many people sign in at this moment.", "Try again in a few seconds."
        )
    try:
        with _checking:
            yield
    finally:
        _coming.release()


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    """What nobody's password is checked against, by the same parameters."""
    return hasher.hash(os.urandom(32))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
