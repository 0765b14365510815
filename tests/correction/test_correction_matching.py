"""Which stored record an entry of a corrected file stands for."""

import pytest

from commands.requests.correction.matching import Match, in_step
from tests.correction.corrections import compare, corrected, differing, other_subject, request
from tests.correction.test_replay import DeleteSession
from tests.intake.lab import SERIALS, Lab, document, number, session


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

    assert differing(found) == {first.sessions[1].session: [("location", "N:/rec/date_2", "N:/rec/date_3")]}
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

    assert differing(found) == {first.sessions[1].session: [("location", "N:/rec/date_2", "N:/rec/date_3")]}
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


@pytest.mark.parametrize("name", ["a", None])
def test_a_wrong_animal_and_a_wrong_path_are_corrected_at_once(lab: Lab, name: str | None) -> None:
    other_subject(lab)
    for n in (1, 2, 3):
        lab.record(f"date_{n}", day=n, serials=SERIALS[:1])
    named = {} if name is None else {"name": name}
    first = lab.upload(session("date_1"), session("date_2", **named))

    found = compare(lab, document(session("date_1"), session("date_3", **named), subject="34567"))

    assert [(f"s{c.old.id}", c.matched_by) for c in found.plan.sessions] == [
        (first.sessions[0].session, "location"),
        (first.sessions[1].session, "place" if name is None else "name"),
    ]


def test_place_is_not_that_in_an_older_file_than_the_newest_that_has_something_in_common(lab: Lab) -> None:
    other_subject(lab)
    for n in (1, 2, 3):
        lab.record(f"date_{n}", day=n, serials=SERIALS[:1])
    lab.upload(session("date_1"), session("date_2"))
    corrected(lab, document(session("date_1"), session("date_3"), subject="34567"))

    found = compare(lab, document(session("date_1"), session("date_2")))

    assert [c.old.location for c in found.plan.sessions] == ["N:/rec/date_1", "N:/rec/date_3"]


def test_of_shifted_locations_the_last_is_new_and_the_first_is_absent(lab: Lab) -> None:
    lab.record_many(3)
    first = lab.upload(session("date_1", name="a", notes="a"), session("date_2", name="b", notes="b"))
    data = document(session("date_2", name="a", notes="a"), session("date_3", name="b", notes="b"))

    found = compare(lab, data)

    assert differing(found) == {first.sessions[1].session: [("notes", "b", "a")]}
    assert found.plan.new_sessions == [1]
    assert [f"s{row.id}" for row in found.plan.absent] == [first.sessions[0].session]
    corrected(lab, data)
    lab.daybook.submit(DeleteSession(session=number(first.sessions[0])))
    assert [entry.outcome for entry in lab.upload_bytes(data).sessions] == ["duplicate", "inserted"]


def test_a_name_that_the_recordings_contradict_is_refused(lab: Lab) -> None:
    """Names were renumbered, and then the recordings were moved."""
    lab.record_many(2)
    lab.upload(session("date_1", name="1"), session("date_2", name="2"))
    for n in (1, 2):
        (lab.share / f"date_{n}").rename(lab.share / f"moved_{n}")

    found = compare(lab, document(session("moved_1", name="2"), session("moved_2", name="1")))

    assert not found.plan.ok
    assert [f.code for f in found.plan.findings if f.severity == "error"] == ["match-contradicted"] * 2


def test_an_upload_that_failed_is_not_the_file_as_it_was_last_accepted(lab: Lab) -> None:
    lab.record_many(3)
    lab.upload(session("date_1"), session("date_2"))
    (lab.share / "date_3").rename(lab.share / "kept")
    (lab.share / "date_3").mkdir()
    [_, failed] = lab.upload(session("date_1"), session("date_3")).sessions
    assert failed.outcome == "error"
    (lab.share / "date_3").rmdir()
    (lab.share / "kept").rename(lab.share / "date_3")

    found = compare(lab, document(session("date_1"), session("date_3")))

    assert [(c.old.location, c.matched_by) for c in found.plan.sessions] == [("N:/rec/date_2", "place")]
