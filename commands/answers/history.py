"""What happened to one record, or in one stream, oldest first. Reads the ledger; appends nothing."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.answers.event import event_line
from commands.answers.rows import EventLine
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from ledger.errors import NextStep, Refusal
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World


_PROBES = "reference/reference.Probe"
_NAMED: dict[str, tuple[str, str, dict[str, str | None]]] = {
    "subject": ("list-subjects", "", {}),
    "probe": ("list-values", "", {"table": "reference.Probe"}),
    "user": ("list-roles", "", {}),
}


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
    """The history of a stream by its name in the log (``subject/0/12345``); None where there is no such stream."""
    found = _of(world, stream, stream)
    return found if found.events else None


def named_history(world: "World", text: str) -> History | None:
    """Of ``subject:12345``, ``probe:NAME`` or ``user:NAME``, whole names; None where the text names something else.
    Raises Refusal where there is none of that name."""
    kind, colon, _ = text.partition(":")
    if not colon or kind not in _NAMED:
        return None
    found = named_events(world, text)
    lines = [event_line(event) for event in found]
    return History(ref=text, stream=found[0].stream, position=world.head.size, events=lines)


def named_events(world: "World", text: str) -> list[StoredEvent]:
    """Of a probe what happened to it in the catalogue and in every subject. Raises Refusal where there is nothing."""
    kind, _, name = text.partition(":")
    if kind == "subject":
        streams = [f"subject/0/{name}"]
    elif kind == "user":
        streams = [f"user/{name}"]
    else:
        streams = [_PROBES, *(each for each in _lab_streams(world) if each.startswith("subject/"))]
    events = log.read_streams(world.transaction, streams, world.head.size)
    found = [event for event in events if kind != "probe" or _is_about_probe(event, name)]
    if not found:
        raise Refusal(
            "not-found", f'Nothing is on record of the {kind} "{name}".', "", NextStep(*_NAMED[kind])
        )
    return found


def _lab_streams(world: "World") -> set[str]:
    """Includes what was taken back before the moment in question, as today's tables have it."""
    from ledger.database import PastTransaction
    from projections.concerned import lab_streams

    transaction = world.transaction
    with transaction.present() if isinstance(transaction, PastTransaction) else nullcontext():
        return lab_streams(transaction, world.head.live_slot)


def _is_about_probe(event: StoredEvent, name: str) -> bool:
    if event.payload is None:
        return False
    body = body_of(event)
    return bool(body.get("probe") == name or (event.stream == _PROBES and body.get("value") == name))


def _of(world: "World", ref: str, stream: str) -> History:
    events = [event_line(event) for event in log.read_stream(world.transaction, stream)]
    return History(ref=ref, stream=stream, position=world.head.size, events=events)
