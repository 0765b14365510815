"""Codes by which somebody gets in once: of invitations and resets. What became of one is said to whoever brings it."""

from commands.accounts.random_text import Given, is_of, taken_apart
from commands.accounts.standing import ENDED
from commands.accounts.times import now
from ledger import secrets
from ledger.database import Transaction
from ledger.errors import Refusal

USED, REVOKED, SUPERSEDED = "used", "revoked", "superseded"
_NAMES = {secrets.INVITATION: "invitation", secrets.PASSWORD_RESET: "link", secrets.FACTOR_RESET: "link"}
_ASK = "Ask an admin for another."
_ENDED = {
    USED: (
        "was used already",
        "Sign in with the password that you have by now; an admin can make another link.",
    ),
    REVOKED: ("was revoked", _ASK),
    SUPERSEDED: ("was replaced by a newer one", "Take the newest that you were given."),
    ENDED: ("ended, because the account was disabled", "Ask an admin to enable the account."),
}


def good(transaction: Transaction, text: str, kind: str) -> secrets.Secret:
    """The invitation or reset that a code is of. Raises Refusal with what became of it, where it lets nobody in."""
    given, name = taken_apart(text.strip(), kind), _NAMES[kind]
    kept = None if given is None else secrets.find(transaction, given.id)
    if given is None or kept is None or kept.kind != kind:
        raise _unknown(name)
    if not kept.is_living:
        said, hint = _ENDED[kept.details["ended"]]
        raise Refusal(f"{name}-ended", f"This {name} {said}.", hint)
    if not is_of(given.secret, kept.digest):
        raise _unknown(name)
    if kept.has_expired(now()):
        until = f"{(kept.expires_at or '')[:16].replace('T', ' ')} UTC"
        raise Refusal(f"{name}-expired", f"This {name} was good until {until} and has expired.", _ASK)
    return kept


def write(transaction: Transaction, given: Given, user: str, details: dict[str, str], until: str) -> None:
    """In place of the one before, if there is one."""
    secrets.end_of_user(transaction, user, SUPERSEDED, given.kind)
    kept = secrets.Secret(given.id, given.kind, user, given.digest, details, now(), until)
    secrets.write(transaction, kept)


def _unknown(name: str) -> Refusal:
    return Refusal(
        f"no-such-{name}",
        f"This is the code of no {name} here.",
        "Copy it whole, or ask an admin for another.",
    )
