"""An approved correction: the old records go, the new ones come, both linked."""

import pytest

from commands.intake.completion import annotate
from commands.intake.uploading import replay
from commands.requests.redaction import RequestRedaction
from commands.requests.restoration import RestoreDeletion
from commands.requests.withdrawal import Withdraw
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from projections import rebuild
from tests.correction.corrections import (
    approve,
    assert_numbered_by_position,
    assert_rebuilds_equal,
    clean_upload,
    clusterings,
    compare,
    corrected,
    links,
    new_of,
    other_subject,
    status_of,
)
from tests.correction.test_replay import DeleteSession
from tests.intake.lab import PROBES, SERIALS, Lab, document, group, number, session, task


def test_old_and_new_session_are_linked_both_ways(lab: Lab) -> None:
    lab.record_many(2)
    first = lab.upload(session("date_1", notes="old"), session("date_2"))
    data = document(session("date_1", notes="new"), session("date_2"))

    result = corrected(lab, data)

    old, new = number(first.sessions[0]), new_of(result, first.sessions[0].session)
    with lab.daybook.reading() as world:
        before, after = world.state.sessions[old], world.state.sessions[new]
        assert (before.status, before.replaced_by) == ("deleted", new)
        assert (after.status, after.replaces, after.username) == ("inserted", old, "user_1")
        assert world.state.locations[after.subject, after.location].session == new
        assert world.state.times[after.subject, str(after.session_time)].session == new
        upload = world.state.uploads[after.upload]
        assert (f"u{upload.id}", upload.inserted) == (result.upload, 1)
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
        moved = [world.state.sessions[new_of(result, entry.session)] for entry in first.sessions]
        assert {row.subject for row in moved} == {"0/34567"}
        assert world.state.probes[moved[0].id, "probe_1"].probe == f"npx_2_{SERIALS[0]}"
        joint = world.state.clusterings[new_of(result, first.clusterings[0].clustering)]
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
        rows = world.state.probes.where("session = ?", [int(result.replaced[0].new[1:])])
        assert {row.name: row.probe for row in rows} == right
    clean_upload(lab, data)


@pytest.mark.parametrize("name", ["a", None])
def test_a_wrong_path_is_put_right(lab: Lab, name: str | None) -> None:
    lab.record_many(3)
    named = {} if name is None else {"name": name}
    first = lab.upload(session("date_1"), session("date_2", **named))
    data = document(session("date_1"), session("date_3", **named))

    result = corrected(lab, data)

    new = new_of(result, first.sessions[1].session)
    with lab.daybook.reading() as world:
        assert world.state.sessions[new].location == "N:/rec/date_3"
        assert world.state.sessions[new].session_time == "2023-05-03 10:00:00"
        assert world.state.locations.get(("0/12345", "N:/rec/date_2")) is None
    clean_upload(lab, data)
    assert lab.upload_bytes(document(session("date_2")), filename="b.yml").sessions[0].outcome == "inserted"


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
        new = int(result.replaced[0].new[1:])
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
        new_of(result, first.clusterings[0].clustering),
    )
    with lab.daybook.reading() as world:
        before, after = world.state.clusterings[old], world.state.clusterings[new]
        assert (before.status, before.replaced_by) == ("deleted", new)
        assert (after.status, after.curator, after.replaces) == ("inserted", "user_2", old)
    assert result.sessions == 0
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
        new = [row for row in rows if row.session == int(result.replaced[0].new[1:])]
        assert {row.status for row in old} == {"deleted"} and {row.status for row in new} == {"inserted"}
        assert [row.location for row in old] == [row.location for row in new]
    assert result.deleted == []
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
    assert corrected(lab, data).deleted == [f"c{found.plan.dependents[0].row.id}"]


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

    report = replay(lab.daybook, int(result.upload[1:]), roots=lab.roots)

    assert [entry.outcome for entry in report.sessions] == ["duplicate", "inserted"]


def test_a_waiting_replacement_can_be_withdrawn(lab: Lab) -> None:
    lab.record("date_1")
    lab.record("date_2", day=1, acquiring=True)
    lab.upload(session("date_1", name="a"))
    result = corrected(lab, document(session("date_2", name="a")))
    new = result.replaced[0].new
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
    approve(lab, int(asked.result.request[1:]))

    daybook = lab.as_user("user_1")  # whoever opens the ledger next has the projections made anew

    with daybook.reading() as world:
        request_row = world.state.deletions[int(result.request[1:])]
        assert (request_row.status, request_row.records) == (
            "executed",
            f'["{result.replaced[0].old}"]',
        )
        new = world.state.sessions[int(result.replaced[0].new[1:])]
        assert (new.status, f"s{new.replaces}") == ("inserted", result.replaced[0].old)


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
    old, new = first.sessions[0].session, result.replaced[0].new
    restore = RestoreDeletion(request=int(result.request[1:]))

    with pytest.raises(Refusal, match=new):
        lab.daybook.submit(restore)
    lab.daybook.submit(DeleteSession(session=int(new[1:])))
    lab.daybook.submit(RestoreDeletion(request=int(result.request[1:])))

    assert (status_of(lab, old), status_of(lab, new)) == ("inserted", "deleted")
    with lab.daybook.reading() as world:
        assert world.state.sessions[int(old[1:])].replaced_by is None
    assert_rebuilds_equal(lab)
