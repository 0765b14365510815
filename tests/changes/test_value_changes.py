"""A reference value: proposed, renamed where it was mistyped, taken back where nothing uses it."""

from typing import Any

import pytest

from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import add_clustering
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue
from commands.requests.changes.values import ProposeValue, RenameValue, TakeBackValue
from commands.samples.clusterings import kilosort_output
from ledger.errors import Refusal
from projections.listings import whole
from projections.past import Past, put_before
from projections.references import Reference
from tests.deletion.desk import Desk, inserted
from tests.intake.lab import PROBES, SUBJECT, group, session, task

ARENA = "reference.ArenaApparatus"


def propose(
    desk: Desk, value: str = "200_circle", *, user: str = "user_3", table: str = ARENA, **more: Any
) -> Any:
    return desk.submit(user, ProposeValue(table=table, value=value, **more))


def rename(desk: Desk, table: str, value: str, new: str, *, user: str = "user_3") -> Any:
    return desk.submit(user, RenameValue(table=table, value=value, new_value=new, reason="mistyped"))


def take_back(desk: Desk, value: str, *, user: str = "user_1", table: str = ARENA) -> Any:
    return desk.submit(user, TakeBackValue(table=table, value=value, reason="mistyped"))


def values(desk: Desk, table: str = ARENA) -> dict[str, bool]:
    """Which are there, and whether they are retired."""
    with desk.lab.daybook.reading() as world:
        rows = world.state.reference.where("reference = ?", [table])
        return {row.value: bool(row.retired) for row in rows}


def record(desk: Desk, name: str) -> dict[str, Any]:
    kind: Any = {"s": "session", "c": "clustering"}[name[0]]
    with desk.lab.daybook.reading() as world:
        return whole(world.transaction, world.head.live_slot, Reference(kind, int(name[1:])))


# --- proposals ----------------------------------------------------------------------------------------------


def test_proposal_of_a_researcher_waits_and_the_approval_adds_the_value(desk: Desk) -> None:
    made = propose(desk, attributes={"diameter": "200 cm"}, reason="the new arena")

    assert (made.kind, made.status, made.records) == ("proposal", "requested", [f"{ARENA}: 200_circle"])
    assert "200_circle" not in values(desk)
    before = desk.lab.size()

    desk.approve(int(made.request[1:]), user="user_1")

    events = desk.lab.events(before)
    assert [event.type for event in events] == ["DeletionApproved", "ReferenceValueAdded"]
    assert (events[1].stream, events[1].causation) == (f"reference/{ARENA}", events[0].position)
    assert events[1].correlation == made.request
    assert values(desk)["200_circle"] is False


def test_rejected_proposal_adds_nothing_and_says_why(desk: Desk) -> None:
    number = int(propose(desk).request[1:])

    desk.reject(number, reason="It is 150_square.")

    assert "200_circle" not in values(desk)
    with desk.lab.daybook.reading() as world:
        assert world.state.deletions[number].decision == "It is 150_square."


def test_proposal_of_an_admin_is_in_the_catalogue_at_once(desk: Desk) -> None:
    assert propose(desk, user="user_2").status == "done"
    assert values(desk)["200_circle"] is False


def test_proposal_of_what_is_there_asks_for_nothing(desk: Desk) -> None:
    before = desk.lab.size()

    assert propose(desk, "150_square").status == "done"

    assert desk.lab.types(before) == []


def test_retired_value_can_be_proposed_again(desk: Desk) -> None:
    desk.submit("user_1", RetireReferenceValue(table=ARENA, value="100_square"))

    desk.approve(int(propose(desk, "100_square").request[1:]))

    assert values(desk)["100_square"] is False


def test_proposal_that_was_added_meanwhile_is_approved_without_a_second_event(desk: Desk) -> None:
    number = int(propose(desk).request[1:])
    desk.submit("user_1", AddReferenceValue(table=ARENA, value="200_circle"))
    before = desk.lab.size()

    desk.approve(number)

    assert desk.lab.types(before) == ["DeletionApproved"]


