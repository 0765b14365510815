"""Tasks inherit from sessions.txt by order; what they inherited stays what it was."""

from datetime import datetime
from hashlib import sha256

import pytest

from commands.intake.completion import add_tasks
from commands.intake.working import work
from commands.samples.task_table import Form, SampleTask, sessions_txt, write_sessions_txt
from commands.samples.tetrodes import neuralynx_session
from ledger.errors import Refusal
from projections import listings
from projections.references import Reference
from tests.intake.lab import Lab, number, session, task

ROWS = [
    SampleTask("open_field_1", 57, 900, flag="RUNNING"),
    SampleTask("sleep", 1000, 1600, ((1000, 1100), (1200, 1600))),
]


def tasks_of(lab: Lab, session_number: int) -> list[tuple[float, float, bool, str | None]]:
    with lab.daybook.reading() as world:
        record = listings.whole(world.transaction, world.head.live_slot, Reference("session", session_number))
    return [(t["task_start"], t["task_stop"], t["stop_inferred"], t["notes"]) for t in record["tasks"]]


def test_times_and_notes_come_from_the_real_form(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1"), ROWS)
    report = lab.upload(session("date_1", tasks=[task(notes=True), task(task_type="SleepTask")]))
    assert report.sessions[0].outcome == "inserted"
    assert tasks_of(lab, number(report.sessions[0])) == [
        (57, 900, False, "open_field_1 <RUNNING>"), (1000, 1600, False, None),
    ]  # fmt: skip


def test_stops_are_inferred_in_the_published_form_and_the_event_says_so(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1", duration_s=1800), ROWS, form="published")
    report = lab.upload(session("date_1", tasks=[task(), task()]))
    assert tasks_of(lab, number(report.sessions[0])) == [(57, 1000, True, None), (1000, 1800, True, None)]
    assert [t["stop_inferred"] for t in lab.bodies("SessionInserted")[0]["tasks"]] == [True, True]


def test_what_is_given_is_kept_beside_what_is_inherited(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1"), ROWS)
    report = lab.upload(
        session("date_1", tasks=[task(task_start=60.5, notes="mine"), task(task_start=True, task_stop=1500)])
    )
    assert tasks_of(lab, number(report.sessions[0])) == [
        (60.5, 900, False, "mine"),
        (1000, 1500, False, None),
    ]


def test_a_given_stop_helps_out_where_the_file_has_none(lab: Lab) -> None:
    directory = neuralynx_session(lab.share / "date_1", start=datetime(2023, 5, 1), duration_s=None)
    write_sessions_txt(directory, ROWS[:1], form="published")
    report = lab.upload(session("date_1", tasks=[task(task_stop=700)]), subject="23456")
    assert report.sessions[0].outcome == "inserted", report.sessions
    assert tasks_of(lab, number(report.sessions[0])) == [(57, 700, False, None)]


@pytest.mark.parametrize("start", [950, 1050.5])
def test_an_inferred_stop_is_the_start_that_the_next_task_was_given(lab: Lab, start: float) -> None:
    write_sessions_txt(lab.record("date_1", duration_s=1800), ROWS, form="published")
    report = lab.upload(session("date_1", tasks=[task(), task(task_start=start)]))
    assert report.sessions[0].outcome == "inserted", report.sessions
    assert tasks_of(lab, number(report.sessions[0])) == [(57, start, True, None), (start, 1800, True, None)]


def test_what_was_inherited_is_in_the_event_and_a_later_change_changes_nothing(lab: Lab) -> None:
    file = write_sessions_txt(lab.record("date_1"), ROWS)
    entry = session("date_1", tasks=[task(), task()])
    report = lab.upload(entry)
    event = lab.bodies("SessionInserted")[0]
    assert event["sessions_txt"]["sha256"] == sha256(sessions_txt(ROWS)).hexdigest()
    assert [(row["name"], row["start_s"], row["end_s"]) for row in event["sessions_txt"]["rows"]] == [
        ("open_field_1", 57, 900), ("sleep", 1000, 1600),
    ]  # fmt: skip
    before = tasks_of(lab, number(report.sessions[0]))

    file.write_bytes(sessions_txt([SampleTask("other", 1, 2)]))
    work(lab.daybook, lab.roots)
    again = lab.upload(entry)

    assert again.sessions[0].outcome == "duplicate" and again.sessions[0].differences == []
    assert tasks_of(lab, number(report.sessions[0])) == before


def test_a_session_waits_for_its_file_visibly_and_once(lab: Lab) -> None:
    directory = lab.record("date_1")
    before = lab.size()
    report = lab.upload(session("date_1", tasks=[task(), task()]))
    assert report.sessions[0].outcome == "waiting" and "sessions.txt" in report.sessions[0].reason
    assert lab.types(before)[-2:] == ["SessionWaiting", "InputFileProcessed"]
    waited = lab.size()

    for _ in range(3):
        work(lab.daybook, lab.roots)
    assert lab.size() == waited

    write_sessions_txt(directory, ROWS)
    worked = work(lab.daybook, lab.roots)
    assert [moved.status for moved in worked.sessions] == ["inserted"]
    assert lab.statuses() == {"N:/rec/date_1": "inserted"}


def test_uploading_again_looks_again(lab: Lab) -> None:
    directory = lab.record("date_1")
    entry = session("date_1", tasks=[task(), task()])
    lab.upload(entry)
    before = lab.size()
    assert lab.upload(entry).sessions[0].outcome == "waiting"
    assert lab.types(before) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]
    write_sessions_txt(directory, ROWS)
    assert lab.upload(entry).sessions[0].outcome == "inserted"


@pytest.mark.parametrize("form", ["real", "published"])
def test_a_wrong_count_is_an_error_that_shows_both_lists(lab: Lab, form: Form) -> None:
    write_sessions_txt(lab.record("date_1"), ROWS, form=form)
    report = lab.upload(session("date_1", tasks=[task(task_type="SleepTask")]))
    assert report.sessions[0].outcome == "error"
    for said in ("2 tasks", "#1 open_field_1", "#2 sleep", "SleepTask"):
        assert said in report.sessions[0].reason


def test_tasks_that_overlap_after_inheriting_are_an_error(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1"), ROWS)
    report = lab.upload(session("date_1", tasks=[task(task_stop=1200), task()]))
    assert report.sessions[0].outcome == "error" and "Task 2 starts at 1000" in report.sessions[0].reason


BAD_TABLES = [
    b"",
    b"#2, a, start=1",
    b"\xff\xfe#\x001\x00",
    b"hello",
    b"#1, a, start=5, end=2",
    b"#1, a, start=1\n" * 80_000,
]


def test_an_unusable_table_is_an_error_of_that_session_alone(lab: Lab) -> None:
    names = lab.record_many(len(BAD_TABLES))
    for name, content in zip(names, BAD_TABLES, strict=True):
        (lab.share / name / "sessions.txt").write_bytes(content)
    lab.record("good", day=30)
    report = lab.upload(*(session(name, tasks=[task()]) for name in names), session("good"))
    assert [entry.outcome for entry in report.sessions] == ["error"] * len(BAD_TABLES) + ["inserted"]
    assert all("sessions.txt" in entry.reason for entry in report.sessions[:-1])


def test_a_table_that_vanishes_while_it_is_read_waits(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from commands.intake import inherited_tasks

    directory = lab.record("date_1")
    monkeypatch.setattr(inherited_tasks, "listed_sessions_txt", lambda listing: "gone.txt")
    report = lab.upload(session("date_1", tasks=[task(), task()]))
    assert report.sessions[0].outcome == "waiting"
    monkeypatch.undo()
    write_sessions_txt(directory, ROWS)
    work(lab.daybook, lab.roots)
    assert lab.statuses() == {"N:/rec/date_1": "inserted"}


def test_notes_alone_may_be_inherited(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1"), ROWS[:1])
    report = lab.upload(session("date_1", tasks=[task(task_start=1, task_stop=2, notes=True)]))
    assert tasks_of(lab, number(report.sessions[0])) == [(1, 2, False, "open_field_1 <RUNNING>")]


TASK_FILE = b"tasks:\n  - {task_type: OpenField, arena_apparatus: 150_square}\n  - {task_type: SleepTask}\n"


def test_tasks_added_to_an_inserted_session_inherit_at_once(lab: Lab) -> None:
    write_sessions_txt(lab.record("date_1"), ROWS)
    one = number(lab.upload(session("date_1")).sessions[0])
    before = lab.size()
    answer = add_tasks(lab.daybook, one, TASK_FILE, filename="tasks.yml", roots=lab.roots)
    assert answer.status == "inserted"
    assert lab.types(before) == ["TasksAdded"]
    assert lab.bodies("TasksAdded")[0]["sessions_txt"]["sha256"] == sha256(sessions_txt(ROWS)).hexdigest()
    assert tasks_of(lab, one) == [(57, 900, False, None), (1000, 1600, False, None)]


def test_tasks_that_cannot_inherit_yet_are_not_added(lab: Lab) -> None:
    lab.record("date_1")
    one = number(lab.upload(session("date_1")).sessions[0])
    before = lab.size()
    with pytest.raises(Refusal) as refused:
        add_tasks(lab.daybook, one, TASK_FILE, filename="tasks.yml", roots=lab.roots)
    assert refused.value.code == "sessions-txt" and "Nothing was added" in refused.value.hint
    assert lab.size() == before
