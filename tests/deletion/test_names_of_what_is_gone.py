"""A name that several records had, of which nobody has it now, means the newest of them."""

from commands.samples.clusterings import kilosort_output
from projections.references import find
from tests.deletion.desk import Desk
from tests.intake.lab import group, session


def meant(desk: Desk, text: str) -> str:
    with desk.lab.daybook.reading() as world:
        return str(find(world.transaction, world.head.live_slot, text))


def test_location_of_what_was_deleted_twice_is_that_of_the_newer(desk: Desk) -> None:
    desk.lab.record("date_1")
    numbers = []
    for _ in range(2):
        [made] = desk.lab.upload(session("date_1")).sessions
        numbers.append(made.session)
        desk.delete(made.session)

    assert meant(desk, "N:/rec/date_1") == numbers[1] != numbers[0]


def test_group_name_that_two_clusterings_had_is_that_of_the_newer(desk: Desk) -> None:
    lab = desk.lab
    names = lab.record_quickly(2)
    folder = lab.share.parent / "joint" / "h"
    folder.mkdir()
    kilosort_output(folder)
    numbers = []
    for _ in range(2):
        [made] = lab.upload(
            *(session(name, name=name) for name in names), clustering=[group("h", names)]
        ).clusterings
        numbers.append(made.clustering)
        desk.delete(made.clustering)

    assert meant(desk, "h") == numbers[1] != numbers[0]


def test_place_from_which_two_sessions_were_moved_is_that_of_the_newer(desk: Desk) -> None:
    lab = desk.lab
    numbers = []
    for day, to in enumerate(("date_2", "date_3")):
        lab.record("date_1", day=day)
        [made] = lab.upload(session("date_1")).sessions
        numbers.append(made.session)
        (lab.share / "date_1").rename(lab.share / to)
        assert [one.outcome for one in lab.upload(session(to)).sessions] == ["moved"]

    assert meant(desk, "N:/rec/date_1") == numbers[1] != numbers[0]
