"""A change as it would be made, at once or when its request is approved. Decides nothing; appends nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commands.door.permission import is_admin
from commands.door.world import World
from commands.requests.changes.kinds import ChangeKind
from commands.requests.impact import Impact, counted
from ledger.envelope import NewEvent

Events = Callable[[int], Sequence[NewEvent]]


@dataclass(frozen=True, slots=True)
class Plan:
    """``records`` say what it is about, ``change`` is the action with its arguments, as a request keeps it. ``impact``
    is what stands on it. ``events`` makes the change, from the position of the approval, or 0. ``at_once``: nobody else
    has to agree."""

    kind: ChangeKind
    records: list[str]
    change: dict[str, Any]
    impact: Impact
    at_once: bool
    subject: str
    events: Events


def is_author(world: World, authors: Iterable[str]) -> bool:
    """Whether it is the actor's own; an admin acts on everybody's."""
    return is_admin(world) or set(authors) <= {world.actor, world.owner}


def nothing(world: World) -> Impact:
    return counted(world, [], [])


def is_empty(impact: Impact) -> bool:
    return not impact.sessions and not impact.clusterings
