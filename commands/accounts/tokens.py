"""Tokens: issued, shown once, kept hashed, revoked; and who comes in by one.

The secret goes beside the command and its receipt, never in them: both are kept for good.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import PrivateAttr

from commands.accounts.bearers import known, note_use
from commands.accounts.random_text import Given, new
from commands.accounts.standing import DISABLED, account_event, account_of
from commands.accounts.times import checked_length, from_now, now
from commands.door.actor import CLAIMED, Actor
from commands.door.command import Command, checked_command_id
from commands.door.ledger import Ledger
from commands.door.permission import require_admin
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from ledger import secrets
from ledger.errors import NextStep, Refusal
from ledger.events import TokenIssued, TokenRevoked

Scope = Literal["read", "write"]
DEFAULT_LENGTH = "90d"
_MOST = 50  # of one account, at a time
_LONGEST_NAME = 100
_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCreated(Result):
    """``id`` is public, and stands in every event that it lets somebody do. ``until``: when it expires."""

    id: str
    user: str
    name: str
    scope: Scope
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEnded(Result):
    """``changed`` is False where it had ended already."""

    id: str
    user: str
    changed: bool


class IssueToken(Command[TokenCreated]):
    """For oneself, or for a service account that one answers for. ``length`` is such as 90d."""

    user: str
    name: str
    scope: Scope = "write"
    length: str = DEFAULT_LENGTH
    _given: Given = PrivateAttr(default_factory=lambda: new(secrets.TOKEN))

    def authorise(self, world: World) -> None:
        if self.user == world.actor:
            if world.authentication == CLAIMED:
                raise Refusal(
                    "only-claimed",
                    f"That you are {world.actor} is only claimed, and a token would prove it.",
                    "Sign in at the server, or run it under that account itself.",
                )
            return  # whoever has no role may read, too
        _require_answering(world, self.user, f"issue a token for {self.user}")

    def decide(self, world: World) -> Decision[TokenCreated]:
        name = _checked_name(self.name)
        length = checked_length(self.length)
        account = account_of(world, self.user)
        if self.user != world.actor and (account is None or not account.owner):
            raise Refusal(
                "not-a-service-account",
                f"{self.user} is no service account; a person issues his or her own tokens.",
                "Add a service account for a rig or a script",
                NextStep("add-service-account", arguments={"user": None}),
            )
        if account is not None and account.account == DISABLED:
            raise Refusal("account-disabled", f"The account of {self.user} is disabled.", "Enable it first",
                          NextStep("enable-user", arguments={"user": self.user}))  # fmt: skip
        at = now()
        kept_ones = secrets.of_user(world.transaction, self.user, secrets.TOKEN)
        living = [kept for kept in kept_ones if kept.is_living and not kept.has_expired(at)]
        if len(living) >= _MOST:
            raise Refusal(
                "too-many-tokens",
                f"{self.user} has {len(living)} tokens already.",
                "Revoke those that are not used any more",
                NextStep("list-tokens"),
            )
        token, until = self._given.id, from_now(length)
        details = {"name": name, "scope": self.scope}
        kept = secrets.Secret(token, secrets.TOKEN, self.user, self._given.digest, details, at, until)
        secrets.write(world.transaction, kept)
        event = TokenIssued(user=self.user, token=token, name=name, scope=self.scope, until=until)
        result = TokenCreated(id=token, user=self.user, name=name, scope=self.scope, until=until)
        return Decision([account_event(self.user, event)], result)


class RevokeToken(Command[TokenEnded]):
    """One's own, that of a service account that one answers for, or as an admin anybody's. By its public id."""

    id: str

    def authorise(self, world: World) -> None:
        user = _user_of(world, self.id)
        if user != world.actor:
            _require_answering(world, user, f"revoke the token {self.id}")

    def decide(self, world: World) -> Decision[TokenEnded]:
        user = _user_of(world, self.id)
        if not user:
            raise Refusal(
                "no-such-token", f"There is no token {self.id}.", "See yours", NextStep("list-tokens")
            )
        kept = secrets.find(world.transaction, self.id)
        result = TokenEnded(id=self.id, user=user, changed=kept is not None and kept.is_living)
        if kept is None or not kept.is_living:
            return Decision((), result)
        secrets.end(world.transaction, kept, "revoked")
        return Decision([account_event(user, TokenRevoked(user=user, token=self.id))], result)


def create_token(
    daybook: Daybook, name: str, *, user: str | None = None, scope: Scope = "write",
    length: str = DEFAULT_LENGTH, command_id: str | None = None,
) -> tuple[TokenCreated, str | None]:  # fmt: skip
    """What the receipt keeps, and the token, which is told this once: None where the command is repeated."""
    command = IssueToken(
        command_id=checked_command_id(command_id), user=user or daybook.actor.user, name=name, scope=scope,
        length=length,
    )  # fmt: skip
    receipt = daybook.submit(command)
    return receipt.result, None if receipt.repeated else command._given.text


def actor_by_token(ledger: Ledger, text: str, *, interface: str) -> Actor | None:
    """Whoever comes with this token; None where it is none, has expired or was revoked: nobody is told which."""
    kept = known(ledger, text, secrets.TOKEN)
    if kept is None:
        return None
    note_use(ledger, kept, every=_NOTED_EVERY)
    return Actor(
        kept.username,
        interface,
        authentication="token",
        token=kept.id,
        may_write=kept.details["scope"] == "write",
        until=kept.expires_at,
    )


def _user_of(world: World, token: str) -> str:
    """Whose token it is or was; empty where none is known."""
    kept = secrets.find(world.transaction, token)
    return kept.username if kept is not None and kept.kind == secrets.TOKEN else ""


def _require_answering(world: World, user: str, action: str) -> None:
    account = account_of(world, user) if user else None
    if account is None or not account.owner or account.owner != world.actor:
        require_admin(world, action)


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise Refusal(
            "token-name",
            f"A token's name is one line of 1 to {_LONGEST_NAME} characters.",
            "Say where it is used.",
        )
    return name
