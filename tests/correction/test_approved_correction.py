"""An approved correction: the old records go, the new ones come, what stood on them follows or is named."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from commands import correction
from commands.approval import CancelRequest, RejectRequest
from commands.catalogue import RetireReferenceValue
from commands.completion import add_clustering, add_tasks, annotate, associate
from commands.deletion import approve as approve_request
from commands.inputfile.entries import ClusteringEntry
from commands.intake import replay
from commands.permission import NotPermitted
from commands.redaction import RequestRedaction
from commands.restoration import RestoreDeletion
from commands.samples.clusterings import kilosort_output
from commands.withdrawal import Withdraw
from ledger.errors import Conflict, Refusal
from projections import rebuild
from tests.correction.corrections import (
    Plain,
    approve,
    assert_numbered_by_position,
    assert_rebuilds_equal,
    compare,
    corrected,
    other_subject,
    request,
    status_of,
)
from tests.correction.test_replay import DeleteSession
from tests.intake.lab import PROBES, SERIALS, Lab, document, group, number, session, task


def new_of(result: Plain, old: str) -> int:
    return next(int(pair["new"][1:]) for pair in result["replaced"] if pair["old"] == old)


def links(lab: Lab, clustering: int) -> set[int]:
    with lab.daybook.reading() as world:
        return {
            link.session for link in world.state.clustering_sessions.where("clustering = ?", [clustering])
        }


def clean_upload(lab: Lab, data: bytes, **options: Any) -> None:
    """The corrected file is what is stored: uploaded again, all of it is known and nothing differs."""
    again = lab.upload_bytes(data, **options)
    entries = [*again.sessions, *again.clusterings]
    assert again.ok and {entry["outcome"] for entry in entries} == {"duplicate"}
    assert [entry["differences"] for entry in entries] == [[]] * len(entries)
    assert compare(lab, data).plan.replaced == []


def clusterings(lab: Lab, names: list[str]) -> list[Path]:
    return [kilosort_output(lab.share.parent / "joint" / name) for name in names]


# --- what is replaced -----------------------------------------------------------------------------------------------


def test_old_and_new_session_are_linked_both_ways(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.upload(session("date_1", notes="old"), session("date_2"))
    data = document(session("date_1", notes="new"), session("date_2"))

    result = corrected(lab, data)

    old, new = number(first.sessions[0]), new_of(result, first.sessions[0]["session"])
    with lab.daybook.reading() as world:
        before, after = world.state.sessions[old], world.state.sessions[new]
        assert (before.status, before.replaced_by) == ("deleted", new)
        assert (after.status, after.replaces, after.username) == ("inserted", old, "user_1")
        assert world.state.locations[after.location].session == new
        assert world.state.times[after.subject, str(after.session_time)].session == new
        upload = world.state.uploads[after.upload]
        assert (f"u{upload.id}", upload.inserted) == (result["upload"], 1)
        assert world.state.uploads[before.upload].inserted == 1
    assert list(lab.statuses().values()) == ["inserted", "inserted"]
    clean_upload(lab, data)
    assert_numbered_by_position(lab)
    assert_rebuilds_equal(lab)


def test_a_wrong_animal_moves_its_sessions_and_their_clustering(lab: Lab) -> None:
    other_subject(lab)
    for n in (1, 2):
        lab.record(f"date_{n}", day=n, serials=SERIALS[:1])
    clusterings(lab, ["g"])
    names = [session("date_1", name="a"), session("date_2", name="b")]
    first = lab.upload(*names, clustering=[group("g", ["a", "b"])])
    data = document(*names, clustering=[group("g", ["a", "b"])], subject="34567")

    result = corrected(lab, data)

    with lab.daybook.reading() as world:
        moved = [world.state.sessions[new_of(result, entry["session"])] for entry in first.sessions]
        assert {row.subject for row in moved} == {"0/34567"}
        assert world.state.probes[moved[0].id, "probe_1"].probe == f"npx_2_{SERIALS[0]}"
        joint = world.state.clusterings[new_of(result, first.clusterings[0]["clustering"])]
        assert (joint.subject, joint.status, joint.replaces) == (
            "0/34567", "inserted", number(first.clusterings[0]),
        )  # fmt: skip
        assert world.state.groups["g"].clustering == joint.id
        assert world.state.times.where("subject = ?", ["0/12345"]) == []
    assert links(lab, joint.id) == {row.id for row in moved}
    clean_upload(lab, data)
    assert_numbered_by_position(lab)
    assert_rebuilds_equal(lab)


def test_a_wrong_probe_association_is_put_right(lab: Lab) -> None:
    lab.record("date_1", serials=["1", "2"])
    wrong = {"probe_1": PROBES[1], "probe_2": PROBES[0]}
    right = {"probe_1": PROBES[0], "probe_2": PROBES[1]}
    lab.upload(session("date_1", probe_association=wrong))
    data = document(session("date_1", probe_association=right))

    result = corrected(lab, data)

    with lab.daybook.reading() as world:
        rows = world.state.probes.where("session = ?", [int(result["replaced"][0]["new"][1:])])
        assert {row.name: row.probe for row in rows} == right
    clean_upload(lab, data)


@pytest.mark.parametrize("name", ["a", None])
def test_a_wrong_path_is_put_right(lab: Lab, name: str | None) -> None:
    lab.record_many(3)
    named = {} if name is None else {"name": name}
    first = lab.upload(session("date_1"), session("date_2", **named))
    data = document(session("date_1"), session("date_3", **named))

    result = corrected(lab, data)

    new = new_of(result, first.sessions[1]["session"])
    with lab.daybook.reading() as world:
        assert world.state.sessions[new].location == "N:/rec/date_3"
        assert world.state.sessions[new].session_time == "2023-05-03 10:00:00"
        assert world.state.locations.get("N:/rec/date_2") is None
    clean_upload(lab, data)
    assert (
        lab.upload_bytes(document(session("date_2")), filename="b.yml").sessions[0]["outcome"] == "inserted"
    )


def test_tasks_notes_and_experimenters_are_put_right(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1", notes="old", tasks=[task(task_start=1, task_stop=2)]))
    data = document(
        session(
            "date_1",
            experimenter=["user_2", "user_3"],
            tasks=[task(task_start=1, task_stop=3), task(task_start=5, task_stop=6, notes="n")],
        )
    )

    result = corrected(lab, data)

    with lab.daybook.reading() as world:
        new = int(result["replaced"][0]["new"][1:])
        tasks = world.state.tasks.where("session = ?", [new])
        assert [(row.start_s, row.stop_s, row.notes) for row in tasks] == [(1, 3, None), (5, 6, "n")]
        assert world.state.sessions[new].experimenter == '["user_2","user_3"]'
    clean_upload(lab, data)


def test_the_curator_of_a_clustering_over_several_sessions_is_put_right(lab: Lab) -> None:
    names = lab.record_many(2)
    clusterings(lab, ["g"])
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries, clustering=[group("g", names)])
    data = document(*entries, clustering=[group("g", names, curator="user_2")])

    result = corrected(lab, data)

    old, new = (
        number(first.clusterings[0]),
        new_of(result, first.clusterings[0]["clustering"]),
    )
    with lab.daybook.reading() as world:
        before, after = world.state.clusterings[old], world.state.clusterings[new]
        assert (before.status, before.replaced_by) == ("deleted", new)
        assert (after.status, after.curator, after.replaces) == ("inserted", "user_2", old)
    assert result["sessions"] == 0
    assert links(lab, new) == {number(entry) for entry in first.sessions}
    clean_upload(lab, data)
    assert_numbered_by_position(lab)


def test_the_clusterings_of_a_session_are_inserted_anew_with_it(lab: Lab) -> None:
    folder = lab.record("date_1")
    for probe in ("probe_1", "probe_2"):
        kilosort_output(folder / probe / "ks")
    first = lab.upload(session("date_1", clustering=True))
    data = document(session("date_1", clustering=True, notes="x"))

    result = corrected(lab, data)

    with lab.daybook.reading() as world:
        rows = world.state.clusterings.where("id > 0", [])
        old = [row for row in rows if row.session == number(first.sessions[0])]
        new = [row for row in rows if row.session == int(result["replaced"][0]["new"][1:])]
        assert {row.status for row in old} == {"deleted"} and {row.status for row in new} == {"inserted"}
        assert [row.location for row in old] == [row.location for row in new]
    assert result["deleted"] == []
    assert_rebuilds_equal(lab)


def test_a_clustering_that_the_corrected_entry_lacks_is_named_as_deleted(lab: Lab) -> None:
    folder = lab.record("date_1")
    for probe in ("probe_1", "probe_2"):
        kilosort_output(folder / probe / "ks")
    lab.upload(session("date_1", clustering=True))
    data = document(session("date_1", clustering=False))

    found = compare(lab, data)

    assert [(d.becomes, d.reason) for d in found.plan.dependents] == [
        ("deleted", "the corrected entry has none there")
    ]
    assert corrected(lab, data)["deleted"] == [f"c{found.plan.dependents[0].row.id}"]


# --- what follows ---------------------------------------------------------------------------------------------------


def joint(lab: Lab) -> tuple[list[Any], Any]:
    """Two sessions of user_1, and a clustering of user_2's over both that is in no file of user_1's."""
    names = lab.record_many(2)
    lab.record("right", day=9)
    clusterings(lab, ["g"])
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries)
    times = ["2023-05-01 10:00:00", "2023-05-02 10:00:00"]
    other = lab.upload_bytes(document(clustering=[group("g", times)]), user="user_2", filename="g.yml")
    assert other.clusterings[0]["outcome"] == "inserted"
    return first.sessions, other.clusterings[0]


def test_a_clustering_over_several_sessions_follows_its_corrected_session(lab: Lab) -> None:
    sessions, clustering = joint(lab)

    result = corrected(lab, document(session("date_1", notes="x"), session("date_2")))

    assert result["carried_over"] == [clustering["clustering"]]
    assert status_of(lab, clustering["clustering"]) == "inserted"
    assert links(lab, number(clustering)) == {
        new_of(result, sessions[0]["session"]), number(sessions[1]),
    }  # fmt: skip
    carried = [event for event in lab.events() if event.type == "ClusteringCarriedOver"]
    assert [(event.username, event.actor) for event in carried] == [("user_2", "user_3")]
    assert_rebuilds_equal(lab)


def test_a_clustering_that_follows_to_a_waiting_session_waits_with_it(lab: Lab) -> None:
    sessions, clustering = joint(lab)
    lab.record("right", day=9, acquiring=True)

    result = corrected(lab, document(session("right", name="date_1"), session("date_2")))

    new = new_of(result, sessions[0]["session"])
    assert status_of(lab, f"s{new}") == "waiting" and status_of(lab, clustering["clustering"]) == "waiting"
    with lab.daybook.reading() as world:
        assert f"s{new}" in str(world.state.clusterings[number(clustering)].message)


def test_a_clustering_that_waited_for_the_corrected_session_is_inserted(lab: Lab) -> None:
    names = lab.record_many(2)
    lab.record("date_2", day=1, acquiring=True)
    lab.record("right", day=1)
    clusterings(lab, ["g"])
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries, clustering=[group("g", names)])
    assert first.clusterings[0]["outcome"] == "waiting"
    data = document(entries[0], session("right", name="date_2"), clustering=[group("g", names)])

    corrected(lab, data)

    assert status_of(lab, first.clusterings[0]["clustering"]) == "inserted"
    clean_upload(lab, data)


def test_a_clustering_of_the_old_animal_cannot_follow_and_is_named(lab: Lab) -> None:
    other_subject(lab)
    for n in (1, 2):
        lab.record(f"date_{n}", day=n, serials=SERIALS[:1])
    clusterings(lab, ["g"])
    first = lab.upload(
        session("date_1", name="a"), session("date_2", name="b"), clustering=[group("g", ["a", "b"])]
    )
    data = document(session("date_1", name="a"), subject="34567")
    name = first.clusterings[0]["clustering"]

    found = compare(lab, data)
    assert [(f"c{d.row.id}", d.becomes) for d in found.plan.dependents] == [(name, "deleted")]
    moved = first.sessions[0]["session"]
    assert found.plan.dependents[0].reason == f"it is of subject 12345, and {moved} would be of subject 34567"
    result = corrected(lab, data)

    assert result["deleted"] == [name] and status_of(lab, name) == "deleted"
    assert status_of(lab, first.sessions[1]["session"]) == "inserted"
    with lab.daybook.reading() as world:
        assert world.state.groups.get("g") is None


# --- what commands have added ---------------------------------------------------------------------------------------


def test_what_was_added_by_commands_comes_with_the_new_session(lab: Lab) -> None:
    folder = lab.record("date_1", serials=["1", "2"])
    for probe in ("probe_1", "probe_2"):
        kilosort_output(folder / probe / "ks")
    first = lab.upload(session("date_1"))
    old = number(first.sessions[0])
    associate(lab.daybook, old, {"probe_1": PROBES[0], "probe_2": PROBES[1]}, roots=lab.roots)
    tasks = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 1, task_stop: 2}"
    add_tasks(lab.daybook, old, tasks, filename="tasks.yml", roots=lab.roots)
    add_clustering(
        lab.daybook, old, ClusteringEntry("user_2", "N:/rec/date_1"), roots=lab.roots
    )  # fmt: skip
    annotate(lab.daybook, old, roots=lab.roots, room="2.345", project=("my_project",))
    data = document(session("date_1", notes="x"))

    found = compare(lab, data)
    assert [d["field"] for d in found.plan.sessions[0].differences] == ["notes"]
    new = new_of(corrected(lab, data), f"s{old}")

    with lab.daybook.reading() as world:
        row = world.state.sessions[new]
        assert (row.status, row.room, row.project) == ("inserted", "2.345", '["my_project"]')
        assert [t.start_s for t in world.state.tasks.where("session = ?", [new])] == [1]
        assert {p.probe for p in world.state.probes.where("session = ?", [new])} == set(PROBES)
        assert [c.curator for c in world.state.clusterings.where("session = ?", [new])] == ["user_2"]
    assert compare(lab, data).plan.replaced == []
    assert_numbered_by_position(lab)
    assert_rebuilds_equal(lab)


def test_what_was_added_after_the_request_is_kept_too(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, room="2.345")

    new = new_of(approve(lab, asked), first.sessions[0]["session"])

    with lab.daybook.reading() as world:
        assert world.state.sessions[new].room == "2.345"


# --- approving ------------------------------------------------------------------------------------------------------


def test_only_another_admin_approves(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))

    with pytest.raises(NotPermitted, match="another admin"):
        approve(lab, asked, user="user_1")
    with pytest.raises(NotPermitted, match="role admin"):
        approve_request(lab.as_user("user_2"), asked, accept_impact=False, roots=lab.roots)

    assert "SessionDeleted" not in lab.types()


def test_an_approved_correction_is_not_carried_out_again(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    approve(lab, asked)
    before = lab.size()

    with pytest.raises(Refusal, match=f"d{asked} is executed by user_3 already"):
        approve(lab, asked)

    assert lab.size() == before


@pytest.mark.parametrize("ended", ["rejected", "cancelled"])
def test_a_correction_that_was_turned_down_is_not_carried_out_but_can_be_asked_for_again(
    lab: Lab, ended: str
) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    data = document(session("date_1", notes="x"))
    asked = request(lab, data)
    if ended == "rejected":
        lab.as_admin("user_3").submit(RejectRequest(request=asked, reason="it was right"))
    else:
        lab.daybook.submit(CancelRequest(request=asked))

    with pytest.raises(Refusal, match=f"d{asked} is {ended}"):
        approve(lab, asked)

    corrected(lab, data)
    clean_upload(lab, data)


def test_more_impact_than_was_shown_is_refused_until_it_is_accepted(lab: Lab) -> None:
    names = lab.record_many(2)
    clusterings(lab, ["g"])
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries)
    data = document(session("date_1", name="date_1", notes="x"), entries[1])
    asked = request(lab, data)
    other = lab.upload_bytes(
        document(clustering=[group("g", ["2023-05-01 10:00:00", "2023-05-02 10:00:00"])]),
        user="user_2",
        filename="g.yml",
    )

    for _ in range(2):
        with pytest.raises(Refusal, match="would take more now") as caught:
            approve(lab, asked)
        assert caught.value.code == "impact-grown"
    assert Counter(lab.types())["DeletionImpactGrown"] == 1
    assert status_of(lab, first.sessions[0]["session"]) == "inserted"
    result = approve(lab, asked, accept_impact=True)

    assert result["carried_over"] == [other.clusterings[0]["clustering"]]


def test_a_record_that_is_gone_by_now_is_not_replaced(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    lab.daybook.submit(DeleteSession(session=number(first.sessions[0])))

    with pytest.raises(Refusal, match=f"{first.sessions[0]['session']}, which it would replace, is deleted"):
        approve(lab, asked)


def test_of_two_corrections_of_one_record_the_first_that_is_approved_counts(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    one = request(lab, document(session("date_1", notes="one")))
    two = request(lab, document(session("date_1", notes="two")))
    approve(lab, two)

    with pytest.raises(Refusal, match=f"d{one} cannot be carried out"):
        approve(lab, one)

    clean_upload(lab, document(session("date_1", notes="two")))


def test_a_path_that_was_taken_since_is_refused_and_says_by_what(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1", name="a"))
    data = document(session("date_2", name="a"))
    asked = request(lab, data)
    taken = lab.upload_bytes(data)  # impatience: the right path comes in as a session of its own

    with pytest.raises(Refusal, match=f"is that of session {taken.sessions[0]['session']}") as caught:
        approve(lab, asked)

    assert caught.value.code == "location-taken"


def test_new_entries_that_were_uploaded_meanwhile_stay_as_they_are(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    data = document(session("date_1", notes="x"), session("date_2"))
    asked = request(lab, data)
    uploaded = lab.upload_bytes(data).sessions[1]["session"]

    result = approve(lab, asked)

    assert len(result["replaced"]) == 1 and status_of(lab, uploaded) == "inserted"
    clean_upload(lab, data)


def test_a_value_retired_for_a_new_entry_does_not_hinder_the_correction(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x"), session("date_2", room="2.345")))
    lab.daybook.submit(RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"))

    assert approve(lab, asked)["sessions"] == 1


def test_a_value_retired_since_is_refused_when_the_correction_uses_it(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", room="2.345")))
    lab.daybook.submit(RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"))

    with pytest.raises(Refusal, match=r"2\.345") as caught:
        approve(lab, asked)

    assert caught.value.code == "retired-value"


def test_a_directory_that_cannot_be_read_by_now_is_refused(lab: Lab) -> None:
    folder = lab.record("date_1")
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    folder.rename(folder.with_name("elsewhere"))
    before = lab.size()

    with pytest.raises(Refusal, match=f"d{asked} cannot be carried out"):
        approve(lab, asked)

    assert "SessionDeleted" not in lab.types(before)


def test_a_ledger_that_moves_while_the_disk_is_read_is_looked_at_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    admin = lab.as_admin("user_3")
    plan, rooms = correction.make_plan, iter(["2.345"])

    def plan_and_be_overtaken(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        for room in rooms:
            annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, room=room)
        return made

    monkeypatch.setattr(correction, "make_plan", plan_and_be_overtaken)
    result = correction.approve(admin, _row(lab, asked), accept_impact=False, roots=lab.roots)

    with lab.daybook.reading() as world:
        assert world.state.sessions[new_of(result, first.sessions[0]["session"])].room == "2.345"


def test_a_ledger_that_never_rests_ends_in_a_conflict(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    admin = lab.as_admin("user_3")

    def always(*_: Any) -> None:
        raise Conflict("ledger-moved", "The ledger changed.")

    monkeypatch.setattr(correction, "refuse_if_moved", always)
    with pytest.raises(Conflict):
        correction.approve(admin, _row(lab, asked), accept_impact=False, roots=lab.roots)


def _row(lab: Lab, asked: int) -> Any:
    with lab.daybook.reading() as world:
        return world.state.deletions[asked]


# --- afterwards -----------------------------------------------------------------------------------------------------


def test_a_corrected_session_is_corrected_again(lab: Lab) -> None:
    lab.record("date_1")
    lab.upload(session("date_1", notes="one"))
    for notes in ("two", "three"):
        data = document(session("date_1", notes=notes))
        corrected(lab, data)
        clean_upload(lab, data)
    with lab.daybook.reading() as world:
        rows = world.state.sessions.where("id > 0", [])
    assert [row.status for row in rows] == ["deleted", "deleted", "inserted"]
    assert [row.replaced_by for row in rows] == [rows[1].id, rows[2].id, None]


def test_the_upload_of_a_correction_is_replayed_like_any_other(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    result = corrected(lab, document(session("date_1", notes="x"), session("date_2")))

    report = replay(lab.daybook, int(result["upload"][1:]), roots=lab.roots)

    assert [entry["outcome"] for entry in report.sessions] == ["duplicate", "inserted"]


def test_a_waiting_replacement_can_be_withdrawn(lab: Lab) -> None:
    lab.record("date_1")
    lab.record("date_2", day=1, acquiring=True)
    lab.upload(session("date_1", name="a"))
    result = corrected(lab, document(session("date_2", name="a")))
    new = result["replaced"][0]["new"]
    assert status_of(lab, new) == "waiting"

    lab.daybook.submit(Withdraw(records=[new]))

    assert status_of(lab, new) == "withdrawn"
    assert_rebuilds_equal(lab)


@pytest.mark.parametrize("kind", ["CorrectionRequested", "SessionAnnotated"])
def test_a_correction_is_still_told_after_the_redaction_of_its_texts(lab: Lab, kind: str) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, room="2.345")
    result = corrected(lab, document(session("date_1", notes="one")))
    position = max(event.position for event in lab.events() if event.type == kind)
    asked = lab.daybook.submit(RequestRedaction(position=position, reason="a name"))
    approve(lab, int(asked.result["request"][1:]))

    daybook = lab.as_user("user_1")  # whoever opens the ledger next has the projections made anew

    with daybook.reading() as world:
        request_row = world.state.deletions[int(result["request"][1:])]
        assert (request_row.status, request_row.records) == (
            "executed",
            f'["{result["replaced"][0]["old"]}"]',
        )
        new = world.state.sessions[int(result["replaced"][0]["new"][1:])]
        assert (new.status, f"s{new.replaces}") == ("inserted", result["replaced"][0]["old"])


def test_a_correction_between_two_animals_is_rebuilt_by_two_processes(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each folds one of the subjects: the location's key goes from one process's rows to the other's, and back."""
    other_subject(lab)
    lab.record("date_1", serials=SERIALS[:1])
    lab.upload(session("date_1"))
    for subject in ("34567", "12345"):
        corrected(lab, document(session("date_1"), subject=subject))
    monkeypatch.setattr(rebuild, "PARALLEL_FROM", 1)
    assert_rebuilds_equal(lab)


