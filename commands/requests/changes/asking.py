"""Make a change at once, or ask for it. ``approval`` carries it out then."""

from dataclasses import dataclass
from typing import Any, Literal

from commands.door.world import Decision, Result, World
from commands.requests.changes.kinds import ChangeKind
from commands.requests.changes.plan import Plan
from commands.requests.policy import own_requests_approved
from commands.requests.rules import to_decide
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import ChangeRequested
from ledger.ranges import ranges
from projections.records import Deletion


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMade(Result):
    """``status``: done, or requested where something stands on what was to be changed, or somebody else has to agree;
    ``request`` is its id then. ``sessions`` and ``clusterings`` (numbers as inclusive ranges), ``tasks``, ``probes``
    and ``users`` (how many records of each) are what is concerned: of a taking-back it goes, of the others it stays.
    ``own_approval``: the requester may approve it, if an admin."""

    kind: ChangeKind
    status: Literal["done", "requested"]
    request: str | None
    records: list[str]
    sessions: list[tuple[int, int]]
    clusterings: list[tuple[int, int]]
    tasks: int
    probes: int
    users: dict[str, int]
    own_approval: bool
    next_steps: tuple[NextStep, ...] = ()


def made_or_asked(world: World, plan: Plan, reason: str) -> Decision[ChangeMade]:
    """The decision of every command that makes such a change."""
    if plan.at_once:
        return Decision(plan.events(0), _result(world, plan, None))
    _refuse_same_request(world, plan)
    number = world.next_position
    body = ChangeRequested(
        kind=plan.kind,
        records=plan.records,
        reason=reason,
        change=plan.change,
        impact=plan.impact.plain(),
    )
    event = NewEvent(f"deletion/{number}", body, 0, plan.subject, world.actor)
    return Decision([event], _result(world, plan, f"d{number}"), correlation=f"d{number}")


def _result(world: World, plan: Plan, request: str | None) -> ChangeMade:
    return ChangeMade(
        kind=plan.kind,
        status="done" if request is None else "requested",
        request=request,
        records=plan.records,
        sessions=ranges(plan.impact.sessions),
        clusterings=ranges(plan.impact.clusterings),
        tasks=plan.impact.tasks,
        probes=plan.impact.probes,
        users=plan.impact.users,
        own_approval=own_requests_approved(world),
        next_steps=() if request is None else to_decide(request),
    )


def _refuse_same_request(world: World, plan: Plan) -> None:
    """Raises Refusal where an open request asks for the same change."""
    for row in world.state.deletions.where("status = 'requested' AND kind = ?", [plan.kind]):
        if change_of(world, row) == plan.change:
            raise Refusal(
                "already-requested",
                f"{row.requested_by} has already requested the same: d{row.id}.",
                "",
                NextStep("show-request", f"d{row.id}"),
            )


def change_of(world: World, row: Deletion) -> dict[str, Any]:
    """The action and its arguments, as they were asked for."""
    change: dict[str, Any] = body_of(log.read_positions(world.transaction, [row.id])[row.id])["change"]
    return change
