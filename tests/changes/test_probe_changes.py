"""A probe insertion that was recorded wrong: mended or taken back, at once or by a request."""

from typing import Any

import pytest

from commands.lab.subjects import InsertProbe, RemoveProbe
from commands.requests.changes.insertions import MendInsertion, TakeBackInsertion
from ledger.ranges import expanded
from projections.listings import subjects, whole
from projections.past import Past, put_before
from projections.references import Reference
from tests.deletion.desk import Desk, inserted
from tests.intake.lab import PROBES, SUBJECT

PROBE = "npx_3"
WHY = "wrong animal"


def insert(
    desk: Desk, time: str = "2023-04-01 10:00:00", *, subject: str = SUBJECT, user: str = "user_3"
) -> None:
    desk.submit(user, InsertProbe(subject=subject, probe=PROBE, insertion_time=time))


def remove(desk: Desk, time: str, *, subject: str = SUBJECT, user: str = "user_3") -> None:
    desk.submit(user, RemoveProbe(subject=subject, probe=PROBE, removal_time=time))


def take_back(desk: Desk, *, user: str = "user_3", subject: str = SUBJECT, probe: str = PROBE) -> Any:
    return desk.submit(user, TakeBackInsertion(subject=subject, probe=probe, reason=WHY))


def mend(desk: Desk, user: str = "user_3", probe: str = PROBE, **times: Any) -> Any:
    return desk.submit(user, MendInsertion(subject=SUBJECT, probe=probe, reason="mistyped", **times))


def probes(desk: Desk, subject: str = SUBJECT) -> dict[str, tuple[str, str | None]]:
    with desk.lab.daybook.reading() as world:
        found = {
            each["subject"]: each["probes"] for each in subjects(world.transaction, world.head.live_slot)
        }
    return {each["probe"]: (each["insertion_time"], each["removal_time"]) for each in found[subject]}


def test_author_takes_an_insertion_back_at_once_where_nothing_stands_on_it(desk: Desk) -> None:
    insert(desk)
    before = desk.lab.size()

    made = take_back(desk)

    assert (made.status, made.request, made.kind) == ("done", None, "taking-back")
    assert made.records == [f"probe:{PROBE}", f"subject:{SUBJECT}"]
    assert desk.lab.types(before) == ["ProbeInsertionTakenBack"]
    assert PROBE not in probes(desk)
    insert(desk, subject="23456")
    assert probes(desk, "23456")[PROBE] == ("2023-04-01 10:00:00", None)
    with desk.refused("not-inserted", PROBE):
        take_back(desk)


def test_insertion_of_somebody_else_is_taken_back_by_a_request(desk: Desk) -> None:
    insert(desk, user="user_4")

    made = take_back(desk)

    assert made.status == "requested"
    assert PROBE in probes(desk)
    done = desk.approve(int(made.request[1:]))
    assert (done.kind, done.status, done.sessions, done.clusterings) == ("taking-back", "executed", 0, 0)
    assert PROBE not in probes(desk)


def test_admin_takes_back_at_once_what_nothing_stands_on(desk: Desk) -> None:
    insert(desk)

    assert take_back(desk, user="user_2").status == "done"


def test_what_stands_on_an_insertion_goes_with_it_once_an_admin_approves(desk: Desk) -> None:
    first, second = inserted(desk.lab, 2, user="user_3")
    before = desk.lab.size()

    made = take_back(desk, probe=PROBES[0])

    assert made.status == "requested"
    assert [tuple(each) for each in made.sessions] == [(int(first[1:]), int(second[1:]))]
    assert made.users == {"user_3": 2}
    assert desk.lab.types(before) == ["ChangeRequested"]
    assert desk.statuses(first, second) == ["inserted", "inserted"]
    before = desk.lab.size()

    done = desk.approve(int(made.request[1:]))

    assert done.sessions == 2
    assert desk.lab.types(before) == [
        "DeletionApproved", "SessionDeleted", "SessionDeleted", "ProbeInsertionTakenBack", "DeletionExecuted",
    ]  # fmt: skip
    events = desk.lab.events(before)
    assert {event.causation for event in events[1:]} == {events[0].position}
    assert {event.correlation for event in events} == {made.request}
    assert desk.statuses(first, second) == ["deleted", "deleted"]
    with desk.lab.daybook.reading() as world:
        told = whole(world.transaction, world.head.live_slot, Reference("session", int(first[1:])))
    assert told["deleted_by"] is not None and told["deleted_by"]["kind"] == "taking-back"


