"""What the ledger asks of whoever comes in: that he or she is authenticated, and for which roles by a second factor."""

from dataclasses import dataclass

from commands.door.command import Command
from commands.door.permission import (
    Role,
    authenticated_only,
    refuse_unauthenticated,
    require_admin,
    roles_with_second_factor,
)
from commands.door.world import Decision, Result, World
from ledger.envelope import NewEvent
from ledger.events import AuthenticationPolicySet, SecondFactorPolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationPolicy(Result):
    """``changed`` is False where it was so already."""

    authenticated_only: bool
    changed: bool


class SetAuthenticationPolicy(Command[AuthenticationPolicy]):
    """Who turns it on has to be authenticated: else nobody might be left to turn it off."""

    authenticated_only: bool

    def authorise(self, world: World) -> None:
        require_admin(world, "say who has to be authenticated")

    def decide(self, world: World) -> Decision[AuthenticationPolicy]:
        changed = authenticated_only(world) != self.authenticated_only
        result = AuthenticationPolicy(authenticated_only=self.authenticated_only, changed=changed)
        if not changed:
            return Decision((), result)
        if self.authenticated_only:
            refuse_unauthenticated(world)
        return Decision(
            [NewEvent("ledger", AuthenticationPolicySet(required=self.authenticated_only), None)], result
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorPolicy(Result):
    """``roles`` are all that need a second factor now; ``changed`` is False where they did before."""

    roles: list[str]
    changed: bool


class SetSecondFactorPolicy(Command[SecondFactorPolicy]):
    """Whoever has the role and came by a password alone does nothing from then on but set one up."""

    role: Role
    required: bool

    def authorise(self, world: World) -> None:
        require_admin(world, "say who needs a second factor")

    def decide(self, world: World) -> Decision[SecondFactorPolicy]:
        before = set(roles_with_second_factor(world))
        after = before | {self.role} if self.required else before - {self.role}
        result = SecondFactorPolicy(roles=sorted(after), changed=after != before)
        if not result.changed:
            return Decision((), result)
        event = SecondFactorPolicySet(role=self.role, required=self.required)
        return Decision([NewEvent("ledger", event, None)], result)
