"""Names that were renumbered in the file, recordings that were moved then, and another person's clustering over them."""

import pytest

from commands.samples.clusterings import kilosort_output
from tests.correction.corrections import codes, compare
from tests.intake.lab import Entry, Lab, document, group, number, session

TIMES = [f"2023-05-0{day} 10:00:00" for day in (1, 2, 3)]
RENUMBERED = {1: "2", 2: "3", 3: "1"}  # the day, and what it is called now


@pytest.fixture
def story(lab: Lab) -> list[int]:
    """Three sessions of user_3, and a clustering of user_4 over the first two of them."""
    lab.record_many(3)
    kilosort_output(lab.share.parent / "joint" / "g")
    report = lab.upload(*(session(f"date_{n}", name=str(n)) for n in (1, 2, 3)), user="user_3")
    assert lab.upload(clustering=[group("g", TIMES[:2])], user="user_4").clusterings[0].outcome == "inserted"
    return [number(one) for one in report.sessions]


def move(lab: Lab) -> None:
    (lab.share / "2023").mkdir()
    for day in RENUMBERED:
        (lab.share / f"date_{day}").rename(lab.share / "2023" / f"date_{day}")


def file(*, where: str) -> list[Entry]:
    return [session(f"{where}date_{day}", name=name) for day, name in RENUMBERED.items()]


def stands_on(lab: Lab) -> list[int]:
    with lab.daybook.reading() as world:
        [row] = world.state.clusterings.where("group_name = ?", ["g"])
        return sorted(
            one.session for one in world.state.clustering_sessions.where("clustering = ?", [row.id])
        )


def standing(lab: Lab) -> dict[int, tuple[str, str | None]]:
    with lab.daybook.reading() as world:
        rows = world.state.sessions.where("status = 'inserted'", [])
        return {row.id: (row.location, row.session_time) for row in rows}


@pytest.mark.parametrize("file_came_first", [True, False], ids=["renumbered, then moved", "both at once"])
def test_upload_knows_them_by_what_was_recorded(lab: Lab, story: list[int], file_came_first: bool) -> None:
    if file_came_first:
        lab.upload(*file(where=""), user="user_3")
    move(lab)

    report = lab.upload(*file(where="2023/"), user="user_3")

    assert [(number(one), one.outcome) for one in report.sessions] == [(n, "moved") for n in story]
    assert standing(lab) == {
        n: (f"N:/rec/2023/date_{day}", TIMES[day - 1]) for day, n in enumerate(story, start=1)
    }
    assert stands_on(lab) == story[:2]


@pytest.mark.parametrize("file_came_first", [True, False], ids=["renumbered, then moved", "both at once"])
@pytest.mark.parametrize("user", ["user_3", "user_1"])
def test_correct_carries_nothing_to_another_day(
    lab: Lab, story: list[int], file_came_first: bool, user: str
) -> None:
    if file_came_first:
        lab.upload(*file(where=""), user="user_3")
    move(lab)

    found = compare(lab, document(*file(where="2023/")), user=user)

    assert codes(found) == ["match-contradicted"] * 3
    first, second, _ = story
    assert found.plan.findings[0].message == (
        f'By its name "2" this is s{second}, but its recording began at {TIMES[0]}, as that of s{first} did.'
    )
    assert "upload the file: an upload knows them" in found.plan.findings[0].hint
    lab.upload(*file(where="2023/"), user="user_3")
    assert not compare(lab, document(*file(where="2023/")), user=user).plan.replaced
    assert stands_on(lab) == story[:2]


def test_name_of_a_session_that_the_file_has_no_more_is_not_believed_either(
    lab: Lab, story: list[int]
) -> None:
    move(lab)

    found = compare(lab, document(session("2023/date_2", name="1")), user="user_3")

    assert codes(found) == ["match-contradicted"]
    assert f"as that of s{story[1]} did" in found.plan.findings[0].message


def test_correct_of_what_was_only_moved_says_that_an_upload_keeps_it(lab: Lab, story: list[int]) -> None:
    move(lab)
    data = document(*(session(f"2023/date_{n}", name=str(n)) for n in (1, 2, 3)))

    found = compare(lab, data, user="user_3")

    assert [f.code for f in found.plan.findings] == ["only-moved"] * 3
    assert "Upload the file instead" in found.plan.findings[0].hint
    assert [one.outcome for one in lab.upload_bytes(data, user="user_3").sessions] == ["moved"] * 3