@pytest.mark.parametrize(
    ("table", "value", "code"),
    [("reference.Arena", "x", "unknown-table"), (ARENA, " ", "no-value"), (ARENA, "a\nb", "no-value")],
)
def test_what_cannot_be_a_value_cannot_be_proposed(desk: Desk, table: str, value: str, code: str) -> None:
    with desk.refused(code):
        propose(desk, value, table=table)


def test_same_proposal_is_made_once(desk: Desk) -> None:
    number = propose(desk).request

    with desk.refused("already-requested", number):
        propose(desk, user="user_4")


def test_auditor_proposes_nothing(desk: Desk) -> None:
    from commands.lab.roles import GrantRole

    desk.submit("user_1", GrantRole(user="user_5", role="auditor"))

    with desk.refused("not-permitted", "propose reference values"):
        propose(desk, user="user_5")


def test_file_goes_in_once_its_arena_was_proposed_and_accepted(desk: Desk) -> None:
    desk.lab.record_quickly(1)
    entry = session("quick_0", tasks=[task(arena_apparatus="200_circle", task_start=0, task_stop=10)])
    report = desk.lab.upload(entry, user="user_3")
    (finding,) = [finding for finding in report.findings if finding.severity == "error"]
    assert [(s.action, s.arguments) for s in finding.next_steps] == [
        ("propose-value", {"reference": ARENA, "value": "200_circle"})
    ]

    desk.approve(int(propose(desk).request[1:]))

    assert [entry.outcome for entry in desk.lab.upload(entry, user="user_3").sessions] == ["inserted"]


# --- taking back --------------------------------------------------------------------------------------------


def test_author_takes_an_unused_value_back_at_once(desk: Desk) -> None:
    desk.submit("user_1", AddReferenceValue(table=ARENA, value="150_sqare"))
    before = desk.lab.size()

    assert take_back(desk, "150_sqare").status == "done"

    assert desk.lab.types(before) == ["ReferenceValueTakenBack"]
    assert "150_sqare" not in values(desk)
    with desk.refused("unknown-value"):
        take_back(desk, "150_sqare")


def test_value_that_another_added_is_taken_back_by_a_request(desk: Desk) -> None:
    made = take_back(desk, "100_square", user="user_3")

    assert made.status == "requested"
    desk.approve(int(made.request[1:]))
    assert "100_square" not in values(desk)


def test_value_in_use_is_taken_back_by_a_request_with_what_names_it_and_comes_back_with_it(
    desk: Desk,
) -> None:
    desk.submit("user_1", AddReferenceValue(table=ARENA, value="150_sqare", attributes={"side": "150 cm"}))
    desk.lab.record_quickly(2)
    used = task(arena_apparatus="150_sqare", task_start=0, task_stop=10)
    one, other = (
        entry.session
        for entry in desk.lab.upload(
            session("quick_0", tasks=[used]), session("quick_1", tasks=[task(task_start=0, task_stop=10)])
        ).sessions
    )

    made = take_back(desk, "150_sqare")
    assert (made.kind, made.status, made.users) == ("taking-back", "requested", {"user_1": 1})
    assert "150_sqare" in values(desk) and desk.statuses(one) == ["inserted"]
    number = int(made.request[1:])
    desk.approve(number)
    gone = (values(desk), desk.statuses(one, other))
    desk.restore(number)

    assert "150_sqare" not in gone[0] and gone[1] == ["deleted", "inserted"]
    assert values(desk)["150_sqare"] is False and desk.statuses(one, other) == ["inserted", "inserted"]
    assert desk.lab.bodies("ReferenceValueAdded")[-1]["attributes"] == {"side": "150 cm"}


def test_what_came_to_use_it_after_the_request_is_shown_before_it_goes(desk: Desk) -> None:
    number = int(take_back(desk, "100_square", user="user_3").request[1:])
    desk.lab.record_quickly(1)
    used = task(arena_apparatus="100_square", task_start=0, task_stop=10)
    (one,) = desk.lab.upload(session("quick_0", tasks=[used])).sessions

    with pytest.raises(Refusal, match=f"would now take more than was shown: {one.session} of user_1"):
        desk.approve(number)

    assert "100_square" in values(desk) and desk.statuses(one.session) == ["inserted"]


