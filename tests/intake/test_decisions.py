"""A person's decision: only on what the disk says, with a reason, and once."""

from datetime import datetime
from typing import Any

import pytest

from commands.intake.completion import add_tasks
from commands.intake.decisions import settle_session
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from ledger.errors import Refusal
from tests.intake.lab import SERIALS, Lab, number, session, task


def waiting(lab: Lab, name: str) -> int:
    [entry] = lab.upload(session(name)).sessions
    assert entry.outcome == "waiting"
    return number(entry)


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        ({"despite_dates": True}, "dates-agree"),
        ({"without": ("probe_1",)}, "not-missing"),
        ({"start": "2023-05-01 10:00:00"}, "start-stated"),
        ({"start": "yesterday"}, "date-time"),
        ({}, "nothing-given"),
        ({"as_crashed": True, "reason": " "}, "no-reason"),
    ],
)
def test_what_is_not_so_cannot_be_decided(lab: Lab, decision: dict[str, Any], code: str) -> None:
    lab.record("date_1", acquiring=True)
    one = waiting(lab, "date_1")
    before = lab.size()

    with pytest.raises(Refusal) as refused:
        settle_session(lab.daybook, one, roots=lab.roots, **{"reason": "It is so.", **decision})

    assert (refused.value.code, lab.size()) == (code, before)


def test_what_is_inserted_waits_for_no_decision(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1")).sessions[0])
    with pytest.raises(Refusal) as refused:
        settle_session(lab.daybook, one, roots=lab.roots, reason="It is so.", as_crashed=True)
    assert refused.value.code == "not-waiting"


def test_a_decision_is_repeated_by_its_id(lab: Lab) -> None:
    lab.record("date_1", acquiring=True)
    one = waiting(lab, "date_1")
    options: dict[str, Any] = {
        "roots": lab.roots,
        "reason": "The power failed.",
        "as_crashed": True,
        "command_id": "a",
    }

    first = settle_session(lab.daybook, one, **options)
    before = lab.size()
    again = settle_session(lab.daybook, one, **options)

    assert (first.status, again, lab.size()) == ("inserted", first, before)


def test_tasks_outside_of_the_recording_are_a_remark_that_stays(lab: Lab) -> None:
    spikeglx_session(
        lab.share / "date_1",
        probes=[SampleProbe(serial) for serial in SERIALS],
        start=datetime(2023, 5, 1, 10),
        duration_s=60.0,
    )
    given = session("date_1", tasks=[task(task_start=0, task_stop=30), task(task_start=40, task_stop=900)])
    lab.upload(given)
    [remark] = lab.bodies("SessionInserted")[-1]["remarks"]
    assert (remark["code"], remark["name"]) == ("task-outside-recording", "task 2")
    assert "stops at 900 s; the recording ends at 60 s" in remark["message"]


def test_tasks_added_later_are_looked_at_too(lab: Lab) -> None:
    spikeglx_session(
        lab.share / "date_1",
        probes=[SampleProbe(serial) for serial in SERIALS],
        start=datetime(2023, 5, 1, 10),
        duration_s=60.0,
    )
    one = number(lab.upload(session("date_1")).sessions[0])
    data = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 0, task_stop: 900}\n"

    add_tasks(lab.daybook, one, data, filename="tasks.yml", roots=lab.roots)

    assert lab.bodies("MoreFound")[-1]["remarks"][0]["code"] == "task-outside-recording"
