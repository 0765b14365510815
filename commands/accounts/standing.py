"""Who has an account, and whether it may be used: service accounts, disabling, enabling."""

from dataclasses import dataclass

from commands.door.actor import EVERYONE, checked_user
from commands.door.command import Command
from commands.door.permission import require_admin
from commands.door.world import Decision, Result, World
from ledger import secrets
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import Body, ServiceAccountAdded, UserDisabled, UserEnabled
from projections.records import User

ACTIVE, DISABLED, NONE = "active", "disabled", ""
ENDED = "the account was disabled"
_WAYS_IN = (
    secrets.SIGN_IN, secrets.HALF_SIGN_IN, secrets.TOKEN, secrets.INVITATION, secrets.PASSWORD_RESET,
    secrets.FACTOR_RESET,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount(Result):
    """``owner`` answers for it."""

    user: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStanding(Result):
    """``changed`` is False where it stood so already."""

    user: str
    account: str
    changed: bool


class AddServiceAccount(Command[ServiceAccount]):
    """``owner`` None is who adds it."""

    user: str
    owner: str | None = None

    def authorise(self, world: World) -> None:
        require_admin(world, f"add the service account {self.user}")

    def decide(self, world: World) -> Decision[ServiceAccount]:
        user, owner = checked_user(self.user), checked_user(self.owner or world.actor)
        found = account_of(world, user)
        if user == EVERYONE or (found is not None and found.account):
            raise Refusal(
                "account-exists", f"{user} has an account already.", "See all", NextStep("list-users")
            )
        if user == owner:
            raise Refusal(
                "own-owner", f"{user} cannot answer for itself.", "Name the person who answers for it."
            )
        answering = account_of(world, owner)
        if answering is not None and answering.owner:
            raise Refusal(
                "service-owner",
                f"{owner} is a service account itself.",
                "Name the person who answers for it.",
            )
        event = account_event(user, ServiceAccountAdded(user=user, owner=owner))
        return Decision([event], ServiceAccount(user=user, owner=owner))


class DisableUser(Command[AccountStanding]):
    """From then on the user signs in no more, and does nothing by any other way. The password stays, for when the
    account is enabled again."""

    user: str

    def authorise(self, world: World) -> None:
        require_admin(world, f"disable {self.user}")

    def decide(self, world: World) -> Decision[AccountStanding]:
        found = known_account(world, self.user)
        if found.account == DISABLED:
            return Decision((), AccountStanding(user=self.user, account=DISABLED, changed=False))
        if self.user == world.actor:
            raise Refusal(
                "own-account", "Nobody disables the account that he or she acts under.", "Ask another admin."
            )
        secrets.end_of_user(world.transaction, self.user, ENDED, *_WAYS_IN)
        event = account_event(self.user, UserDisabled(user=self.user))
        return Decision([event], AccountStanding(user=self.user, account=DISABLED, changed=True))


class EnableUser(Command[AccountStanding]):
    """What ended when the account was disabled does not come back: tokens are made anew, and who had not joined is
    invited anew."""

    user: str

    def authorise(self, world: World) -> None:
        require_admin(world, f"enable {self.user}")

    def decide(self, world: World) -> Decision[AccountStanding]:
        found = known_account(world, self.user)
        if found.account != DISABLED:
            return Decision((), AccountStanding(user=self.user, account=found.account, changed=False))
        event = account_event(self.user, UserEnabled(user=self.user))
        account = ACTIVE if found.joined_at else NONE
        return Decision([event], AccountStanding(user=self.user, account=account, changed=True))


def account_of(world: World, user: str) -> User | None:
    return world.state.users.get(user)


def known_account(world: World, user: str) -> User:
    """Raises Refusal for a user that the ledger does not know."""
    found = account_of(world, user)
    if found is None or user == EVERYONE:
        raise Refusal("no-such-user", f"The ledger knows no user {user}.", "See all", NextStep("list-users"))
    return found


def account_event(user: str, body: Body) -> NewEvent:
    return NewEvent(f"user/{user}", body, None, "", user)
