"""What stood on a corrected session, or was added to it, follows where it fits, and is named where it does not."""

from typing import Any

from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import add_clustering, add_tasks, annotate, associate
from commands.samples.clusterings import kilosort_output
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
    request,
    status_of,
)
from tests.intake.lab import PROBES, SERIALS, Lab, document, group, number, session


def joint(lab: Lab) -> tuple[list[Any], Any]:
    """Two sessions of user_1, and a clustering of user_2's over both that is in no file of user_1's."""
    names = lab.record_many(2)
    lab.record("right", day=9)
    clusterings(lab, ["g"])
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries)
    times = ["2023-05-01 10:00:00", "2023-05-02 10:00:00"]
    other = lab.upload_bytes(document(clustering=[group("g", times)]), user="user_2", filename="g.yml")
    assert other.clusterings[0].outcome == "inserted"
    return first.sessions, other.clusterings[0]


def test_a_clustering_over_several_sessions_follows_its_corrected_session(lab: Lab) -> None:
    sessions, clustering = joint(lab)

    result = corrected(lab, document(session("date_1", notes="x"), session("date_2")))

    assert result.carried_over == [clustering.clustering]
    assert status_of(lab, clustering.clustering) == "inserted"
    assert links(lab, number(clustering)) == {
        new_of(result, sessions[0].session), number(sessions[1]),
    }  # fmt: skip
    carried = [event for event in lab.events() if event.type == "ClusteringCarriedOver"]
    assert [(event.username, event.actor) for event in carried] == [("user_2", "user_3")]
    assert_rebuilds_equal(lab)


def test_a_clustering_that_follows_to_a_waiting_session_waits_with_it(lab: Lab) -> None:
    sessions, clustering = joint(lab)
    lab.record("right", day=9, acquiring=True)

    result = corrected(lab, document(session("right", name="date_1"), session("date_2")))

    new = new_of(result, sessions[0].session)
    assert status_of(lab, f"s{new}") == "waiting" and status_of(lab, clustering.clustering) == "waiting"
    with lab.daybook.reading() as world:
        assert f"s{new}" in str(world.state.clusterings[number(clustering)].message)


def test_a_clustering_that_waited_for_the_corrected_session_is_inserted(lab: Lab) -> None:
    names = lab.record_many(2)
    lab.record("date_2", day=1, acquiring=True)
    lab.record("right", day=1)
    clusterings(lab, ["g"])
    entries = [session(name, name=name) for name in names]
    first = lab.upload(*entries, clustering=[group("g", names)])
    assert first.clusterings[0].outcome == "waiting"
    data = document(entries[0], session("right", name="date_2"), clustering=[group("g", names)])

    corrected(lab, data)

    assert status_of(lab, first.clusterings[0].clustering) == "inserted"
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
    name = first.clusterings[0].clustering

    found = compare(lab, data)
    assert [(f"c{d.row.id}", d.becomes) for d in found.plan.dependents] == [(name, "deleted")]
    moved = first.sessions[0].session
    assert found.plan.dependents[0].reason == f"it is of subject 12345, and {moved} would be of subject 34567"
    result = corrected(lab, data)

    assert result.deleted == [name] and status_of(lab, name) == "deleted"
    assert status_of(lab, first.sessions[1].session) == "inserted"
    with lab.daybook.reading() as world:
        assert world.state.groups.get("g") is None


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

    new = new_of(approve(lab, asked), first.sessions[0].session)

    with lab.daybook.reading() as world:
        assert world.state.sessions[new].room == "2.345"
