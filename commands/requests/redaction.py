"""Redact one payload for legal reasons: one admin requests it, another approves it, and it is gone at once.

The event, its place and its hash stay. What its body says without any text is kept beside (``ledger.redaction``), so
that the projections can go on, and marks, by which it is known when it comes again (``remembering``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from commands.door.command import Command
from commands.door.freshness import bring_up_to_date
from commands.door.permission import require_admin
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.requests.remembering import marks_of
from commands.requests.rules import checked_reason, open_request, request_event, require_decider
from commands.requests.would_go import WouldGo
from ledger import log
from ledger.bodies import body_of, known
from ledger.envelope import NewEvent, StoredEvent
from ledger.errors import NextStep, Refusal
from ledger.events import (
    DeletionApproved,
    InputFileErased,
    PayloadRedacted,
    RedactionRequested,
)
from ledger.moments import shown
from ledger.redaction import skeleton, told_by_envelope
from projections.records import Deletion
from projections.rows import requested_by

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
_COPIES = 20  # named in one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionAsked(Result):
    """``redacts`` is the position of the event; ``copies`` are others that may well say the same, each redacted by
    itself."""

    request: str
    redacts: int
    type: str
    stream: str
    copies: list[int]
    next_steps: tuple[NextStep, ...]


class RequestRedaction(Command[RedactionAsked]):
    position: int
    reason: str

    def authorise(self, world: World) -> None:
        require_admin(world, f"redact position {self.position}")

    def decide(self, world: World) -> Decision[RedactionAsked]:
        reason = checked_reason(self.reason)
        payload = _redactable(world, self.position)
        _refuse_second_request(world, self.position)
        number = world.next_position
        event = NewEvent(
            f"deletion/{number}",
            RedactionRequested(position=self.position, reason=reason),
            0,
            payload.event.subject,
            world.actor,
            self.position,
        )
        result = RedactionAsked(
            request=f"d{number}",
            redacts=self.position,
            type=payload.event.type,
            stream=payload.event.stream,
            copies=copies(world, payload.event),
            next_steps=(NextStep("approve-request", f"d{number}"),),
        )
        return Decision([event], result, correlation=f"d{number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionDone(Result):
    """``redacts`` is the position of the event. ``clean`` says whether the database file holds nothing of it any more;
    no receipt knows it, as it can only be told afterwards."""

    request: str
    kind: Literal["redaction"] = "redaction"
    status: Literal["executed"] = "executed"
    redacts: int
    type: str
    stream: str
    file_erased: bool
    clean: bool = False


class ApproveRedaction(Command[RedactionDone]):
    request: int

    def authorise(self, world: World) -> None:
        require_decider(world, self.request, "approve")

    def decide(self, world: World) -> Decision[RedactionDone]:
        row = open_request(world, self.request)
        if row.kind != "redaction":
            raise Refusal(
                "other-kind", f"d{row.id} is a {row.kind}.", "", NextStep("show-request", f"d{row.id}")
            )
        payload = _redactable(world, redacted_position(row))
        event, approved = payload.event, world.next_position
        erased = _only_here(world, payload)
        key, marks = marks_of(world, event, body_of(event), erased)
        body = PayloadRedacted(
            position=event.position,
            stream=event.stream,
            type=event.type,
            reason=row.reason,
            requested_by=row.requested_by,
            deletion=row.id,
            kept=_kept(world, payload),
            key=key,
            marks=marks,
        )
        owner: dict[str, Any] = {"subject": event.subject, "username": event.username, "causation": approved}
        events = [
            request_event(row, DeletionApproved()),
            NewEvent(f"redaction/{event.position}", body, 0, **owner),
        ]
        if erased is not None:
            gone = InputFileErased(sha256=erased, deletion=row.id)
            events.append(NewEvent(f"input-file/{erased}", gone, None, **owner))
        result = RedactionDone(
            request=f"d{row.id}",
            redacts=event.position,
            type=event.type,
            stream=event.stream,
            file_erased=erased is not None,
        )
        return Decision(
            events,
            result,
            correlation=f"d{row.id}",
            redacted=[event.position],
            erased=[] if erased is None else [erased],
        )


def approve(daybook: Daybook, row: Deletion, *, command_id: str) -> RedactionDone:
    """Carry the request out, and have the lists made anew without what is gone."""
    result = daybook.submit(ApproveRedaction(command_id=command_id, request=row.id)).result
    # a crash here: the next one to open the ledger does it
    return replace(result, clean=bring_up_to_date(daybook.database))


def redacted_position(row: Deletion) -> int:
    """The position that a request to redact names."""
    return int(orjson.loads(row.records)[0])


def would_go(world: World, position: int) -> WouldGo | None:
    """None where it is gone already."""
    event = log.read_positions(world.transaction, [position]).get(position)
    if event is None or world.state.redactions.get(position) is not None:
        return None
    payload = _Payload(event, orjson.loads(event.payload or "{}"))
    return WouldGo(
        position=position,
        type=event.type,
        stream=event.stream,
        actor=event.actor,
        recorded_at=event.recorded_at,
        texts=dict(_texts_that_go(payload.body, _skeleton(payload, ""), "")),
        file_goes=_only_here(world, payload) is not None,
        copies=copies(world, event),
    )


def _texts_that_go(body: Any, kept: Any, path: str) -> Iterator[tuple[str, str]]:
    """The texts of a body that are not in what is kept, with keys that are somebody's words among them."""
    if isinstance(body, str):
        if body != kept:
            yield path, body
    elif isinstance(body, list):
        for number, item in enumerate(body):
            yield from _texts_that_go(item, kept[number], f"{path}[{number}]")
    elif isinstance(body, dict):
        for name, item in body.items():
            inner = kept.get(name) if isinstance(kept, dict) else None
            yield from _texts_that_go(
                item, inner if inner is not None else _nothing_of(item), _inside(path, name)
            )


