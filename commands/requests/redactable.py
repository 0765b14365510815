"""Whether the payload of an event can be redacted: whether it says anything, and whether something rests on it."""

from dataclasses import dataclass
from typing import Any

import orjson

from commands.door.world import World
from ledger import log
from ledger.bodies import body_of, known
from ledger.envelope import StoredEvent
from ledger.errors import NextStep, Refusal
from ledger.moments import shown
from ledger.redaction import skeleton, told_by_envelope, told_by_streams

_NEVER = {
    "LedgerCreated": "it holds the key that every checkpoint is signed with",
    "RoleGranted": "who may do what rests on it",
    "RoleRevoked": "who may do what rests on it",
    **dict.fromkeys(
        (
            "ServiceAccountAdded",
            "RightGranted",
            "RightRevoked",
            "UserDisabled",
            "UserEnabled",
            "TokenIssued",
            "TokenRevoked",
            "WebhookAdded",
            "WebhookRemoved",
            "AuthenticationPolicySet",
            "UserInvited",
            "InvitationRevoked",
            "UserJoined",
            "ResetIssued",
            "PasswordChanged",
            "SecondFactorAdded",
            "SecondFactorRemoved",
            "SecondFactorPolicySet",
        ),
        "who may come in rests on it",
    ),
    "RedactionRequested": "a redaction is accounted for by it",
    "PayloadRedacted": "a redaction is accounted for by it, and what was kept stands in it",
}
_TAKES_BACK = {
    "ProbeInsertionTakenBack": ("ProbeInserted", "probe"),
    "ReferenceValueTakenBack": ("ReferenceValueAdded", "value"),
}
_UNSETTLED = ("pending", "waiting")


@dataclass(frozen=True, slots=True)
class Payload:
    """An event whose payload is there, and its body as it was written."""

    event: StoredEvent
    body: dict[str, Any]


def redactable(world: World, position: int) -> Payload:
    """Raises Refusal where the payload is gone already, holds nothing of anybody's, or others rest on it."""
    event = log.read_positions(world.transaction, [position]).get(position)
    if event is None:
        raise Refusal(
            "not-found",
            f"There is no event at position {position}; the last is {world.head.size}.",
            "The log shows positions",
            NextStep("log"),
        )
    row = world.state.redactions.get(position)
    if row is not None:
        raise Refusal(
            "already-redacted",
            f"Position {position} was redacted by {row.approved_by} at {shown(row.redacted_at)} ({row.reason}).",
            "Nothing is left of it to remove.",
        )
    known(event)
    if event.type in _NEVER:
        raise Refusal(
            "not-redactable",
            f"Position {position} holds {event.type}, which cannot be redacted: {_NEVER[event.type]}.",
            "Nothing in it but usernames and reasons was written by anybody.",
        )
    _refuse_unsettled(world, event)
    payload = Payload(event, orjson.loads(event.payload or "{}"))
    if skeleton_of(payload, "") == payload.body:
        raise Refusal(
            "nothing-to-redact",
            f"The payload of position {position} ({event.type}) holds no text that a redaction would remove.",
            "The names of its stream, subject and user stay in the log for good.",
        )
    _refuse_ending(world, payload)
    return payload


def _refuse_unsettled(world: World, event: StoredEvent) -> None:
    """What is still worked on is worked on with what its events say."""
    kind, _, number = event.stream.partition("/")
    if kind == "deletion":
        request = world.state.deletions.get(int(number))
        if request is not None and request.status == "requested":
            raise Refusal(
                "request-open",
                f"d{number} is still open, and whoever decides it has to read this payload.",
                "Reject it first",
                NextStep("reject-request", f"d{number}", {"reason": None}),
            )
    rows: Any = {"session": world.state.sessions, "clustering": world.state.clusterings}.get(kind)
    row = rows.get(int(number)) if rows is not None else None
    if row is not None and row.status in _UNSETTLED:
        name = f"{kind[0]}{number}"
        raise Refusal(
            "unsettled",
            f"{name} is {row.status}, and position {event.position} is needed to process it.",
            "First bring it to an end, or take it back",
            NextStep("why", name),
            NextStep("withdraw", name),
        )


def _refuse_ending(world: World, payload: Payload) -> None:
    """Without it, what it ended would be in use again: that has to be redacted first."""
    kind, body = payload.event.type, payload.body
    if kind == "ReferenceValueRetired":
        begun = world.state.reference.get((body["table"], body["value"])) is not None
    elif kind == "ProbeRemoved":
        begun = world.state.insertions.get((payload.event.subject, body["probe"])) is not None
    elif kind in _TAKES_BACK:
        begun = _taken_back_is_readable(world, payload)
    else:
        return
    if begun:
        raise Refusal(
            "ends-something",
            f"Without position {payload.event.position}, what it took out of use would be in use again.",
            "First redact what it ended",
            NextStep("history", payload.event.stream),
        )


def _taken_back_is_readable(world: World, payload: Payload) -> bool:
    """Whether an event before it still says what it took back: the row is gone, so it is looked for in the stream."""
    begun, field = _TAKES_BACK[payload.event.type]
    events = log.read_stream(world.transaction, payload.event.stream)
    return any(
        event.type == begun
        and event.position < payload.event.position
        and world.state.redactions.get(event.position) is None
        and body_of(event)[field] == payload.body[field]
        for event in events
    )


def skeleton_of(payload: Payload, unique: str) -> dict[str, Any]:
    event = payload.event
    told = told_by_envelope(event.stream, event.subject) | told_by_streams(event.type, payload.body)
    return skeleton(payload.body, unique=unique, known=told)


def says_something(world: World, event: StoredEvent) -> bool:
    """Whether it holds text that a redaction would remove."""
    if event.type in _NEVER or world.state.redactions.get(event.position) is not None:
        return False
    payload = Payload(event, orjson.loads(event.payload or "{}"))
    return skeleton_of(payload, "") != payload.body
