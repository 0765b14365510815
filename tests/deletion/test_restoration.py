"""restore: all that a deletion deleted stands again, or nothing does and everything in the way is named."""

from collections import Counter

import pytest

from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import add_clustering
from commands.requests.restoration import Blocked, Restored
from commands.samples.clusterings import kilosort_output
from projections.listings import whole
from projections.references import Reference
from tests.correction.corrections import request as request_correction
from tests.deletion.desk import Desk, grouped, inserted
from tests.intake.lab import SERIALS, document, group, session


def blockers(desk: Desk, number: int) -> list[str]:
    size = desk.lab.size()
    with pytest.raises(Blocked) as refused:
        desk.restore(number)
    assert desk.lab.size() == size
    assert refused.value.blockers[0] in refused.value.message
    return refused.value.blockers


def test_all_of_it_stands_again(desk: Desk) -> None:
    lab = desk.lab
    records = inserted(lab, 2, user="user_3", **grouped("quick_0", "quick_1"))
    number = desk.request(*records[:2], user="user_3")
    desk.approve(number)
    before = lab.size()

    result = desk.restore(number)

    assert result == Restored(
        position=lab.size(), request=f"d{number}", kind="deletion", sessions=2, clusterings=1, pending=0
    )
    assert desk.statuses(*records, f"d{number}") == ["inserted"] * 3 + ["restored"]
    events = lab.events(before)
    assert Counter(event.type for event in events) == {
        "SessionRestored": 2, "ClusteringRestored": 1, "DeletionRestored": 1,
    }  # fmt: skip
    assert {(event.correlation, event.username, event.actor) for event in events} == {
        (f"d{number}", "user_3", "user_2")
    }
    again = lab.upload(session("quick_0", name="quick_0"), user="user_3")
    assert again.sessions[0].outcome == "duplicate" and again.sessions[0].session == records[0]


def test_a_restored_session_is_shown_as_it_was(desk: Desk) -> None:
    first, _, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))

    def shown() -> list[dict[str, object]]:
        with desk.lab.daybook.reading() as world:
            found = [Reference("session", int(first[1:])), Reference("clustering", int(both[1:]))]
            records = [whole(world.transaction, world.head.live_slot, one) for one in found]
        for record in [
            record
            for whole_one in records
            for record in (
                whole_one,
                *whole_one.get("sessions", []),
                *whole_one.get("multi_session_clusterings", []),
            )
        ]:
            del record["changed_at"]
        return records

    before = shown()
    desk.restore(desk.delete(first))
    assert shown() == before
    assert before[0]["recordings"] and before[1]["outputs"]


def test_what_waited_is_pending_again_and_is_looked_at_by_the_next_work(desk: Desk) -> None:
    lab = desk.lab
    lab.record("waits", acquiring=True)
    waits = lab.upload(session("waits")).sessions[0].session
    number = desk.delete(waits)

    assert desk.restore(number).pending == 1
    assert desk.status(waits) == "pending"
    lab.record("waits")
    desk.work()

    assert desk.status(waits) == "inserted"


def test_only_admins_restore_and_only_what_was_executed(desk: Desk) -> None:
    one, two = inserted(desk.lab, 2, user="user_3")
    executed = desk.delete(one)
    open_one = desk.request(two)

    with desk.refused("not-permitted", "the role admin"):
        desk.restore(executed, user="user_3")
    with desk.refused("not-executed", "requested"):
        desk.restore(open_one)
    desk.reject(open_one)
    with desk.refused("not-executed", "rejected"):
        desk.restore(open_one)
    desk.restore(executed, user="user_1")
    with desk.refused("not-executed", "restored"):
        desk.restore(executed)


def test_a_deletion_is_restored_and_requested_again(desk: Desk) -> None:
    [one] = inserted(desk.lab, 1)
    desk.restore(desk.delete(one))
    second = desk.delete(one)
    assert desk.status(one) == "deleted"
    desk.restore(second)
    assert desk.status(one) == "inserted"