def test_restored_taking_back_puts_the_insertion_back_too(desk: Desk) -> None:
    (first,) = inserted(desk.lab, 1, user="user_3")
    made = take_back(desk, probe=PROBES[0])
    number = int(made.request[1:])
    desk.approve(number)
    before = probes(desk)

    restored = desk.restore(number)

    assert (restored.kind, restored.sessions) == ("taking-back", 1)
    assert PROBES[0] not in before
    assert probes(desk)[PROBES[0]] == ("2023-03-01 00:00:00", None)
    assert desk.status(first) == "inserted"


def test_restoring_waits_for_the_probe_to_be_free(desk: Desk) -> None:
    inserted(desk.lab, 1, user="user_3")
    number = int(take_back(desk, probe=PROBES[0]).request[1:])
    desk.approve(number)
    desk.submit("user_3", InsertProbe(subject="23456", probe=PROBES[0], insertion_time="2023-04-01 00:00:00"))

    with desk.refused("blocked", f'probe "{PROBES[0]}" is in subject 23456 now'):
        desk.restore(number)


def test_deleted_session_is_not_restored_onto_an_insertion_that_was_taken_back(desk: Desk) -> None:
    (first,) = inserted(desk.lab, 1, user="user_3")
    deletion = desk.delete(first)
    desk.approve(int(take_back(desk, probe=PROBES[0]).request[1:]))

    with desk.refused("blocked", f'probe "{PROBES[0]}" of {first} is not inserted in its subject any more'):
        desk.restore(deletion)


def test_what_came_to_stand_on_an_insertion_since_is_shown_before_it_goes(desk: Desk) -> None:
    inserted(desk.lab, 1, user="user_3")
    number = int(take_back(desk, probe=PROBES[0]).request[1:])
    (later,) = inserted(desk.lab, 1, first=1)

    with pytest.raises(Exception, match="would now take more than was shown") as caught:
        desk.approve(number)

    assert f"{later} of user_1" in str(caught.value)
    assert desk.lab.types()[-1] == "DeletionImpactGrown"
    assert desk.approve(number, accept_impact=True).sessions == 2


def test_same_taking_back_is_not_requested_twice(desk: Desk) -> None:
    inserted(desk.lab, 1, user="user_3")
    number = take_back(desk, probe=PROBES[0]).request

    with desk.refused("already-requested", number):
        take_back(desk, probe=PROBES[0], user="user_4")


def test_earlier_insertion_is_on_record_again_when_the_later_one_is_taken_back(desk: Desk) -> None:
    insert(desk)
    remove(desk, "2023-04-10 10:00:00")
    insert(desk, "2023-06-01 10:00:00")

    assert take_back(desk).status == "done"
    assert probes(desk)[PROBE] == ("2023-04-01 10:00:00", "2023-04-10 10:00:00")
    assert take_back(desk).status == "done"
    assert PROBE not in probes(desk)


def test_sessions_of_an_earlier_insertion_do_not_stand_on_the_later_one(desk: Desk) -> None:
    inserted(desk.lab, 1, user="user_3")
    desk.submit("user_1", RemoveProbe(subject=SUBJECT, probe=PROBES[0], removal_time="2023-07-01 00:00:00"))
    desk.submit("user_3", InsertProbe(subject=SUBJECT, probe=PROBES[0], insertion_time="2023-08-01 00:00:00"))

    assert take_back(desk, probe=PROBES[0]).status == "done"


