"""The second factor: time-based one-time passwords (RFC 6238), ten recovery codes, and what takes them.

The shared secret is kept encrypted with the server's key; the last step whose code was used is kept beside it, so that
a code works once. Recovery codes are kept as digests.
"""

import secrets as chance
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from time import time

from pydantic import PrivateAttr

from commands.accounts.random_text import digest_of, new_id
from commands.accounts.server_key import ServerKey
from commands.accounts.standing import account_event
from commands.accounts.times import from_now, now
from commands.door.command import Command
from commands.door.ledger import Ledger
from commands.door.permission import needs_second_factor, require_self
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import secrets
from ledger.database import Transaction
from ledger.errors import Refusal
from ledger.events import SecondFactorAdded, SecondFactorRemoved

STEP_S = 30
_DRIFT = 1  # steps: how far the clock of a telephone may be off
_RECOVERY_CODES = 10
_SETTING_UP = timedelta(hours=1)
_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # none that is taken for another
_GROUPS, _GROUP = 4, 4  # of a recovery code: 78 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor(Result):
    """``on`` after it was changed."""

    user: str
    on: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class SettingUp:
    """``secret`` for an authenticator app that has no camera; ``svg`` for one that has."""

    secret: str
    svg: str


class AddSecondFactor(Command[SecondFactor]):
    """In place of the one before, if there is one."""

    RECOVERS = True  # whoever has to have one may set it up without it
    user: str
    _proven: tuple[secrets.Secret, int] | None = PrivateAttr(default=None)
    _codes: list[str] = PrivateAttr(default_factory=list)

    def authorise(self, world: World) -> None:
        require_self(world, self.user, f"set up a second factor for {self.user}")

    def decide(self, world: World) -> Decision[SecondFactor]:
        if self._proven is None:
            raise ValueError("a second factor of which no code was given: see ``confirm``")
        _keep(world.transaction, *self._proven, self._codes)
        event = account_event(self.user, SecondFactorAdded(user=self.user))
        return Decision([event], SecondFactor(user=self.user, on=True, changed=True))


class RemoveSecondFactor(Command[SecondFactor]):
    """One's own, where none is needed."""

    user: str

    def authorise(self, world: World) -> None:
        require_self(world, self.user, f"remove the second factor of {self.user}")

    def decide(self, world: World) -> Decision[SecondFactor]:
        account = world.state.users.get(self.user)
        if account is None or not account.second_factor:
            return Decision((), SecondFactor(user=self.user, on=False, changed=False))
        if needs_second_factor(world, self.user):
            raise Refusal(
                "second-factor-required", f"The role of {self.user} needs a second factor.",
                "Set up another in its place.",
            )  # fmt: skip
        forget(world.transaction, self.user, "removed")
        event = account_event(self.user, SecondFactorRemoved(user=self.user, by_reset=False))
        return Decision([event], SecondFactor(user=self.user, on=False, changed=True))


def set_up(ledger: Ledger, key: ServerKey, user: str, *, lab: str) -> SettingUp:
    """What an authenticator app has to be told; the same for an hour, or until a code of it was given."""
    import pyotp
    import segno

    with ledger.database.writing() as transaction:
        kept = secrets.find(transaction, _new_id(user))
        if kept is None or not kept.is_living or kept.has_expired(now()):
            digest = key.encrypted(pyotp.random_base32())
            kept = secrets.Secret(
                _new_id(user), secrets.NEW_FACTOR, user, digest, {}, now(), from_now(_SETTING_UP)
            )
            secrets.write(transaction, kept)
    secret = key.decrypted(kept.digest)
    address = pyotp.TOTP(secret).provisioning_uri(name=user, issuer_name=f"Daybook {lab}")
    return SettingUp(secret, segno.make(address, error="m").svg_inline(scale=5, omitsize=False))


