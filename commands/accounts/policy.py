"""Whether the ledger takes a command of whoever is not authenticated."""

from dataclasses import dataclass

from commands.door.command import Command
from commands.door.permission import authenticated_only, refuse_unauthenticated, require_admin
from commands.door.world import Decision, Result, World
from ledger.envelope import NewEvent
from ledger.events import AuthenticationPolicySet


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
