"""Why a request is open, or what became of it."""

from typing import TYPE_CHECKING

from commands.answers.request import Request, told_growth
from commands.answers.sentences import shown
from commands.answers.why_told import LISTED, Told, standing_in_place
from commands.requests.fallen import fallen_by
from commands.requests.naming import some_of
from commands.requests.policy import own_requests_approved
from ledger.errors import NextStep
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World


def of_request(world: "World", reference: Reference, asked: Request) -> Told:
    if asked.status == "requested":
        return _open_request(world, reference, asked)
    by = f"{asked.decided_by} at {shown(asked.decided_at)}"
    if asked.status == "rejected":
        return Told(f"It was rejected by {by}: {asked.decision}")
    if asked.status == "cancelled":
        return Told(f"It was taken back by {by}.")
    if asked.status == "restored":
        return Told(f"It was approved by {by}; what it had deleted stands again.")
    if asked.kind == "redaction":
        return Told(f"It was approved by {by}; the payload is gone.")
    if asked.kind in ("proposal", "addition", "mending", "role"):
        return Told(f"It was approved by {by}, and is on record.", [NextStep("show-request", str(reference))])
    return _carried_out(world, reference, by)


def _carried_out(world: "World", reference: Reference, by: str) -> Told:
    """A correction cannot be undone while a record that it put there stands."""
    fallen = fallen_by(world, world.state.deletions[reference.id])[1]
    kinds = ((world.state.sessions, fallen.sessions), (world.state.clusterings, fallen.clusterings))
    found = [standing_in_place(rows, number) for rows, numbers in kinds for number in numbers]
    standing = [one for one in found if one is not None]
    if not standing:
        return Told(
            f"It was approved by {by}. An admin can undo it, whole.", [NextStep("restore", str(reference))]
        )
    stand = "stands" if len(standing) == 1 else "stand"
    names = some_of([one.ref for one in standing])
    return Told(
        f"It was approved by {by}. What it put in place of the old {stand}: {names}.",
        [NextStep("show", one.ref) for one in standing[:LISTED]],
        standing,
    )


def _open_request(world: "World", reference: Reference, asked: Request) -> Told:
    name, requester = str(reference), asked.requested_by
    own_allowed = asked.kind != "redaction" and own_requests_approved(world)
    other = "" if own_allowed else f" other than {requester}"
    message = f"It waits for an admin{other}, who approves or rejects it; {requester} can take it back."
    accept = NextStep("approve-request", name, {"accept_impact": "yes"})
    approve = [NextStep("approve-request", name)]
    if asked.accept_impact:
        message += "\nIts impact had grown when it was to be approved, and was shown again."
        approve = [accept]
    if asked.grown is not None:
        message += f"\n{name} would take more now than was shown: {told_growth(asked.grown)}."
        approve = [NextStep("approve-request", name), accept]
    steps = [
        NextStep("show-request", name),
        *approve,
        NextStep("reject-request", name, {"reason": None}),
        NextStep("cancel-request", name),
    ]
    return Told(message, steps, reason="approval")
