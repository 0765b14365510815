"""What would go with records that are deleted: everything that stands on them, whoever uploaded it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from commands.door.world import World
from commands.requests.naming import Named
from ledger import log
from ledger.bodies import body_of
from ledger.ranges import expanded, ranges
from projections.records import Clustering, Session

STANDING = ("pending", "waiting", "inserted")
_AT_ONCE = 500  # ids in one query


@dataclass(frozen=True, slots=True)
class Impact:
    """The ids of everything that goes, the named records among it. ``users`` counts the records of each owner."""

    sessions: tuple[int, ...]
    clusterings: tuple[int, ...]
    tasks: int
    probes: int
    users: dict[str, int]

    def plain(self) -> dict[str, Any]:
        """The form in events: ids as inclusive ranges."""
        return {
            "sessions": ranges(self.sessions),
            "clusterings": ranges(self.clusterings),
            "tasks": self.tasks,
            "probes": self.probes,
            "users": self.users,
        }

    def beyond(self, shown: dict[str, Any]) -> tuple[list[int], list[int]]:
        """The sessions and the clusterings that were not in an impact as it was shown."""
        sessions = set(self.sessions) - set(expanded(shown["sessions"]))
        clusterings = set(self.clusterings) - set(expanded(shown["clusterings"]))
        return sorted(sessions), sorted(clusterings)

    def exceeds(self, shown: dict[str, Any]) -> bool:
        """Whether anything would go that was not in an impact as it was shown, tasks added since among it."""
        return self.beyond(shown) != ([], []) or self.tasks > shown["tasks"]


def impact_of(world: World, *, sessions: Iterable[int], clusterings: Iterable[int]) -> Impact:
    """The impact on these records and all that stands on them now: the clusterings of a session, those over several
    sessions of which one goes, tasks and probes. Leaves out what no longer stands.
    """
    going = [row for row in _sessions(world, sessions) if row.status in STANDING]
    standing_on = set(clusterings)
    table, links = world.state.clusterings.table, world.state.clustering_sessions.table
    for some, marks in parts([row.id for row in going]):
        for sql in (
            f"SELECT id FROM {table} WHERE session IN ({marks})",
            f"SELECT clustering FROM {links} WHERE session IN ({marks})",
        ):
            standing_on.update(row[0] for row in world.transaction.run(sql, some).fetchall())
    return counted(world, going, [row for row in _clusterings(world, standing_on) if row.status in STANDING])


def counted(world: World, sessions: Sequence[Session], clusterings: Sequence[Clustering]) -> Impact:
    """The impact that is just these records, with the tasks and probes of the sessions."""
    numbers = [row.id for row in sessions]
    users: dict[str, int] = {}
    for owner in [*(row.username for row in sessions), *(row.username for row in clusterings)]:
        users[owner] = users.get(owner, 0) + 1
    return Impact(
        tuple(numbers),
        tuple(row.id for row in clusterings),
        _count(world, world.state.tasks.table, numbers),
        _count(world, world.state.probes.table, numbers),
        dict(sorted(users.items())),
    )


def _sessions(world: World, numbers: Iterable[int]) -> list[Session]:
    wanted = sorted(set(numbers))
    world.state.sessions.prefetch(wanted)
    return [row for number in wanted if (row := world.state.sessions.get(number)) is not None]


def _clusterings(world: World, numbers: Iterable[int]) -> list[Clustering]:
    wanted = sorted(set(numbers))
    world.state.clusterings.prefetch(wanted)
    return [row for number in wanted if (row := world.state.clusterings.get(number)) is not None]


def _count(world: World, table: str, sessions: list[int]) -> int:
    total = 0
    for some, marks in parts(sessions):
        sql = f"SELECT count(*) FROM {table} WHERE session IN ({marks})"
        total += world.transaction.run(sql, some).fetchone()[0]
    return total


def parts(numbers: list[int]) -> Iterator[tuple[list[int], str]]:
    """The numbers in parts that fit into one query, each with its marks: ``?, ?, ?``."""
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        yield some, ", ".join("?" * len(some))


def impact_of_named(world: World, what: Named) -> Impact:
    records = what.records
    return impact_of(
        world,
        sessions=[row.id for row in records if isinstance(row, Session)],
        clusterings=[row.id for row in records if isinstance(row, Clustering)],
    )


def impact_at(world: World, position: int) -> dict[str, Any]:
    """The impact as an event showed it."""
    impact: dict[str, Any] = body_of(log.read_positions(world.transaction, [position])[position])["impact"]
    return impact
