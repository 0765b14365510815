"""Somebody with all rights rewrites the past so well that the ledger fits itself: every checkpoint that covers the first
event concerned, kept where that person cannot reach it, shows it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.proving.checkpoints import make_checkpoint
from ledger.verify import verify
from projections.rebuild import contents
from tests.ledger.writing import added, append
from tests.tampering.forgery import Change, Event, rewrite

FIRST = 260  # the event concerned: behind the first node of the tree that is stored
SIZES = (100, 259, 260, 300)


@dataclass
class Kept:
    """A ledger of 301 events and what its checkpoints said, on paper."""

    url: str
    checkpoints: dict[int, str]

    def betrayed_by(self) -> list[int]:
        """The sizes of the checkpoints that the ledger no longer continues."""
        return [size for size, text in self.checkpoints.items() if not verify(self.url, kept=[text]).ok]


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, ledger_templates: Callable[[str, Path], str], tmp_path: Path
) -> Iterator[Kept]:
    url = ledger_templates(request.param, tmp_path)
    daybook = Daybook.open(url, Actor("user_1"))
    ledger, size = Kept(url, {}), 1
    for to in (*SIZES, SIZES[-1] + 1):
        append(daybook.database, [added(f"value_{number}") for number in range(size, to)])
        size = to
        ledger.checkpoints[to] = make_checkpoint(daybook, tmp_path / "daybook.key")
    daybook.close()
    assert ledger.betrayed_by() == []
    yield ledger


def removed(events: list[Event]) -> list[Event]:
    return events[: FIRST - 1] + events[FIRST:]


def swapped(events: list[Event]) -> list[Event]:
    """Each in the other's command and at its time: else the receipts would not fit."""
    one, other = events[FIRST - 1], events[FIRST]
    own = ("command_id", "recorded_at")
    events[FIRST - 1] = other | {name: one[name] for name in own}
    events[FIRST] = one | {name: other[name] for name in own}
    return events


def inserted(events: list[Event]) -> list[Event]:
    forged = events[FIRST - 1] | {
        "position": 0,
        "payload": events[FIRST]["payload"].replace("value_", "forged_"),
    }
    return [*events[: FIRST - 1], forged, *events[FIRST - 1 :]]


def tail_cut(events: list[Event]) -> list[Event]:
    return events[: FIRST - 1]


def said_otherwise(events: list[Event]) -> list[Event]:
    events[FIRST - 1]["payload"] = events[FIRST - 1]["payload"].replace("value_", "forged_")
    return events


def done_by_another(events: list[Event]) -> list[Event]:
    events[FIRST - 1]["actor"] = "user_2"
    return events


def dated_back(events: list[Event]) -> list[Event]:
    events[FIRST - 1]["recorded_at"] = events[FIRST - 2]["recorded_at"]
    return events


CHANGES = (removed, swapped, inserted, tail_cut, said_otherwise, done_by_another, dated_back)


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_every_checkpoint_that_covers_it_shows_it(kept: Kept, change: Change) -> None:
    rewrite(kept.url, change)

    assert verify(kept.url).problems == []  # nothing in the database gives it away
    assert kept.betrayed_by() == [size for size in kept.checkpoints if size >= FIRST]
    report = verify(kept.url, kept=list(kept.checkpoints.values()))
    assert {(problem.code, problem.position) for problem in report.problems} == {
        ("checkpoint-mismatch", FIRST)
    }


def test_lists_of_the_rewritten_past_are_those_of_the_rewritten_past(kept: Kept) -> None:
    """The forgery is complete: the lists say what the forged events say."""
    rewrite(kept.url, said_otherwise)

    daybook = Daybook.open(kept.url, Actor("user_1"))
    with daybook.reading() as world:
        values = {row[1] for row in contents(world.transaction, world.head.live_slot)["reference_values"]}
    daybook.close()
    assert "forged_259" in values or "forged_260" in values
    assert len(values) == 300


def test_what_was_not_rewritten_is_not_betrayed(kept: Kept) -> None:
    rewrite(kept.url, lambda events: events)

    assert kept.betrayed_by() == []


@pytest.mark.parametrize("change", [removed, tail_cut], ids=["removed", "tail cut"])
def test_ledger_that_grew_again_over_the_forgery_is_still_betrayed(
    kept: Kept, change: Callable[[list[Event]], list[Event]]
) -> None:
    rewrite(kept.url, change)
    daybook = Daybook.open(kept.url, Actor("user_2"))
    append(daybook.database, [added(f"later_{number}") for number in range(100)])
    daybook.close()

    assert verify(kept.url).ok
    assert kept.betrayed_by() == [size for size in kept.checkpoints if size >= FIRST]
