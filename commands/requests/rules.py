"""The rules that requests of every kind share: who may decide on one, and when.

Approving a request carries it out, which each kind does in its own module; ``closing`` rejects it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, cast

from commands.door.permission import (
    ADMIN,
    NotPermitted,
    admins,
    is_admin,
    require_admin,
    role_of,
)
from commands.door.world import World
from commands.requests.policy import own_requests_approved
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.plurals import plural
from projections.records import Deletion

if TYPE_CHECKING:
    from ledger.events import Body

_LONGEST_REASON = 2_000  # characters
Kind = Literal[
    "deletion", "correction", "redaction", "proposal", "addition", "mending", "taking-back", "role"
]


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
    others = admins(world, besides=world.actor)
    hint = f"Ask {others}" if others else "There is no other admin yet: grant somebody the role"
    steps = [] if others else [NextStep("grant-role", arguments={"user": None, "role": ADMIN})]
    if row.kind != "redaction":
        hint += ", or let admins approve what they requested"
        steps.append(NextStep("set-approval-policy", arguments={"own_requests": "allow"}))
    raise NotPermitted(
        f"{world.actor} may not {action}: d{row.id}, which {world.actor} requested. This needs another admin.",
        hint if steps else f"{hint}.",
        *steps,
        action=action,
        record=f"d{row.id}",
        role=role_of(world, world.actor),
        needed="another admin than the requester",
        subject=row.subject,
    )


def may_decide(world: World, requests: Iterable[Deletion]) -> list[Deletion]:
    """The requests that the actor may approve or reject, by the rule of ``require_approver``."""
    if not is_admin(world):
        return []
    own = own_requests_approved(world)
    return [row for row in requests if world.actor != row.requested_by or (own and row.kind != "redaction")]


def require_decider(world: World, number: int, action: str) -> None:
    """As ``require_approver``, of a request by its number, which need not exist."""
    row = world.state.deletions.get(number)
    if row is None:
        require_admin(world, action, record=f"d{number}")
    else:
        require_approver(world, row, action)


def require_requester(world: World, row: Deletion, action: str) -> None:
    """Raises NotPermitted unless the actor is the requester."""
    open_ = row.status == "requested"
    if world.actor != row.requested_by:
        raise NotPermitted(
            f"{world.actor} may not {action}: d{row.id}. This needs {row.requested_by}, who requested it.",
            f"{admins(world)} can reject it" if open_ else "It was decided already",
            NextStep("reject-request", f"d{row.id}", {"reason": None})
            if open_
            else NextStep("show-request", f"d{row.id}"),
            action=action,
            record=f"d{row.id}",
            role=role_of(world, world.actor),
            needed=f"{row.requested_by}, who requested it",
            subject=row.subject,
        )


def find_request(world: World, number: int) -> Deletion:
    """The request with this number, whatever became of it. Raises Refusal where there is none."""
    row = world.state.deletions.get(number)
    if row is None:
        raise Refusal("not-found", f"There is no request d{number}.", "", NextStep("list-requests"))
    return row


def open_request(world: World, number: int) -> Deletion:
    """The request with this number. Raises Refusal where there is none, or where it was decided before."""
    row = find_request(world, number)
    if row.status != "requested":
        by = f" by {row.decided_by}" if row.decided_by else ""
        decided = (
            f"executed{by}, and restored since" if row.status == "restored" else f"{row.status}{by} already"
        )
        raise Refusal(
            "already-decided",
            f"d{number} was {decided}.",
            "",
            NextStep("show-request", f"d{number}"),
        )
    return row


def to_decide(request: str) -> tuple[NextStep, ...]:
    """What can be done about an open request: by an admin, and by who requested it."""
    return NextStep("approve-request", request), NextStep("cancel-request", request)


def kind_of(row: Deletion) -> Kind:
    return cast("Kind", row.kind)


def checked_reason(text: str) -> str:
    """The reason without space around it. Raises Refusal where nothing is left."""
    reason = text.strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise Refusal(
            "reason",
            f"The reason has {plural(len(reason), 'character')}; it must have 1 to {_LONGEST_REASON:,}.",
            "Say what is wrong: whoever reads the history later wants to know why.",
        )
    return reason


def request_event(row: Deletion, body: "Body", *, causation: int = 0) -> NewEvent:
    """The next event of a request. All of them are about its subject: a rebuild may fold subjects apart."""
    return NewEvent(
        f"deletion/{row.id}",
        body,
        row.version,
        row.subject,
        row.requested_by,
        causation or row.shown_position,
    )
