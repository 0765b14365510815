"""What is to be done now, by what the ledger holds: sessions to be read, in batches by folder. Writes nothing."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from commands.door.world import World
from commands.intake.looking_again import due
from commands.intake.looks import FAILED, LOOKING, RESTING, Look, folder_of, looks_at, written
from commands.intake.unsettled import unfinished_uploads
from commands.recordings.roots import Roots

BATCH = 25
_MANY = 400
_SURELY_OVER = timedelta(minutes=15)
_BY_STAGE_3 = ("SessionWaiting", "ClusteringWaiting", "DiskLookedAt", "InputFileProcessed")
_UNSETTLED = "status IN ('pending', 'waiting')"  # as the partial index says it
_UNSETTLED_GROUPS = f"{_UNSETTLED} AND session IS NULL"
T = TypeVar("T")
Kind = Literal["settle", "look"]


@dataclass(frozen=True, slots=True)
class Work:
    """Sessions and clusterings of one folder: to be ``settle``d, or inserted ones to ``look`` at again."""

    kind: Kind
    folder: str
    sessions: tuple[int, ...] = ()
    clusterings: tuple[int, ...] = ()

    def plain(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "folder": self.folder, "sessions": list(self.sessions),
            "clusterings": list(self.clusterings),
        }  # fmt: skip

    @property
    def records(self) -> list[str]:
        return [*(f"s{number}" for number in self.sessions), *(f"c{number}" for number in self.clusterings)]


Located = tuple[int, str]


def batches(
    kind: Kind, sessions: Iterable[Located], clusterings: Iterable[Located], roots: Roots
) -> list[Work]:
    """Of these records, by their numbers and locations."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for at, records in enumerate((sessions, clusterings)):
        for number, location in records:
            found.setdefault(folder_of(location, roots), ([], []))[at].append(number)
    works = []
    for folder, (some, others) in sorted(found.items()):
        works += [Work(kind, folder, part) for part in _portions(tuple(some), BATCH)]
        works += [Work(kind, folder, (), part) for part in _portions(tuple(others), BATCH)]
    return works


def after_events(world: World, roots: Roots, first: int, last: int) -> list[Work]:
    """What the events of these positions let go on: what became pending, and what waits at the same subjects."""
    marks = ", ".join("?" * len(_BY_STAGE_3))
    rows = world.transaction.run(
        f"SELECT stream, subject, type FROM events WHERE position >= ? AND position <= ? AND type NOT IN ({marks})",
        (first, last, *_BY_STAGE_3),
    ).fetchall()
    numbers: dict[str, set[int]] = {"session": set(), "clustering": set()}
    subjects = set()
    for stream, subject, _ in rows:
        kind, _, number = stream.partition("/")
        if kind in numbers:
            numbers[kind].add(int(number))
        if subject:
            subjects.add(subject)
    sessions = {n: place for n, place, _ in _unsettled(world, "sessions", numbers["session"])}
    groups = {n: place for n, place, _ in _unsettled(world, "clusterings", numbers["clustering"])}
    for name, found in (("sessions", sessions), ("clusterings", groups)):
        found.update(_waiting_of(world, name, sorted(subjects)))
    return batches("settle", sorted(sessions.items()), sorted(groups.items()), roots)


def by_time(world: World, roots: Roots, now: datetime) -> list[Work]:
    """What waits or rests and is to be looked at again by now, and inserted sessions of which something is looked for.
    What rests is tried alone: of several, one may be why none was read."""
    alone: list[Work] = []
    together: dict[str, list[Located]] = {}
    for name in ("sessions", "clusterings"):
        together[name] = []
        for number, location, rests in _due_of(world, name, now):
            if rests:
                one = [(number, location)]
                pair = (one, []) if name == "sessions" else ([], one)
                alone += batches("settle", pair[0], pair[1], roots)
            else:
                together[name].append((number, location))
    again = due(world, None, now)
    world.state.sessions.prefetch(again)
    looked_for = [(number, world.state.sessions[number].location) for number in again]
    return [
        *batches("settle", together["sessions"], together["clusterings"], roots),
        *alone,
        *batches("look", looked_for, (), roots),
    ]


