"""The past against the present, in an open ledger: one record by its id, and pages of lists.

Two moments: the middle of the log, where next to nothing of what is looked at has changed since; and just behind the
request of what is looked at, so that all of it is folded.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.measure import Measure, in_turn, slower
from commands.door.submit import Daybook
from projections import listings
from projections.pages import page
from projections.past import Past
from projections.queries import Kind, Query
from projections.references import find

ONE_RECORD = 2.0
A_PAGE = 5.0
_ROUNDS = 41


def measures(daybook: Daybook, name: str) -> Iterator[Measure]:
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
    kinds: tuple[Kind, ...] = ("sessions", "clusterings", "uploads")
    for kind in kinds:
        for asked, query in (("", Query()), (" of a subject", Query(subject="10001"))):
            for title, moment in moments:
                yield slower(
                    f"{kind}, a page of 100{asked} as of {title}, {name}",
                    "the same page of now",
                    _in_turn(
                        partial(_page_then, daybook, kind, query, moment),
                        partial(_page_now, daybook, kind, query),
                    ),
                    A_PAGE,
                )


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


def _page_now(daybook: Daybook, kind: Kind, query: Query) -> None:
    with daybook.reading() as world:
        page(world.transaction, world.head, kind, query)


def _page_then(daybook: Daybook, kind: Kind, query: Query, moment: int) -> None:
    with daybook.reading_past(moment, Past.lists) as world:
        page(world.transaction, world.head, kind, query)