def test_probe_that_is_inserted_is_not_taken_back_and_the_way_that_works_is_named(desk: Desk) -> None:
    with desk.refused("value-in-use", f"subject {SUBJECT}", "probe take-back", "catalogue rename"):
        take_back(desk, PROBES[1], table="reference.Probe")


def test_past_shows_a_value_that_was_taken_back_since(desk: Desk) -> None:
    from projections.listings import reference_values

    for value in list(values(desk, "reference.CueCard")):
        then = desk.lab.size()
        take_back(desk, value, table="reference.CueCard")

    with desk.lab.daybook.ledger.database.past() as transaction:
        head = put_before(transaction, then, Past.lab)
        found = reference_values(transaction, head.live_slot, "reference.CueCard")

    assert [each["value"] for each in found] == ["card_1"]


# --- renaming -----------------------------------------------------------------------------------------------


def test_author_renames_an_unused_value_at_once(desk: Desk) -> None:
    desk.submit("user_1", AddReferenceValue(table=ARENA, value="150_sqare", attributes={"side": "150 cm"}))
    before = desk.lab.size()

    made = rename(desk, ARENA, "150_sqare", "160_square", user="user_1")

    assert (made.kind, made.status) == ("mending", "done")
    assert desk.lab.types(before) == ["ReferenceValueAdded", "ReferenceValueTakenBack"]
    added, taken_back = (
        desk.lab.bodies("ReferenceValueAdded")[-1],
        desk.lab.bodies("ReferenceValueTakenBack")[-1],
    )
    assert (added["value"], added["attributes"]) == ("160_square", {"side": "150 cm"})
    assert (taken_back["value"], taken_back["replaced_by"]) == ("150_sqare", "160_square")


def test_what_uses_a_value_says_the_new_one_once_an_admin_approves(desk: Desk) -> None:
    desk.lab.record_quickly(2)
    tasks = [
        task(task_start=0, task_stop=10, light_level="dim", objects=[
            {"object_name": "object_1", "coord_x": 1, "coord_y": 2}
        ])
    ]  # fmt: skip
    entries = [
        session("quick_0", room="2.345", project=["my_project"], tasks=tasks),
        session("quick_1", experimenter=["user_2", "user_1"]),
    ]
    one, two = [entry.session for entry in desk.lab.upload(*entries, user="user_3").sessions]
    version = record(desk, one)

    for table, old, new in (
        (ARENA, "150_square", "150_round"), ("reference.ExperimentRoom", "2.345", "2.346"),
        ("acquisition.Project", "my_project", "my_other_project"), ("behavior.TaskLightLevel", "dim", "dark"),
        ("reference.ArenaObject", "object_1", "object_2"), ("behavior.TaskType", "OpenField", "Open"),
        ("reference.Experimenter", "user_1", "user_7"),
    ):  # fmt: skip
        made = rename(desk, table, old, new)
        assert made.status == "requested", table
        desk.approve(int(made.request[1:]))
        assert old not in values(desk, table)
        assert new in values(desk, table)

    told = record(desk, one)
    assert (told["session"], told["status"], told["username"]) == (one, "inserted", version["username"])
    assert (told["room"], told["project"], told["experimenter"]) == (
        "2.346",
        ["my_other_project"],
        ["user_7"],
    )
    (only,) = told["tasks"]
    assert (only["task_type"], only["arena_apparatus"], only["light_level"]) == ("Open", "150_round", "dark")
    assert only["objects"] == [{"object_name": "object_2", "coord_x": 1, "coord_y": 2}]
    assert told["entry"]["tasks"][0]["arena_apparatus"] == "150_round"
    assert record(desk, two)["experimenter"] == ["user_2", "user_7"]
    entries[0] |= {
        "room": "2.346", "project": ["my_other_project"], "experimenter": "user_7",
        "tasks": [tasks[0] | {"task_type": "Open", "arena_apparatus": "150_round", "light_level": "dark", "objects": [
            {"object_name": "object_2", "coord_x": 1, "coord_y": 2}
        ]}],
    }  # fmt: skip
    again = desk.lab.upload(entries[0], user="user_3")
    assert [(entry.outcome, list(entry.differences)) for entry in again.sessions] == [("duplicate", [])]


