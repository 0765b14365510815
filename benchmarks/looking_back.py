"""The past against the present, in an open ledger: one record by its id, and pages of every list.

Two moments: the middle of the log, where next to nothing of what is looked at has changed since; and just behind the
request of what is looked at, so that all of it is folded.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.measure import Measure, in_turn, slower
from commands.answers import accounts, lab
from commands.door.submit import Daybook
from commands.door.world import World
from projections import listings
from projections.pages import page
from projections.past import About, Past
from projections.queries import Kind, Query
from projections.references import find

ONE_RECORD = 2.0
A_PAGE = 5.0
_ROUNDS = 41
_OF_THE_LAB: tuple[tuple[str, Callable[[World], Any]], ...] = (
    ("the catalogue", lab.catalogue), ("subjects with their probes", lab.subjects), ("roles", lab.roles),
    ("users", accounts.users),
)  # fmt: skip


def measures(daybook: Daybook, name: str, requests_open: int) -> Iterator[Measure]:
    """``requests_open`` is a position at which all requests were open that are decided today."""
    with daybook.reading() as world:
        size = world.head.size
        table = world.state.sessions.table
        session = world.transaction.run(f"SELECT min(id) FROM {table} WHERE id > ?", (size // 4,)).fetchone()[
            0
        ]
    moments = (("the middle", size // 2), ("its request", session + 150))
    for title, moment in moments:
        yield slower(
            f"show of one session as of {title}, {name}",
            "the same of now",
            _in_turn(partial(_then, daybook, f"s{session}", moment), partial(_now, daybook, f"s{session}")),
            ONE_RECORD,
        )
    kinds: tuple[Kind, ...] = ("sessions", "clusterings", "uploads", "requests")
    for kind in kinds:
        behind = (
            moments if kind != "requests" else (("the middle", size // 2), ("their request", requests_open))
        )
        for asked, query in (("", Query()), (" of a subject", Query(subject="10001"))):
            for title, moment in behind:
                yield _measure(
                    f"{kind}, a page of 100{asked} as of {title}, {name}", daybook, moment, Past.lists,
                    lambda world: page(world.transaction, world.head, kind, query),  # noqa: B023
                )  # fmt: skip
    for title, ask in _OF_THE_LAB:
        yield _measure(f"{title} as of the middle, {name}", daybook, size // 2, Past.lab, ask)


def _measure(name: str, daybook: Daybook, moment: int, about: About, ask: Callable[[World], Any]) -> Measure:
    def now() -> None:
        with daybook.reading() as world:
            ask(world)

    def then() -> None:
        with daybook.reading_past(moment, about) as world:
            ask(world)

    return slower(name, "the same of now", _in_turn(then, now), A_PAGE)


def _in_turn(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    return in_turn(ours, theirs, rounds=_ROUNDS)


def _now(daybook: Daybook, name: str) -> None:
    with daybook.reading() as world:
        slot = world.head.live_slot
        listings.whole(world.transaction, slot, find(world.transaction, slot, name))


def _then(daybook: Daybook, name: str, moment: int) -> None:
    with daybook.reading_past(moment, lambda past: past.one(name)) as world:
        slot = world.head.live_slot
        listings.whole(world.transaction, slot, find(world.transaction, slot, name))
