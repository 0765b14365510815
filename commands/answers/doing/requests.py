"""Actions about whatever waits for a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands.answers.doing.common import number_of, submitted

if TYPE_CHECKING:
    from commands.answers.asking import Asking
    from commands.answers.parameters import Position, Records, RequestId, Text


def request_deletion(asking: Asking, command_id: str | None, *, records: Records, reason: Text) -> Any:
    """Ask that records are deleted; an admin decides."""
    from commands.requests.deletion import RequestDeletion

    return submitted(asking, RequestDeletion, command_id, records=records, reason=reason)


def request_redaction(asking: Asking, command_id: str | None, *, position: Position, reason: Text) -> Any:
    """Request that one payload is removed for legal reasons."""
    from commands.requests.redaction import RequestRedaction

    return submitted(asking, RequestRedaction, command_id, position=position, reason=reason)


def approve_request(
    asking: Asking, command_id: str | None, *, ref: RequestId, accept_impact: bool = False
) -> Any:
    """Approve a request, which carries it out at once."""
    from commands.requests.approving import approve

    return approve(
        asking.daybook, number_of(ref), accept_impact=accept_impact, roots=asking.roots, command_id=command_id
    )


def reject_request(asking: Asking, command_id: str | None, *, ref: RequestId, reason: Text) -> Any:
    """Turn a request down."""
    from commands.requests.closing import RejectRequest

    return submitted(asking, RejectRequest, command_id, request=number_of(ref), reason=reason)


def cancel_request(asking: Asking, command_id: str | None, *, ref: RequestId) -> Any:
    """Take back a request of one's own."""
    from commands.requests.closing import CancelRequest

    return submitted(asking, CancelRequest, command_id, request=number_of(ref))


def restore(asking: Asking, command_id: str | None, *, ref: RequestId) -> Any:
    """Undo an executed deletion, whole."""
    from commands.requests.restoration import RestoreDeletion

    return submitted(asking, RestoreDeletion, command_id, request=number_of(ref))
