"""Sign-ins: begun with a password, kept as a digest, known by it from one request to the next, ended.

One is carried by a cookie (pages) or as a bearer token (programs), and by nothing else than it was made for. Roles are
no part of it: what somebody may do is asked of the ledger each time.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from commands.accounts import attempts, passwords, second_factor
from commands.accounts.attempts import Attempt, Counted
from commands.accounts.bearers import known, note_use
from commands.accounts.codes import good
from commands.accounts.invitations import AcceptInvitation, password_id
from commands.accounts.random_text import FACTOR_PREFIX, Given, new
from commands.accounts.resets import KINDS, ResetDone, ResetPassword, ResetSecondFactor, What
from commands.accounts.series import notice
from commands.accounts.server_key import ServerKey
from commands.accounts.standing import DISABLED
from commands.accounts.times import before_now, from_now, now
from commands.door.actor import PASSWORD, SECOND_FACTOR, Actor, Authentication
from commands.door.command_ids import new_command_id
from commands.door.ledger import Ledger
from commands.door.submit import Daybook
from ledger import secrets
from ledger.database import Transaction
from ledger.errors import Refusal

Carrier = Literal["cookie", "bearer"]
LASTS = timedelta(days=7)
IDLE = timedelta(hours=12)  # of one in a cookie: somebody left the desk
_NOTED_EVERY = timedelta(minutes=10)
_LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: its address, its program, and by what the sign-in will be carried."""

    address: str
    agent: str = ""
    carrier: Carrier = "bearer"
    interface: str = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """``id`` is public. ``until``: when it ends, whatever is done."""

    position: int
    id: str
    user: str
    authentication: Authentication
    until: str


class WrongCredentials(Refusal):
    """The same for a user who is known and one who is not."""

    def __init__(self) -> None:
        super().__init__(
            "wrong-credentials", "User name or password is wrong.",
            "Mind capitals in both. An admin can make a link for a new password.",
        )  # fmt: skip


class SecondFactorNeeded(Refusal):
    """The password is right, and not enough."""

    def __init__(self) -> None:
        super().__init__(
            "second-factor-needed", "A code of your second factor is needed.",
            "Give the one that your app shows, or a recovery code.",
        )  # fmt: skip


class WrongCode(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "wrong-code", "The code is wrong, or was used already.",
            "Wait for the next one of your app, or give a recovery code.",
        )  # fmt: skip


def sign_in(
    ledger: Ledger, key: ServerKey, user: str, password: str, origin: Origin, *, code: str | None = None
) -> tuple[SignedIn, str]:
    """What is said, and the secret. Raises WrongCredentials, SecondFactorNeeded, WrongCode, TooManyAttempts, and
    Refusal where the account is disabled."""
    attempt = prove_password(ledger, user, password, origin)
    with ledger.database.reading() as transaction:
        has_second = second_factor.is_on(transaction, user)
    if has_second:
        if code is None:
            forgive(ledger, attempt)
            raise SecondFactorNeeded
        if not second_factor.is_right(ledger, key, user, code):
            notice(ledger, attempt, interface=origin.interface)
            raise WrongCode
    with ledger.database.writing() as transaction:
        attempts.forgive(transaction, attempt)
        return begun(transaction, user, SECOND_FACTOR if has_second else PASSWORD, origin)


def prove_password(ledger: Ledger, user: str, password: str, origin: Origin) -> Attempt:
    """The attempt counts as failed until it is forgiven. Raises what ``sign_in`` raises."""
    known, kept = _kept_password(ledger, user)
    counted = (Counted.account(user, is_known=known), Counted.address(origin.address))
    attempt = attempts.begin(ledger.database, counted)
    if not passwords.is_right(password, kept):
        notice(ledger, attempt, interface=origin.interface)
        raise WrongCredentials
    _refuse_disabled(ledger, user, attempt)
    return attempt


def forgive(ledger: Ledger, attempt: Attempt) -> None:
    with ledger.database.writing() as transaction:
        attempts.forgive(transaction, attempt)


def accept(
    ledger: Ledger, code: str, password: str, origin: Origin, *, command_id: str | None = None
) -> tuple[SignedIn, str]:
    """Join by the code of an invitation, and be signed in. Raises Refusal for a code that is not good (any more), or a
    weak password."""
    with ledger.database.reading() as transaction:
        invitation = good(transaction, code, secrets.INVITATION)
    user = invitation.username
    passwords.refuse_weak(password, words=[user, *words_of_lab(ledger)])
    daybook = Daybook(ledger, Actor(user, origin.interface, authentication=PASSWORD))
    command = AcceptInvitation(command_id=command_id or new_command_id(), user=user, invitation=invitation.id)
    command._code, command._password = code, passwords.hashed(password)
    daybook.submit(command)
    with ledger.database.writing() as transaction:
        return begun(transaction, user, PASSWORD, origin)


