"""Grant and revoke roles, say whether admins may approve their own requests, and keep names that can be erased."""

import difflib
import re
from typing import Any, Literal

from commands.door import Command, Daybook, Decision, World
from commands.permission import ADMIN, AUDITOR, EVERYONE, RESEARCHER, require_admin, require_writer, role_of
from ledger import log, people
from ledger.envelope import NewEvent
from ledger.errors import Refusal
from ledger.events import ApprovalPolicySet, RoleGranted, RoleRevoked, body_of

Role = Literal["researcher", "admin", "auditor"]
_LONGEST_USER = 255
_LONGEST_NAME = 200
_LONGEST_EMAIL = 254  # RFC 5321 lets no longer one through
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


# --- roles ----------------------------------------------------------------------------------------------------------


class GrantRole(Command):
    user: str
    role: Role

    def authorise(self, world: World) -> None:
        require_admin(world, f"grant the role {self.role} to {self.user}")

    def decide(self, world: World) -> Decision:
        _check_user(self.user)
        if self.user == EVERYONE and self.role not in (RESEARCHER, AUDITOR):
            raise Refusal(
                "everyone-admin",
                "Not everyone can be an admin: nobody would be left to approve.",
                "Grant the role to each admin by name.",
            )
        known = world.state.users.get(self.user)
        was = known.role if known is not None else ""
        result = {"user": self.user, "role": self.role, "was": was or None, "changed": was != self.role}
        if was == self.role:
            return Decision((), result)
        if was == ADMIN:
            _refuse_last_admin(world, self.user)
        return Decision([_event(self.user, RoleGranted(user=self.user, role=self.role))], result)


class RevokeRole(Command):
    """``left_with`` of the answer is the role that the user has now: that of everyone, or None."""

    user: str
    role: Role

    def authorise(self, world: World) -> None:
        require_admin(world, f"revoke the role {self.role} from {self.user}")

    def decide(self, world: World) -> Decision:
        known = world.state.users.get(self.user)
        if known is None or known.role not in ("", self.role):
            raise _no_such_role(world, self.user, self.role, "" if known is None else known.role)
        left = "" if self.user == EVERYONE else role_of(world, EVERYONE)
        result = {
            "user": self.user,
            "role": self.role,
            "left_with": left or None,
            "changed": known.role != "",
        }
        if not known.role:
            return Decision((), result)
        if self.role == ADMIN:
            _refuse_last_admin(world, self.user)
        return Decision([_event(self.user, RoleRevoked(user=self.user, role=self.role))], result)


def _check_user(user: str) -> None:
    if not 0 < len(user) <= _LONGEST_USER or not user.isprintable() or user != user.strip():
        raise Refusal(
            "user-name",
            f"A user's name has 1 to {_LONGEST_USER} printable characters, and no space around it.",
            "Give it as the user gives it with --as.",
        )


def _no_such_role(world: World, user: str, role: str, has: str) -> Refusal:
    if has:
        return Refusal(
            "no-such-role",
            f"{user} has the role {has}, not {role}.",
            "Revoke that one, or see: daybook role list",
        )
    named = [row.username for row in world.state.users.where("role = ?", [role])]
    near = difflib.get_close_matches(user, named, n=1, cutoff=0.6)
    hint = f'Did you mean "{near[0]}"?' if near else "See: daybook role list"
    return Refusal("no-such-role", f"{user} was granted no role.", hint)


def _refuse_last_admin(world: World, user: str) -> None:
    others = world.transaction.run(
        f"SELECT count(*) FROM {world.state.users.table} WHERE role = 'admin' AND username <> ?", (user,)
    ).fetchone()
    if not others[0]:
        raise Refusal(
            "last-admin",
            f"{user} is the last admin, and a ledger cannot be without one.",
            "Grant the role to somebody else first: daybook role grant USER admin",
        )


def _event(user: str, event: RoleGranted | RoleRevoked) -> NewEvent:
    return NewEvent(f"user/{user}", event, None, "", user)


