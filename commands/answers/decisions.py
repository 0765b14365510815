"""The requests that wait for the asking user's decision. Reads the ledger; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.answers.typed import read
from commands.requests.rules import may_decide
from projections.lines import RequestLine, deletion_line
from projections.records import Deletion

if TYPE_CHECKING:
    from commands.door.world import World

LISTED = 20


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
    open_, mine = open_requests(world)
    return Decisions(
        position=world.head.size,
        user=world.actor,
        count=len(mine),
        requests=[read(RequestLine, deletion_line(row)) for row in mine[:LISTED]],
        others=len(open_) - len(mine),
    )


def open_requests(world: "World") -> tuple[list[Deletion], list[Deletion]]:
    """All, and of these the ones that the actor may decide on."""
    open_ = world.state.deletions.where("status = 'requested'", [])
    return open_, may_decide(world, open_)
