"""Whether admins may approve what they requested themselves."""

from dataclasses import dataclass
from typing import Literal

from commands.door.permission import require_admin
from commands.door.submit import Daybook
from commands.door.world import Command, Decision, Result, World
from ledger import log
from ledger.envelope import NewEvent
from ledger.events import ApprovalPolicySet, body_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy(Result):
    own_requests: Literal["allow", "refuse"]


def approval_policy(daybook: Daybook) -> ApprovalPolicy:
    """As it is now."""
    with daybook.reading() as world:
        return _policy(own_requests_approved(world), world.head.size)


def _policy(allowed: bool, position: int = 0) -> ApprovalPolicy:
    return ApprovalPolicy(position=position, own_requests="allow" if allowed else "refuse")


class SetApprovalPolicy(Command[ApprovalPolicy]):
    """Whether an admin may approve what he or she requested: a lab may have only one."""

    own_requests: bool

    def authorise(self, world: World) -> None:
        require_admin(world, "say who approves")

    def decide(self, world: World) -> Decision[ApprovalPolicy]:
        result = _policy(self.own_requests)
        if own_requests_approved(world) == self.own_requests:
            return Decision((), result)
        return Decision([NewEvent("ledger", ApprovalPolicySet(own_requests=self.own_requests), None)], result)


def own_requests_approved(world: World) -> bool:
    """As the last admin said who set it; no, until one did."""
    events = log.read_stream(world.transaction, "ledger")
    settings = [body_of(event) for event in events if event.type == ApprovalPolicySet.__name__]
    return bool(settings and settings[-1]["own_requests"])
