"""Approve a change that was asked for: plan it once more, as the ledger stands now, and carry it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from commands.door.command import Command
from commands.door.world import Decision, Result, World
from commands.requests.changes.additions import amended_session
from commands.requests.changes.asking import change_of
from commands.requests.changes.insertions import mended_insertion, taken_back_insertion
from commands.requests.changes.kinds import CHANGES, ChangeKind
from commands.requests.changes.plan import Plan
from commands.requests.changes.renaming import renamed_subject
from commands.requests.changes.roles import requested_role
from commands.requests.changes.subjects import taken_back_subject
from commands.requests.changes.values import proposed_value, renamed_value, taken_back_value
from commands.requests.growth import ImpactGrown, refused_growth
from commands.requests.impact import Impact
from commands.requests.rules import open_request, request_event, require_decider
from ledger.errors import NextStep, Refusal
from ledger.events import DeletionApproved, DeletionExecuted
from projections.records import Deletion

_Plan = Callable[[World, dict[str, Any], str], Plan]
_PLANS: dict[str, _Plan] = {
    "add-value": proposed_value,
    "amend-session": amended_session,
    "grant-role": requested_role,
    "mend-insertion": mended_insertion,
    "rename-subject": renamed_subject,
    "rename-value": renamed_value,
    "take-back-insertion": taken_back_insertion,
    "take-back-subject": taken_back_subject,
    "take-back-value": taken_back_value,
}


def planned(world: World, row: Deletion) -> Plan:
    """What an open request would do now. Raises Refusal where it can no longer be carried out."""
    change = change_of(world, row)
    return _PLANS[change["action"]](world, change, row.reason)


def impact_now(world: World, row: Deletion) -> Impact | None:
    """What stands now on what an open request would change; None where that is not there any more."""
    try:
        return planned(world, row).impact
    except Refusal:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDone(Result):
    """How many sessions and clusterings went with a taking-back, or say something else now."""

    request: str
    kind: ChangeKind
    status: Literal["executed"] = "executed"
    records: list[str]
    sessions: int
    clusterings: int
    next_steps: tuple[NextStep, ...] = ()


class ApproveChange(Command[ChangeDone | ImpactGrown]):
    """Carry out what was asked for, if all that stands on it was shown, like ``ApproveDeletion``."""

    request: int
    accept_impact: bool = False

    def authorise(self, world: World) -> None:
        require_decider(world, self.request, "approve")

    def decide(self, world: World) -> Decision[ChangeDone | ImpactGrown]:
        row = open_request(world, self.request)
        if row.kind not in CHANGES:
            raise Refusal(
                "other-kind", f"d{row.id} is a {row.kind}.", "", NextStep("show-request", f"d{row.id}")
            )
        plan = planned(world, row)
        grown = refused_growth(world, row, plan.impact, accept_impact=self.accept_impact)
        return grown if grown is not None else _carried_out(world, row, plan)


def _carried_out(world: World, row: Deletion, plan: Plan) -> Decision[ChangeDone]:
    approved, impact = world.next_position, plan.impact
    events = [request_event(row, DeletionApproved()), *plan.events(approved)]
    takes = plan.kind == "taking-back"
    if takes:
        executed = DeletionExecuted(
            sessions=len(impact.sessions), clusterings=len(impact.clusterings), tasks=impact.tasks
        )
        events.append(request_event(row, executed, causation=approved))
    result = ChangeDone(
        request=f"d{row.id}",
        kind=plan.kind,
        records=plan.records,
        sessions=len(impact.sessions),
        clusterings=len(impact.clusterings),
        next_steps=(NextStep("restore", f"d{row.id}"),) if takes else (),
    )
    return Decision(events, result, correlation=f"d{row.id}")
