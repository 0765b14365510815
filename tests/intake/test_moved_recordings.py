"""Recordings that were moved: the session keeps its number, and its record says where they lie now.

(The fixture verifies the ledger.)
"""

import shutil
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from commands.answers.history import history
from commands.answers.record import session_record
from commands.answers.why import why
from commands.intake import uploading
from commands.intake.completion import annotate
from commands.intake.decisions import settle_session
from commands.intake.upload_report import UploadReport
from commands.intake.validation import validate
from commands.samples.clusterings import kilosort_output
from commands.samples.spikeglx import SampleProbe, probe_meta
from projections.past import Past
from projections.rebuild import contents, rebuild
from projections.references import find
from tests.intake.child import upload_at_once
from tests.intake.lab import SERIALS, START, Lab, document, group, number, session

OLD, NEW = "N:/rec/date_1", "N:/rec/2023/date_1"


def move(lab: Lab, old: str = "date_1", new: str = "2023/date_1") -> None:
    (lab.share / new).parent.mkdir(parents=True, exist_ok=True)
    (lab.share / old).rename(lab.share / new)


def outcomes(report: UploadReport) -> list[tuple[str, str]]:
    return [(entry.session, entry.outcome) for entry in report.sessions]


def codes(report: UploadReport) -> list[str]:
    return [finding.code for finding in report.findings]


def location(lab: Lab, ref: str) -> str:
    with lab.daybook.reading() as world:
        return world.state.sessions[int(ref[1:])].location


def places(lab: Lab) -> dict[int, str]:
    """Where each clustering lies."""
    with lab.daybook.reading() as world:
        return {row.id: row.location for row in world.state.clusterings.where("id > 0", [])}


def assert_rebuild_changes_nothing(lab: Lab) -> None:
    with lab.daybook.reading() as world:
        before = contents(world.transaction, world.head.live_slot)
    rebuild(lab.daybook.database)
    with lab.daybook.reading() as world:
        assert contents(world.transaction, world.head.live_slot) == before


def test_moved_recording_keeps_its_session(lab: Lab) -> None:
    lab.record_many(2)
    [first, other] = lab.upload(session("date_1"), session("date_2")).sessions
    move(lab)

    report = lab.upload(session("2023/date_1"), session("date_2"))

    assert outcomes(report) == [(first.session, "moved"), (other.session, "duplicate")]
    assert codes(report) == ["moved"]
    assert report.sessions[0].moved_from == OLD and report.sessions[0].differences == []
    assert location(lab, first.session) == NEW
    again = lab.upload(session("2023/date_1"), session("date_2"))
    assert outcomes(again) == [(first.session, "duplicate"), (other.session, "duplicate")]
    assert again.sessions[0].differences == [] and codes(again) == []
    assert Counter(lab.types())["SessionMoved"] == 1
    assert_rebuild_changes_nothing(lab)


