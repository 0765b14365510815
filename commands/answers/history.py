"""What happened to one record, or in one stream, oldest first. Reads the ledger; appends nothing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.answers.event import event_line
from commands.answers.rows import EventLine
from ledger import log
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """``ref`` is the record, or the stream where that was asked for."""

    ref: str
    stream: str
    position: int
    events: list[EventLine]


def history(world: "World", reference: Reference) -> History:
    return _of(world, str(reference), reference.stream)


def stream_history(world: "World", stream: str) -> History | None:
    """Of a stream by its name in the log (``subject/0/12345``); None where there is none of that name."""
    found = _of(world, stream, stream)
    return found if found.events else None


def _of(world: "World", ref: str, stream: str) -> History:
    events = [event_line(event) for event in log.read_stream(world.transaction, stream)]
    return History(ref=ref, stream=stream, position=world.head.size, events=events)
