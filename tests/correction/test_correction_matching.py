"""Which stored record an entry of a corrected file stands for."""

import pytest

from commands.correction_matching import Match, in_step
from tests.correction.corrections import compare, differing, request
from tests.correction.test_replay import DeleteSession
from tests.intake.lab import Lab, document, number, session


def places(text: str) -> dict[int, str]:
    return dict(enumerate(text))


# the files as letters; which entries of the corrected one stand in place of which of the earlier one's
@pytest.mark.parametrize(
    ("given", "earlier", "expected"),
    [
        ("ABC", "ABC", {}),
        ("AXC", "ABC", {1: "B"}),
        ("XYZ", "ABC", {0: "A", 1: "B", 2: "C"}),
        ("ABCX", "ABC", {}),
        ("AXCY", "ABC", {1: "B"}),
        ("XABC", "ABC", {}),
        ("AXBC", "ABC", {}),
        ("AC", "ABC", {}),
        ("AXB", "ABC", {}),
        ("BXC", "ABC", {}),
        ("CBX", "ABC", {}),
        ("X", "", {}),
    ],
)
def test_only_files_in_step_are_matched_by_place(given: str, earlier: str, expected: dict[int, str]) -> None:
    held = {letter: ord(letter) for letter in "ABC"}
    found = in_step(places(given), places(earlier), held, {})
    assert {index: chr(match.record) for index, match in found.items()} == expected
    assert {match.by for match in found.values()} <= {"place"}


def test_a_place_whose_session_is_gone_or_taken_matches_nothing() -> None:
    held = {"B": 2, "C": 3}
    found = in_step(places("XYZ"), places("ABC"), held, {2: Match(2, "name")})
    assert found == {}


def test_a_location_names_its_session_whatever_else_differs(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1", name="a"))
    found = compare(lab, document(session("date_1", name="b", notes="x")))
    assert [(c.old.id, c.matched_by) for c in found.plan.sessions] == [
        (number(first.sessions[0]), "location")
    ]


def test_a_session_with_a_wrong_path_is_found_by_its_name(lab: Lab) -> None:
    lab.record_many(3)
    first = lab.upload(session("date_1", name="a"), session("date_2", name="b"))

    found = compare(lab, document(session("date_3", name="b"), session("date_1", name="a")))

    assert differing(found) == {
        first.sessions[1]["session"]: [("location", "N:/rec/date_2", "N:/rec/date_3")]
    }
    assert found.plan.sessions[0].matched_by == "name"


def test_a_name_that_two_sessions_had_names_neither(lab: Lab) -> None:
    lab.record_many(3)
    lab.upload_bytes(document(session("date_1", name="a")), filename="one.yml")
    lab.upload_bytes(document(session("date_2", name="a")), filename="two.yml")

    found = compare(lab, document(session("date_3", name="a")), filename="three.yml")

    assert not found.plan.sessions and found.plan.new_sessions == [0]


def test_a_session_without_a_name_is_found_by_its_place(lab: Lab) -> None:
    lab.record_many(3)
    first = lab.upload(session("date_1"), session("date_2"))

    found = compare(lab, document(session("date_1"), session("date_3")))

    assert differing(found) == {
        first.sessions[1]["session"]: [("location", "N:/rec/date_2", "N:/rec/date_3")]
    }
    assert found.plan.sessions[0].matched_by == "place"


def test_place_is_that_in_the_newest_accepted_file_of_the_name(lab: Lab) -> None:
    lab.record_many(4)
    lab.upload(session("date_2"), session("date_1"))
    lab.upload(session("date_1"), session("date_2"))
    assert not lab.upload(session("date_3"), session("no_such_date")).ok

    found = compare(lab, document(session("date_1"), session("date_4")))

    assert [change.old.location for change in found.plan.sessions] == ["N:/rec/date_2"]


def test_place_in_a_file_of_another_name_needs_a_location_in_common(lab: Lab) -> None:
    lab.record_many(3)
    lab.upload_bytes(document(session("date_1"), session("date_2")), filename="campaign.yml")

    alone = compare(lab, document(session("date_3")), filename="renamed.yml")
    shared = compare(lab, document(session("date_1"), session("date_3")), filename="renamed.yml")

    assert not alone.plan.sessions and alone.plan.new_sessions == [0]
    assert [change.old.location for change in shared.plan.sessions] == ["N:/rec/date_2"]


def test_the_file_of_an_open_correction_is_not_what_was_uploaded_last(lab: Lab) -> None:
    lab.record_many(4)
    lab.upload(session("date_1"), session("date_2"))
    request(lab, document(session("date_1"), session("date_3")))

    found = compare(lab, document(session("date_1"), session("date_4")))

    assert [change.old.location for change in found.plan.sessions] == ["N:/rec/date_2"]


def test_neither_name_nor_place_leads_to_another_users_session(lab: Lab) -> None:
    lab.record_many(3)
    lab.upload(session("date_1", name="a"), session("date_2"))

    found = compare(lab, document(session("date_3", name="a"), session("date_2")), user="user_2")
    mine = compare(lab, document(session("date_3", name="a")), user="user_2")

    assert [change.old.location for change in found.plan.sessions] == [
        "N:/rec/date_1"
    ]  # the file is user_1's
    assert mine.plan.new_sessions == [0] and not mine.plan.sessions


def test_an_admin_finds_anybodys_session_by_name(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1", name="a"), user="user_2")

    found = compare(lab, document(session("date_2", name="a")))

    assert [change.old.username for change in found.plan.sessions] == ["user_2"]


def test_what_does_not_stand_is_not_matched(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.upload(session("date_1", name="a"))
    lab.daybook.submit(DeleteSession(session=number(first.sessions[0])))

    found = compare(lab, document(session("date_2", name="a")))

    assert found.plan.new_sessions == [0]
