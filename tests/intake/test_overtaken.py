"""What somebody else does between the check of a file and its acceptance: the file is looked at anew."""

from collections.abc import Callable
from typing import Any

import pytest

from commands.intake import uploading
from commands.intake.upload_report import UploadReport
from commands.lab.catalogue import AddReferenceValue, RetireReferenceValue
from commands.lab.subjects import RegisterSubject, RemoveProbe
from commands.samples.clusterings import kilosort_output
from tests.deletion.desk import Desk
from tests.intake.lab import PROBES, Lab, group, session, task

OTHER = "23456"


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[int]]:
    """Let something happen once a file was checked; what it gives counts how often the file was looked at."""

    def overtake(happens: Callable[[], object]) -> list[int]:
        looks: list[int] = []
        look = uploading.look_at_duplicates

        def overtaken(*arguments: Any, **options: Any) -> Any:
            standing = look(*arguments, **options)
            looks.append(1)
            if len(looks) == 1:
                happens()
            return standing

        monkeypatch.setattr(uploading, "look_at_duplicates", overtaken)
        return looks

    return overtake


def outcomes(report: UploadReport) -> list[str]:
    return [entry.outcome for entry in (*report.sessions, *report.clusterings)]


def codes(report: UploadReport) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity == "error"}


def test_task_type_that_needs_an_arena_by_now_rejects_the_file(lab: Lab, meanwhile: Any) -> None:
    lab.record("date_1")
    asleep = {"task_type": "SleepTask", "task_start": 0, "task_stop": 1}
    needs = AddReferenceValue(
        table="behavior.TaskType", value="SleepTask", attributes={"arena_required": True}
    )
    meanwhile(lambda: lab.daybook.submit(needs))

    report = lab.upload(session("date_1", tasks=[asleep]))

    assert not report.ok and "SessionInsertRequested" not in lab.types()
    assert any("arena_apparatus" in finding.message for finding in report.findings)


def test_value_that_is_retired_by_now_rejects_the_file(lab: Lab, meanwhile: Any) -> None:
    lab.record("date_1")
    retire = RetireReferenceValue(table="reference.ArenaApparatus", value="150_square")
    meanwhile(lambda: lab.daybook.submit(retire))

    report = lab.upload(session("date_1", tasks=[task(task_start=0, task_stop=1)]))

    assert not report.ok and "SessionInsertRequested" not in lab.types()


def test_probe_that_is_removed_by_now_is_looked_at_anew(lab: Lab, meanwhile: Any) -> None:
    lab.record("date_1")
    remove = RemoveProbe(subject="12345", probe=PROBES[0], removal_time="2023-04-01 00:00:00")
    looks = meanwhile(lambda: lab.daybook.submit(remove))

    lab.upload(session("date_1"))

    assert len(looks) == 2


@pytest.mark.parametrize("how", ["deleted", "withdrawn", "failed"])
def test_duplicate_whose_session_gave_up_its_location_is_new(desk: Desk, meanwhile: Any, how: str) -> None:
    lab = desk.lab
    if how != "deleted":
        lab.record("date_1", acquiring=True)
    else:
        lab.record("date_1")
    old = lab.upload(session("date_1")).sessions[0].session

    def give_up() -> None:
        if how == "deleted":
            desk.delete(old)
        elif how == "withdrawn":
            desk.withdraw(old)
        else:
            (lab.share / "date_1").rename(lab.share / "gone")
            (lab.share / "date_1").mkdir()
            desk.work()
        lab.record("date_1")

    meanwhile(give_up)

    report = lab.upload(session("date_1"))

    assert outcomes(report) == ["inserted"] and report.sessions[0].session != old
    assert desk.status(old) == {"failed": "error"}.get(how, how)


@pytest.mark.parametrize("how", ["deleted", "withdrawn", "failed"])
def test_duplicate_whose_clustering_gave_up_its_name_is_new(desk: Desk, meanwhile: Any, how: str) -> None:
    lab = desk.lab
    names = lab.record_quickly(2)
    entries = [session(name, name=name) for name in names]
    sorted_there = lab.share.parent / "joint" / "h"
    sorted_there.mkdir()
    if how == "deleted":
        kilosort_output(sorted_there)
        lab.upload(*entries, clustering=[group("h", names)])
    else:
        desk.pending(*entries, clustering=[group("h", names)])
    with lab.daybook.reading() as world:
        [held] = world.state.groups.where("group_name = ?", ["h"])
        first = f"s{world.state.sessions.where('id > 0', [])[0].id}"
    old = f"c{held.clustering}"

    def give_up() -> None:
        if how == "deleted":
            desk.delete(old)
        elif how == "withdrawn":
            desk.withdraw(old)
        else:
            desk.withdraw(first)
            desk.work()  # and fails by it
        kilosort_output(sorted_there)

    meanwhile(give_up)

    again = lab.upload(*entries, clustering=[group("h", names)])

    assert desk.status(old) == {"failed": "error"}.get(how, how)
    assert again.clusterings[0].outcome == "inserted" and again.clusterings[0].clustering != old


def test_duplicate_at_a_location_of_ones_own_in_another_subject_is_new_once_that_is_gone(
    desk: Desk, meanwhile: Any
) -> None:
    lab = desk.lab
    lab.record("date_1")
    old = lab.upload(session("date_1", probe_association={"probe_1": "tetrode_drive"}), subject=OTHER)
    meanwhile(lambda: desk.delete(old.sessions[0].session))

    report = lab.upload(session("date_1"))

    assert outcomes(report) == ["inserted"]


def test_what_happens_elsewhere_does_not_disturb(lab: Lab, meanwhile: Any) -> None:
    lab.record_many(2)
    looks = meanwhile(lambda: lab.daybook.submit(RegisterSubject(name="99999")))

    assert outcomes(lab.upload(session("date_1"))) == ["inserted"]
    assert len(looks) == 1
