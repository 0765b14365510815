"""Who may do what. The only module that judges it; the door asks before every command.

A user has one role. A researcher acts on the records that he or she uploaded, an admin on all, an auditor on none.
Somebody who was granted no role has that of the user "everyone". A service account that acts on behalf of a user may
do what both of them may.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

import orjson

from commands.door.actor import CLAIMED, EVERYONE, OS, PASSWORD
from commands.door.world import World
from ledger.errors import NextStep, Refusal
from ledger.look_alikes import difference, folded
from projections.asked_for import open_request

ADMIN, RESEARCHER, AUDITOR = "admin", "researcher", "auditor"
Role = Literal["researcher", "admin", "auditor"]
ROLES = (RESEARCHER, ADMIN, AUDITOR)
WRITERS = (RESEARCHER, ADMIN)
WORK, ON_BEHALF_OF = "work", "on-behalf-of"  # rights of service accounts, the latter with a user
DISABLED, REQUIRED = "disabled", "required"  # everyone's is required where a claim is not enough
_ADMINS_NAMED = 3
_LONGEST_ACTION = 300  # characters: what somebody tried is kept, but not everything that was typed


class NotPermitted(Refusal):
    """Refused because of who asks, not because of what is asked; the door records it."""

    def __init__(
        self,
        message: str,
        hint: str,
        *steps: NextStep,
        action: str,
        record: str,
        role: str,
        needed: str,
        subject: str,
    ) -> None:
        super().__init__("not-permitted", message, hint, *steps)
        self.action, self.record, self.role, self.needed, self.subject = action, record, role, needed, subject


class Owned(Protocol):
    """A session, a clustering or an upload."""

    id: int
    username: str
    subject: str


def role_of(world: World, user: str) -> str:
    """researcher, admin, auditor, or empty: none. A disabled account has none, whatever was granted."""
    world.state.users.prefetch((user, EVERYONE))
    own = world.state.users.get(user) if user != EVERYONE else None
    if own is not None and own.account == DISABLED:
        return ""
    if own is None or not own.role:
        own = world.state.users.get(EVERYONE)
    return "" if own is None else own.role


def is_admin(world: World) -> bool:
    return _roles(world) == {ADMIN}


def may_settle_all(world: World) -> bool:
    """Whether the actor may settle anybody's entries: an admin, or a service account with the right to work."""
    return is_admin(world) or (world.owner == world.actor and WORK in _rights(world))


def _roles(world: World) -> set[str]:
    """The actor's, and that of the user on whose behalf he or she acts."""
    return {role_of(world, world.actor), role_of(world, world.owner)}


def _rights(world: World) -> list[str]:
    own = world.state.users.get(world.actor)
    rights: list[str] = [] if own is None or own.account == DISABLED else orjson.loads(own.rights)
    return rights


def require_delegation(world: World) -> None:
    """Raises NotPermitted where the actor acts on behalf of a user for whom no admin has delegated that."""
    if world.owner == world.actor or f"{ON_BEHALF_OF} {world.owner}" in _rights(world):
        return
    raise _refusal(world, f"act on behalf of {world.owner}", _delegation(world))


def require_authenticated(world: World) -> None:
    """Raises Refusal where the ledger takes commands of authenticated actors only, and this one is not."""
    if world.authentication in (CLAIMED, OS) and authenticated_only(world):
        refuse_unauthenticated(world)
    refuse_without_second_factor(world)


def refuse_without_second_factor(world: World) -> None:
    """Raises Refusal where the actor came by a password alone, and the role needs more."""
    if world.authentication == PASSWORD and needs_second_factor(world, world.actor):
        raise Refusal(
            "second-factor-required",
            f"The role {role_of(world, world.actor)} needs a second factor, and you came by a password alone.",
            "Set one up at the server, or sign in with it.",
        )


def needs_second_factor(world: World, user: str) -> bool:
    return role_of(world, user) in roles_with_second_factor(world)


def roles_with_second_factor(world: World) -> list[str]:
    everyone = world.state.users.get(EVERYONE)
    return [] if everyone is None else everyone.second_factor.split()


def authenticated_only(world: World) -> bool:
    """Whether the ledger takes commands of authenticated actors only."""
    everyone = world.state.users.get(EVERYONE)
    return everyone is not None and everyone.account == REQUIRED


