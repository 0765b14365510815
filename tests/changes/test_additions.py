"""What a file left out of a session that is inserted: added by its owner, on the same record."""

from typing import Any

import pytest

from commands.cli.next_steps import sentence
from commands.intake.completion import Rejected, add_tasks, annotate, associate
from commands.requests.changes.additions import amend
from ledger.errors import Refusal
from projections.listings import whole
from projections.references import Reference
from tests.deletion.desk import Desk
from tests.intake.lab import PROBES, document, group, session, task

OBJECT = {"object_name": "object_1", "coord_x": 1.0, "coord_y": 2.0}
CARD = {"card_name": "card_1", "coord_x": 1.0, "coord_y": 2.0}
CURTAIN = {"start_point": "a", "direction": "b", "coverage": 0.5}


def first_task(**fields: Any) -> dict[str, Any]:
    return task(task_start=0, task_stop=10) | fields


@pytest.fixture
def one(desk: Desk) -> str:
    """A session of user_3 with one task and two probes."""
    desk.lab.record("date_1")
    return desk.lab.upload(entry(), user="user_3").sessions[0].session


def entry(**fields: Any) -> dict[str, Any]:
    return session("date_1", name="date_1", tasks=[first_task()]) | fields


def add(
    desk: Desk,
    name: str,
    *,
    user: str = "user_3",
    command_id: str | None = None,
    meant: str | None = None,
    **fields: Any,
) -> Any:
    """``meant``: why a probe is another one than its serial says."""
    return amend(
        desk.of(user), int(name[1:]), document(entry(**fields)), filename="12345.yml", roots=desk.lab.roots,
        command_id=command_id, reason=meant, despite_serial=meant is not None,
    )  # fmt: skip


def record(desk: Desk, name: str) -> dict[str, Any]:
    with desk.lab.daybook.reading() as world:
        return whole(world.transaction, world.head.live_slot, Reference("session", int(name[1:])))


def group_of_another(desk: Desk, name: str) -> str:
    """A clustering of user_4 over the session and another one."""
    desk.lab.record("date_2", day=1)
    desk.lab.upload(session("date_2", name="date_2"), user="user_3")
    times = [record(desk, name)["session_time"]]
    with desk.lab.daybook.reading() as world:
        times += [row.session_time for row in world.state.sessions.where("location = ?", ["N:/rec/date_2"])]
    report = desk.lab.upload(clustering=[group("g", times)], user="user_4")
    assert report.ok, report.findings
    return report.clusterings[0].clustering


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"experimenter": ["user_1", "user_2"]}, {"experimenter": ["user_1", "user_2"]}),
        ({"notes": "moved much"}, {"notes": "moved much"}),
        ({"room": "2.345", "project": ["my_project"]}, {"room": "2.345", "project": ["my_project"]}),
    ],
)
def test_what_was_left_out_of_a_session_is_added_at_once(
    desk: Desk, one: str, fields: dict[str, Any], told: dict[str, Any]
) -> None:
    before = desk.lab.size()

    made = add(desk, one, **fields)

    assert (made.kind, made.status, made.records) == ("addition", "done", [one])
    assert desk.lab.types(before) == ["SessionAmended"]
    (event,) = desk.lab.events(before)
    assert (event.stream, event.actor, event.username) == (f"session/{one[1:]}", "user_3", "user_3")
    found = record(desk, one)
    assert {name: found[name] for name in told} == told
    assert found["status"] == "inserted"
    again = desk.lab.upload(entry(**fields), user="user_3")
    assert [(e.outcome, list(e.differences)) for e in again.sessions] == [("duplicate", [])]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"light_level": "dim"}, {"light_level": "dim"}),
        ({"objects": [OBJECT]}, {"objects": [OBJECT]}),
        ({"cue_cards": [CARD]}, {"cue_cards": [CARD]}),
        ({"curtains": [CURTAIN]}, {"curtains": [CURTAIN]}),
        ({"notes": "slow"}, {"notes": "slow"}),
    ],
)
def test_what_was_left_out_of_a_task_is_added_to_it(
    desk: Desk, one: str, fields: dict[str, Any], told: dict[str, Any]
) -> None:
    assert add(desk, one, tasks=[first_task(**fields)]).status == "done"

    (only,) = record(desk, one)["tasks"]
    assert {name: only[name] for name in told} == told
    assert (only["task_start"], only["task_stop"]) == (0, 10)


