"""Whether admins may approve what they requested themselves, as it is set now."""

from dataclasses import dataclass
from typing import Literal

from commands.door.submit import Daybook
from commands.door.world import Result, World
from ledger import log
from ledger.bodies import body_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy(Result):
    own_requests: Literal["allow", "refuse"]


def approval_policy(daybook: Daybook) -> ApprovalPolicy:
    """As it is now."""
    with daybook.reading() as world:
        return policy_of(own_requests_approved(world), world.head.size)


def policy_of(allowed: bool, position: int = 0) -> ApprovalPolicy:
    return ApprovalPolicy(position=position, own_requests="allow" if allowed else "refuse")


def own_requests_approved(world: World) -> bool:
    """What the admin who set it last said; no, until one did."""
    events = log.read_stream(world.transaction, "ledger")
    settings = [body_of(event) for event in events if event.type == "ApprovalPolicySet"]
    return bool(settings and settings[-1]["own_requests"])