def _nothing_of(item: Any) -> Any:
    """In the shape of a list, so that its items have something beside them."""
    return [None] * len(item) if isinstance(item, list) else None


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --- what can be redacted ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Payload:
    """An event whose payload is there, and its body as it was written."""

    event: StoredEvent
    body: dict[str, Any]


def _redactable(world: World, position: int) -> _Payload:
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
    payload = _Payload(event, orjson.loads(event.payload or "{}"))
    if _skeleton(payload, "") == payload.body:
        raise Refusal(
            "nothing-to-redact",
            f"The payload of position {position} ({event.type}) holds no text that a redaction would remove.",
            "The names of its stream, subject and user stay in the log for good.",
        )
    _refuse_ending(world, payload)
    return payload


def _refuse_second_request(world: World, position: int) -> None:
    for row in world.state.deletions.where("status = 'requested' AND kind = 'redaction'", []):
        if redacted_position(row) == position:
            raise Refusal(
                "already-requested",
                f"{row.requested_by} has already requested the redaction of position {position}: d{row.id}.",
                "Another admin approves it",
                NextStep("approve-request", f"d{row.id}"),
            )


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


def _refuse_ending(world: World, payload: _Payload) -> None:
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


def _taken_back_is_readable(world: World, payload: _Payload) -> bool:
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


# --- what is kept, what goes with it ----------------------------------------------------------------------------------


def _kept(world: World, payload: _Payload) -> dict[str, Any]:
    return _skeleton(payload, _unique(world, payload.event.position))


def _skeleton(payload: _Payload, unique: str) -> dict[str, Any]:
    event = payload.event
    return skeleton(payload.body, unique=unique, known=told_by_envelope(event.stream, event.subject))


def _unique(world: World, position: int) -> str:
    """What the keys of a redacted event become. No other record ever had it, whatever people call their groups."""
    unique = f"(redacted) {position}"
    sql = f"SELECT count(*) FROM {world.state.clusterings.table} WHERE group_name = ?"
    while world.transaction.run(sql, (unique,)).fetchone()[0]:
        unique += "'"
    return unique


def _only_here(world: World, payload: _Payload) -> str | None:
    """The sha256 of the stored file that goes with its receipt, unless another receipt that stays names it too."""
    if payload.event.type != "InputFileReceived":
        return None
    digest = str(payload.body["sha256"])
    others = world.transaction.run(
        f"SELECT count(*) FROM {world.state.uploads.table} WHERE sha256 = ? AND id <> ? "
        f"AND id NOT IN (SELECT position FROM {world.state.redactions.table})",
        (digest, payload.event.position),
    ).fetchone()[0]
    return None if others else digest


def copies(world: World, event: StoredEvent) -> list[int]:
    """Positions that may well say the same, the first of them; each is redacted by itself. Of an entry that stood in
    other files just as it was, those files are not looked for."""
    found = [
        other
        for stream in _about_the_same(world, event)
        for other in log.read_stream(world.transaction, stream)
    ]
    return sorted(other.position for other in found if other != event and _says_something(world, other))[
        :_COPIES
    ]


def _about_the_same(world: World, event: StoredEvent) -> set[str]:
    """The streams of the record, of what corrections made of it, of the uploads that brought either, whose file is
    kept, and of the corrections by those. Of an upload: its own and those of its records."""
    streams = {event.stream}
    if event.correlation.startswith("u"):
        streams.add(f"upload/{event.correlation[1:]}")
    kind, _, number = event.stream.partition("/")
    state = world.state
    if kind == "upload" and (upload := state.uploads.get(int(number))) is not None:
        streams.update(f"session/{row.id}" for row in requested_by(state.sessions, upload)[:_COPIES])
        streams.update(f"clustering/{row.id}" for row in requested_by(state.clusterings, upload)[:_COPIES])
    rows: Any = {"session": state.sessions, "clustering": state.clusterings}.get(kind)
    if rows is None or rows.get(int(number)) is None:
        return streams
    uploads: set[int] = set()
    for row in _corrected(rows, int(number)):
        streams.add(f"{kind}/{row.id}")
        if kind == "clustering" and row.session is not None:
            streams.add(f"session/{row.session}")
        uploads |= {row.upload, *(again.upload for again in state.duplicates.where("record = ?", [row.id]))}
    streams.update(f"upload/{upload}" for upload in uploads)
    corrections = state.deletions.where(f"upload IN ({', '.join('?' * len(uploads))})", uploads)
    return streams.union(f"deletion/{row.id}" for row in corrections)


def _corrected(rows: Any, number: int) -> list[Any]:
    """A record with all that it replaced and that replaced it, one after the other; restored ones among them."""
    found: dict[int, Any] = {}
    todo = [number]
    while todo:
        row = rows[todo.pop()]
        if row.id not in found:
            found[row.id] = row
            todo += [other.id for other in rows.where("replaces = ?", [row.id])]
            todo += [] if row.replaces is None else [row.replaces]
    return list(found.values())


def _says_something(world: World, event: StoredEvent) -> bool:
    """Whether it holds text that a redaction would remove."""
    if event.type in _NEVER or world.state.redactions.get(event.position) is not None:
        return False
    payload = _Payload(event, orjson.loads(event.payload or "{}"))
    return _skeleton(payload, "") != payload.body