def test_a_correction_is_undone_once_its_replacement_is_gone(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    result = corrected(lab, document(session("date_1", notes="x")))
    old, new = first.sessions[0]["session"], result["replaced"][0]["new"]
    restore = RestoreDeletion(request=int(result["request"][1:]))

    with pytest.raises(Refusal, match=new):
        lab.daybook.submit(restore)
    lab.daybook.submit(DeleteSession(session=int(new[1:])))
    lab.daybook.submit(RestoreDeletion(request=int(result["request"][1:])))

    assert (status_of(lab, old), status_of(lab, new)) == ("inserted", "deleted")
    with lab.daybook.reading() as world:
        assert world.state.sessions[int(old[1:])].replaced_by is None
    assert_rebuilds_equal(lab)


def test_tasks_added_after_the_request_have_to_be_accepted_and_come_along(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    tasks = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 1, task_stop: 2}"
    add_tasks(lab.daybook, number(first.sessions[0]), tasks, filename="tasks.yml", roots=lab.roots)

    with pytest.raises(Refusal, match="1 tasks? more"):
        approve(lab, asked)
    new = new_of(approve(lab, asked, accept_impact=True), first.sessions[0]["session"])

    with lab.daybook.reading() as world:
        assert [row.start_s for row in world.state.tasks.where("session = ?", [new])] == [1]


def test_a_location_that_is_taken_while_the_disk_is_read_is_not_taken_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.record_many(2)
    lab.upload(session("date_1", name="a"))
    asked = request(lab, document(session("date_2", name="a")))
    admin, once = lab.as_admin("user_3"), iter([True])
    plan = correction.make_plan

    def plan_and_be_overtaken(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        for _ in once:
            lab.upload_bytes(document(session("date_2")), filename="other.yml")
        return made

    monkeypatch.setattr(correction, "make_plan", plan_and_be_overtaken)
    with pytest.raises(Refusal) as caught:
        correction.approve(admin, _row(lab, asked), accept_impact=False, roots=lab.roots)

    assert caught.value.code == "location-taken"
    assert list(lab.statuses().values()) == ["inserted", "inserted"]
