"""What changed between two moments, and by whom. Reads the ledger; appends nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.answers.differences import DifferenceLine, difference_line
from ledger.errors import NextStep, Refusal
from ledger.moments import Moment, position_of, recorded_at
from projections.changes import between

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffEnd:
    """A moment; ``recorded_at`` is that of its last event, null for the empty ledger."""

    position: int
    recorded_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEvents:
    """How many events of a type by a user left no difference in any record."""

    actor: str
    type: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """``events`` happened between ``start`` and ``end``; to what ``subject`` and ``user`` name, where they do.
    ``differences`` and behind them ``others`` come row by row and may be read once."""

    position: int
    start: DiffEnd
    end: DiffEnd
    subject: str | None
    user: str | None
    events: int
    differences: Iterable[DifferenceLine]
    others: Iterable[OtherEvents]


def diff(
    world: "World",
    start: Moment | None,
    end: Moment | None = None,
    *,
    subject: str | None = None,
    user: str | None = None,
) -> Diff:
    """From a position or a time to another, or to the present where none is given. Raises Refusal for moments that
    the ledger never had, and for a start after the end.
    """
    head = world.head
    first, last = (
        head.size if at is None else position_of(world.transaction, head, at) for at in (start, end)
    )
    if first > last:
        raise Refusal(
            "order",
            f"Position {first:,} comes after position {last:,}.",
            "Give the earlier moment first",
            NextStep("diff", arguments={"start": str(last), "end": str(first)}),
        )
    found = between(world.transaction, head.live_slot, head.size, first, last, subject=subject, user=user)
    return Diff(
        position=head.size,
        start=_end(world, first),
        end=_end(world, last),
        subject=subject,
        user=user,
        events=found.events,
        differences=map(difference_line, found.differences),
        others=_others(found.others()),
    )


def _others(rows: Iterator[dict[str, object]]) -> Iterator[OtherEvents]:
    return (OtherEvents(**row) for row in rows)  # type: ignore[arg-type]


def _end(world: "World", position: int) -> DiffEnd:
    at = recorded_at(world.transaction, position) if position else None
    return DiffEnd(position=position, recorded_at=at)
