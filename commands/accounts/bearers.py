"""What lets its bearer in again and again, a token or a sign-in: how one is known, and that its use is noted."""

from contextlib import suppress
from datetime import timedelta

from commands.accounts.random_text import is_of, taken_apart
from commands.accounts.times import before_now, now
from commands.door.ledger import Ledger
from ledger import secrets
from ledger.errors import Refusal


def known(ledger: Ledger, text: str, kind: str) -> secrets.Secret | None:
    """The secret of this kind that the text is; None where it is none, has expired or has ended: nobody is told
    which.
    """
    given = taken_apart(text, kind)
    if given is None:
        return None
    with ledger.database.reading() as transaction:
        kept = secrets.find(transaction, given.id)
    if kept is None or kept.kind != kind or not is_of(given.secret, kept.digest) or kept.has_expired(now()):
        return None
    return kept


def note_use(ledger: Ledger, kept: secrets.Secret, *, every: timedelta) -> None:
    """Not each time; where it cannot be written, it is noted the next time."""
    if kept.used_at is None or kept.used_at < before_now(every):
        with suppress(Refusal), ledger.database.writing() as transaction:
            secrets.mark_used(transaction, kept.id, now())
