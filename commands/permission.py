"""Who may do what. The only module that judges it; the door asks before every command.

A user has one role. A researcher acts on the records that he or she uploaded, an admin on all, an auditor on none.
Somebody who was granted no role has that of the user "everyone".
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.door import World

ADMIN, RESEARCHER, AUDITOR = "admin", "researcher", "auditor"
ROLES = (RESEARCHER, ADMIN, AUDITOR)
WRITERS = (RESEARCHER, ADMIN)
EVERYONE = "everyone"
_ADMINS_NAMED = 3


class NotPermitted(Refusal):
    """Refused for who asks, not for what is asked; the door records it."""

    def __init__(
        self, message: str, hint: str, *, action: str, record: str, role: str, needed: str, subject: str
    ) -> None:
        super().__init__("not-permitted", message, hint)
        self.action, self.record, self.role, self.needed, self.subject = action, record, role, needed, subject


class Owned(Protocol):
    """A session, a clustering or an upload."""

    id: int
    username: str
    subject: str


def role_of(world: "World", user: str) -> str:
    """researcher, admin, auditor, or empty: none."""
    own = world.state.users.get(user) if user != EVERYONE else None
    if own is None or not own.role:
        own = world.state.users.get(EVERYONE)
    return "" if own is None else own.role


def is_admin(world: "World") -> bool:
    return role_of(world, world.actor) == ADMIN


def require_admin(world: "World", action: str, *, record: str = "", subject: str = "") -> None:
    """Raises NotPermitted. ``action`` completes the sentence "user_1 may not ..."."""
    role = role_of(world, world.actor)
    if role != ADMIN:
        raise _refusal(world, role, action, needed="the role admin", record=record, subject=subject)


def require_writer(world: "World", action: str) -> None:
    """Raises NotPermitted unless the actor is a researcher or an admin."""
    role = role_of(world, world.actor)
    if role not in WRITERS:
        raise _refusal(world, role, action, needed="the role researcher")


def require_owner(world: "World", action: str, records: Iterable[Owned]) -> None:
    """Raises NotPermitted for the first record that somebody else uploaded, unless an admin acts."""
    role = role_of(world, world.actor)
    if role == ADMIN:
        return
    for record in records:
        name = f"{type(record).__name__[0].lower()}{record.id}"
        if role != RESEARCHER:
            raise _refusal(
                world, role, action, needed="the role researcher", record=name, subject=record.subject
            )
        if record.username != world.actor:
            needed = f"to be {record.username}, who uploaded it, or the role admin"
            raise _refusal(world, role, action, needed=needed, record=name, subject=record.subject)
    if role != RESEARCHER:
        raise _refusal(world, role, action, needed="the role researcher")


def _refusal(
    world: "World", role: str, action: str, *, needed: str, record: str = "", subject: str = ""
) -> NotPermitted:
    has = f"has the role {role}" if role else "has no role"
    what = f"{action}: {record}" if record else action
    return NotPermitted(
        f"{world.actor} may not {what}. Needed is {needed}; {world.actor} {has}.",
        f"A role is granted by {_admins(world)}: daybook role grant {world.actor} "
        f"{RESEARCHER if needed == 'the role researcher' else ADMIN}",
        action=action,
        record=record,
        role=role,
        needed=needed,
        subject=subject,
    )


def _admins(world: "World") -> str:
    rows = world.transaction.run(
        f"SELECT username FROM {world.state.users.table} WHERE role = 'admin' ORDER BY username"
    ).fetchall()
    names = [row[0] for row in rows]
    more = f" or {len(names) - _ADMINS_NAMED} more" if len(names) > _ADMINS_NAMED else ""
    return ", ".join(names[:_ADMINS_NAMED]) + more
