"""The lines of an input file that were not kept, as answers tell them. Reads the ledger, and loads little."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankedLines:
    """Lines that came with something that had been redacted, at ``position``, and were not kept."""

    first_line: int
    last_line: int
    position: int
    redacted_by: str
    requested_by: str
    redacted_at: str
    reason: str


def blanked_lines(world: "World", blanked: Iterable[dict[str, Any]]) -> list[BlankedLines]:
    """As an event has them, with who redacted what stood there, and why."""
    found = []
    for one in blanked:
        row = world.state.redactions[one["position"]]
        found.append(
            BlankedLines(
                first_line=one["lines"][0],
                last_line=one["lines"][1],
                position=row.position,
                redacted_by=row.approved_by,
                requested_by=row.requested_by,
                redacted_at=row.redacted_at,
                reason=row.reason,
            )
        )
    return found