def list_roles(world: World) -> list[dict[str, Any]]:
    """Whoever was granted a role and has one now, and "everyone", whose role may be None; names and addresses as far
    as they are known."""
    known = {person.username: person for person in people.read(world.transaction)}
    rows = world.state.users.where("role <> '' OR username = ?", [EVERYONE])
    return [
        {
            "user": row.username,
            "role": row.role or None,
            "granted_by": row.granted_by,
            "granted_at": row.granted_at,
            "name": known[row.username].name if row.username in known else None,
            "email": known[row.username].email if row.username in known else None,
        }
        for row in sorted(rows, key=lambda row: (row.username == EVERYONE, row.username))
    ]


# --- who approves ---------------------------------------------------------------------------------------------------


class SetApprovalPolicy(Command):
    """Whether an admin may approve what he or she requested: a lab may have only one."""

    own_requests: bool

    def authorise(self, world: World) -> None:
        require_admin(world, "say who approves")

    def decide(self, world: World) -> Decision:
        result = {"own_requests": self.own_requests}
        if own_requests_approved(world) == self.own_requests:
            return Decision((), result)
        return Decision([NewEvent("ledger", ApprovalPolicySet(own_requests=self.own_requests), None)], result)


def own_requests_approved(world: World) -> bool:
    """As the last admin said who set it; no, until one did."""
    events = log.read_stream(world.transaction, "ledger")
    settings = [body_of(event) for event in events if event.type == ApprovalPolicySet.__name__]
    return bool(settings and settings[-1]["own_requests"])


# --- who is behind a username ---------------------------------------------------------------------------------------


class _AboutPerson(Command):
    """One's own name and address are one's own to say; an admin says those of others.

    Neither is in any event, nor in a receipt, and so they can be erased.
    """

    user: str

    def authorise(self, world: World) -> None:
        action = f"say who {self.user} is"
        if self.user == world.actor:
            require_writer(world, action)
        else:
            require_admin(world, action)

    def known(self, world: World) -> people.Person:
        return people.find(world.transaction, self.user) or people.Person(self.user, None, None)


class SetPerson(_AboutPerson):
    """What is None stays as it is."""

    name: str | None = None
    email: str | None = None

    def decide(self, world: World) -> Decision:
        _check_user(self.user)
        if self.user == EVERYONE:
            raise Refusal("user-name", f'"{EVERYONE}" stands for all users.', "Give the name of one.")
        known = self.known(world)
        name = known.name if self.name is None else _checked_name(self.name)
        email = known.email if self.email is None else _checked_email(self.email)
        person = people.Person(self.user, name, email)
        if person != known:
            people.write(world.transaction, person)
        return Decision((), {"user": self.user, "name": name, "email": email, "changed": person != known})


class ErasePerson(_AboutPerson):
    def decide(self, world: World) -> Decision:
        known = self.known(world)
        people.write(world.transaction, people.Person(self.user, None, None))
        return Decision((), {"user": self.user, "changed": bool(known.name or known.email)})


def erase_person(daybook: Daybook, user: str) -> dict[str, Any]:
    """Erase, and leave nothing of it in what the database keeps of its own steps, as far as that can be."""
    result = daybook.submit(ErasePerson(user=user)).result
    daybook.database.empty_journal()
    return result


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise Refusal(
            "person-name",
            f"A name of {len(name)} characters was given; expected is one line of 1 to {_LONGEST_NAME}.",
            "To remove a name: daybook person erase USER",
        )
    return name


def _checked_email(text: str) -> str:
    email = text.strip()
    if not _EMAIL.fullmatch(email) or not email.isprintable() or len(email) > _LONGEST_EMAIL:
        raise Refusal(
            "person-email",
            "What was given is no e-mail address.",
            f"Expected is name@domain, {_LONGEST_EMAIL} characters at most. To remove one: daybook person erase USER",
        )
    return email


def list_people(world: World) -> list[dict[str, Any]]:
    return [
        {"user": person.username, "name": person.name, "email": person.email}
        for person in people.read(world.transaction)
    ]
