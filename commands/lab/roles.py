"""Grant and revoke roles."""

import difflib
from dataclasses import dataclass
from typing import cast

from commands.door.actor import EVERYONE, checked_user
from commands.door.command import Command
from commands.door.permission import (
    ADMIN,
    AUDITOR,
    RESEARCHER,
    Role,
    refuse_last_admin,
    require_admin,
    role_of,
)
from commands.door.world import Decision, Result, World
from commands.intake.spellings import spelled
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import RoleGranted, RoleRevoked


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGrant(Result):
    """``was`` is the role that the user had before, by name; None where there was none."""

    user: str
    role: Role
    was: Role | None
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevocation(Result):
    """``left_with`` is the role that the user has now: that of everyone, or None."""

    user: str
    role: Role
    left_with: Role | None
    changed: bool


class GrantRole(Command[RoleGrant]):
    user: str
    role: Role

    def authorise(self, world: World) -> None:
        require_admin(world, f"grant the role {self.role} to {self.user}")

    def decide(self, world: World) -> Decision[RoleGrant]:
        checked_user(self.user)
        if world.state.users.get(self.user) is None:
            spelled(world, "the users", self.user, lambda: _users(world))
        if self.user == EVERYONE and self.role not in (RESEARCHER, AUDITOR):
            raise Refusal(
                "everyone-admin",
                "Not everyone can be an admin: nobody would be left to approve.",
                "Grant the role to each admin by name.",
            )
        known = world.state.users.get(self.user)
        was = _role(known.role if known is not None else "")
        result = RoleGrant(user=self.user, role=self.role, was=was, changed=was != self.role)
        if was == self.role:
            return Decision((), result)
        if was == ADMIN:
            refuse_last_admin(world, self.user)
        return Decision([_event(self.user, RoleGranted(user=self.user, role=self.role))], result)


class RevokeRole(Command[RoleRevocation]):
    user: str
    role: Role

    def authorise(self, world: World) -> None:
        require_admin(world, f"revoke the role {self.role} from {self.user}")

    def decide(self, world: World) -> Decision[RoleRevocation]:
        known = world.state.users.get(self.user)
        if known is None or known.role not in ("", self.role):
            raise _no_such_role(world, self.user, self.role, "" if known is None else known.role)
        left = _role("" if self.user == EVERYONE else role_of(world, EVERYONE))
        result = RoleRevocation(user=self.user, role=self.role, left_with=left, changed=known.role != "")
        if not known.role:
            return Decision((), result)
        if self.role == ADMIN:
            refuse_last_admin(world, self.user)
        return Decision([_event(self.user, RoleRevoked(user=self.user, role=self.role))], result)


def _users(world: World) -> list[str]:
    return [row.username for row in world.state.users.where("username >= ?", [""])]


def _role(text: str) -> Role | None:
    return cast("Role", text) if text else None


def _no_such_role(world: World, user: str, role: str, has: str) -> Refusal:
    if has:
        return Refusal(
            "no-such-role",
            f"{user} has the role {has}, not {role}.",
            "Revoke that one. To see who has which role",
            NextStep("list-roles"),
        )
    named = [row.username for row in world.state.users.where("role = ?", [role])]
    near = difflib.get_close_matches(user, named, n=1, cutoff=0.6)
    hint = f'Did you mean "{near[0]}"? To see who has which role' if near else ""
    return Refusal("no-such-role", f"{user} was granted no role.", hint, NextStep("list-roles"))


def _event(user: str, event: RoleGranted | RoleRevoked) -> NewEvent:
    return NewEvent(f"user/{user}", event, None, "", user)