def actor_by_sign_in(ledger: Ledger, text: str, carrier: Carrier, *, interface: str) -> Actor | None:
    """Whoever comes with this; None where it is none, or has ended: nobody is told which. Whether the role needs more
    than a password is asked by whoever lets the actor do something."""
    kept = sign_in_by(ledger, text, carrier)
    if kept is None:
        return None
    note_use(ledger, kept, every=_NOTED_EVERY)
    return Actor(kept.username, interface, authentication=kept.details["by"], until=kept.expires_at)


def sign_in_by(ledger: Ledger, text: str, carrier: Carrier) -> secrets.Secret | None:
    kept = known(ledger, text, secrets.SIGN_IN)
    return None if kept is None or kept.details["carrier"] != carrier or has_idled(kept) else kept


def has_idled(kept: secrets.Secret) -> bool:
    last = kept.used_at or kept.created_at
    return kept.details["carrier"] == "cookie" and last < before_now(IDLE)


def reset(
    ledger: Ledger, code: str, password: str, origin: Origin, *, command_id: str | None = None
) -> ResetDone:
    """By the code of a link. Of a password ``password`` is the new one; of a second factor it is the one that the user
    has, and is proven first. Raises Refusal for a code that is not good (any more)."""
    what: What = "second-factor" if code.strip().startswith(FACTOR_PREFIX) else "password"
    with ledger.database.reading() as transaction:
        user = good(transaction, code, KINDS[what]).username
    daybook = Daybook(ledger, Actor(user, origin.interface, authentication=PASSWORD))
    command: ResetPassword | ResetSecondFactor
    if what == "password":
        passwords.refuse_weak(password, words=[user, *words_of_lab(ledger)])
        command = ResetPassword(command_id=command_id or new_command_id(), user=user)
        command._password = passwords.hashed(password)
    else:
        forgive(ledger, prove_password(ledger, user, password, origin))
        command = ResetSecondFactor(command_id=command_id or new_command_id(), user=user)
    command._code = code
    return daybook.submit(command).result


def sign_out(ledger: Ledger, kept: secrets.Secret) -> None:
    with ledger.database.writing() as transaction:
        secrets.end(transaction, kept, "signed out")


def _refuse_disabled(ledger: Ledger, user: str, attempt: Attempt) -> None:
    """Said to who knows the password, and to nobody else."""
    with ledger.reading() as (transaction, head):
        row = transaction.run(
            f"SELECT account FROM users_{head.live_slot} WHERE username = ?", (user,)
        ).fetchone()
    if row is not None and row[0] == DISABLED:
        forgive(ledger, attempt)
        raise Refusal("account-disabled", f"The account of {user} is disabled.", "Ask an admin to enable it.")


def _kept_password(ledger: Ledger, user: str) -> tuple[bool, str | None]:
    """Whether somebody has joined under this name, and what is kept of the password."""
    with ledger.database.reading() as transaction:
        kept = secrets.find(transaction, password_id(user))
    return kept is not None, kept.digest if kept is not None and kept.is_living else None


def begun(transaction: Transaction, user: str, by: Authentication, origin: Origin) -> tuple[SignedIn, str]:
    """A new one, with an id that was never sent before: whatever was in the request has no part in it."""
    given: Given = new(secrets.SIGN_IN)
    until = from_now(LASTS)
    agent = "".join(c for c in origin.agent if c.isprintable())[:_LONGEST_AGENT]
    details = {"by": by, "carrier": origin.carrier, "agent": agent}
    kept = secrets.Secret(given.id, given.kind, user, given.digest, details, now(), until)
    secrets.write(transaction, kept)
    (size,) = transaction.run("SELECT size FROM head").fetchone()
    return SignedIn(position=size, id=given.id, user=user, authentication=by, until=until), given.text


def words_of_lab(ledger: Ledger) -> list[str]:
    """Words that an attacker of this ledger would try."""
    with ledger.database.reading() as transaction:
        (origin,) = transaction.run("SELECT origin FROM head").fetchone()
    return [origin, *origin.replace("/", " ").replace(".", " ").split()]
