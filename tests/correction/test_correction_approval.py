"""When a correction is approved: by whom, and against what has changed since it was requested."""

from collections import Counter
from typing import Any

import pytest

from commands.door.command import Command
from commands.door.permission import NotPermitted
from commands.intake.completion import add_tasks, annotate
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue
from commands.requests.approving import approve as approve_request
from commands.requests.closing import CancelRequest, RejectRequest
from commands.requests.correction import correct as correction
from ledger.errors import Conflict, Refusal
from tests.cli.conftest import run_cli
from tests.correction.corrections import (
    approve,
    clean_upload,
    clusterings,
    corrected,
    new_of,
    request,
    status_of,
)
from tests.correction.test_replay import DeleteSession
from tests.intake.lab import Lab, document, group, number, session


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

    with pytest.raises(Refusal, match=f"d{asked} was executed by user_3 already"):
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

    with pytest.raises(Refusal, match=f"d{asked} was {ended}"):
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
        with pytest.raises(Refusal, match="would now take more") as caught:
            approve(lab, asked)
        assert caught.value.code == "impact-grown"
    assert Counter(lab.types())["DeletionImpactGrown"] == 1
    assert status_of(lab, first.sessions[0].session) == "inserted"
    result = approve(lab, asked, accept_impact=True)

    assert result.carried_over == [other.clusterings[0].clustering]


def test_a_record_that_is_gone_by_now_is_not_replaced(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    lab.daybook.submit(DeleteSession(session=number(first.sessions[0])))

    with pytest.raises(Refusal, match=f"{first.sessions[0].session}, which it would replace, is deleted"):
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

    with pytest.raises(Refusal, match=f"is that of session {taken.sessions[0].session}") as caught:
        approve(lab, asked)

    assert caught.value.code == "location-taken"


def test_new_entries_that_were_uploaded_meanwhile_stay_as_they_are(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    data = document(session("date_1", notes="x"), session("date_2"))
    asked = request(lab, data)
    uploaded = lab.upload_bytes(data).sessions[1].session

    result = approve(lab, asked)

    assert len(result.replaced) == 1 and status_of(lab, uploaded) == "inserted"
    clean_upload(lab, data)


def test_a_value_retired_for_a_new_entry_does_not_hinder_the_correction(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x"), session("date_2", room="2.345")))
    lab.daybook.submit(RetireReferenceValue(table="reference.ExperimentRoom", value="2.345"))

    assert approve(lab, asked).sessions == 1


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
        assert world.state.sessions[new_of(result, first.sessions[0].session)].room == "2.345"


def test_session_that_goes_while_the_disk_is_read_gets_no_clustering(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.record_many(3)
    clusterings(lab, ["g"])
    entries = [session(f"date_{day}", name=f"date_{day}") for day in (1, 2, 3)]
    first = lab.upload(*entries, clustering=[group("g", ["date_1", "date_2"])])
    asked = request(lab, document(*entries, clustering=[group("g", ["date_1", "date_3"])]))
    admin = lab.as_admin("user_3")
    plan, going = correction.make_plan, iter([number(first.sessions[2])])

    def plan_and_be_overtaken(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        for one in going:
            lab.daybook.submit(DeleteSession(session=one))
        return made

    monkeypatch.setattr(correction, "make_plan", plan_and_be_overtaken)
    with pytest.raises(Refusal):
        correction.approve(admin, _row(lab, asked), accept_impact=False, roots=lab.roots)

    assert status_of(lab, first.clusterings[0].clustering) == "inserted"


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


def test_tasks_added_after_the_request_have_to_be_accepted_and_come_along(lab: Lab) -> None:
    lab.record("date_1")
    first = lab.upload(session("date_1"))
    asked = request(lab, document(session("date_1", notes="x")))
    tasks = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 1, task_stop: 2}"
    add_tasks(lab.daybook, number(first.sessions[0]), tasks, filename="tasks.yml", roots=lab.roots)

    with pytest.raises(Refusal, match="1 more task"):
        approve(lab, asked)
    new = new_of(approve(lab, asked, accept_impact=True), first.sessions[0].session)

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


def test_a_session_time_that_is_taken_while_the_disk_is_read_is_not_taken_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.record_many(2)
    lab.record("copy_of_2", day=1)
    lab.upload(session("date_1", name="a"))
    asked = request(lab, document(session("date_2", name="a")))
    admin, once = lab.as_admin("user_3"), iter([True])
    plan, plans = correction.make_plan, []

    def plan_and_be_overtaken(*arguments: Any, **options: Any) -> Any:
        plans.append(plan(*arguments, **options))
        for _ in once:
            lab.upload_bytes(document(session("copy_of_2")), filename="other.yml")
        return plans[-1]

    monkeypatch.setattr(correction, "make_plan", plan_and_be_overtaken)
    with pytest.raises(Refusal) as caught:
        correction.approve(admin, _row(lab, asked), accept_impact=False, roots=lab.roots)

    assert (caught.value.code, len(plans)) == ("match-contradicted", 2)
    assert lab.statuses() == {"N:/rec/date_1": "inserted", "N:/rec/copy_of_2": "inserted"}


@pytest.mark.parametrize(
    "change",
    [
        AddReferenceValue(table="behavior.TaskType", value="SleepTask", attributes={"arena_required": True}),
        RetireReferenceValue(table="behavior.TaskType", value="SleepTask"),
    ],
    ids=["added", "retired"],
)
def test_a_task_type_that_changes_while_the_disk_is_read_is_looked_at_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, change: Command
) -> None:
    lab.record("date_1")
    lab.upload(session("date_1"))
    asleep = {"task_type": "SleepTask", "task_start": 0, "task_stop": 1}
    asked = request(lab, document(session("date_1", tasks=[asleep])))
    admin, once = lab.as_admin("user_3"), iter([True])
    plan = correction.make_plan

    def plan_and_be_overtaken(*arguments: Any, **options: Any) -> Any:
        made = plan(*arguments, **options)
        for _ in once:
            lab.daybook.submit(change)
        return made

    monkeypatch.setattr(correction, "make_plan", plan_and_be_overtaken)
    with pytest.raises(Refusal, match=f"d{asked} cannot be carried out|SleepTask"):
        correction.approve(admin, _row(lab, asked), accept_impact=False, roots=lab.roots)

    assert "SessionDeleted" not in lab.types()


def test_the_approver_sees_the_change_of_session_time_that_the_asker_sees(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1", name="a"))
    number = request(lab, document(session("date_2", name="a")))

    shown = run_cli("--db", lab.url, "request", "show", f"d{number}", user="user_1")

    assert "its session_time: 2023-05-01 10:00:00 -> 2023-05-02 10:00:00" in shown.out, shown.out
