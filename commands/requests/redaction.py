"""Redact one payload for legal reasons: one admin requests it, another approves it, and it is gone at once, from the
archives that can be reached, too.

The event, its place and its hash stay. What its body says without any text is kept beside (``ledger.redaction``), so
that the projections can go on, and marks, by which it is known when it comes again (``remembering``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from commands.analysis.renewing import ArchiveReached, reached
from commands.door.command import Command
from commands.door.freshness import bring_up_to_date
from commands.door.permission import require_admin
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.requests.copies import copies
from commands.requests.redactable import Payload, redactable, skeleton_of
from commands.requests.remembering import marks_of
from commands.requests.rules import checked_reason, open_request, request_event, require_decider
from commands.requests.would_go import WouldGo
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import (
    DeletionApproved,
    InputFileErased,
    PayloadRedacted,
    RedactionRequested,
)
from projections.records import Deletion


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
        payload = redactable(world, self.position)
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
    """``redacts`` is the position of the event. ``clean`` says whether the database file holds nothing of it any more,
    ``archives`` which files of archives held it: no receipt knows either, as that can only be told afterwards."""

    request: str
    kind: Literal["redaction"] = "redaction"
    status: Literal["executed"] = "executed"
    redacts: int
    type: str
    stream: str
    file_erased: bool
    clean: bool = False
    archives: list[ArchiveReached] = field(default_factory=list)


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
        payload = redactable(world, redacted_position(row))
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
    """Carry the request out, and have the lists made anew without what is gone, and the archives written anew."""
    result = daybook.submit(ApproveRedaction(command_id=command_id, request=row.id)).result
    # a crash here: the next one to open the ledger does it
    clean = bring_up_to_date(daybook.database)
    # a crash here: the next run of archive create does it, and archive check says so
    return replace(result, clean=clean, archives=reached(daybook, result.redacts))


def redacted_position(row: Deletion) -> int:
    """The position that a request to redact names."""
    return int(orjson.loads(row.records)[0])


def would_go(world: World, position: int) -> WouldGo | None:
    """None where it is gone already."""
    event = log.read_positions(world.transaction, [position]).get(position)
    if event is None or world.state.redactions.get(position) is not None:
        return None
    payload = Payload(event, orjson.loads(event.payload or "{}"))
    return WouldGo(
        position=position,
        type=event.type,
        stream=event.stream,
        actor=event.actor,
        recorded_at=event.recorded_at,
        texts=dict(_texts_that_go(payload.body, skeleton_of(payload, ""), "")),
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


def _refuse_second_request(world: World, position: int) -> None:
    for row in world.state.deletions.where("status = 'requested' AND kind = 'redaction'", []):
        if redacted_position(row) == position:
            raise Refusal(
                "already-requested",
                f"{row.requested_by} has already requested the redaction of position {position}: d{row.id}.",
                "Another admin approves it",
                NextStep("approve-request", f"d{row.id}"),
            )


def _kept(world: World, payload: Payload) -> dict[str, Any]:
    return skeleton_of(payload, _unique(world, payload.event.position))


def _unique(world: World, position: int) -> str:
    """What the keys of a redacted event become. No other record ever had it, whatever people call their groups."""
    unique = f"(redacted) {position}"
    sql = f"SELECT count(*) FROM {world.state.clusterings.table} WHERE group_name = ?"
    while world.transaction.run(sql, (unique,)).fetchone()[0]:
        unique += "'"
    return unique


def _only_here(world: World, payload: Payload) -> str | None:
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
