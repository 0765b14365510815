"""Carry out a request of any kind. The only module that knows all kinds."""

from typing import TYPE_CHECKING

from commands.door.command import checked_command_id
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.requests.changes.kinds import CHANGES
from commands.requests.deletion import ApproveDeletion, DeletionDone
from commands.requests.growth import ImpactGrown
from commands.requests.rules import find_request, require_decider

if TYPE_CHECKING:
    from commands.requests.changes.approval import ChangeDone
    from commands.requests.correction.events import CorrectionDone
    from commands.requests.redaction import RedactionDone


def approve(
    daybook: Daybook, number: int, *, accept_impact: bool, roots: Roots, command_id: str | None = None
) -> "DeletionDone | CorrectionDone | RedactionDone | ChangeDone":
    """Carry out a request of any kind. Raises Refusal with ``impact-grown`` where more would go than was shown: what
    would go now is then on record as shown, and the same call with ``accept_impact`` accepts just that.

    A command id that was used for it before gives the first answer; where a crash came in between, the rest is done
    first."""
    command_id = checked_command_id(command_id)
    daybook.require(lambda world: require_decider(world, number, "approve"))
    with daybook.reading() as world:
        row = find_request(world, number)
    if row.kind == "correction":
        from commands.requests.correction.correct import approve as correct

        return correct(daybook, row, accept_impact=accept_impact, roots=roots, command_id=command_id)
    if row.kind == "redaction":
        from commands.requests import redaction

        return redaction.approve(daybook, row, command_id=command_id)
    if row.kind in CHANGES:
        from commands.requests.changes.approval import ApproveChange

        change = ApproveChange(command_id=command_id, request=number, accept_impact=accept_impact)
        done = daybook.submit(change).result
        if isinstance(done, ImpactGrown):
            raise done.refusal()
        return done
    command = ApproveDeletion(command_id=command_id, request=number, accept_impact=accept_impact)
    result = daybook.submit(command).result
    if isinstance(result, ImpactGrown):
        raise result.refusal()
    return result