def refuse_unauthenticated(world: World) -> None:
    """Raises Refusal where nothing but the actor's word says who acts. On PostgreSQL the account of a client's process
    is no more than that."""
    if world.authentication not in (CLAIMED, OS):
        return
    if world.authentication == OS and world.transaction.dialect != "postgresql":
        return
    word = "only claimed" if world.authentication == CLAIMED else "the word of this program alone"
    raise Refusal(
        "not-authenticated",
        f"That takes who is authenticated, and that you are {world.actor} is {word}.",
        "Sign in at the server of this ledger.",
    )


def require_spelling(world: World) -> None:
    """Raises Refusal where the actor is new and has a name that looks like an existing one: nobody could tell the
    two apart, and the one's records would seem to be the other's.
    """
    alike = look_alike(world, world.actor)
    if alike is not None:
        raise Refusal(
            "look-alike",
            f'You act as "{world.actor}", which looks like "{alike}", who is there already.',
            f"Act under that name. {difference(world.actor, alike)}".rstrip(),
        )


def look_alike(world: World, user: str) -> str | None:
    """Another name that is here and looks like this one; None for one that is here itself."""
    world.state.users.prefetch((user, EVERYONE))
    if world.state.users.get(user) is not None:
        return None
    if world.state.reference.get(("reference.Experimenter", user)) is not None:
        return None
    activity = world.state.activity.table
    if world.transaction.run(f"SELECT 1 FROM {activity} WHERE actor = ? LIMIT 1", (user,)).fetchall():
        return None
    there = world.transaction.run(
        f"SELECT username FROM {world.state.users.table} UNION SELECT value FROM {world.state.reference.table} "
        f"WHERE reference = ? UNION SELECT actor FROM {activity}",
        ("reference.Experimenter",),
    ).fetchall()
    return next((name for (name,) in sorted(there) if folded(name) == folded(user)), None)


def require_self(world: World, user: str, action: str) -> None:
    """Raises NotPermitted where somebody else acts, whatever his or her role."""
    if world.actor != user:
        raise _refusal(world, action, _only(user))


def require_another_admin(world: World, user: str, action: str) -> None:
    """Raises NotPermitted unless an admin acts on an account that is not his or her own."""
    require_admin(world, action)
    if world.actor != user:
        return
    others = admins(world, besides=world.actor)
    steps = [] if others else [NextStep("grant-role", arguments={"user": None, "role": ADMIN})]
    raise NotPermitted(
        f"{user} may not {action}. This needs another admin.",
        f"Ask {others}." if others else "There is no other admin yet: grant somebody the role",
        *steps,
        action=action,
        record="",
        role=ADMIN,
        needed="another admin",
        subject="",
    )


def require_admin(world: World, action: str, *, record: str = "", subject: str = "") -> None:
    """Raises NotPermitted. ``action`` completes the sentence "user_1 may not ..."."""
    if not is_admin(world):
        raise _refusal(world, action, _a_role(world, ADMIN), record=record, subject=subject)


def require_writer(world: World, action: str) -> None:
    """Raises NotPermitted unless the actor is a researcher or an admin."""
    if not _roles(world) <= {*WRITERS}:
        raise _refusal(world, action, _a_role(world, RESEARCHER))


def require_settler(world: World, action: str, records: Iterable[Owned] = ()) -> None:
    """As ``require_owner``, but a service account with the right to work may settle anybody's."""
    if not may_settle_all(world):
        require_owner(world, action, records)


def require_settling_all(world: World, action: str) -> None:
    """Raises NotPermitted where the actor may not settle anybody's entries."""
    if not may_settle_all(world):
        raise _refusal(world, action, _a_role(world, ADMIN))


def require_enabled(world: World, action: str) -> None:
    """Raises NotPermitted where the actor's account is disabled."""
    if _is_disabled(world):
        raise _refusal(world, action, _enabled(world))


def require_owner(world: World, action: str, records: Iterable[Owned]) -> None:
    """Raises NotPermitted for the first record that somebody else uploaded, unless an admin acts. Who is no
    researcher may not act at all, even on no record.
    """
    if is_admin(world):
        return
    writes = _roles(world) <= {*WRITERS}
    for record in records:
        if not writes or record.username != world.owner:
            enough = RESEARCHER if record.username == world.owner else ADMIN
            raise _refusal(
                world,
                action,
                _a_role(world, enough, owner=record.username if writes else ""),
                record=f"{type(record).__name__[0].lower()}{record.id}",
                subject=record.subject,
            )
    if not writes:
        raise _refusal(world, action, _a_role(world, RESEARCHER))