def test_one_more_task_is_added_behind_those_that_are_there(desk: Desk, one: str) -> None:
    more = {"task_type": "SleepTask", "task_start": 20, "task_stop": 30}

    made = add(desk, one, tasks=[first_task(light_level="dim"), more])

    assert made.status == "done"
    tasks = record(desk, one)["tasks"]
    assert [(t["number"], t["task_type"], t["task_start"], t["light_level"]) for t in tasks] == [
        (1, "OpenField", 0, "dim"), (2, "SleepTask", 20, None),
    ]  # fmt: skip


def test_added_task_may_not_overlap(desk: Desk, one: str) -> None:
    more = {"task_type": "SleepTask", "task_start": 5, "task_stop": 30}

    with pytest.raises(Rejected) as caught:
        add(desk, one, tasks=[first_task(), more])

    assert (
        caught.value.message
        == "tasks[1] (SleepTask) starts at 5 s, but tasks[0] (OpenField) stops at 10 s only."
    )


def test_probe_association_is_changed_on_the_same_record(desk: Desk, one: str) -> None:
    before = {probe["name"]: probe["probe"] for probe in record(desk, one)["probes"]}
    assert set(before.values()) == set(PROBES)
    names = sorted(before)
    swapped = dict(zip(names, [before[name] for name in reversed(names)], strict=True))

    with desk.refused("serial-contradicts", f"daybook amend {one} 12345.yml --despite-serial --reason TEXT"):
        add(desk, one, probe_association=swapped)
    made = add(desk, one, probe_association=swapped, meant="the headstages were swapped")

    assert made.status == "done"
    (body,) = desk.lab.bodies("SessionAmended")
    assert (body["despite_serial"], body["reason"]) == (True, "the headstages were swapped")
    probes = record(desk, one)["probes"]
    assert {probe["name"]: probe["probe"] for probe in probes} == swapped
    assert {probe["matched_by"] for probe in probes} == {"given"}


def test_probe_that_is_not_in_the_subject_is_refused(desk: Desk, one: str) -> None:
    name = record(desk, one)["probes"][0]["name"]

    with pytest.raises(Rejected):
        add(desk, one, probe_association={name: "npx_3"})


def test_addition_under_which_another_person_stands_is_a_request(desk: Desk, one: str) -> None:
    both = group_of_another(desk, one)
    before = desk.lab.size()

    made = add(desk, one, notes="moved much")

    assert made.status == "requested"
    assert made.users == {"user_4": 1}
    assert [tuple(each) for each in made.clusterings] == [(int(both[1:]),) * 2]
    assert desk.lab.types(before) == ["ChangeRequested"]
    assert record(desk, one)["notes"] is None
    before = desk.lab.size()

    done = desk.approve(int(made.request[1:]))

    assert (done.kind, done.clusterings) == ("addition", 1)
    assert desk.lab.types(before) == ["DeletionApproved", "SessionAmended"]
    assert desk.lab.events(before)[1].causation == before + 1
    assert record(desk, one)["notes"] == "moved much"
    assert desk.status(both) == "inserted"


def test_own_clusterings_need_nobody(desk: Desk, one: str) -> None:
    desk.lab.record("date_2", day=1)
    desk.lab.upload(
        session("date_2", name="date_2"),
        entry(),
        clustering=[group("g", ["date_1", "date_2"])],
        user="user_3",
    )

    assert add(desk, one, notes="moved much").status == "done"


