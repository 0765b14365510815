"""What everybody does to his or her own account: change the password, see where one is signed in, end it there."""

from dataclasses import dataclass

from pydantic import PrivateAttr

from commands.accounts import passwords
from commands.accounts.invitations import password_of
from commands.accounts.sign_ins import Origin, forgive, has_idled, prove_password, words_of_lab
from commands.accounts.standing import account_event
from commands.accounts.times import now
from commands.door.actor import Authentication
from commands.door.command import Command
from commands.door.permission import require_self
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import secrets
from ledger.events import PasswordChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSet(Result):
    """``sign_ins`` is how many have ended by it: all there were."""

    user: str
    sign_ins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLine:
    """``program`` is what the client called itself. ``used_at`` is noted every ten minutes at most."""

    id: str
    authentication: Authentication
    program: str
    begun_at: str
    used_at: str | None
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIns:
    """Where a user is signed in, the newest last."""

    position: int
    user: str
    sign_ins: list[SignInLine]


class ChangePassword(Command[PasswordSet]):
    """By who has proven the one before: see ``change_password``."""

    user: str
    _password: str = PrivateAttr(default="")

    def authorise(self, world: World) -> None:
        require_self(world, self.user, f"change the password of {self.user}")

    def decide(self, world: World) -> Decision[PasswordSet]:
        ended = secrets.living(world.transaction, self.user, secrets.SIGN_IN, now())
        secrets.end_of_user(
            world.transaction, self.user, "the password was changed", secrets.SIGN_IN, secrets.HALF_SIGN_IN
        )
        secrets.write(world.transaction, password_of(self.user, self._password))
        event = account_event(self.user, PasswordChanged(user=self.user, by_reset=False))
        return Decision([event], PasswordSet(user=self.user, sign_ins=len(ended)))


def change_password(daybook: Daybook, old: str, new: str, origin: Origin) -> PasswordSet:
    """Raises what ``sign_in`` raises for the old one, and Refusal for a new one that is weak."""
    user = daybook.actor.user
    forgive(daybook.ledger, prove_password(daybook.ledger, user, old, origin))
    passwords.refuse_weak(new, words=[user, *words_of_lab(daybook.ledger)])
    command = ChangePassword(user=user)
    command._password = passwords.hashed(new)
    return daybook.submit(command).result


def sign_ins(world: World) -> SignIns:
    return sign_ins_of(world, world.actor)


def sign_ins_of(world: World, user: str) -> SignIns:
    kept = secrets.living(world.transaction, user, secrets.SIGN_IN, now())
    lines = [
        SignInLine(
            id=one.id, authentication=one.details["by"], program=one.details["agent"], begun_at=one.created_at,
            used_at=one.used_at, until=one.expires_at,
        )
        for one in kept
        if not has_idled(one)
    ]  # fmt: skip
    return SignIns(position=world.head.size, user=user, sign_ins=lines)


def end_sign_in(daybook: Daybook, sign_in_id: str) -> bool:
    """One's own. False where there is none of this id."""
    with daybook.database.writing() as transaction:
        for one in secrets.living(transaction, daybook.actor.user, secrets.SIGN_IN, now()):
            if one.id == sign_in_id:
                return secrets.end(transaction, one, "signed out")
    return False