def test_author_mends_the_times_at_once(desk: Desk) -> None:
    insert(desk)
    remove(desk, "2023-04-10 10:00:00")

    made = mend(desk, removal_time="2023-05-10 10:00:00")

    assert (made.status, made.kind) == ("done", "mending")
    assert probes(desk)[PROBE] == ("2023-04-01 10:00:00", "2023-05-10 10:00:00")
    mend(desk, insertion_time="2023-04-02 10:00:00")
    assert probes(desk)[PROBE] == ("2023-04-02 10:00:00", "2023-05-10 10:00:00")
    mend(desk, still_in=True)
    assert probes(desk)[PROBE] == ("2023-04-02 10:00:00", None)
    with desk.refused("nothing-to-mend"):
        mend(desk, still_in=True)


def test_times_that_leave_a_session_outside_need_an_admin(desk: Desk) -> None:
    first, second = inserted(desk.lab, 2, user="user_3")  # at 10 and at 11

    made = mend(desk, probe=PROBES[0], user="user_1", removal_time="2023-05-01 10:30:00")

    assert made.status == "requested"
    assert [tuple(each) for each in made.sessions] == [(int(second[1:]),) * 2]
    desk.approve(int(made.request[1:]))
    assert probes(desk)[PROBES[0]][1] == "2023-05-01 10:30:00"
    assert desk.statuses(first, second) == ["inserted", "inserted"]
    late = mend(desk, probe=PROBES[0], user="user_1", insertion_time="2023-05-01 10:10:00")
    assert [f"s{number}" for number in expanded(late.sessions)] == [first, second]


def test_mended_removal_that_no_session_contradicts_needs_nobody(desk: Desk) -> None:
    inserted(desk.lab, 1, user="user_3")

    assert mend(desk, probe=PROBES[0], user="user_1", removal_time="2023-09-01 00:00:00").status == "done"


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"removal_time": "2023-01-01 00:00:00"}, "removed-before-inserted"),
        ({"removal_time": "yesterday"}, "date-time"),
        ({"insertion_time": "2023-13-01 00:00:00"}, "date-time"),
        ({}, "nothing-to-mend"),
    ],
)
def test_times_that_cannot_be_are_refused(desk: Desk, times: dict[str, Any], code: str) -> None:
    insert(desk)

    with desk.refused(code):
        mend(desk, **times)


def test_mended_insertion_does_not_begin_before_the_last_removal(desk: Desk) -> None:
    insert(desk)
    remove(desk, "2023-04-10 10:00:00")
    insert(desk, "2023-06-01 10:00:00")

    with desk.refused("inserted-before-removed", "2023-04-10 10:00:00"):
        mend(desk, insertion_time="2023-04-05 10:00:00")


def test_probe_that_is_elsewhere_by_now_is_not_still_in_there(desk: Desk) -> None:
    insert(desk)
    remove(desk, "2023-04-10 10:00:00")
    insert(desk, "2023-06-01 10:00:00", subject="23456")

    with desk.refused("inserted-elsewhere", "23456"):
        mend(desk, still_in=True)


def test_request_for_another_insertion_than_the_one_on_record_is_not_carried_out(desk: Desk) -> None:
    insert(desk, user="user_4")
    number = int(take_back(desk).request[1:])
    remove(desk, "2023-04-10 10:00:00", user="user_4")
    insert(desk, "2023-06-01 10:00:00", user="user_4")

    with desk.refused("insertion-moved", "2023-06-01 10:00:00"):
        desk.approve(number)
    desk.reject(number)


def test_past_shows_the_insertion_as_it_was_on_record_then(desk: Desk) -> None:
    insert(desk)
    then = desk.lab.size()
    mend(desk, insertion_time="2023-04-02 10:00:00")
    take_back(desk)

    with desk.lab.daybook.ledger.database.past() as transaction:
        head = put_before(transaction, then, Past.lab)
        found = subjects(transaction, head.live_slot)

    (told,) = [each for each in found if each["subject"] == SUBJECT]
    assert {"probe": PROBE, "insertion_time": "2023-04-01 10:00:00", "removal_time": None} in told["probes"]