def test_curators_are_renamed_with_their_clusterings(desk: Desk) -> None:
    desk.lab.record_quickly(2)
    names = [session(f"quick_{n}", name=f"quick_{n}") for n in range(2)]
    groups = [group("g", ["quick_0", "quick_1"], curator="user_2")]
    report = desk.lab.upload(*names, clustering=groups)
    both = report.clusterings[0].clustering
    one = report.sessions[0].session
    kilosort_output(desk.lab.share / "sorted")
    alone = add_clustering(
        desk.lab.daybook,
        int(one[1:]),
        ClusteringEntry(curator="user_2", location="N:/rec/sorted", curation_time="2023-06-01 00:00:00"),
        roots=desk.lab.roots,
    ).clustering

    made = rename(desk, "reference.Experimenter", "user_2", "user_7")
    desk.approve(int(made.request[1:]))

    assert [record(desk, name)["curator"] for name in (both, alone)] == ["user_7", "user_7"]
    assert record(desk, one)["entry"]["clustering"][0]["curator"] == "user_7"
    again = desk.lab.upload(*names, clustering=[groups[0] | {"curator": "user_7"}])
    assert [list(entry.differences) for entry in again.clusterings] == [[]]


def test_probe_is_renamed_where_it_is_inserted_and_recorded(desk: Desk) -> None:
    (one,) = inserted(desk.lab, 1, user="user_3")

    made = rename(desk, "reference.Probe", PROBES[0], "npx_9")
    desk.approve(int(made.request[1:]))

    assert [probe["probe"] for probe in record(desk, one)["probes"]] == ["npx_9"]
    with desk.lab.daybook.reading() as world:
        there = world.state.insertions.get((f"0/{SUBJECT}", "npx_9"))
        assert world.state.insertions.get((f"0/{SUBJECT}", PROBES[0])) is None
    assert there is not None and there.insertion_time == "2023-03-01 00:00:00"


def test_waiting_sessions_take_the_new_value_too(desk: Desk) -> None:
    desk.lab.record("waits", serials=("111", "222"))
    (entry,) = desk.lab.upload(session("waits", room="2.345"), user="user_3").sessions
    assert entry.outcome == "waiting"

    desk.approve(int(rename(desk, "reference.ExperimentRoom", "2.345", "2.999").request[1:]))

    told = record(desk, entry.session)
    assert (told["status"], told["room"], told["entry"]["room"]) == ("waiting", "2.999", "2.999")


def test_rename_that_concerns_more_by_now_is_shown_first(desk: Desk) -> None:
    (one,) = inserted(desk.lab, 1, user="user_3")
    number = int(rename(desk, "reference.Experimenter", "user_1", "user_7").request[1:])
    (two,) = inserted(desk.lab, 1, first=1, user="user_3")

    with pytest.raises(Exception, match=f"{two} of user_3"):
        desk.approve(number)

    desk.approve(number, accept_impact=True)
    assert [record(desk, name)["experimenter"] for name in (one, two)] == [["user_7"], ["user_7"]]


def test_nothing_is_renamed_to_itself_to_a_retired_value_or_from_what_is_not_there(desk: Desk) -> None:
    desk.submit("user_1", RetireReferenceValue(table=ARENA, value="100_square"))

    with desk.refused("nothing-to-mend"):
        rename(desk, ARENA, "150_square", "150_square")
    with desk.refused("retired-value", "100_square"):
        rename(desk, ARENA, "150_square", "100_square")
    with desk.refused("unknown-value", "200_square"):
        rename(desk, ARENA, "200_square", "150_square")
    with desk.refused("already-inserted", SUBJECT):
        rename(desk, "reference.Probe", PROBES[0], PROBES[1])


def test_mending_took_nothing_away_and_so_is_not_restored(desk: Desk) -> None:
    number = int(rename(desk, "reference.CueCard", "card_1", "card_2").request[1:])
    desk.approve(number)

    with desk.refused("not-restorable", "mending"):
        desk.restore(number)
