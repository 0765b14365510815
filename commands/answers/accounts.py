"""Who has an account, which tokens there are, which policies hold. Reads the ledger; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from commands.accounts.times import now
from commands.answers.typed import read
from commands.door.actor import EVERYONE
from commands.door.permission import authenticated_only
from commands.requests.policy import own_requests_approved
from ledger import log, secrets
from ledger.bodies import body_of
from ledger.envelope import StoredEvent

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """``account`` is null for whoever was only granted a role. ``owner`` answers for a service account."""

    user: str
    account: Literal["invited", "active", "disabled"] | None
    role: Literal["researcher", "admin", "auditor"] | None
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Everybody who has an account, or was ever granted a role by name."""

    position: int
    users: list[AccountLine]


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
class Policies:
    """``authenticated_only``: whether commands are taken of authenticated actors only. ``own_requests``: whether
    admins may approve what they requested themselves.
    """

    position: int
    authenticated_only: bool
    own_requests: Literal["allow", "refuse"]


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
            },
        )
        for row in sorted(rows, key=lambda row: row.username)
    ]
    return Users(position=world.head.size, users=lines)


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


def policies(world: "World") -> Policies:
    return Policies(
        position=world.head.size,
        authenticated_only=authenticated_only(world),
        own_requests="allow" if own_requests_approved(world) else "refuse",
    )