def test_what_an_earlier_deletion_had_deleted_stays_deleted(desk: Desk) -> None:
    lab = desk.lab
    lab.record("date_1", serials=SERIALS[:1])
    kilosort_output(lab.share / "date_1" / "probe_1")
    entry = {"curator": "user_1", "location": "N:/rec/date_1/probe_1"}
    one = lab.upload(session("date_1", clustering=[entry])).sessions[0].session
    with lab.daybook.reading() as world:
        [clustering] = [f"c{row.id}" for row in world.state.clusterings.where("session = ?", [int(one[1:])])]
    first = desk.delete(clustering)
    second = desk.delete(one)

    [missing] = blockers(desk, first)
    desk.restore(second)

    assert missing == f"{clustering} stands on {one}, which d{second} deleted."
    assert desk.statuses(one, clustering) == ["inserted", "deleted"]
    desk.restore(first)
    assert desk.statuses(one, clustering) == ["inserted", "inserted"]


# --- what stands in the way ---------------------------------------------------------------------------------


def test_locations_and_group_names_that_were_taken_since_are_all_named(desk: Desk) -> None:
    lab = desk.lab
    old = inserted(lab, 2, **grouped("quick_0", "quick_1"))
    number = desk.delete(*old)
    new = inserted(lab, 2, user="user_3", **grouped("quick_0", "quick_1"))

    found = blockers(desk, number)

    assert len(found) == 3
    for sentence, gone, holder, key in zip(
        found, old, new, ("location N:/rec/quick_0", "location N:/rec/quick_1", "group_name g"), strict=True
    ):
        assert sentence.startswith(f"{gone}: {key} is held by {holder} of user_3, inserted 20")
    assert desk.statuses(*old, *new) == ["deleted"] * 3 + ["inserted"] * 3
    desk.delete(*new)
    desk.restore(number)
    assert desk.statuses(*old) == ["inserted"] * 3


def test_a_session_time_that_was_taken_at_another_location_is_named(desk: Desk) -> None:
    lab = desk.lab
    lab.record("wrong_place")
    lab.record("right_place")
    old = lab.upload(session("wrong_place")).sessions[0].session
    number = desk.delete(old)
    new = lab.upload(session("right_place")).sessions[0].session
    assert desk.status(new) == "inserted"

    [sentence] = blockers(desk, number)

    assert sentence.startswith(
        f"{old}: session_time 2023-05-01 10:00:00 is held by {new} of user_1, inserted 20"
    )


def test_a_location_is_held_by_what_only_waits_too(desk: Desk) -> None:
    lab = desk.lab
    [old] = inserted(lab, 1)
    number = desk.delete(old)
    lab.record("quick_0", acquiring=True)
    new = lab.upload(session("quick_0")).sessions[0].session
    [sentence] = blockers(desk, number)
    assert f"is held by {new} of user_1, {desk.status(new)} 20" in sentence
    desk.withdraw(new)
    desk.restore(number)
    assert desk.status(old) == "inserted"


def test_a_clustering_is_not_restored_onto_a_session_that_another_deletion_deleted(desk: Desk) -> None:
    one, two, both = inserted(desk.lab, 2, **grouped("quick_0", "quick_1"))
    first = desk.delete(both)
    second = desk.delete(one)

    assert blockers(desk, first) == [f"{both} stands on {one}, which d{second} deleted."]
    desk.restore(second)
    desk.restore(first)

    assert desk.statuses(one, two, both) == ["inserted"] * 3


def test_a_clustering_that_was_added_again_since_is_named(desk: Desk) -> None:
    lab = desk.lab
    lab.record("date_1", serials=SERIALS[:1])
    kilosort_output(lab.share / "date_1" / "probe_1")
    clustering = ClusteringEntry(curator="user_1", location="N:/rec/date_1/probe_1")
    one = int(lab.upload(session("date_1")).sessions[0].session[1:])
    old = add_clustering(lab.daybook, one, clustering, roots=lab.roots).clustering
    number = desk.delete(old)
    new = add_clustering(lab.daybook, one, clustering, roots=lab.roots).clustering

    [sentence] = blockers(desk, number)

    assert sentence.startswith(
        f"{old}: its session has a clustering at N:/rec/date_1/probe_1 again, {new} of user_1"
    )
    assert desk.statuses(old, new) == ["deleted", "inserted"]