def confirm(daybook: Daybook, key: ServerKey, code: str) -> list[str]:
    """The recovery codes, which are told this once. Raises Refusal for a wrong code."""
    user = daybook.actor.user
    with daybook.database.reading() as transaction:
        kept = secrets.find(transaction, _new_id(user))
    step = None
    if kept is not None and kept.is_living and not kept.has_expired(now()):
        step = _step_of(key.decrypted(kept.digest), code, after=0)
    if kept is None or step is None:
        raise Refusal(
            "wrong-code", "That is not the code that the app shows by now.",
            "Mind that the clock of the telephone is right, and give the code that it shows.",
        )  # fmt: skip
    command = AddSecondFactor(user=user)
    command._proven = kept, step
    command._codes = [_recovery_code() for _ in range(_RECOVERY_CODES)]
    daybook.submit(command)
    return command._codes


def is_on(transaction: Transaction, user: str) -> bool:
    kept = secrets.find(transaction, _id(user))
    return kept is not None and kept.is_living


def is_right(ledger: Ledger, key: ServerKey, user: str, code: str) -> bool:
    """Whether it is a code that the app shows now, or a recovery code: one that was not used before. It is then.

    Raises Refusal where the key of the server is another by now; a recovery code works then too.
    """
    plain = code.replace(" ", "").replace("-", "").lower()
    with ledger.database.writing() as transaction:
        for each in secrets.of_user(transaction, user, secrets.RECOVERY_CODE):
            if each.is_living and compare_digest(each.digest, digest_of(plain)):
                return secrets.end(transaction, each, "used")
        kept = secrets.find(transaction, _id(user))
        if kept is None or not kept.is_living:
            return False
        step = _step_of(key.decrypted(kept.digest), plain, after=kept.details["last_step"])
        return step is not None and secrets.change(transaction, kept, kept.details | {"last_step": step})


def recovery_codes_left(transaction: Transaction, user: str) -> int:
    return sum(each.is_living for each in secrets.of_user(transaction, user, secrets.RECOVERY_CODE))


def forget(transaction: Transaction, user: str, why: str) -> None:
    secrets.end_of_user(
        transaction, user, why, secrets.SECOND_FACTOR, secrets.NEW_FACTOR, secrets.RECOVERY_CODE
    )


def renew(ledger: Ledger, key: ServerKey) -> None:
    """Encrypt all secrets with the newest of the server's keys; what none of them can read stays as it is."""
    with ledger.database.reading() as transaction:
        kinds = (secrets.SECOND_FACTOR, secrets.NEW_FACTOR, secrets.WEBHOOK)
        found = [kept for kind in kinds for kept in secrets.of_kind(transaction, kind) if kept.is_living]
    for kept in found:
        if not key.is_newest(kept.digest):
            with suppress(Refusal), ledger.database.writing() as transaction:
                secrets.change_digest(transaction, kept, key.renewed(kept.digest))


def _keep(transaction: Transaction, kept: secrets.Secret, step: int, codes: list[str]) -> None:
    """Who is signed in without it is out."""
    forget(transaction, kept.username, "replaced")
    secrets.end_of_user(
        transaction, kept.username, "a second factor was set up", secrets.SIGN_IN, secrets.HALF_SIGN_IN
    )
    details = {"last_step": step}
    new = secrets.Secret(
        _id(kept.username), secrets.SECOND_FACTOR, kept.username, kept.digest, details, now(), None
    )
    secrets.write(transaction, new)
    for code in codes:
        digest = digest_of(code.replace("-", ""))
        secrets.write(
            transaction,
            secrets.Secret(new_id(), secrets.RECOVERY_CODE, kept.username, digest, {}, now(), None),
        )


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """The step that a code is of; None where it is of none that is near, or of one that was used."""
    import pyotp

    app, step = pyotp.TOTP(secret), int(time()) // STEP_S
    near = [step + drift for drift in range(-_DRIFT, _DRIFT + 1)]
    found = [each for each in near if compare_digest(app.at(each * STEP_S).encode(), code.strip().encode())]
    return next((each for each in found if each > after), None)


def _recovery_code() -> str:
    return "-".join("".join(chance.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def _id(user: str) -> str:
    return f"{secrets.SECOND_FACTOR}/{user}"


def _new_id(user: str) -> str:
    return f"{secrets.NEW_FACTOR}/{user}"
