"""Links by which somebody gets in again: for a new password, or without a second factor that was lost. Good for an
hour, and once. Made by another admin, or at the machine by whoever owns the database.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal, get_args

from pydantic import PrivateAttr

from commands.accounts import codes
from commands.accounts.invitations import password_id, password_of
from commands.accounts.owner import owns_database
from commands.accounts.random_text import Given, new
from commands.accounts.second_factor import forget, is_on
from commands.accounts.standing import DISABLED, account_event, known_account
from commands.accounts.times import from_now, now
from commands.door.command import Command, checked_command_id
from commands.door.permission import (
    require_another_admin,
    require_authenticated,
    require_self,
    require_spelling,
)
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import secrets
from ledger.errors import NextStep, Refusal
from ledger.events import PasswordChanged, ResetIssued, SecondFactorRemoved

What = Literal["password", "second-factor"]
GOOD_FOR = timedelta(hours=1)
KINDS: dict[What, str] = dict(
    zip(get_args(What), (secrets.PASSWORD_RESET, secrets.FACTOR_RESET), strict=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetMade(Result):
    """``superseded``: an earlier link has ended by this one."""

    user: str
    what: What
    until: str
    superseded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetDone(Result):
    """``sign_ins`` is how many have ended by it, ``tokens`` how many go on being good."""

    user: str
    what: What
    sign_ins: int
    tokens: int


class IssueReset(Command[ResetMade]):
    RECOVERS = True
    user: str
    what: What
    _given: Given | None = PrivateAttr(default=None)
    _by_owner: bool = PrivateAttr(default=False)

    def authorise(self, world: World) -> None:
        if self._by_owner:
            return
        require_authenticated(world)
        require_spelling(world)
        require_another_admin(world, self.user, f"reset the {_named(self.what)} of {self.user}")

    def decide(self, world: World) -> Decision[ResetMade]:
        self._refuse(world)
        given, until = self._given or new(KINDS[self.what]), from_now(GOOD_FOR)
        earlier = secrets.of_user(world.transaction, self.user, given.kind)
        superseded = any(one.is_living and not one.has_expired(now()) for one in earlier)
        codes.write(world.transaction, given, self.user, {}, until)
        event = account_event(self.user, ResetIssued(user=self.user, what=self.what, until=until))
        result = ResetMade(user=self.user, what=self.what, until=until, superseded=superseded)
        return Decision([event], result)

    def _refuse(self, world: World) -> None:
        user = self.user
        found = known_account(world, user)
        if found.account == DISABLED:
            raise Refusal("account-disabled", f"The account of {user} is disabled.", "Enable it first",
                          NextStep("enable-user", arguments={"user": user}))  # fmt: skip
        if secrets.find(world.transaction, password_id(user)) is None:
            raise Refusal("not-joined", f"{user} has no password here.", "Invite the user",
                          NextStep("invite-user", arguments={"user": user}))  # fmt: skip
        if self.what == "second-factor" and not is_on(world.transaction, user):
            raise Refusal("no-second-factor", f"{user} has no second factor.", "There is nothing to reset.")


class _Reset(Command[ResetDone]):
    """By whoever has the code. All sign-ins of the user end."""

    RECOVERS = True  # of who comes with a password alone, whatever the role needs
    WHAT: ClassVar[What]
    user: str
    _code: str = PrivateAttr(default="")

    def authorise(self, world: World) -> None:
        require_self(world, self.user, f"reset the {_named(self.WHAT)} of {self.user}")

    def used(self, world: World) -> ResetDone:
        kept = codes.good(world.transaction, self._code, KINDS[self.WHAT])
        if kept.username != self.user:
            raise ValueError("a code of somebody else's reset")
        secrets.end(world.transaction, kept, codes.USED)
        ended = secrets.living(world.transaction, self.user, secrets.SIGN_IN, now())
        secrets.end_of_user(
            world.transaction,
            self.user,
            f"the {_named(self.WHAT)} was reset",
            secrets.SIGN_IN,
            secrets.HALF_SIGN_IN,
        )
        tokens = secrets.living(world.transaction, self.user, secrets.TOKEN, now())
        return ResetDone(user=self.user, what=self.WHAT, sign_ins=len(ended), tokens=len(tokens))


class ResetPassword(_Reset):
    WHAT = "password"
    _password: str = PrivateAttr(default="")

    def decide(self, world: World) -> Decision[ResetDone]:
        result = self.used(world)
        secrets.write(world.transaction, password_of(self.user, self._password))
        return Decision([account_event(self.user, PasswordChanged(user=self.user, by_reset=True))], result)


class ResetSecondFactor(_Reset):
    WHAT = "second-factor"

    def decide(self, world: World) -> Decision[ResetDone]:
        result = self.used(world)
        forget(world.transaction, self.user, "reset")
        return Decision(
            [account_event(self.user, SecondFactorRemoved(user=self.user, by_reset=True))], result
        )


def issue_reset(
    daybook: Daybook, user: str, what: What, *, command_id: str | None = None
) -> tuple[ResetMade, str | None]:
    """What the receipt keeps, and the code, which is told this once: None where the command is repeated."""
    command = IssueReset(command_id=checked_command_id(command_id), user=user, what=what)
    given = command._given = new(KINDS[what])
    command._by_owner = owns_database(daybook)
    receipt = daybook.submit(command)
    return receipt.result, None if receipt.repeated else given.text


def _named(what: What) -> str:
    return what.replace("-", " ")
