"""A sign-in in two steps, for pages: the password, then the code of a second factor where there is one.

Between the two there is half a sign-in, which lets nobody in: it says that the password was right, a few minutes ago.
"""

from dataclasses import dataclass
from datetime import timedelta

from commands.accounts import attempts, second_factor
from commands.accounts.attempts import Counted
from commands.accounts.bearers import known
from commands.accounts.random_text import new
from commands.accounts.series import notice
from commands.accounts.server_key import ServerKey
from commands.accounts.sign_ins import Origin, SignedIn, WrongCode, begun, prove_password
from commands.accounts.times import from_now, now
from commands.door.actor import PASSWORD, SECOND_FACTOR, Authentication
from commands.door.ledger import Ledger
from ledger import secrets
from ledger.errors import Refusal

GOOD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """``half`` goes into the form that asks for the code."""

    user: str
    half: str


class TooLate(Refusal):
    """The password was proven too long ago, or something has changed since."""

    def __init__(self) -> None:
        super().__init__("sign-in-ended", "This took too long.", "Give name and password once more.")


def first_step(ledger: Ledger, user: str, password: str, origin: Origin) -> tuple[SignedIn, str] | CodeNeeded:
    """Raises what ``prove_password`` raises."""
    attempt = prove_password(ledger, user, password, origin)
    with ledger.database.writing() as transaction:
        attempts.forgive(transaction, attempt)
        if not second_factor.is_on(transaction, user):
            return begun(transaction, user, PASSWORD, origin)
        given = new(secrets.HALF_SIGN_IN)
        kept = secrets.Secret(given.id, given.kind, user, given.digest, {}, now(), from_now(GOOD_FOR))
        secrets.write(transaction, kept)
    return CodeNeeded(user, given.text)


def second_step(ledger: Ledger, key: ServerKey, half: str, code: str, origin: Origin) -> tuple[SignedIn, str]:
    """Raises TooLate, WrongCode, TooManyAttempts. A wrong code counts as a wrong password does."""
    kept = known(ledger, half, secrets.HALF_SIGN_IN)
    if kept is None:
        raise TooLate
    counted = (Counted.account(kept.username, is_known=True), Counted.address(origin.address))
    attempt = attempts.begin(ledger.database, counted)
    if not second_factor.is_right(ledger, key, kept.username, code):
        notice(ledger, attempt, interface=origin.interface)
        raise WrongCode
    with ledger.database.writing() as transaction:
        attempts.forgive(transaction, attempt)
        if not secrets.end(transaction, kept, "used"):  # the account was disabled, or its password changed
            raise TooLate
        return begun(transaction, kept.username, SECOND_FACTOR, origin)


def begin_anew(ledger: Ledger, user: str, by: Authentication, origin: Origin) -> tuple[SignedIn, str]:
    """For whoever has just proven who he or she is otherwise."""
    with ledger.database.writing() as transaction:
        return begun(transaction, user, by, origin)


def user_of_ended(ledger: Ledger, text: str) -> str | None:
    """Whose sign-in this was, where it has only lasted too long or idled; for whoever comes with all of it."""
    from commands.accounts.random_text import is_of, taken_apart

    given = taken_apart(text, secrets.SIGN_IN)
    if given is None:
        return None
    with ledger.database.reading() as transaction:
        kept = secrets.find(transaction, given.id)
    if kept is None or kept.kind != secrets.SIGN_IN or not is_of(given.secret, kept.digest):
        return None
    return kept.username
