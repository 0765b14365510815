"""A clock, a start or a sessions.txt that was mended after the session was inserted: found, named, and taken in."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from commands.answers.why import why
from commands.cli.next_steps import worded
from commands.intake.working import work
from commands.requests.changes.from_disk import amend_from_disk
from ledger.errors import Refusal
from projections.listings import whole
from projections.rebuild import contents, rebuild
from projections.references import Reference
from tests.deletion.desk import Desk
from tests.intake.lab import group, session, task

ROWS = "#1, OpenField, start=0, end=10\n#2, OpenField, start=20, end=30\n"
LATER = "#1, OpenField, start=1, end=11\n#2, OpenField, start=21, end=31\n"


@pytest.fixture
def folder(desk: Desk) -> Path:
    found: Path = desk.lab.record("date_1")
    (found / "sessions.txt").write_text(ROWS)
    return found


@pytest.fixture
def one(desk: Desk, folder: Path) -> str:
    entry = session("date_1", name="date_1", tasks=[task(), task()])
    return desk.lab.upload(entry, user="user_3").sessions[0].session


def record_again(desk: Desk, folder: Path, day: int) -> None:
    """The clock of the recording was mended."""
    table = (folder / "sessions.txt").read_text()
    shutil.rmtree(folder)
    desk.lab.record("date_1", day=day)
    (folder / "sessions.txt").write_text(table)


def amend(desk: Desk, name: str, *, user: str = "user_3", **given: Any) -> Any:
    return amend_from_disk(desk.of(user), int(name[1:]), roots=desk.lab.roots, **given)


def look(desk: Desk, name: str) -> None:
    work(desk.of("user_3"), desk.lab.roots, named=[name])


def told(desk: Desk, name: str) -> tuple[str, list[str]]:
    with desk.lab.daybook.reading() as world:
        found = why(world, Reference("session", int(name[1:])))
    return found.message, [worded(step) for step in found.next_steps]


def record(desk: Desk, name: str) -> dict[str, Any]:
    with desk.lab.daybook.reading() as world:
        return whole(world.transaction, world.head.live_slot, Reference("session", int(name[1:])))


def test_changed_sessions_txt_is_named_with_the_way_and_taken_in(desk: Desk, one: str, folder: Path) -> None:
    (folder / "sessions.txt").write_text(LATER)

    look(desk, one)
    message, steps = told(desk, one)
    made = amend(desk, one)

    assert "sessions.txt has changed" in message and f"daybook amend {one} --from-disk" in steps
    assert (made.kind, made.status) == ("addition", "done")
    found = record(desk, one)
    assert [(t["task_start"], t["task_stop"]) for t in found["tasks"]] == [(1, 11), (21, 31)]
    assert found["session_time"] == "2023-05-01 10:00:00"
    assert "changed" not in told(desk, one)[0]
    look(desk, one)
    assert "changed" not in told(desk, one)[0]
    with pytest.raises(Refusal, match="what is on record"):
        amend(desk, one)


def test_mended_clock_is_named_with_the_way_and_taken_in(desk: Desk, one: str, folder: Path) -> None:
    record_again(desk, folder, 2)

    look(desk, one)
    message, steps = told(desk, one)
    amend(desk, one)

    assert "started at 2023-05-03 10:00:00" in message
    assert {f"daybook amend {one} --from-disk", f"daybook amend {one} --start TIME --reason TEXT"} <= set(
        steps
    )
    assert record(desk, one)["session_time"] == "2023-05-03 10:00:00"
    look(desk, one)
    assert "The disk says" not in told(desk, one)[0]


def test_its_old_time_is_free_and_its_new_one_is_held(desk: Desk, one: str, folder: Path) -> None:
    record_again(desk, folder, 2)
    amend(desk, one)
    desk.lab.record("date_2", day=0)

    (other,) = desk.lab.upload(session("date_2"), user="user_3").sessions

    assert (other.outcome, other.session_time) == ("inserted", "2023-05-01 10:00:00")
    with desk.lab.daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)
    rebuild(desk.lab.daybook.database)
    with desk.lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == before


def test_time_of_another_session_is_refused(desk: Desk, one: str, folder: Path) -> None:
    desk.lab.record("date_2", day=2)
    (other,) = desk.lab.upload(session("date_2"), user="user_3").sessions
    record_again(desk, folder, 2)

    with desk.refused("session-time-taken", other.session):
        amend(desk, one)


def test_person_says_when_it_began_and_the_disk_is_not_asked_again(
    desk: Desk, one: str, folder: Path
) -> None:
    with desk.refused("no-reason"):
        amend(desk, one, start="2023-05-01 11:00:00")
    amend(desk, one, start="2023-05-01 11:00:00", reason="the clock had summer time")

    look(desk, one)

    assert record(desk, one)["session_time"] == "2023-05-01 11:00:00"
    assert "The disk says" not in told(desk, one)[0]
    (body,) = desk.lab.bodies("SessionAmended")
    assert (body["start"], body["reason"]) == ("2023-05-01 11:00:00", "the clock had summer time")


def test_where_anothers_clustering_stands_on_it_it_is_a_request(desk: Desk, one: str, folder: Path) -> None:
    desk.lab.record("date_2", day=1)
    desk.lab.upload(session("date_2", name="date_2"), user="user_3")
    times = ["2023-05-01 10:00:00", "2023-05-02 10:00:00"]
    assert desk.lab.upload(clustering=[group("g", times)], user="user_4").ok
    record_again(desk, folder, 5)

    made = amend(desk, one)

    assert (made.status, made.users) == ("requested", {"user_4": 1})
    assert record(desk, one)["session_time"] == "2023-05-01 10:00:00"
    desk.approve(int(made.request[1:]))
    assert record(desk, one)["session_time"] == "2023-05-06 10:00:00"


def test_only_the_owner_or_an_admin_takes_it_in(desk: Desk, one: str, folder: Path) -> None:
    record_again(desk, folder, 2)

    with desk.refused("not-permitted"):
        amend(desk, one, user="user_4")


def test_the_same_command_id_gives_the_first_answer(desk: Desk, one: str, folder: Path) -> None:
    record_again(desk, folder, 2)

    first = amend(desk, one, command_id="again")
    size = desk.lab.size()

    assert amend(desk, one, command_id="again") == first
    assert desk.lab.size() == size
