"""Grant and revoke roles, say whether admins may approve their own requests, and keep names that can be erased."""

from typing import Any, Literal

from commands.door import Command, Daybook, Decision, World
from commands.permission import ADMIN, AUDITOR, EVERYONE, RESEARCHER, require_admin
from ledger import log, people
from ledger.envelope import NewEvent
from ledger.errors import Refusal
from ledger.events import ApprovalPolicySet, RoleGranted, RoleRevoked, body_of

Role = Literal["researcher", "admin", "auditor"]
_LONGEST_USER = 255


class GrantRole(Command):
    user: str
    role: Role

    def authorise(self, world: World) -> None:
        require_admin(world, f"grant the role {self.role} to {self.user}")

    def decide(self, world: World) -> Decision:
        if not 0 < len(self.user) <= _LONGEST_USER or not self.user.isprintable():
            raise Refusal(
                "user-name",
                f"A user's name has 1 to {_LONGEST_USER} printable characters.",
                "Give it as the user gives it with --as.",
            )
        if self.user == EVERYONE and self.role not in (RESEARCHER, AUDITOR):
            raise Refusal(
                "everyone-admin",
                "Not everyone can be an admin: nobody would be left to approve.",
                "Grant the role to each admin by name.",
            )
        known = world.state.users.get(self.user)
        if known is not None and known.role == self.role:
            return Decision((), {"user": self.user, "role": self.role, "changed": False})
        if known is not None and known.role == ADMIN:
            _refuse_last_admin(world, self.user)
        event = RoleGranted(user=self.user, role=self.role)
        return Decision([_event(self.user, event)], {"user": self.user, "role": self.role, "changed": True})


class RevokeRole(Command):
    user: str
    role: Role

    def authorise(self, world: World) -> None:
        require_admin(world, f"revoke the role {self.role} from {self.user}")

    def decide(self, world: World) -> Decision:
        known = world.state.users.get(self.user)
        if known is None or known.role != self.role:
            has = f"has the role {known.role}" if known is not None and known.role else "was granted no role"
            raise Refusal("no-such-role", f"{self.user} {has}, not {self.role}.", "See: daybook role list")
        if self.role == ADMIN:
            _refuse_last_admin(world, self.user)
        event = RoleRevoked(user=self.user, role=self.role)
        return Decision([_event(self.user, event)], {"user": self.user, "role": self.role, "changed": True})


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


def list_roles(world: World) -> list[dict[str, Any]]:
    """Whoever was granted a role and has one now; names and addresses as far as they are known."""
    known = {person.username: person for person in people.read(world.transaction)}
    rows = world.state.users.where("role <> ?", [""])
    return [
        {
            "user": row.username,
            "role": row.role,
            "granted_by": row.granted_by,
            "granted_at": row.granted_at,
            "name": known[row.username].name if row.username in known else None,
            "email": known[row.username].email if row.username in known else None,
        }
        for row in rows
    ]


def set_person(daybook: Daybook, user: str, *, name: str | None, email: str | None) -> None:
    """Keep who is behind a username, outside of the log; both None erases it. One's own, or an admin's task."""
    if user != daybook.actor.user:
        daybook.require(lambda world: require_admin(world, f"say who {user} is"))
    with daybook.database.writing() as transaction:
        people.write(transaction, people.Person(user, name, email))
