"""How the ledger would stand had something never happened: the events are folded again, without it and without
whatever could not have happened otherwise. Reads the ledger; appends nothing.

It leaves out one event, what that led to (by causation), what belongs to a record that is left out (by stream), and
from there on each event that no longer fits, such as the insertion of a session whose location would not be free.
What would have come in addition is named, not made up: nobody knows what the disk would have held.
"""

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from commands.answers.differences import DifferenceLine, difference_line
from commands.answers.what_if.course import STREAMS, Course, Otherwise
from commands.answers.what_if.repeated import Repeated
from commands.answers.what_if.streams import streams_to_fold
from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots
from ledger import log
from ledger.collector import without_garbage_collection
from ledger.envelope import StoredEvent
from ledger.errors import NextStep, Refusal
from projections.differences import Folding, compare

if TYPE_CHECKING:
    from commands.door.world import World


_REFERENCE = re.compile(r"([uscd]?)([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The event that never happened."""

    position: int
    type: str
    stream: str
    actor: str
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """``left_out`` counts the events that would not be there. ``differences`` are from how records stand to how they
    would stand."""

    position: int
    without: LeftOut
    left_out: int
    differences: list[DifferenceLine]
    otherwise: list[Otherwise]


def what_if(world: "World", text: str, *, roots: Roots, limits: Limits) -> WhatIf:
    """``text`` is u34, d70, s12 or c34, which stand for the event that they are numbered by, or a position."""
    with without_garbage_collection():
        root = _root(world, text)
        events = list(log.read_streams(world.transaction, streams_to_fold(world, root), world.head.size))
        now = Folding()
        now.apply(events)
        course = Course(root, events)
        course.run()
        Repeated(world, now, course, roots, limits).look(events)
        differences = compare(now.described(), course.folding.described())
        return WhatIf(
            position=world.head.size,
            without=LeftOut(**{each.name: getattr(root, each.name) for each in fields(LeftOut)}),
            left_out=len(course.left_out),
            differences=[difference_line(one) for one in differences],
            otherwise=sorted(course.otherwise, key=lambda one: one.position),
        )


def _root(world: "World", text: str) -> StoredEvent:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise Refusal(
            "not-an-id",
            f'"{text}" is neither the id of a record nor a position.',
            "Give an exact id (u34, d70, s12, c34), or the position of an event",
            NextStep("log"),
        )
    position = int(match[2])
    event = log.read_positions(world.transaction, [position]).get(position)
    if event is None or (match[1] and event.stream != f"{STREAMS[match[1]]}/{position}"):
        what = text if match[1] else f"event at position {position:,}; the last is {world.head.size:,}"
        raise Refusal("not-found", f"There is no {what}.", "", NextStep("log"))
    if event.type == "LedgerCreated":
        raise Refusal("no-ledger-left", "Without its first event there is no ledger.", "Name a later event.")
    return event