@dataclass(frozen=True, slots=True)
class _Needed:
    """What it takes to do something, what to do for it, and the role that would do: empty where none would."""

    words: str
    hint: str
    steps: tuple[NextStep, ...] = ()
    role: str = ""


def _a_role(world: World, role: str, *, owner: str = "") -> _Needed:
    """``owner`` may do it without that role."""
    granting = admins(world)
    words = f"{owner}, who uploaded it, or the role {role}" if owner else f"the role {role}"
    asked = open_request(world.state, "role", f"{role} for {world.actor}", by=world.actor)
    if asked is not None:
        hint = f"{granting} can grant it, and {world.actor} has asked for it"
        return _Needed(words, hint, (NextStep("show-request", f"d{asked.id}"),), role)
    hint = f"{granting} can grant it. Ask for it"
    if owner:
        hint = f"Ask {owner} to do it, or {'' if owner == granting else f'{granting} '}for the role"
    return _Needed(words, hint, (NextStep("request-role", arguments={"role": role, "reason": None}),), role)


def _only(user: str) -> _Needed:
    return _Needed(f"{user} himself or herself", f"Ask {user} to do it.")


def _delegation(world: World) -> _Needed:
    of = {"user": world.actor, "right": ON_BEHALF_OF, "of": world.owner}
    step = NextStep("grant-right", arguments=of)
    return _Needed(f"the right {ON_BEHALF_OF} {world.owner}", f"{admins(world)} can grant it", (step,))


def _enabled(world: World) -> _Needed:
    step = NextStep("enable-user", arguments={"user": world.actor})
    return _Needed("an account that is not disabled", f"{admins(world)} can enable it", (step,))


def _refusal(
    world: World, action: str, needed: _Needed, *, record: str = "", subject: str = ""
) -> NotPermitted:
    """Whose account is disabled is told that, whatever else would be needed."""
    lacking = world.actor
    if needed.role and world.owner != world.actor and role_of(world, world.actor) in (ADMIN, needed.role):
        lacking = world.owner
    action, role = _one_line(action), role_of(world, lacking)
    has = f"{lacking} has {f'the role {role}' if role else 'no role'}"
    if _is_disabled(world):
        needed, has = _enabled(world), f"that of {world.actor} is"
    return NotPermitted(
        f"{world.actor} may not {action}{f': {record}' if record else ''}. This needs {needed.words}; {has}.",
        needed.hint,
        *needed.steps,
        action=action,
        record=record,
        role=role,
        needed=needed.words,
        subject=subject,
    )


def _is_disabled(world: World) -> bool:
    own = world.state.users.get(world.actor)
    return own is not None and own.account == DISABLED


def _one_line(action: str) -> str:
    """What was tried, as it is shown and kept: it may be anything that somebody typed, of any length."""
    line = (
        action if action.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in action)
    )
    return line if len(line) <= _LONGEST_ACTION else line[: _LONGEST_ACTION - 1] + "…"


def admins(world: World, *, besides: str = "") -> str:
    """The admins who can act, for a sentence: the first few, and how many more there are. Empty where nobody is one
    but ``besides``.
    """
    names = _other_admins(world, besides)
    if len(names) > _ADMINS_NAMED:
        return f"{', '.join(names[:_ADMINS_NAMED])} or {len(names) - _ADMINS_NAMED} more"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def refuse_last_admin(world: World, user: str) -> None:
    """Raises Refusal where nobody but this user is an admin."""
    if not _other_admins(world, user):
        raise Refusal(
            "last-admin",
            f"{user} is the last admin, and a ledger cannot be without one.",
            "Grant the role to somebody else first",
            NextStep("grant-role", arguments={"user": None, "role": ADMIN}),
        )


def _other_admins(world: World, user: str) -> list[str]:
    rows = world.transaction.run(
        f"SELECT username FROM {world.state.users.table} WHERE role = 'admin' AND account <> ? AND username <> ? "
        "ORDER BY username",
        (DISABLED, user),
    ).fetchall()
    return [row[0] for row in rows]
