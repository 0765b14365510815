"""One batch of work, done: stage 3 of its records, or another look at them, and what is noted of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from commands.door.command_ids import new_command_id
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import World
from commands.intake import looks
from commands.intake.looking_again import look_again
from commands.intake.settling import settle
from commands.recordings.roots import Roots
from commands.workers.planning import Work

UNSETTLED = ("pending", "waiting")


@dataclass(frozen=True, slots=True)
class Took:
    """How many records were ``settled``, and how many are open still."""

    settled: int
    open: int


def take(daybook: Daybook, roots: Roots, work: Work, worker: str) -> Took:
    """Raises what the door raises. Done twice, or by two at once, it is done once in its effect: each finding names
    the version that it was made for."""
    steps = Steps(daybook, new_command_id(), repeatable=False)
    if work.kind == "look":
        look_again(daybook, roots, steps, work.sessions, scheduled=True)
        return Took(len(work.sessions), 0)
    with daybook.reading() as world:
        todo = _open(world, work)
    if todo:
        looks.begin(daybook.database, dict.fromkeys(todo, work.folder), worker)
    settle(daybook, roots, steps, sessions=_numbers(todo, "s"), clusterings=_numbers(todo, "c"), noted=False)
    with daybook.reading() as world:
        left = _open(world, work)
        known = looks.looks_at(world.transaction, sorted(left))
    now = datetime.now(UTC)
    ended = {
        record: (looks.WAITING, looks.written(looks.after(known[record].first_at, now)), "")
        if record in left and record in known
        else (looks.DONE, None, "")
        for record in todo
    }
    if ended:
        looks.end(daybook.database, ended, worker)
    return Took(len(todo) - len(left), len(left))


def _open(world: World, work: Work) -> list[str]:
    world.state.sessions.prefetch(work.sessions)
    world.state.clusterings.prefetch(work.clusterings)
    sessions = [world.state.sessions.get(number) for number in work.sessions]
    groups = [world.state.clusterings.get(number) for number in work.clusterings]
    return [
        *(f"s{row.id}" for row in sessions if row is not None and row.status in UNSETTLED),
        *(f"c{row.id}" for row in groups if row is not None and row.status in UNSETTLED),
    ]


def _numbers(records: Iterable[str], letter: str) -> list[int]:
    return [int(record[1:]) for record in records if record[0] == letter]