def everything(world: World, roots: Roots, now: datetime) -> list[Work]:
    """All that is pending or due, whatever was queued: what failed for good is left alone, and what rests."""
    found = []
    for name, letter in (("sessions", "s"), ("clusterings", "c")):
        pending = [(n, place) for n, place, status in _unsettled(world, name) if status == "pending"]
        looks = looks_at(world.transaction, [f"{letter}{n}" for n, _ in pending])
        left = {record for record, look in looks.items() if look.status in (FAILED, RESTING)}
        found.append([one for one in pending if f"{letter}{one[0]}" not in left])
    works = batches("settle", found[0], found[1], roots)
    if not works and unfinished_uploads(world, None):
        works = [Work("settle", "")]
    return [*works, *by_time(world, roots, now)]


def without(works: Iterable[Work], queued: tuple[Collection[int], Collection[int]]) -> list[Work]:
    """What is not queued already; never the same twice."""
    sessions, clusterings = set(queued[0]), set(queued[1])
    left = []
    for work in works:
        one = replace(
            work,
            sessions=tuple(n for n in work.sessions if n not in sessions),
            clusterings=tuple(n for n in work.clusterings if n not in clusterings),
        )
        sessions.update(one.sessions)
        clusterings.update(one.clusterings)
        if one.records or not work.records:
            left.append(one)
    return left


def _due_of(world: World, name: str, now: datetime) -> list[tuple[int, str, bool]]:
    """With whether it rests."""
    letter = name[0]
    rows = _unsettled(world, name)
    looks = looks_at(world.transaction, [f"{letter}{n}" for n, _, _ in rows])
    found = []
    for number, location, status in rows:
        look = looks.get(f"{letter}{number}")
        if look is None:
            if status == "waiting":
                found.append((number, location, False))
        elif _is_due(look, status, now):
            found.append((number, location, look.status == RESTING))
    return found


def _is_due(look: Look, status: str, now: datetime) -> bool:
    if look.status == LOOKING:  # whoever did may have been killed
        return look.last_at < written(now - _SURELY_OVER)
    if look.status == FAILED or (status == "pending" and look.status != RESTING):
        return False
    return look.next_at is None or look.next_at <= written(now)


def _unsettled(world: World, name: str, numbers: Collection[int] | None = None) -> list[tuple[int, str, str]]:
    table = getattr(world.state, name).table
    condition = _UNSETTLED if name == "sessions" else _UNSETTLED_GROUPS
    if numbers is None:
        return list(
            world.transaction.run(
                f"SELECT id, location, status FROM {table} WHERE {condition} ORDER BY id"
            ).fetchall()
        )
    found: list[tuple[int, str, str]] = []
    for some in _portions(sorted(numbers)):
        marks = ", ".join("?" * len(some))
        found += world.transaction.run(
            f"SELECT id, location, status FROM {table} WHERE id IN ({marks}) AND {condition} ORDER BY id",
            some,
        ).fetchall()
    return [(int(n), str(place), str(status)) for n, place, status in found]


def _waiting_of(world: World, name: str, subjects: Sequence[str]) -> list[Located]:
    table = getattr(world.state, name).table
    condition = _UNSETTLED if name == "sessions" else _UNSETTLED_GROUPS
    found: list[Located] = []
    for some in _portions(subjects):
        marks = ", ".join("?" * len(some))
        found += world.transaction.run(
            f"SELECT id, location FROM {table} WHERE {condition} AND status = 'waiting' AND subject IN ({marks})",
            some,
        ).fetchall()
    return found


def _portions(items: Sequence[T], size: int = _MANY) -> list[Any]:
    return [items[start : start + size] for start in range(0, len(items), size)]
