"""The rules that deletions, corrections and redactions share: who may decide on a request, and when."""

from commands.door import World
from commands.permission import NotPermitted, require_admin, role_of
from commands.roles import own_requests_approved
from ledger.errors import Refusal
from projections.records import Deletion


def require_approver(world: World, row: Deletion, action: str) -> None:
    """Raises NotPermitted unless an admin decides who did not request it.

    Admins may approve their own deletions and corrections where the ledger's policy says so; a redaction always takes
    two.
    """
    require_admin(world, action, record=f"d{row.id}", subject=row.subject)
    if world.actor != row.requested_by:
        return
    if row.kind != "redaction" and own_requests_approved(world):
        return
    hint = "Ask another admin (daybook role list)"
    if row.kind != "redaction":
        hint += ", or let admins approve what they requested: daybook delete policy --own-requests allow"
    raise NotPermitted(
        f"{world.actor} requested d{row.id} and may not {action} it. Needed is another admin.",
        hint + ".",
        action=action,
        record=f"d{row.id}",
        role=role_of(world, world.actor),
        needed="another admin than the requester",
        subject=row.subject,
    )


def require_requester(world: World, row: Deletion, action: str) -> None:
    """Raises NotPermitted unless the actor is the requester."""
    if world.actor != row.requested_by:
        raise NotPermitted(
            f"{world.actor} may not {action}: d{row.id}. Needed is to be {row.requested_by}, who requested it.",
            f"An admin can reject it: daybook delete reject d{row.id} --reason TEXT",
            action=action,
            record=f"d{row.id}",
            role=role_of(world, world.actor),
            needed=f"to be {row.requested_by}, who requested it",
            subject=row.subject,
        )


def open_request(world: World, number: int) -> Deletion:
    """The request with this number. Raises Refusal where there is none, or where it was decided before."""
    row = world.state.deletions.get(number)
    if row is None:
        raise Refusal("not-found", f"There is no request d{number}.", "See: daybook delete list")
    if row.status != "requested":
        by = f" by {row.decided_by}" if row.decided_by else ""
        raise Refusal(
            "already-decided",
            f"d{number} is {row.status}{by} already.",
            f"See: daybook delete show d{number}",
        )
    return row
