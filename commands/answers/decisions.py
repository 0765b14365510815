"""The requests that wait for a decision: of whoever asks, or about one record. Reads the ledger; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from commands.answers.typed import read
from commands.requests.rules import may_decide
from ledger import log
from ledger.bodies import body_of
from projections.lines import RequestLine, deletion_line
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World

LISTED = 20
_LOOKED_AT = 1_000  # open requests, the newest; a ledger has a few


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """``requests``: the first of them, those that have waited longest; ``count``: how many there are. ``others`` counts
    the open requests that somebody else has to decide."""

    position: int
    user: str
    count: int
    requests: list[RequestLine]
    others: int


def decisions(world: "World") -> Decisions:
    """The open requests that the actor may approve or reject."""
    open_ = world.state.deletions.where("status = 'requested'", [])
    mine = may_decide(world, open_)
    return Decisions(
        position=world.head.size,
        user=world.actor,
        count=len(mine),
        requests=[read(RequestLine, deletion_line(row)) for row in mine[:LISTED]],
        others=len(open_) - len(mine),
    )


def about(world: "World", reference: Reference) -> list[RequestLine]:
    """The open requests that name the record, or would take it with what they name; oldest first."""
    rows = world.state.deletions.where("status = 'requested'", [])[-_LOOKED_AT:]
    shown = log.read_positions(world.transaction, {row.shown_position for row in rows})
    concerned = []
    for row in rows:
        impact = body_of(shown[row.shown_position]).get("impact") or {}
        taken = impact.get(f"{reference.kind}s", ())
        named = str(reference) in orjson.loads(row.records)
        if named or any(first <= reference.id <= last for first, last in taken):
            concerned.append(read(RequestLine, deletion_line(row)))
    return concerned
