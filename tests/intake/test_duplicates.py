"""A file is uploaded again and again as it grows: what is known is skipped, and said where it differs."""

import threading
from dataclasses import asdict
from datetime import datetime

import pytest

from commands.inputfile.entries import ClusteringEntry
from commands.intake.checking import Difference, EntryCounts
from commands.intake.completion import add_clustering, annotate
from commands.intake.validation import validate
from commands.samples.clusterings import kilosort_output
from tests.intake.lab import Lab, document, group, number, session, task


def test_second_upload_of_same_file_inserts_nothing(lab: Lab) -> None:
    names = lab.record_many(3)
    data = document(*map(session, names))
    first = lab.upload_bytes(data)
    before = lab.size()

    second = lab.upload_bytes(data)

    assert second.ok and {entry.outcome for entry in second.sessions} == {"duplicate"}
    assert [entry.session for entry in second.sessions] == [entry.session for entry in first.sessions]
    assert lab.types(before) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]
    assert lab.bodies("InputFileValidated")[-1]["unchanged_sessions"] == [[0, 2]]


def test_a_grown_file_inserts_only_what_is_new(lab: Lab) -> None:
    names = lab.record_many(3)
    lab.upload(*map(session, names[:2]))
    before = lab.size()

    grown = lab.upload(*map(session, [names[2], *names[:2]]))  # in another order

    assert [entry.outcome for entry in grown.sessions] == ["inserted", "duplicate", "duplicate"]
    assert lab.types(before).count("SessionInserted") == 1
    assert lab.bodies("InputFileValidated")[-1]["unchanged_sessions"] == [[1, 2]]


def test_a_thousand_known_sessions_append_a_handful_of_events(lab: Lab) -> None:
    names = lab.record_quickly(1000)
    first = lab.upload_bytes(document(*map(session, names)))
    assert {entry.outcome for entry in first.sessions} == {"inserted"}
    before = lab.size()

    lab.record("one_more", start=datetime(2030, 1, 1))
    again = lab.upload_bytes(document(*map(session, [*names, "one_more"])))

    assert [entry.outcome for entry in again.sessions] == ["duplicate"] * 1000 + ["inserted"]
    assert lab.size() - before == 5
    assert sum(len(event.payload or "") for event in lab.events(before)) < 10_000


SPELLINGS = ["N:\\rec\\date_1", "n:/rec//date_1/", "N:/rec/./date_1", "{share}/date_1", "{share}/date_1/"]


