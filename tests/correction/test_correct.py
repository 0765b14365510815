"""What a corrected file would change, and the request for it."""

import pytest

from commands.answers.correction import correction_report
from commands.door.permission import NotPermitted
from commands.intake.checking import Difference
from commands.intake.completion import annotate
from commands.lab.roles import GrantRole
from commands.requests.correction.correct import correct
from commands.requests.deletion import RequestDeletion
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from tests.correction.corrections import (
    approve,
    codes,
    compare,
    corrected,
    differing,
    other_subject,
    request,
    status_of,
)
from tests.intake.lab import SERIALS, Lab, document, group, number, session, task


def test_a_file_that_says_what_is_stored_has_nothing_to_correct(lab: Lab) -> None:
    lab.record("date_1")
    kilosort_output(lab.share.parent / "joint" / "g")
    data = document(session("date_1", name="a", notes="x"))
    lab.upload_bytes(data)
    before = lab.size()

    found = correct(lab.daybook, data, filename="12345.yml", roots=lab.roots, reason="it was wrong")

    assert found.plan.ok and not found.plan.replaced and found.request is None
    assert found.plan.unchanged_sessions == [0]
    assert lab.size() == before


def test_differences_are_told_field_by_field_and_nothing_is_appended(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.upload(
        session("date_1", notes="old", tasks=[task(task_start=1, task_stop=2)]), session("date_2")
    )
    before = lab.size()

    found = compare(
        lab,
        document(
            session("date_1", notes="new", experimenter="user_2", tasks=[task(task_start=1, task_stop=3)]),
            session("date_2"),
        ),
    )

    assert differing(found) == {
        first.sessions[0].session: [
            ("experimenter[0]", "user_1", "user_2"),
            ("tasks[0].task_stop", 2.0, 3.0),
            ("notes", "old", "new"),
        ]
    }
    assert found.plan.unchanged_sessions == [1] and found.request is None
    assert lab.size() == before


def test_new_entries_and_sessions_that_the_file_lacks_are_told_and_left_alone(lab: Lab) -> None:
    lab.record_many(4)
    first = lab.upload(session("date_1"), session("date_2"), session("date_3"))

    data = document(session("date_1", notes="x"), session("date_3"), session("date_4"))
    found = compare(lab, data)

    assert found.plan.new_sessions == [2]
    assert [f"s{row.id}" for row in found.plan.absent] == [first.sessions[1].session]
    corrected(lab, data)
    assert list(lab.statuses().values()) == ["inserted"] * 3  # date_4 is none of them
    assert status_of(lab, first.sessions[1].session) == "inserted"


def test_a_wrong_animal_is_a_difference_of_every_session(lab: Lab) -> None:
    other_subject(lab)
    lab.record("date_1", serials=SERIALS[:1])
    lab.record("date_2", day=1, serials=SERIALS[:1])
    first = lab.upload(session("date_1"), session("date_2"))

    found = compare(lab, document(session("date_1"), session("date_2"), subject="34567"))

    assert differing(found) == {entry.session: [("subject", "12345", "34567")] for entry in first.sessions}


def test_findings_of_the_corrected_file_stop_it(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    before = lab.size()

    for data, code in (
        (document(session("date_1", room="9.999")), "unknown-value"),
        (document(session("date_1", notes="x", nothing=1)), "unknown-keyword"),
        (b"{", "json-syntax"),
    ):
        found = correct(lab.daybook, data, filename="12345.yml", roots=lab.roots, reason="it was wrong")
        assert found.request is None and codes(found) != [], (code, found.plan.findings)

    assert lab.size() == before


def test_what_would_fail_at_stage_3_is_refused_before_it_is_requested(lab: Lab) -> None:
    lab.record("date_1")
    (lab.share / "empty").mkdir()
    lab.upload(session("date_1", name="a"))
    before = lab.size()

    found = correct(
        lab.daybook,
        document(session("empty", name="a")),
        filename="12345.yml",
        roots=lab.roots,
        reason="wrong path",
    )

    assert [(f.stage, f.path) for f in found.plan.findings if f.severity == "error"] == [(3, "sessions[0]")]
    assert found.request is None and lab.size() == before


def test_a_session_time_that_another_session_holds_is_refused_by_its_name(lab: Lab) -> None:
    lab.record_many(2)
    lab.record("copy_of_2", day=1)
    first = lab.upload(session("date_1", name="a"), session("date_2", name="b"))

    found = compare(lab, document(session("copy_of_2", name="a"), session("date_2", name="b")))

    assert codes(found) == ["session-time-taken"]
    assert first.sessions[1].session in found.plan.findings[0].message


def test_two_corrected_sessions_cannot_have_one_time(lab: Lab) -> None:
    lab.record_many(2)
    lab.record("one", day=5)
    lab.record("other", day=5)
    lab.upload(session("date_1", name="a"), session("date_2", name="b"))

    found = compare(lab, document(session("one", name="a"), session("other", name="b")))

    assert codes(found) == ["session-time-taken"]


def test_names_that_the_recordings_contradict_match_nothing(lab: Lab) -> None:
    lab.record_many(2)
    lab.record("other_1", day=1)
    lab.record("other_2", day=0)
    lab.upload(session("date_1", name="a"), session("date_2", name="b"))

    data = document(session("other_1", name="a"), session("other_2", name="b"))
    assert codes(compare(lab, data)) == ["match-contradicted"] * 2


def test_a_replacement_that_would_wait_is_allowed(lab: Lab) -> None:
    lab.record("date_1")
    lab.record("date_2", day=1, acquiring=True)
    lab.upload(session("date_1", name="a"))

    result = corrected(lab, document(session("date_2", name="a")))

    assert status_of(lab, result.replaced[0].new) == "waiting"


def test_an_entry_that_waits_for_something_is_corrected_too(lab: Lab) -> None:
    lab.record("date_1", serials=["1", "2"])
    first = lab.upload(session("date_1"))
    assert first.sessions[0].outcome == "waiting"
    association = {"probe_1": "npx_1_18408403232", "probe_2": "npx_1_18408405241"}

    result = corrected(lab, document(session("date_1", probe_association=association)))

    assert status_of(lab, first.sessions[0].session) == "deleted"
    assert status_of(lab, result.replaced[0].new) == "inserted"


# --- who may --------------------------------------------------------------------------------------------------------


def test_a_correction_of_another_users_records_is_not_permitted(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    data = document(session("date_1", notes="x"))
    before = lab.size()

    assert compare(lab, data, user="user_2").plan.ok  # to look is free
    assert lab.size() == before
    with pytest.raises(NotPermitted, match=f"user_2 may not correct: {first.sessions[0].session}"):
        request(lab, data, user="user_2")

    assert lab.types(before) == ["ActionRefused"]


def test_of_a_shared_file_what_is_anothers_is_left_out_and_named(lab: Lab) -> None:
    lab.record_many(3)
    mine = lab.upload(session("date_1"), user="user_2").sessions[0].session
    theirs = lab.upload(session("date_2"), session("date_3")).sessions[0].session
    data = document(session("date_1", notes="x"), session("date_2", notes="y"), session("date_3"))

    found = compare(lab, data, user="user_2")
    number = request(lab, data, user="user_2")

    assert [f"s{change.old.id}" for change in found.plan.sessions] == [mine]
    [left] = correction_report(found).left_out
    assert (left.record, left.username, left.index) == (theirs, "user_1", 1)
    assert left.differences == [Difference("notes", None, "y")]
    done = approve(lab, number)
    assert [pair.old for pair in done.replaced] == [mine] and status_of(lab, theirs) == "inserted"


def test_a_clustering_of_ones_own_may_stand_on_a_session_of_another(lab: Lab) -> None:
    lab.record_many(2)
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.upload(session("date_1"))
    entries = [session("date_1", name="a", notes="y"), session("date_2", name="b")]
    lab.upload(*entries, clustering=[group("g", ["a", "b"])], user="user_2")

    data = document(*entries, clustering=[group("g", ["a", "b"], notes="x")])
    found = compare(lab, data, user="user_2")

    assert found.plan.ok and [change.old.group_name for change in found.plan.groups] == ["g"]
    assert [each.row.username for each in found.plan.left_out] == ["user_1"]
    approve(lab, request(lab, data, user="user_2"))


def test_an_admin_corrects_what_is_anybodys_in_a_shared_file(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"), user="user_2")
    lab.upload(session("date_2"))
    found = compare(lab, document(session("date_1", notes="x"), session("date_2", notes="x")))
    assert len(found.plan.sessions) == 2 and not found.plan.left_out


def test_an_auditor_compares_but_does_not_request(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    lab.daybook.submit(GrantRole(user="user_2", role="auditor"))
    data = document(session("date_1", notes="x"))

    assert compare(lab, data, user="user_2").plan.replaced
    with pytest.raises(NotPermitted, match="role researcher"):
        request(lab, data, user="user_2")


def test_what_an_admin_corrects_stays_its_owners(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"), user="user_2")
    data = document(session("date_1", notes="x"))

    result = corrected(lab, data)

    with lab.daybook.reading() as world:
        assert world.state.sessions[int(result.replaced[0].new[1:])].username == "user_2"
        assert world.state.uploads[int(result.upload[1:])].username == "user_2"
    assert lab.upload_bytes(data, user="user_2").sessions[0].outcome == "duplicate"


# --- the request ----------------------------------------------------------------------------------------------------


def test_a_request_keeps_the_file_and_changes_no_record(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1", notes="old"))
    data = document(session("date_1", notes="new"))
    before = lab.size()

    asked = request(lab, data)

    assert lab.types(before) == [
        "InputFileReceived", "InputFileValidated", "InputFileProcessed", "CorrectionRequested",
    ]  # fmt: skip
    assert lab.kept_bytes() == data and asked == before + 4
    events = lab.events(before)
    assert [event.correlation for event in events] == [f"u{before + 1}"] * 3 + [f"d{asked}"]
    with lab.daybook.reading() as world:
        row = world.state.deletions[asked]
        assert (row.kind, row.status, row.upload, row.reason) == (
            "correction", "requested", before + 1, "it was wrong",
        )  # fmt: skip
        assert world.state.uploads[before + 1].status == "processed"
    assert status_of(lab, first.sessions[0].session) == "inserted"
    body = lab.bodies("CorrectionRequested")[0]
    assert body["sessions"] == [
        {
            "index": 0,
            "session": first.sessions[0].session,
            "matched_by": "location",
            "differences": [{"field": "notes", "stored": "old", "given": "new"}],
            "session_time": "2023-05-01 10:00:00",
            "new_session_time": "2023-05-01 10:00:00",
        }
    ]
    assert body["impact"]["sessions"] == [[number(first.sessions[0])] * 2]


def test_the_same_file_is_requested_once(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    data = document(session("date_1", notes="x"))
    asked = request(lab, data)
    before = lab.size()

    with pytest.raises(Refusal, match=f"already requested a correction from this very file: d{asked}"):
        request(lab, data)

    assert lab.size() == before
    approve(lab, asked)
    assert compare(lab, data).plan.replaced == []


def test_a_correction_needs_a_reason(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    with pytest.raises(Refusal) as caught:
        correct(
            lab.daybook, document(session("date_1", notes="x")), filename="f", roots=lab.roots, reason=" "
        )
    assert caught.value.code == "reason"


def test_a_record_with_an_open_deletion_can_be_corrected_first(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    receipt = lab.daybook.submit(RequestDeletion(records=[first.sessions[0].session], reason="wrong"))
    corrected(lab, document(session("date_1", notes="x")))

    with pytest.raises(Refusal, match="stands any more"):
        approve(lab, int(receipt.result.request[1:]))


# --- what commands have added since ---------------------------------------------------------------------------------


def test_an_unchanged_file_is_no_correction_of_what_was_added_since(lab: Lab) -> None:
    lab.record("date_1")
    data = document(session("date_1"))
    first = lab.upload_bytes(data)
    annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, room="2.345", notes="added")

    assert compare(lab, data).plan.replaced == []


def test_what_was_added_since_is_kept_and_again_after_a_second_correction(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, room="2.345")

    for notes in ("one", "two"):
        data = document(session("date_1", notes=notes))
        result = corrected(lab, data)
        with lab.daybook.reading() as world:
            row = world.state.sessions[int(result.replaced[0].new[1:])]
            assert row.room == "2.345" and '"room":"2.345"' in str(row.entry)
        assert compare(lab, data).plan.replaced == []


def test_what_the_file_says_otherwise_than_was_added_is_a_difference(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, room="2.345")

    found = compare(lab, document(session("date_1", room="2.346")))

    assert list(differing(found).values()) == [[("room", "2.345", "2.346")]]


# --- multi-session clusterings --------------------------------------------------------------------------------------


def test_a_name_on_another_session_changes_what_a_clustering_stands_on(lab: Lab) -> None:
    lab.record_many(3)
    kilosort_output(lab.share.parent / "joint" / "g")
    first = lab.upload(
        session("date_1", name="a"),
        session("date_2", name="b"),
        session("date_3", name="c"),
        clustering=[group("g", ["a", "b"])],
    )
    numbers = [entry.session for entry in first.sessions]

    found = compare(
        lab,
        document(
            session("date_1", name="a"),
            session("date_2", name="c"),
            session("date_3", name="b"),
            clustering=[group("g", ["a", "b"])],
        ),
    )

    assert differing(found) == {
        first.clusterings[0].clustering: [("sessions", numbers[:2], [numbers[0], numbers[2]])]
    }


def test_a_clustering_cannot_be_corrected_onto_a_session_that_is_not_there_yet(lab: Lab) -> None:
    lab.record_many(3)
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.upload(session("date_1", name="a"), session("date_2", name="b"), clustering=[group("g", ["a", "b"])])

    data = document(
        session("date_1", name="a"),
        session("date_2", name="b"),
        session("date_3", name="c"),
        clustering=[group("g", ["a", "c"])],
    )
    found = compare(lab, data)
    assert codes(found) == ["session-is-new"]

    lab.upload_bytes(data)
    assert compare(lab, data).plan.ok


def test_a_clustering_is_found_by_the_time_that_a_corrected_session_will_have(lab: Lab) -> None:
    lab.record_many(2)
    lab.record("right", day=7)
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.upload(session("date_1", name="a"), session("date_2"))
    first = lab.upload(
        session("date_1", name="a"),
        session("date_2"),
        clustering=[group("g", ["2023-05-01 10:00:00", "2023-05-02 10:00:00"])],
    )
    assert first.ok

    old = group("g", ["2023-05-01 10:00:00", "2023-05-02 10:00:00"], notes="x")
    new = group("g", ["2023-05-08 10:00:00", "2023-05-02 10:00:00"])
    moved = session("right", name="a")
    assert codes(compare(lab, document(moved, session("date_2"), clustering=[old]))) == ["unknown-session"]
    result = corrected(lab, document(moved, session("date_2"), clustering=[new]))

    with lab.daybook.reading() as world:
        clustering = next(int(pair.new[1:]) for pair in result.replaced if pair.new[0] == "c")
        links = world.state.clustering_sessions.where("clustering = ?", [clustering])
        replaced = int(result.replaced[0].new[1:])
        assert {link.session for link in links} == {replaced, number(first.sessions[1])}
