"""Who has an account, which tokens there are, which policies hold. Reads the ledger; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from commands.accounts.times import now
from commands.answers.typed import read
from commands.door.actor import EVERYONE, Actor, Authentication
from commands.door.permission import Role, authenticated_only, role_of, roles_with_second_factor
from commands.door.result import Result
from commands.requests.policy import own_requests_approved
from ledger import log, secrets
from ledger.bodies import body_of
from ledger.envelope import StoredEvent

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """``account`` is null for whoever was only granted a role; ``joined_at`` since when there is one. ``invited_until``
    is when an open invitation expires. ``second_factor``: whether signing in takes one. ``owner`` answers for a service
    account, which may have ``rights`` besides its role: work, on-behalf-of with a user."""

    user: str
    account: Literal["invited", "active", "disabled"] | None
    role: Role | None
    owner: str | None
    joined_at: str | None
    invited_until: str | None
    second_factor: bool
    rights: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Everybody who has an account, or was ever granted a role by name."""

    position: int
    users: list[AccountLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationLine:
    """``role`` is what the user gets by joining."""

    user: str
    role: Role | None
    invited_by: str
    invited_at: str
    until: str
    has_expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """Those that nobody has used, and that were not revoked; the newest last."""

    position: int
    invitations: list[InvitationLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """``id`` is public. ``used_at`` is noted once an hour at most. ``ended`` says why it lets nobody in any
    more; null while it does."""

    id: str
    user: str
    name: str
    scope: Literal["read", "write"]
    issued_at: str
    until: str
    used_at: str | None
    ended: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Of one user, the newest last."""

    position: int
    user: str
    tokens: list[TokenLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoIsIn:
    """``id`` is the public one of the sign-in or token, ``scope`` what it lets its bearer do, ``until`` when it
    ends."""

    position: int
    origin: str
    user: str
    role: Role | None
    authentication: Authentication
    id: str
    name: str | None
    scope: Literal["read", "write"]
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorBegun:
    """Whose second factor is being set up, or has been."""

    position: int
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """``id`` is the public one of the sign-in that has ended."""

    id: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSent(Result):
    """``failed`` could not be sent; the outbox says why, and when it is tried again."""

    sent: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """``authenticated_only``: whether commands are taken of authenticated actors only. ``own_requests``: whether
    admins may approve what they requested themselves. ``second_factor``: the roles for which a password alone is not
    enough.
    """

    position: int
    authenticated_only: bool
    own_requests: Literal["allow", "refuse"]
    second_factor: list[str]


def users(world: "World") -> Users:
    rows = world.state.users.where("username <> ?", [EVERYONE])
    lines = [
        read(
            AccountLine,
            {
                "user": row.username,
                "account": row.account or None,
                "role": row.role or None,
                "owner": row.owner or None,
                "joined_at": row.joined_at,
                "invited_until": row.invited_until,
                "second_factor": row.second_factor == "on",
                "rights": orjson.loads(row.rights),
            },
        )
        for row in sorted(rows, key=lambda row: row.username)
    ]
    return Users(position=world.head.size, users=lines)


def invitations(world: "World") -> Invitations:
    at = now()
    kept = [one for one in secrets.of_kind(world.transaction, secrets.INVITATION) if one.is_living]
    lines = [
        read(
            InvitationLine,
            {
                "user": one.username,
                "role": one.details["role"] or None,
                "invited_by": one.details["by"],
                "invited_at": one.created_at,
                "until": one.expires_at,
                "has_expired": one.has_expired(at),
            },
        )
        for one in kept
    ]
    return Invitations(position=world.head.size, invitations=lines)


def tokens(world: "World", user: str | None = None) -> Tokens:
    """One's own, unless said."""
    wanted, at = user or world.actor, now()
    kept = {each.id: each for each in secrets.of_user(world.transaction, wanted, secrets.TOKEN)}
    stream = log.read_stream(world.transaction, f"user/{wanted}")
    issued = [event for event in stream if event.type == "TokenIssued" and event.position <= world.head.size]
    found = [_token(event, kept.get(body_of(event)["token"]), at) for event in issued]
    return Tokens(position=world.head.size, user=wanted, tokens=found)


def _token(event: StoredEvent, kept: secrets.Secret | None, at: str) -> TokenLine:
    body = body_of(event)
    return TokenLine(
        id=body["token"],
        user=body["user"],
        name=body["name"],
        scope=body["scope"],
        issued_at=event.recorded_at,
        until=body["until"],
        used_at=None if kept is None else kept.used_at,
        ended=_ended(kept, at),
    )


def _ended(kept: secrets.Secret | None, at: str) -> str | None:
    if kept is None:  # of a ledger that was imported: no secret goes with it
        return "its secret is not here"
    if not kept.is_living:
        return str(kept.details.get("ended"))
    return "expired" if kept.has_expired(at) else None


def who_is_in(world: "World", actor: Actor, carried_by: str) -> WhoIsIn:
    """``carried_by`` is the public id of the token or sign-in by which the actor came."""
    kept = secrets.find(world.transaction, carried_by)
    details = {} if kept is None else kept.details
    return WhoIsIn(
        position=world.head.size,
        origin=world.head.origin,
        user=actor.user,
        role=role_of(world, actor.user) or None,  # type: ignore[arg-type]
        authentication=actor.authentication,
        id=carried_by,
        name=details.get("name"),
        scope=details.get("scope", "write"),
        until=None if kept is None else kept.expires_at,
    )


def policies(world: "World") -> Policies:
    return Policies(
        position=world.head.size,
        authenticated_only=authenticated_only(world),
        own_requests="allow" if own_requests_approved(world) else "refuse",
        second_factor=roles_with_second_factor(world),
    )