def test_both_locations_are_shown_and_lead_to_it(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1")).sessions
    size = lab.size()
    move(lab)
    lab.upload(session("2023/date_1"))

    with lab.daybook.reading() as world:
        for place in (OLD, NEW):
            found = find(world.transaction, world.head.live_slot, place)
            assert str(found) == first.session
        assert session_record(world, found.id).moved_from == [OLD]
        assert f"it lay at {OLD} before" in why(world, found).message
        events = history(world, found).events
    [moved] = [event.body for event in events if event.type == "SessionMoved"]
    assert moved is not None and moved["instead_of"] == OLD
    with lab.daybook.reading_past(size, Past.everything) as world:
        assert session_record(world, found.id).location == OLD
        assert str(find(world.transaction, world.head.live_slot, OLD)) == first.session
    with lab.daybook.reading_past(size, lambda past: past.one(NEW)) as world:
        assert session_record(world, found.id).moved_from == []


def test_recording_at_both_places_is_a_copy(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1"))
    shutil.copytree(lab.share / "date_1", lab.share / "2023" / "date_1")

    [copy] = lab.upload(session("2023/date_1")).sessions

    assert (copy.outcome, copy.reason is not None and "same recording" in copy.reason) == ("error", True)
    shutil.rmtree(lab.share / "date_1")
    [moved] = lab.upload(session("2023/date_1")).sessions
    assert moved.outcome == "moved"  # it lies at one place now
    with lab.daybook.reading() as world:
        assert world.state.sessions[number(copy)].replaced_by == number(moved)


def test_another_recording_under_the_same_name_is_another_session(lab: Lab) -> None:
    folder = lab.record("date_1")
    lab.upload(session("date_1"))
    shutil.rmtree(folder)
    lab.record("2023/date_1", day=1)

    [other] = lab.upload(session("2023/date_1")).sessions

    assert (other.outcome, location(lab, other.session)) == ("inserted", NEW)
    assert "SessionMoved" not in lab.types()


def test_one_of_two_probes_alone_proves_nothing(lab: Lab) -> None:
    folder = lab.record("date_1")
    [first] = lab.upload(session("date_1")).sessions
    (lab.share / "half").mkdir()
    (folder / "probe_1").rename(lab.share / "half" / "probe_1")
    shutil.rmtree(folder)

    [half] = lab.upload(session("half")).sessions

    assert half.outcome == "error" and half.session != first.session
    assert location(lab, first.session) == OLD


def test_another_persons_session_is_told_with_the_way_and_stays(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1"), user="user_2").sessions
    move(lab)

    theirs = lab.upload(session("2023/date_1"), user="user_3")

    assert outcomes(theirs) == [(first.session, "duplicate")]
    [warning] = [finding for finding in theirs.findings if finding.severity == "warning"]
    assert warning.code == "moved-of-another-user" and "user_2 or an admin" in warning.hint
    assert location(lab, first.session) == OLD
    assert outcomes(lab.upload(session("2023/date_1"), user="user_2")) == [(first.session, "moved")]


def test_admin_records_it_for_its_owner(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1"), user="user_2").sessions
    move(lab)

    report = lab.upload(session("2023/date_1"))  # user_1 made the ledger

    assert outcomes(report) == [(first.session, "moved")]
    [event] = [event for event in lab.events() if event.type == "SessionMoved"]
    assert (event.actor, event.username) == ("user_1", "user_2")


def test_clusterings_below_follow_where_they_are_found(lab: Lab) -> None:
    folder = lab.record("date_1", serials=(SERIALS[0],))
    kilosort_output(folder / "first")
    kilosort_output(lab.share.parent / "joint" / "apart")
    listed = [{"curator": "user_1", "location": f"{OLD}/first"}]
    [first] = lab.upload(session("date_1", clustering=listed)).sessions
    [clustering] = places(lab)
    move(lab)

    listed = [{"curator": "user_1", "location": f"{NEW}/first"}]
    report = lab.upload(session("2023/date_1", clustering=listed))

    assert outcomes(report) == [(first.session, "moved")]
    assert places(lab) == {clustering: f"{NEW}/first"}
    again = lab.upload(session("2023/date_1", clustering=listed))
    assert again.sessions[0].differences == []


def test_listed_clustering_that_was_left_is_named_and_follows_later(lab: Lab) -> None:
    folder = lab.record("date_1", serials=(SERIALS[0],))
    kilosort_output(folder / "sorted")
    entry: dict[str, Any] = {"clustering": [{"curator": "user_1", "location": f"{OLD}/sorted"}]}
    [first] = lab.upload(session("date_1", **entry)).sessions
    [clustering] = places(lab)
    (folder / "sorted").rename(lab.share / "sorted")
    move(lab)
    entry = {"clustering": [{"curator": "user_1", "location": f"{NEW}/sorted"}]}

    report = lab.upload(session("2023/date_1", **entry))

    assert codes(report) == ["clustering-left", "moved"]
    assert places(lab) == {clustering: f"{OLD}/sorted"}
    with lab.daybook.reading() as world:
        told = why(world, find(world.transaction, world.head.live_slot, first.session))
    assert f"c{clustering} lay at {OLD}/sorted" in told.message
    (lab.share / "sorted").rename(lab.share / "2023/date_1/sorted")
    lab.upload(session("2023/date_1", **entry))
    assert places(lab) == {clustering: f"{NEW}/sorted"}
    with lab.daybook.reading() as world:
        assert world.state.sessions[number(first)].open == '["data"]'  # of the second probe


def test_waiting_clustering_is_looked_for_at_the_new_place(lab: Lab) -> None:
    lab.record("date_1", serials=(SERIALS[0],))
    [first] = lab.upload(session("date_1", clustering=True)).sessions
    move(lab)
    lab.upload(session("2023/date_1", clustering=True))
    kilosort_output(lab.share / "2023/date_1/sorted")

    lab.upload(session("2023/date_1", clustering=True))

    with lab.daybook.reading() as world:
        [row] = world.state.clusterings.where("session = ?", [number(first)])
    assert (row.status, row.location) == ("inserted", NEW)


def test_group_clusterings_stand_on_the_same_sessions(lab: Lab) -> None:
    names = lab.record_many(2)
    kilosort_output(lab.share / "date_1" / "joint")
    groups = [group("g", names, location=f"{OLD}/joint")]
    entries = [session(name, name=name) for name in names]
    report = lab.upload(*entries, clustering=groups)
    [clustering] = report.clusterings
    move(lab)

    groups = [group("g", names, location=f"{NEW}/joint")]
    moved = lab.upload(session("2023/date_1", name="date_1"), entries[1], clustering=groups)

    assert [(entry.clustering, entry.outcome) for entry in moved.clusterings] == [
        (clustering.clustering, "duplicate")
    ]
    assert places(lab) == {number(clustering): f"{NEW}/joint"}
    again = lab.upload(session("2023/date_1", name="date_1"), entries[1], clustering=groups)
    assert again.clusterings[0].differences == []


def test_another_persons_group_below_is_named_and_stays(lab: Lab) -> None:
    names = lab.record_many(2)
    kilosort_output(lab.share / "date_1" / "joint")
    entries = [session(name, name=name) for name in names]
    lab.upload(*entries)
    report = lab.upload(*entries, clustering=[group("g", names, location=f"{OLD}/joint")], user="user_2")
    [clustering] = report.clusterings
    move(lab)

    moved = lab.upload(session("2023/date_1", name="date_1"), entries[1])

    assert "clustering-of-another-user" in codes(moved)
    assert places(lab) == {number(clustering): f"{OLD}/joint"}


def test_lone_probe_is_called_like_its_new_folder(lab: Lab) -> None:
    (folder := lab.share / "date_1").mkdir()
    text = probe_meta(SampleProbe(SERIALS[0]), file_name="a.imec.ap.bin", start=START, duration_s=60.0)
    (folder / "a.imec.ap.meta").write_text(text)
    [first] = lab.upload(session("date_1")).sessions
    with lab.daybook.reading() as world:
        [before] = world.state.probes.where("session = ?", [number(first)])
    move(lab, "date_1", "other_name")

    lab.upload(session("other_name"))

    with lab.daybook.reading() as world:
        [probe] = world.state.probes.where("session = ?", [number(first)])
    assert before.name.startswith("date_1") and probe.name == before.name.replace("date_1", "other_name")
    assert probe.probe == before.probe


def test_what_lies_behind_a_link_to_the_new_place_was_moved(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1")).sessions
    move(lab)
    (lab.share / "date_1").symlink_to(lab.share / "2023" / "date_1")

    assert outcomes(lab.upload(session("2023/date_1"))) == [(first.session, "moved")]
    assert outcomes(lab.upload(session("date_1"))) == [(first.session, "duplicate")]


def test_older_file_is_known_at_the_old_place_until_something_else_lies_there(lab: Lab) -> None:
    lab.record_many(2)
    [first, other] = lab.upload(session("date_1"), session("date_2")).sessions
    move(lab)
    lab.upload(session("2023/date_1"), session("date_2"))

    older = lab.upload(session("date_1"), session("date_2"), user="user_2")

    assert outcomes(older) == [(first.session, "duplicate"), (other.session, "duplicate")]
    assert "moved-away" in codes(older)
    lab.record("date_1", day=5)
    [new, _] = lab.upload(session("date_1"), session("date_2")).sessions
    assert (new.outcome, new.session != first.session) == ("inserted", True)


def test_moved_back_is_where_it_was(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1")).sessions
    move(lab)
    lab.upload(session("2023/date_1"))
    move(lab, "2023/date_1", "date_1")

    assert outcomes(lab.upload(session("date_1"))) == [(first.session, "moved")]
    with lab.daybook.reading() as world:
        assert session_record(world, number(first)).moved_from == [NEW]


def test_both_places_in_one_file_is_an_error_once_it_is_known(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload(session("date_1"))
    move(lab)
    lab.upload(session("2023/date_1"))

    report = lab.upload(session("date_1"), session("2023/date_1"))

    assert not report.ok and "duplicate-location" in codes(report)


def test_start_that_a_person_gave_is_no_hindrance(lab: Lab) -> None:
    lab.record("date_1", start=datetime(1969, 12, 31, 23, 59, 59), acquiring=True)
    [first] = lab.upload(session("date_1")).sessions
    settle_session(
        lab.daybook,
        number(first),
        roots=lab.roots,
        as_crashed=True,
        start="2023-05-01 10:00:00",
        reason="The rig's clock.",
    )
    move(lab)

    assert outcomes(lab.upload(session("2023/date_1"))) == [(first.session, "moved")]


def test_validate_says_it_and_records_nothing(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1")).sessions
    move(lab)

    checked = validate(lab.daybook, document(session("2023/date_1")), filename="a.yml", roots=lab.roots)

    assert [finding.code for finding in checked.findings] == ["moved"]
    assert checked.sessions is not None and checked.sessions.known == 1
    assert [(known.record, known.moved_from) for known in checked.differing] == [(first.session, OLD)]
    assert location(lab, first.session) == OLD


def test_of_two_uploads_at_once_one_records_it(lab: Lab) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1")).sessions
    move(lab)
    data = document(session("2023/date_1"))

    answers = upload_at_once(lab.url, str(lab.share.parent), [("user_1", data)] * 4)

    found = Counter(entry["outcome"] for answer in answers for entry in answer["sessions"])
    assert found == {"moved": 1, "duplicate": 3}
    assert {entry["session"] for answer in answers for entry in answer["sessions"]} == {first.session}
    assert Counter(lab.types())["SessionMoved"] == 1


def test_what_becomes_of_the_session_meanwhile_is_seen(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.record_many(1)
    [first] = lab.upload(session("date_1")).sessions
    move(lab)
    look, looks = uploading.look_at_duplicates, list[int]()

    def overtaken(*arguments: Any, **options: Any) -> Any:
        standing = look(*arguments, **options)
        looks.append(1)
        if len(looks) == 1:
            annotate(lab.daybook, number(first), roots=lab.roots, notes="meanwhile")
        return standing

    monkeypatch.setattr(uploading, "look_at_duplicates", overtaken)
    report = lab.upload(session("2023/date_1"))

    assert outcomes(report) == [(first.session, "moved")] and len(looks) == 2
    with lab.daybook.reading() as world:
        assert session_record(world, number(first)).notes == "meanwhile"