def test_every_spelling_of_a_location_is_the_same_session_and_no_difference(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1"))
    for spelling in SPELLINGS:
        again = lab.upload(session("") | {"location": spelling.format(share=lab.share)})
        assert [(e.outcome, e.differences) for e in again.sessions] == [("duplicate", [])], spelling
        assert lab.bodies("InputFileValidated")[-1]["unchanged_sessions"] == [[0, 0]]


def test_two_spellings_in_one_file_are_an_error(lab: Lab) -> None:
    lab.record_many(1)
    twice = lab.upload(session("date_1"), session("") | {"location": f"{lab.share}/date_1"})
    assert not twice.ok and "duplicate-location" in [finding.code for finding in twice.findings]


def test_a_duplicate_that_differs_is_skipped_and_reported_field_by_field(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1", room="2.345", tasks=[task(task_start=0, task_stop=9, notes="as it was")]))
    before = lab.size()

    again = lab.upload(
        session(
            "date_1", experimenter=["user_1", "user_2"], notes="mended",
            tasks=[task(task_start=0, task_stop=9, notes="otherwise"), task(task_start=9, task_stop=11)],
        )
    )  # fmt: skip

    assert again.ok and again.sessions[0].outcome == "duplicate"
    differences = {entry.field: (entry.stored, entry.given) for entry in again.sessions[0].differences}
    assert differences["room"] == ("2.345", None)
    assert differences["notes"] == (None, "mended")
    assert differences["experimenter[1]"] == (None, "user_2")
    assert differences["tasks[0].notes"] == ("as it was", "otherwise")
    assert differences["tasks[1]"][0] is None
    assert len(differences) == 5
    changed = lab.bodies("InputFileValidated", before)[0]["changed_sessions"]
    assert changed == [
        {
            "index": 0,
            "session": again.sessions[0].session,
            "differences": [asdict(one) for one in again.sessions[0].differences],
        }
    ]


def test_a_name_that_changed_is_no_difference(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1", name="one"))
    assert lab.upload(session("date_1", name="another")).sessions[0].differences == []


def test_what_was_completed_later_is_what_a_duplicate_is_compared_with(lab: Lab) -> None:
    lab.record_many(1)
    kilosort_output(lab.share / "date_1" / "sorted" / "probe_1")
    kilosort_output(lab.share / "date_1" / "sorted" / "probe_2")
    one = number(lab.upload(session("date_1")).sessions[0])
    annotate(lab.daybook, one, roots=lab.roots, room="2.345", notes="later")
    clustering = ClusteringEntry("user_2", "N:/rec/date_1/sorted")
    add_clustering(lab.daybook, one, clustering, roots=lab.roots)
    listed = [{"curator": "user_2", "location": f"{lab.share}/date_1/sorted/"}]

    # when: the file says all of it, or says otherwise
    same = lab.upload(session("date_1", room="2.345", notes="later", clustering=listed))
    other = lab.upload(session("date_1", room="2.346", notes="later", clustering=listed))
    old = lab.upload(session("date_1"))

    assert same.sessions[0].differences == []
    assert [d.field for d in other.sessions[0].differences] == ["room"]
    assert {d.field for d in old.sessions[0].differences} == {"room", "notes", "clustering"}


def test_of_a_file_that_several_people_keep_each_enters_what_is_new(lab: Lab) -> None:
    names = lab.record_many(3)
    lab.upload(session(names[0]))
    theirs = lab.upload(session(names[1], notes="theirs"), user="user_2").sessions[0]

    shared = [session(names[0]), session(names[1], notes="mine"), session(names[2])]
    mine = lab.upload(*shared)

    assert mine.ok and [entry.outcome for entry in mine.sessions] == ["duplicate", "duplicate", "inserted"]
    assert [entry.username for entry in mine.sessions] == ["user_1", "user_2", "user_1"]
    [notice] = [finding for finding in mine.findings if finding.code == "known-of-another-user"]
    assert (notice.severity, notice.stage, notice.path) == ("notice", 2, "sessions[1]") and notice.line
    assert f"{theirs.session}, user_2's (inserted)" in notice.message
    assert "notes: theirs -> mine" in notice.message
    assert mine.sessions[1].differences == [Difference("notes", "theirs", "mine")]
    assert lab.types().count("SessionInserted") == 3

    # and the other gets in what is new to both
    names += ["more"]
    lab.record("more", day=20)
    again = lab.upload(*map(session, names), user="user_2")
    assert [entry.outcome for entry in again.sessions] == ["duplicate"] * 3 + ["inserted"]


def test_validate_names_whose_an_entry_is(lab: Lab) -> None:
    names = lab.record_many(1)
    lab.upload(session(names[0]), user="user_2")

    checked = validate(lab.daybook, document(session(names[0])), filename="a.yml", roots=lab.roots)

    assert checked.ok and checked.sessions is not None and checked.sessions.known == 1
    assert [(f.severity, f.code) for f in checked.findings] == [("notice", "known-of-another-user")]


def test_a_session_of_somebody_else_that_waits_is_not_this_uploads_concern(lab: Lab) -> None:
    lab.record("unmatched", serials=["18408409999", "18408408888"])
    waiting = lab.upload(session("unmatched"), user="user_2")
    assert waiting.sessions[0].outcome == "waiting"

    mine = lab.upload(session("unmatched"))

    assert mine.sessions[0].outcome == "duplicate" and not mine.next_steps
    assert lab.types().count("SessionWaiting") == 1


def test_of_many_entries_of_somebody_else_the_first_are_named_and_the_others_counted(lab: Lab) -> None:
    names = lab.record_quickly(25)
    lab.upload(*map(session, names), user="user_2")

    mine = lab.upload(*map(session, names))

    said = [finding for finding in mine.findings if finding.code == "known-of-another-user"]
    assert len(said) == 21 and said[-1].message.startswith("5 more entries from here on are user_2's too (s")


def test_a_location_that_is_held_for_another_subject_is_a_difference(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1"))
    again = lab.upload(session("date_1"), subject="23456")
    assert again.ok and again.sessions[0].outcome == "duplicate"
    assert again.sessions[0].differences == [Difference("subject", "12345", "23456")]
    [notice] = [finding for finding in again.findings if finding.code == "known-of-another-subject"]
    assert "of subject 12345, your own (inserted)" in notice.message


def test_a_clustering_cannot_stand_on_the_session_of_another_subject(lab: Lab) -> None:
    names = lab.record_many(2)
    lab.upload(session(names[0]))
    kilosort_output(lab.share.parent / "joint" / "g")
    rejected = lab.upload(
        session(names[0], name="a"), session(names[1], name="b"),
        clustering=[group("g", ["a", "b"])], subject="23456",
    )  # fmt: skip
    [error] = [finding for finding in rejected.findings if finding.severity == "error"]
    assert error.code == "session-of-another-subject" and "12345" in error.message and error.line


def test_a_known_clustering_that_differs_is_reported_field_by_field(lab: Lab) -> None:
    names = lab.record_many(2)
    entries = [session(name, name=name) for name in names]
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.upload(*entries, clustering=[group("g", names)])

    location = f"{lab.share.parent}/joint/g/"
    same = lab.upload(*entries, clustering=[group("g", names, location=location)])
    other = lab.upload(*entries, clustering=[group("g", names, notes="new")])

    assert [(c.outcome, c.differences) for c in same.clusterings] == [("duplicate", [])]
    assert other.clusterings[0].differences == [Difference("notes", None, "new")]
    assert lab.bodies("InputFileValidated")[-1]["changed_clusterings"][0]["index"] == 0


def test_values_that_were_retired_since_do_not_block_a_file_that_grows(lab: Lab) -> None:
    from commands.lab.catalogue import RetireReferenceValue

    lab.record_many(1)
    data = document(session("date_1", room="2.345"))
    lab.upload_bytes(data)
    lab.daybook.submit(RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"))
    assert lab.upload_bytes(data).sessions[0].outcome == "duplicate"


def test_a_value_retired_between_check_and_append_rejects_the_file(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commands.intake import uploading as intake
    from commands.lab.catalogue import RetireReferenceValue

    lab.record_many(1)
    check = intake.check_file
    retired = threading.Event()

    def check_and_be_overtaken(*args: object, **options: object) -> object:
        found = check(*args, **options)  # type: ignore[arg-type]
        if not retired.is_set():
            retired.set()
            lab.as_admin("user_2").submit(
                RetireReferenceValue(table="reference.ExperimentRoom", value="2.345")
            )
        return found

    monkeypatch.setattr(intake, "check_file", check_and_be_overtaken)
    report = lab.upload(session("date_1", room="2.345"))
    assert not report.ok and "2.345" in report.findings[-1].message
    assert lab.types()[-2:] == ["InputFileReceived", "InputFileRejected"]


def test_validate_knows_duplicates_and_changes_nothing(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    found = validate(
        lab.daybook, document(session("date_1"), session("date_2")), filename="", roots=lab.roots
    )
    assert found.sessions == EntryCounts(entries=2, new=1, known=1)


def test_validate_says_how_known_entries_differ_as_an_upload_does(lab: Lab) -> None:
    lab.record("date_1", serials=("1", "2"))
    lab.record_many(2)
    lab.record("date_3", day=3, serials=("1", "2"))
    lab.upload(session("date_2"), session("date_3"))
    lab.upload(session("date_1"), user="user_2")
    entries = [session(f"date_{n + 1}", room="2.345") for n in range(3)]

    checked = validate(lab.daybook, document(*entries), filename="a.yml", roots=lab.roots)
    uploaded = lab.upload(*entries)

    told = {known.record: (known.username, known.renewed, known.differences) for known in checked.differing}
    assert told == {
        entry.session: (entry.username, entry.renewed, entry.differences) for entry in uploaded.sessions
    }
    assert [renewed for _, renewed, _ in told.values()] == [False, False, True]