def test_one_hindrance_keeps_all_of_it_deleted(desk: Desk) -> None:
    old = inserted(desk.lab, 3)
    number = desk.delete(*old)
    inserted(desk.lab, 1, first=1)
    assert len(blockers(desk, number)) == 1
    assert desk.statuses(*old) == ["deleted"] * 3


def test_a_pending_clustering_is_restored_beside_a_session_that_failed_meanwhile(desk: Desk) -> None:
    lab = desk.lab
    lab.record("good")
    lab.record("waits", day=1, acquiring=True)
    report = lab.upload(
        session("good", name="good"),
        session("waits", name="waits"),
        clustering=[group("g", ["good", "waits"])],
    )
    waits, both = report.sessions[1].session, report.clusterings[0].clustering
    number = desk.delete(both)
    desk.withdraw(waits)

    desk.restore(number)
    desk.work()

    assert desk.status(both) == "error"
    assert "withdrawn" in lab.bodies("ClusteringInsertFailed")[0]["message"]


# --- corrections --------------------------------------------------------------------------------------------


def test_a_correction_is_restored_when_what_it_put_in_its_place_is_gone(desk: Desk) -> None:
    lab = desk.lab
    parts = grouped("quick_0", "quick_1")
    old, second, both = inserted(lab, 2, **parts)
    entries = session("quick_0", name="quick_0", notes="right"), session("quick_1", name="quick_1")
    number = request_correction(lab, document(*entries, **parts))
    desk.approve(number)
    with lab.daybook.reading() as world:
        new = f"s{world.state.sessions[int(old[1:])].replaced_by}"
    assert desk.statuses(old, new, second, both) == ["deleted", "inserted", "inserted", "inserted"]

    [sentence] = blockers(desk, number)
    assert sentence.startswith(f"{old} was replaced by {new} of user_1, inserted 20")

    later = desk.delete(new)
    assert desk.status(both) == "deleted"
    desk.restore(number)
    assert desk.statuses(old, new, second, both) == ["inserted", "deleted", "inserted", "deleted"]
    assert len(blockers(desk, later)) == 1
    with lab.daybook.reading() as world:
        assert world.state.sessions[int(old[1:])].replaced_by is None


def test_a_correction_that_moved_a_session_is_not_restored_beside_it(desk: Desk) -> None:
    lab = desk.lab
    lab.record("wrong")
    lab.record("right")
    old = lab.upload(session("wrong")).sessions[0].session
    number = request_correction(lab, document(session("right")))
    desk.approve(number)

    [sentence] = blockers(desk, number)

    assert f"{old} was replaced by " in sentence
    assert lab.statuses() == {"N:/rec/wrong": "deleted", "N:/rec/right": "inserted"}


def moved_once_and_again(desk: Desk) -> tuple[list[str], list[int]]:
    """A session whose recording two corrections moved: its three ids, and the two requests."""
    for day, name in enumerate(("first", "second", "third")):
        desk.lab.record(name, day=day)
    ids = [desk.lab.upload(session("first", name="a")).sessions[0].session]
    requests = []
    for name in ("second", "third"):
        requests.append(request_correction(desk.lab, document(session(name, name="a"))))
        ids.append(desk.approve(requests[-1]).replaced[0].new)
    return ids, requests


def test_a_session_that_two_corrections_moved_is_not_restored_beside_it(desk: Desk) -> None:
    (first, second, third), (once, _again) = moved_once_and_again(desk)

    [sentence] = blockers(desk, once)

    assert sentence.startswith(f"{first} was replaced by {third} of user_1, inserted 20")
    assert desk.statuses(first, second, third) == ["deleted", "deleted", "inserted"]


