"""The log a page at a time: by position, in both directions, and by what events say."""

import pytest

from commands.answers.log import Log, Matching, log
from commands.door.submit import Daybook
from commands.lab.catalogue import AddReferenceValue
from ledger.errors import Refusal

VALUES = ("alpha", "beta", "Gamma 1", "gamma 2", 'say "gamma"')


@pytest.fixture
def named(daybook: Daybook) -> Daybook:
    for value in VALUES:
        daybook.submit(AddReferenceValue(table="acquisition.Project", value=value))
    return daybook


EVERYTHING = Matching()


def look(daybook: Daybook, matching: Matching = EVERYTHING, **where: int | None) -> tuple[Log, list[int]]:
    with daybook.reading() as world:
        found = log(world, matching, **where)
        return found, [event.position for event in found.events]


def test_pages_backwards_meet_every_event_once(named: Daybook) -> None:
    _, everything = look(named, limit=None)

    met: list[int] = []
    page, before = None, None
    while page is None or before is not None:
        page, positions = look(named, limit=2, before=before)
        met = positions + met
        before = page.older

    assert met == everything and len(everything) == len(VALUES) + 1


def test_pages_forwards_meet_every_event_once(named: Daybook) -> None:
    _, everything = look(named, limit=None)

    met: list[int] = []
    after: int | None = 0
    while after is not None:
        page, positions = look(named, limit=2, after=after)
        met += positions
        after = page.newer

    assert met == everything


def test_a_page_says_where_to_look_on(named: Daybook) -> None:
    page, positions = look(named, limit=2, before=5)

    assert positions == [3, 4]
    assert (page.older, page.newer, page.more) == (3, 4, True)
    assert look(named, limit=2, before=page.older)[1] == [1, 2]
    assert look(named, limit=2, after=page.newer)[1] == [5, 6]


def test_a_stream_between_two_positions_leaves_out_both(named: Daybook) -> None:
    assert look(named, limit=None, after=2, before=5)[1] == [3, 4]


@pytest.mark.parametrize("wanted", ["gamma", "GAMMA"])
def test_a_text_is_found_in_any_case_newest_first(named: Daybook, wanted: str) -> None:
    page, positions = look(named, Matching(text=wanted), limit=2)

    assert positions == [5, 6]
    assert look(named, Matching(text=wanted), limit=2, before=page.older)[1] == [4]


def test_a_text_with_quotes_is_found(named: Daybook) -> None:
    assert look(named, Matching(text='say "gamma"'))[1] == [6]


def test_names_of_fields_are_no_text_of_an_event(named: Daybook) -> None:
    assert look(named, Matching(text="attributes"))[1] == []


def test_a_text_is_looked_for_so_many_positions_at_a_time(
    named: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.answers.log.STEP", 3)

    first, positions = look(named, Matching(text="alpha"))
    second, more = look(named, Matching(text="alpha"), before=first.older)

    assert (positions, first.older, more, second.older) == ([], 4, [2], None)


def test_filters_hold_together_with_positions(named: Daybook) -> None:
    matching = Matching(type="ReferenceValueAdded", actor="user_1")

    assert look(named, matching, limit=2, before=5)[1] == [3, 4]
    assert look(named, Matching(actor="user_9"))[1] == []


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_page_is_bounded(named: Daybook, limit: int) -> None:
    with pytest.raises(Refusal, match="1 to 10,000"):
        look(named, limit=limit)
