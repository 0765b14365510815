"""Whatever is deleted and restored: everything is as it was, and a rebuild agrees."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.samples.clusterings import kilosort_output
from ledger.verify import verify
from projections.rebuild import contents, rebuild
from projections.records import RECORDS
from projections.rows import Rows
from tests.deletion.desk import Desk
from tests.intake.lab import CATALOGUE, Lab, group, load_catalogue, session, task

MOVES = ("version", "changed_at", "status_position")
COUNTED_ON = ("deletions", "activity")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stocked(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """Sessions of two users, with tasks and clusterings, one that waits, one that failed, and clusterings over several."""
    share = tmp_path_factory.mktemp("share") / "N"
    (share / "rec").mkdir(parents=True)
    (share / "joint").mkdir()
    url = ledger_templates(request.param, tmp_path_factory.mktemp("ledger"))
    lab = Lab(url, Daybook.open(url, Actor("user_1")), share / "rec", Roots.of({"N:": [str(share)]}))
    load_catalogue(lab.daybook, CATALOGUE)
    lab.record_quickly(5)
    kilosort_output(lab.share / "quick_0" / "probe_1")
    lab.record("waits", day=30, acquiring=True)
    (lab.share / "fails").mkdir()
    desk = Desk(lab)
    tasks = [task(task_start=0, task_stop=10), task(task_start=10, task_stop=20)]
    lab.upload(
        session("quick_0", name="a", clustering=True), session("quick_1", name="b", tasks=tasks),
        session("waits", name="w"), session("fails"),
        clustering=[group("g", ["a", "b"]), group("h", ["b", "w"], location="N:/joint/g")],
    )  # fmt: skip
    with lab.daybook.reading() as world:
        [time] = [row.session_time for row in world.state.sessions.where("name = ?", ["a"])]
    lab.upload(
        session("quick_2", name="c"), session("quick_3", tasks=tasks), user="user_3",
        clustering=[group("i", ["c", str(time)], location="N:/joint/g")],
    )  # fmt: skip
    yield desk
    lab.close()
    lab.daybook.close()


def rows(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """Every row of every projection, without what each event moves on."""
    found = {}
    with desk.lab.daybook.reading() as world:
        for record in RECORDS:
            if record.TABLE not in COUNTED_ON:
                table: Rows[Any] = Rows(record, world.head.live_slot)
                table.attach(world.transaction)
                found[record.TABLE] = [
                    {name: value for name, value in asdict(row).items() if name not in MOVES}
                    for row in table.where("1 = 1", [])
                ]
    return found


def standing(desk: Desk) -> list[str]:
    with desk.lab.daybook.reading() as world:
        uploads = [f"u{row.id}" for row in world.state.uploads.where("status = ?", ["processed"])]
        sessions = world.state.sessions.where("status IN ('inserted', 'waiting')", [])
        clusterings = world.state.clusterings.where("status IN ('inserted', 'waiting')", [])
    return [*uploads, *(f"s{row.id}" for row in sessions), *(f"c{row.id}" for row in clusterings)]


@settings(max_examples=12)
@given(data=st.data())
def test_restoring_what_was_deleted_gives_back_the_same_rows(stocked: Desk, data: st.DataObject) -> None:
    desk = stocked
    named = data.draw(st.lists(st.sampled_from(standing(desk)), min_size=1, max_size=4, unique=True))
    before = rows(desk)

    number = desk.delete(*named)
    assert rows(desk) != before
    desk.restore(number)
    desk.work()  # what waited is pending first, and waits again

    assert rows(desk) == before


def test_after_all_of_that_a_rebuild_gives_the_same_rows(stocked: Desk) -> None:
    desk = stocked
    number = desk.delete(*[name for name in standing(desk) if name[0] == "u"])
    with desk.lab.daybook.reading() as world:
        deleted = contents(world.transaction, world.head.live_slot)
    rebuild(desk.lab.daybook.database)
    with desk.lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == deleted
    desk.restore(number)
    assert verify(desk.lab.url).problems == []
