"""Reject a request or take it back; say who may approve. Each kind is carried out in its own module."""

from dataclasses import dataclass
from typing import Literal

from commands.door.command import Command
from commands.door.permission import require_admin, require_writer
from commands.door.world import Decision, Result, World
from commands.requests.policy import ApprovalPolicy, own_requests_approved, policy_of
from commands.requests.rules import (
    Kind,
    checked_reason,
    kind_of,
    open_request,
    request_event,
    require_decider,
    require_requester,
)
from ledger.envelope import NewEvent
from ledger.events import ApprovalPolicySet, DeletionCancelled, DeletionRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Result):
    """A request that is not carried out."""

    request: str
    kind: Kind
    status: Literal["rejected", "cancelled"]


class RejectRequest(Command[Closed]):
    """A deletion, correction or redaction is not carried out."""

    request: int
    reason: str

    def authorise(self, world: World) -> None:
        require_decider(world, self.request, "reject")

    def decide(self, world: World) -> Decision[Closed]:
        row = open_request(world, self.request)
        event = request_event(row, DeletionRejected(reason=checked_reason(self.reason)))
        result = Closed(request=f"d{row.id}", kind=kind_of(row), status="rejected")
        return Decision([event], result, correlation=f"d{row.id}")


class CancelRequest(Command[Closed]):
    """The requester takes a deletion, correction or redaction back."""

    request: int

    def authorise(self, world: World) -> None:
        require_writer(world, "cancel requests")
        row = world.state.deletions.get(self.request)
        if row is not None:
            require_requester(world, row, "cancel")

    def decide(self, world: World) -> Decision[Closed]:
        row = open_request(world, self.request)
        result = Closed(request=f"d{row.id}", kind=kind_of(row), status="cancelled")
        return Decision([request_event(row, DeletionCancelled())], result, correlation=f"d{row.id}")


class SetApprovalPolicy(Command[ApprovalPolicy]):
    """Whether an admin may approve what he or she requested: a lab may have only one."""

    own_requests: bool

    def authorise(self, world: World) -> None:
        require_admin(world, "say who approves")

    def decide(self, world: World) -> Decision[ApprovalPolicy]:
        result = policy_of(self.own_requests)
        if own_requests_approved(world) == self.own_requests:
            return Decision((), result)
        return Decision([NewEvent("ledger", ApprovalPolicySet(own_requests=self.own_requests), None)], result)