def test_what_a_correction_put_there_is_not_restored_beside_what_it_replaced(desk: Desk) -> None:
    (first, second, third), (once, again) = moved_once_and_again(desk)
    later = desk.delete(third)
    desk.restore(once)

    for request, name in ((again, second), (later, third)):
        [sentence] = blockers(desk, request)
        assert sentence.startswith(f"{name} was put in the place of {first} of user_1, inserted 20")
    assert desk.statuses(first, second, third) == ["inserted", "deleted", "deleted"]


def test_a_clustering_that_waited_for_a_corrected_session_is_pending_when_it_is_restored(desk: Desk) -> None:
    lab = desk.lab
    parts = grouped("quick_0", "quick_1")
    *_, both = inserted(lab, 2, **parts)
    lab.record("quick_0", acquiring=True)
    entries = session("quick_0", name="quick_0", notes="right"), session("quick_1", name="quick_1")
    desk.approve(request_correction(lab, document(*entries, **parts)))
    assert desk.status(both) == "waiting"  # though it had been inserted once

    desk.restore(desk.delete(both))

    assert desk.status(both) == "pending"
    desk.work()
    assert desk.status(both) == "waiting"


def test_a_clustering_that_is_restored_is_replaced_by_nothing(desk: Desk) -> None:
    lab = desk.lab
    parts = grouped("quick_0", "quick_1")
    *_, old = inserted(lab, 2, **parts)
    entries = [session(name, name=name) for name in ("quick_0", "quick_1")]
    number = request_correction(
        lab, document(*entries, clustering=[group("g", ["quick_0", "quick_1"], notes="right")])
    )
    desk.approve(number)
    with lab.daybook.reading() as world:
        new = f"c{world.state.clusterings[int(old[1:])].replaced_by}"
    desk.delete(new)

    desk.restore(number)

    assert desk.statuses(old, new) == ["inserted", "deleted"]
    with lab.daybook.reading() as world:
        assert world.state.clusterings[int(old[1:])].replaced_by is None


def test_what_is_in_the_way_is_the_first_that_stands_and_nothing_beyond_it(desk: Desk) -> None:
    """Of a chain of corrections: where the one before stands again, that one is named and not the one before it."""
    (old, between, new), (_, second) = moved_once_and_again(desk)
    deletion = desk.delete(new)
    desk.restore(second)

    assert desk.statuses(old, between, new) == ["deleted", "inserted", "deleted"]
    assert blockers(desk, deletion)[0].startswith(f"{new} was put in the place of {between} of ")


def test_deleted_clustering_at_the_same_place_is_not_in_the_way(desk: Desk) -> None:
    (one,) = inserted(desk.lab, 1)
    kilosort_output(desk.lab.share / "sorted")
    entry = ClusteringEntry(curator="user_1", location="N:/rec/sorted", curation_time="2023-06-01 00:00:00")

    def add() -> str:
        return add_clustering(desk.lab.daybook, int(one[1:]), entry, roots=desk.lab.roots).clustering

    first = add()
    deleted = desk.delete(first)
    second = add()
    assert "has a clustering at" in blockers(desk, deleted)[0]
    desk.delete(second)

    desk.restore(deleted)

    assert desk.statuses(first, second) == ["inserted", "deleted"]


def test_a_deleted_session_that_comes_back_by_its_file_is_told_with_its_deletion_and_reason(
    desk: Desk,
) -> None:
    desk.lab.record("date_1")
    old = desk.lab.upload(session("date_1")).sessions[0].session
    number = desk.request(old, reason="It is the wrong animal.")
    desk.approve(number)

    again = desk.lab.upload(session("date_1"))

    assert again.sessions[0].outcome == "inserted"
    [told] = [finding for finding in again.findings if finding.code == "deleted-before"]
    assert told.severity == "warning" and told.line
    assert f"{old}, which d{number} deleted at " in told.message and "It is the wrong animal." in told.message
    assert not desk.lab.upload(session("date_1")).findings
