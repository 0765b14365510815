"""What is to be done, and when: by folder, what came lately often, what rested alone and later each time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.door.actor import Actor
from commands.intake import looks
from commands.intake.working import work
from commands.recordings.roots import Roots
from commands.workers.hosting import Host
from commands.workers.planning import BATCH, Work, batches, by_time, everything, without
from commands.workers.reading import Outcome, Who
from commands.workers.running import Options, Working
from ledger.errors import Refusal
from tests.intake.lab import SERIALS, Lab
from tests.workers.conftest import leave

ROOTS = Roots.of({"N:": ["/mnt/n"], "P:": ["/mnt/p"]})
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("location", "folder"),
    [
        ("N:/12345/2023-05-01", "N:/12345"),
        ("N:/lab_a/12345/2023-05-01", "N:/lab_a/12345"),
        ("N:/lab_a/12345/2023/05/01", "N:/lab_a/12345"),
        ("N:/run_1", "N:"),
        ("Q:/lab_a/12345/2023-05-01", "Q:/lab_a/12345"),  # of a root that this host does not know
    ],
)
def test_a_folder_has_two_names_below_its_root_at_most(location: str, folder: str) -> None:
    assert looks.folder_of(location, ROOTS) == folder


def test_work_is_handed_out_in_batches_by_folder() -> None:
    here = [(number, f"N:/12345/{number}") for number in range(1, BATCH + 2)]
    works = batches("settle", [*here, (99, "P:/23456/1")], [(100, "P:/23456/joint")], ROOTS)

    assert [(work.folder, len(work.sessions), work.clusterings) for work in works] == [
        ("N:/12345", BATCH, ()), ("N:/12345", 1, ()), ("P:/23456", 1, ()), ("P:/23456", 0, (100,)),
    ]  # fmt: skip


def test_nothing_is_queued_twice() -> None:
    works = [Work("settle", "N:/a", (1, 2, 3)), Work("settle", "N:/a", (3, 4)), Work("settle", "N:/a", (1,))]

    assert without(works, ((2,), ())) == [Work("settle", "N:/a", (1, 3)), Work("settle", "N:/a", (4,))]


@pytest.mark.parametrize(
    ("waited", "next_in"),
    [
        (timedelta(), timedelta(seconds=30)),
        (timedelta(hours=1), timedelta(minutes=6)),
        (timedelta(days=5), timedelta(hours=12)),
        (timedelta(days=400), timedelta(days=1)),
    ],
)
def test_what_came_lately_is_looked_at_often_and_what_is_old_rarely(
    waited: timedelta, next_in: timedelta
) -> None:
    assert looks.after(looks.written(NOW - waited), NOW) == NOW + next_in


def planned(lab: Lab, after: timedelta, *, all_of_it: bool = False) -> list[tuple[int, ...]]:
    with lab.daybook.reading() as world:
        plan = everything if all_of_it else by_time
        return [work.sessions for work in plan(world, lab.roots, datetime.now(UTC) + after)]


def numbers(lab: Lab) -> list[int]:
    with lab.daybook.reading() as world:
        return sorted(row.id for row in world.state.sessions.where("id > 0", []))


def test_what_waits_is_looked_at_when_it_is_time(lab: Lab) -> None:
    for day in range(2):
        lab.record(f"date_{day}", day=day, serials=(*SERIALS, "99999999999"))
    leave(lab, "date_0", "date_1")
    work(lab.daybook, lab.roots)

    assert planned(lab, timedelta()) == []
    assert planned(lab, timedelta(minutes=1)) == [tuple(numbers(lab))]


@pytest.mark.parametrize(
    ("folder", "code"), [("Q:/lab_a", "no-such-folder"), ("N:/lab_a/12345/2023", "folder-too-deep")]
)
def test_a_folder_that_no_work_would_come_of_is_refused(folder: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        Host(ROOTS, [folder], most=1)

    assert refused.value.code == code


def test_a_folder_that_hung_rests_longer_each_time() -> None:
    host = Host(ROOTS, [], most=1)

    assert [host.hung("N:/12345") for _ in range(3)] == [30, 60, 120]
    host.answered("N:/12345")
    assert host.hung("N:/12345") == 30


@pytest.fixture
def working(lab: Lab) -> Working:
    return Working(lab.daybook.ledger, lab.url, lab.roots, Who(Actor("user_1")), Options(), lambda told: None)


def test_what_may_pass_is_tried_alone_and_later_each_time(lab: Lab, working: Working) -> None:
    leave(lab, *lab.record_quickly(2))
    first, second = numbers(lab)
    names, rests = [f"s{first}", f"s{second}"], []
    for _ in range(3):
        looks.begin(lab.daybook.database, dict.fromkeys(names, "N:/rec"), working.name)
        working._rest(
            Work("settle", "N:/rec", (first, second)), Outcome(code="hung", message="x", passes=True)
        )
        with lab.daybook.reading() as world:
            look = looks.looks_at(world.transaction, names)[names[0]]
        rests.append(datetime.fromisoformat(str(look.next_at)) - datetime.fromisoformat(look.last_at))

    assert look.attempts == 3 and look.status == looks.RESTING
    assert [round(rest.total_seconds() / 30) for rest in rests] == [1, 2, 4]
    assert planned(lab, timedelta()) == planned(lab, timedelta(), all_of_it=True) == []
    assert planned(lab, timedelta(minutes=3)) == [(first,), (second,)]


def test_what_does_not_pass_is_left_until_somebody_asks(lab: Lab, working: Working) -> None:
    leave(lab, *lab.record_quickly(1))
    [number] = numbers(lab)
    looks.begin(lab.daybook.database, {f"s{number}": "N:/rec"}, working.name)
    working._rest(Work("settle", "N:/rec", (number,)), Outcome(code="incident", message="x"))

    assert planned(lab, timedelta(days=9)) == planned(lab, timedelta(days=9), all_of_it=True) == []

    work(lab.daybook, lab.roots, named=[f"s{number}"])

    assert lab.statuses() == {"N:/rec/quick_0": "inserted"}
    with lab.daybook.reading() as world:
        [look] = looks.looks_at(world.transaction, [f"s{number}"]).values()
    assert (look.status, look.attempts, look.error, look.next_at) == (looks.DONE, 2, "", None)


def test_of_several_the_one_at_fault_is_found_alone(lab: Lab, working: Working) -> None:
    leave(lab, *lab.record_quickly(2))
    first, second = numbers(lab)
    fault = Outcome(code="incident", message="x")
    working._rest(Work("settle", "N:/rec", (first, second)), fault)

    assert planned(lab, timedelta(minutes=3)) == [(first,), (second,)]

    looks.begin(lab.daybook.database, {f"s{first}": "N:/rec"}, working.name)
    working._rest(Work("settle", "N:/rec", (first,)), fault)

    assert planned(lab, timedelta(days=9)) == [(second,)]


def test_what_kills_its_reader_again_and_again_is_left(lab: Lab, working: Working) -> None:
    leave(lab, *lab.record_quickly(1))
    [number] = numbers(lab)
    found = []
    for _ in range(5):
        looks.begin(lab.daybook.database, {f"s{number}": "N:/rec"}, working.name)
        working._rest(Work("settle", "N:/rec", (number,)), Outcome(code="died", message="x", passes=True))
        with lab.daybook.reading() as world:
            found += [look.status for look in looks.looks_at(world.transaction, [f"s{number}"]).values()]

    assert found == [looks.RESTING] * 4 + [looks.FAILED]


def test_what_a_killed_worker_was_looking_at_is_due_again(lab: Lab, tmp_path: Path) -> None:
    lab.record("date_0", serials=(*SERIALS, "99999999999"))
    leave(lab, "date_0")
    work(lab.daybook, lab.roots)
    [number] = numbers(lab)
    looks.begin(lab.daybook.database, {f"s{number}": "N:/rec"}, "elsewhere:1")

    assert planned(lab, timedelta(minutes=10)) == []
    assert planned(lab, timedelta(minutes=20)) == [(number,)]
