"""What a service account may do besides its role: settle anybody's entries, or act on behalf of a user."""

from dataclasses import dataclass
from typing import Literal

import orjson

from commands.accounts.standing import account_event, known_account
from commands.door.actor import EVERYONE, checked_user
from commands.door.command import Command
from commands.door.permission import ON_BEHALF_OF, WORK, require_admin
from commands.door.world import Decision, Result, World
from ledger.errors import NextStep, Refusal
from ledger.events import RightGranted, RightRevoked

Right = Literal["work", "on-behalf-of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RightChanged(Result):
    """``of`` is the user on whose behalf ``user`` may act, null of ``work``. ``changed`` is False where it stood so
    already."""

    user: str
    right: Right
    of: str | None
    changed: bool


class _AboutRight(Command[RightChanged]):
    """A right of the service account ``user``; on-behalf-of takes the user ``of``."""

    user: str
    right: Right
    of: str | None = None

    def authorise(self, world: World) -> None:
        require_admin(world, f"change the rights of {self.user}")

    def has(self, world: World) -> bool:
        """Raises Refusal for a right that cannot be, and for whoever is no service account."""
        if (self.right == ON_BEHALF_OF) != (self.of is not None):
            raise Refusal(
                "right-of-whom",
                f"The right {ON_BEHALF_OF} is about a user, the right {WORK} about nobody.",
                f"Name the user after {ON_BEHALF_OF}, and nobody after {WORK}.",
            )
        account = known_account(world, self.user)
        if not account.owner:
            raise Refusal(
                "not-a-service-account",
                f"{self.user} is no service account; what a person may do is said by his or her role.",
                "Give a role, or add a service account",
                NextStep("add-service-account", arguments={"user": None}),
            )
        if self.of is not None and (checked_user(self.of) in (self.user, EVERYONE)):
            raise Refusal("right-of-whom", f"Nobody acts on behalf of {self.of}.", "Name another user.")
        rights: list[str] = orjson.loads(account.rights)
        return f"{self.right} {self.of or ''}".rstrip() in rights

    def answer(self, *, changed: bool) -> RightChanged:
        return RightChanged(user=self.user, right=self.right, of=self.of, changed=changed)


class GrantRight(_AboutRight):
    def decide(self, world: World) -> Decision[RightChanged]:
        if self.has(world):
            return Decision((), self.answer(changed=False))
        event = RightGranted(user=self.user, right=self.right, of=self.of or "")
        return Decision([account_event(self.user, event)], self.answer(changed=True))


class RevokeRight(_AboutRight):
    def decide(self, world: World) -> Decision[RightChanged]:
        if not self.has(world):
            return Decision((), self.answer(changed=False))
        event = RightRevoked(user=self.user, right=self.right, of=self.of or "")
        return Decision([account_event(self.user, event)], self.answer(changed=True))
