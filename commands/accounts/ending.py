"""An admin ends where somebody else is signed in: a telephone that was lost, a desk that was left."""

from dataclasses import dataclass

from commands.accounts.own import SignIns, sign_ins_of
from commands.accounts.standing import known_account
from commands.accounts.times import now
from commands.door.command import Command
from commands.door.permission import require_admin
from commands.door.world import Decision, Result, World
from ledger import secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInsEnded(Result):
    """How many have ended. No receipt keeps it: the command appends nothing."""

    user: str
    sign_ins: int


class EndSignIns(Command[SignInsEnded]):
    """``only`` is the public id of one; without it all."""

    user: str
    only: str | None = None

    def authorise(self, world: World) -> None:
        require_admin(world, f"end the sign-ins of {self.user}")

    def decide(self, world: World) -> Decision[SignInsEnded]:
        known_account(world, self.user)
        found = [
            one
            for one in secrets.living(world.transaction, self.user, secrets.SIGN_IN, now())
            if self.only in (None, one.id)
        ]
        for one in found:
            secrets.end(world.transaction, one, "an admin ended it")
        return Decision((), SignInsEnded(user=self.user, sign_ins=len(found)))


def sign_ins_for_admin(world: World, user: str) -> SignIns:
    """Raises NotPermitted for whoever is no admin: by which programs somebody comes in is no business of others."""
    require_admin(world, f"see where {user} is signed in")
    return sign_ins_of(world, user)
