"""The events of the whole ledger, a page at a time or all of them, in the memory of one page. Appends nothing.

Pages go by position: ``older`` and ``newer`` of one answer are ``before`` and ``after`` of the next. A text is looked
for newest first, through so many positions a step: an answer without events may still have an ``older``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from commands.answers.event import event_line
from commands.answers.rows import EventLine
from ledger import log as stored_log
from ledger.bodies import SCHEMAS, body_of
from ledger.envelope import StoredEvent, via_of
from ledger.errors import Refusal
from projections.lines import subject_key

if TYPE_CHECKING:
    from commands.door.world import World

PAGE = 100
MOST = 10_000  # events on a page
STEP = 10_000  # positions that are looked through for a text
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Oldest first. ``older`` and ``newer`` are where to look on, as ``before`` and ``after``; null where there is
    nothing more. ``more``: there are older ones. ``events`` may be read once."""

    position: int
    more: bool
    older: int | None
    newer: int | None
    events: Iterable[EventLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Which events: all that are given must hold. Times are as recorded: ``since`` that time or later, ``until``
    before it. ``text`` stands in what the event says, in any case; ``authentication`` is how its actor came in."""

    actor: str | None = None
    type: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None
    authentication: str | None = None

    @property
    def is_looked_for(self) -> bool:
        """Whether each event has to be looked at."""
        return self.text is not None or self.authentication is not None


def log(
    world: "World",
    matching: Matching = Matching(),
    *,
    after: int | None = None,
    before: int | None = None,
    limit: int | None = PAGE,
    within: int | None = None,
) -> Log:
    """The newest ``limit`` events that match, between the positions ``after`` and ``before``; with ``after`` alone the
    oldest behind it; without a limit all of them, as a stream that is read inside of the world's transaction. With
    ``within`` it looks through so many positions at most, whatever is looked for, and says where to look on.

    Raises Refusal for an unknown type of events, and for more than 10,000 at once.
    """
    _refuse_unknown_type(matching.type)
    if limit is not None and not 0 < limit <= MOST:
        raise Refusal(
            "limit", f"A page has 1 to {MOST:,} events, not {limit:,}.", "Ask for less, or for all of them."
        )
    size = world.head.size
    first = min(max(after or 0, 0), size)  # behind it
    last = size if before is None else max(min(before - 1, size), first)
    if matching.is_looked_for or (within is not None and not (after is not None and before is None)):
        return _containing(world, matching, first, last, min(limit or MOST, MOST), within or STEP)
    if limit is None:
        return _answer(world, map(event_line, _ascending(world, matching, first, last)), None, None)
    if after is not None and before is None:
        return _forward(world, matching, first, last, limit)
    return _backward(world, matching, first, last, limit)


def _answer(world: "World", events: Iterable[EventLine], older: int | None, newer: int | None) -> Log:
    return Log(position=world.head.size, more=older is not None, older=older, newer=newer, events=events)


def _forward(world: "World", matching: Matching, first: int, last: int, limit: int) -> Log:
    condition, values = _condition(matching)
    found = stored_log.read_all(world.transaction, first, limit + 1, condition, values)
    page = found[:limit]
    newer = page[-1].position if len(found) > limit else None
    older = (page[0].position if page else last + 1) if first else None
    return _answer(world, [event_line(event) for event in page], older, newer)


def _backward(world: "World", matching: Matching, first: int, last: int, limit: int) -> Log:
    found = [event for event in _newest(world, matching, last, limit + 1) if event.position > first]
    page = found[-limit:]
    older = page[0].position if len(found) > limit else None
    newer = (page[-1].position if page else last) if last < world.head.size else None
    return _answer(world, [event_line(event) for event in page], older, newer)


def _newest(world: "World", matching: Matching, last: int, limit: int) -> list[StoredEvent]:
    return stored_log.select_events(
        world.transaction,
        actor=matching.actor,
        type=matching.type,
        subject=None if matching.subject is None else subject_key(matching.subject),
        since=matching.since,
        until=matching.until,
        up_to=last,
        limit=limit,
    )


def _ascending(world: "World", matching: Matching, first: int, last: int) -> Iterator[StoredEvent]:
    condition, values = _condition(matching)
    condition += " AND position <= ?"  # what matches seldom is looked for no further
    while first < last:
        page = stored_log.read_all(world.transaction, first, _AT_ONCE, condition, [*values, last])
        yield from page
        if len(page) < _AT_ONCE:
            return
        first = page[-1].position


def _condition(matching: Matching) -> tuple[str, list[Any]]:
    subject = None if matching.subject is None else subject_key(matching.subject)
    given = (
        ("actor = ?", matching.actor),
        ("type = ?", matching.type),
        ("subject = ?", subject),
        ("recorded_at >= ?", matching.since),
        ("recorded_at < ?", matching.until),
    )
    found = [(sql, value) for sql, value in given if value is not None]
    return "".join(f" AND {sql}" for sql, _ in found), [value for _, value in found]


# --- text -----------------------------------------------------------------------------------------------------------


def _containing(world: "World", matching: Matching, first: int, last: int, limit: int, step: int) -> Log:
    """One step: the newest events that match, down to ``step`` positions below ``last``."""
    wanted = None if matching.text is None else matching.text.casefold()
    bottom = max(first, last - step)
    at_once = _AT_ONCE if matching.is_looked_for else _AT_ONCE * 5
    found: list[EventLine] = []
    at, looked_to = last, bottom
    while at > bottom and len(found) < limit:
        floor = max(bottom, at - at_once)
        for event in reversed(list(_ascending(world, matching, floor, at))):
            if _came_in(event, matching.authentication) and (wanted is None or _holds(event, wanted)):
                found.append(event_line(event))
                if len(found) == limit:
                    looked_to = event.position - 1
                    break
        at = floor
    older = looked_to + 1 if looked_to > first else None
    newer = last if last < world.head.size else None
    return _answer(world, found[::-1], older, newer)


def _came_in(event: StoredEvent, authentication: str | None) -> bool:
    return authentication is None or (via_of(event).get("authentication") or "claimed") == authentication


def _holds(event: StoredEvent, wanted: str) -> bool:
    if wanted in event.stream.casefold():
        return True
    written = orjson.dumps(wanted).decode()[1:-1]  # the quick look first: it finds names of fields too
    if event.payload is None or written not in event.payload.casefold():
        return False
    return any(wanted in text.casefold() for text in _texts(body_of(event)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield str(value)


def _refuse_unknown_type(kind: str | None) -> None:
    from commands.inputfile.nearest import did_you_mean

    if kind is not None and kind not in SCHEMAS:
        hint = did_you_mean(kind, SCHEMAS) or f"The types are: {', '.join(SCHEMAS)}."
        raise Refusal("unknown-type", f'There is no event type "{kind}".', hint)
