"""Ask for a role, which an admin grants."""

from typing import Any, Literal

from commands.door.command import Command
from commands.door.permission import ADMIN, refuse_last_admin, require_enabled, role_of
from commands.door.world import Decision, World
from commands.requests.changes.asking import ChangeMade, made_or_asked
from commands.requests.changes.plan import Plan, nothing
from commands.requests.rules import checked_reason
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import RoleGranted


class RequestRole(Command[ChangeMade]):
    """For the actor alone: nobody asks for the role of somebody else."""

    role: Literal["researcher", "admin", "auditor"]
    reason: str

    def authorise(self, world: World) -> None:
        """Everybody may ask whose account is not disabled: it is the way out of a refusal."""
        require_enabled(world, f"ask for the role {self.role}")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        has = role_of(world, world.actor)
        if has == self.role:
            raise Refusal(
                "has-role", f"You have the role {has}.", "To see who has which role", NextStep("list-roles")
            )
        if has == ADMIN:
            raise Refusal(
                "admin-grants",
                "Admins grant roles, and ask nobody for them.",
                "Grant it",
                NextStep("grant-role", arguments={"user": world.actor, "role": self.role}),
            )
        change = {"action": "grant-role", "user": world.actor, "role": self.role}
        return made_or_asked(world, requested_role(world, change, reason), reason)


def requested_role(world: World, change: dict[str, Any], _reason: str) -> Plan:
    """Does nothing where the user has the role by now. Raises Refusal where it would take the last admin."""
    user, role = change["user"], change["role"]
    known = world.state.users.get(user)
    if known is not None and known.role == ADMIN:
        refuse_last_admin(world, user)
    granted = known is not None and known.role == role
    event = RoleGranted(user=user, role=role)
    return Plan(
        kind="role",
        records=[f"{role} for {user}"],
        change=change,
        impact=nothing(world),
        at_once=False,
        subject="",
        events=lambda causation: (
            [] if granted else [NewEvent(f"user/{user}", event, None, "", user, causation=causation)]
        ),
    )