def test_request_for_a_session_that_changed_since_is_not_carried_out(desk: Desk, one: str) -> None:
    group_of_another(desk, one)
    first = int(add(desk, one, notes="moved much").request[1:])
    second = int(add(desk, one, room="2.345").request[1:])
    desk.approve(first)

    with desk.refused("session-moved", one):
        desk.approve(second)


def test_what_is_on_record_is_not_overwritten_and_the_way_that_works_is_named(desk: Desk, one: str) -> None:
    with desk.refused("would-overwrite", "tasks[0].task_type", "daybook correct 12345.yml"):
        add(desk, one, tasks=[first_task(task_type="SleepTask")])
    with desk.refused("would-overwrite", "tasks[0].task_stop"):
        add(desk, one, tasks=[first_task(task_stop=11)])
    add(desk, one, room="2.345", notes="moved")
    with desk.refused("would-overwrite", "room"):
        add(desk, one, room="2.346")
    with desk.refused("would-overwrite", "notes"):
        add(desk, one, notes="slept")
    assert add(desk, one, notes="moved, then slept").status == "done"


def test_file_that_says_no_more_or_nothing_of_the_session_is_refused(desk: Desk, one: str) -> None:
    with desk.refused("nothing-to-add", one):
        add(desk, one)
    with desk.refused("no-entry", "N:/rec/date_1"):
        amend(
            desk.of("user_3"),
            int(one[1:]),
            document(session("date_9")),
            filename="a.yml",
            roots=desk.lab.roots,
        )
    with pytest.raises(Rejected):
        add(desk, one, room="no such room")
    with desk.refused("not-permitted", "user_3, who uploaded it"):
        add(desk, one, user="user_4", notes="moved")


def test_same_command_twice_adds_once(desk: Desk, one: str) -> None:
    first = add(desk, one, command_id="once", notes="moved")

    assert add(desk, one, command_id="once", notes="moved") == first


@pytest.mark.parametrize("verb", ["add-tasks", "annotate", "associate"])
def test_refusal_of_a_completion_names_the_way_that_works(desk: Desk, one: str, verb: str) -> None:
    daybook, number, roots = desk.of("user_3"), int(one[1:]), desk.lab.roots
    add(desk, one, room="2.345")
    tasks = b"- {task_type: SleepTask, task_start: 20, task_stop: 30}"

    with pytest.raises(Refusal) as caught:
        if verb == "add-tasks":
            add_tasks(daybook, number, tasks, filename="tasks.yml", roots=roots)
        elif verb == "annotate":
            annotate(daybook, number, roots=roots, room="2.346")
        else:
            associate(daybook, number, {"probe_1": PROBES[0]}, roots=roots)

    assert f"daybook amend {one} FILE" in sentence(caught.value.hint, caught.value.steps)


def test_waiting_session_is_completed_by_its_file_and_its_probes_by_associate(desk: Desk) -> None:
    desk.lab.record("date_1", serials=("1", "2"))
    waiting = desk.lab.upload(entry(), user="user_3").sessions[0].session

    made = add(desk, waiting, notes="moved", tasks=[first_task(light_level="dim")])

    assert made.status == "done"
    assert record(desk, waiting)["entry"]["tasks"][0]["light_level"] == "dim"
    with desk.refused("not-inserted", f"daybook associate {waiting}"):
        add(desk, waiting, probe_association={"probe_1": PROBES[0], "probe_2": PROBES[1]}, notes="moved")
    associate(
        desk.of("user_3"),
        int(waiting[1:]),
        {"probe_1": PROBES[0], "probe_2": PROBES[1]},
        roots=desk.lab.roots,
    )
    told = record(desk, waiting)
    assert (told["status"], told["notes"], told["tasks"][0]["light_level"]) == ("inserted", "moved", "dim")


def test_clusterings_of_a_session_are_records_of_their_own(desk: Desk, one: str) -> None:
    with desk.refused("nothing-to-add"):
        add(desk, one, clustering=True)
