"""associate, add-tasks, add-clustering, annotate, and what why says about waiting and failed sessions."""

from datetime import datetime
from pathlib import Path

import pytest

from commands.samples.clusterings import kilosort_output
from commands.samples.lab import SampleLab
from commands.samples.spikeglx import SampleProbe, spikeglx_session
from tests.cli.conftest import Run, commands_of, write_input_file

pytestmark = pytest.mark.both_ways

CATALOGUE = """\
reference.Experimenter: [user_1]
reference.ExperimentRoom: ["2.345"]
reference.Probe: [left, right]
reference.ArenaApparatus: [150_square]
acquisition.Project: [my_project]
behavior.TaskType: [OpenField]
subjects:
  - name: "12345"
    probes:
      - {probe: left, insertion_time: "2023-03-01 00:00:00"}
      - {probe: right, insertion_time: "2023-03-01 00:00:00"}
"""
TASKS = "tasks: [{task_type: OpenField, arena_apparatus: 150_square, task_start: 1, task_stop: 5}]\n"


@pytest.fixture
def waiting(run: Run, folder: Path) -> Run:
    """A session, without tasks, whose two probes no serial number decides."""
    spikeglx_session(
        folder / "recording", probes=[SampleProbe("111"), SampleProbe("222")], start=datetime(2023, 5, 1, 10)
    )
    run("catalogue", "load", "-", stdin=CATALOGUE)
    (folder / "one.yml").write_text(
        'subject: {name: "12345"}\nsessions:\n'
        f'  - {{location: "{folder}/recording", experimenter: user_1, tasks: []}}\n'
    )
    assert run("upload", "one.yml").exit == 0
    return run


def session_of(run: Run) -> str:
    return str(run("sessions", "--json").json["sessions"][0]["session"])


def test_why_shows_what_was_found_and_the_line_to_complete(waiting: Run) -> None:
    session = session_of(waiting)
    document = waiting("why", session, "--json").json
    assert (document["status"], document["reason"]) == ("waiting", "probe-association")
    assert "probe_1 (serial 111)" in document["message"] and "left, right" in document["message"]
    assert commands_of(document) == [f"daybook associate {session} probe_1=... probe_2=..."]
    assert f"$ daybook associate {session}" in waiting("why", session).out


def test_associating_inserts_the_session(waiting: Run) -> None:
    session = session_of(waiting)
    ended = waiting("associate", session, "probe_1=left", "probe_2=right", "--json")
    assert ended.exit == 0
    assert (ended.json["session"], ended.json["status"]) == (session, "inserted")
    probes = waiting("show", session, "--json").json["probes"]
    assert {probe["name"]: probe["probe"] for probe in probes} == {"probe_1": "left", "probe_2": "right"}
    again = waiting("associate", session, "probe_1=left")
    assert again.exit == 1
    assert "[not-waiting]" in again.err


def test_half_an_association_is_completed_by_what_is_left(waiting: Run) -> None:
    session = session_of(waiting)
    ended = waiting("associate", session, "probe_1=right")
    assert "daybook why" in ended.out
    assert commands_of(waiting("why", session, "--json").json) == [
        f"daybook associate {session} probe_1=right probe_2=left"
    ]


@pytest.mark.parametrize(
    ("pairs", "exit_code", "said"),
    [
        (["probe_9=left"], 1, "probe_9"),
        (["probe_1=lef"], 1, 'Did you mean "left"?'),
        (["probe_1"], 2, "not of the form disk_name=probe"),
        (["probe_1=left", "probe_1=right"], 2, "given twice"),
        ([], 2, "DISK_NAME=PROBE"),
    ],
)
def test_wrong_associations_are_refused(waiting: Run, pairs: list[str], exit_code: int, said: str) -> None:
    ended = waiting("associate", session_of(waiting), *pairs)
    assert ended.exit == exit_code
    assert said in ended.err + ended.out
    assert waiting("sessions", "--json").json["sessions"][0]["status"] == "waiting"


def test_tasks_are_added_to_a_session_that_has_none(waiting: Run) -> None:
    session = session_of(waiting)
    waiting("associate", session, "probe_1=left", "probe_2=right")
    ended = waiting("add-tasks", session, "-", "--json", stdin=TASKS)
    assert ended.exit == 0 and ended.json["ok"] is True
    (task,) = waiting("show", session, "--json").json["tasks"]
    assert (task["task_start"], task["task_stop"]) == (1, 5)
    again = waiting("add-tasks", session, "-", stdin=TASKS)
    assert again.exit == 1
    assert "[has-tasks]" in again.err


def test_wrong_tasks_are_findings(waiting: Run) -> None:
    ended = waiting("add-tasks", session_of(waiting), "-", stdin=TASKS.replace("OpenField", "OpenFeld"))
    assert ended.exit == 1
    assert 'Did you mean "OpenField"?' in ended.out
    assert "nothing was added" in ended.out
    document = waiting("add-tasks", session_of(waiting), "-", "--json", stdin="tasks: 3\n").json
    assert document["ok"] is False and document["findings"]


def test_clustering_is_added_to_an_inserted_session(waiting: Run, folder: Path) -> None:
    session = session_of(waiting)
    where = folder / "sorted"
    for probe in ("probe_1", "probe_2"):
        kilosort_output(where / probe / "ks", curated=datetime(2023, 5, 4))
    arguments = ("add-clustering", session, "--location", str(where), "--curator", "user_1", "--json")
    early = waiting(*arguments)
    assert early.exit == 1 and early.json["error"]["code"] == "not-inserted"
    waiting("associate", session, "probe_1=left", "probe_2=right")
    ended = waiting(*arguments)
    assert ended.exit == 0 and ended.json["clustering"].startswith("c")
    assert waiting(*arguments).json["error"]["code"] == "clustering-known"
    assert waiting("add-clustering", session, "--curator", "user_1").exit == 2


def test_annotating_adds_what_was_left_out_and_overwrites_nothing(waiting: Run) -> None:
    session = session_of(waiting)
    ended = waiting(
        "annotate", session, "--room", "2.345", "--project", "my_project", "--notes", "good", "--json"
    )
    assert ended.exit == 0
    shown = waiting("show", session, "--json").json
    assert (shown["room"], shown["project"], shown["notes"]) == ("2.345", ["my_project"], "good")
    again = waiting("annotate", session, "--room", "2.345")
    assert again.exit == 1 and "[has-room]" in again.err
    assert waiting("annotate", session).exit == 2
    unknown = waiting("annotate", session, "--project", "my_projct")
    assert unknown.exit == 1


def test_only_sessions_can_be_completed(waiting: Run) -> None:
    upload = waiting("uploads", "--json").json["uploads"][0]["upload"]
    ended = waiting("annotate", upload, "--notes", "x")
    assert ended.exit == 1
    assert "[not-a-session]" in ended.err


def test_too_few_inserted_probes_are_answered_with_inserting_them(waiting: Run) -> None:
    waiting("probe", "remove", "12345", "right", "--at", "2023-04-01")
    waiting("work")
    document = waiting("why", session_of(waiting), "--json").json
    assert commands_of(document) == ["daybook probe insert 12345 PROBE --at TIME", "daybook work"]


def test_why_of_a_failed_session_names_the_file_to_upload_again(stocked: Run, sample: SampleLab) -> None:
    (sample.subjects[0].sessions[0].directory / "sessions.txt").write_text(
        "#1, open_field_1, start=1, end=5\n"
    )
    write_input_file(sample, sessions=1)
    assert stocked("upload", "subject_1.yml").exit == 3
    session, upload = session_of(stocked), stocked("uploads", "--json").json["uploads"][0]["upload"]
    document = stocked("why", session, "--json").json
    assert document["status"] == "error" and document["reason"]
    assert commands_of(document) == ["daybook upload subject_1.yml"]
    assert stocked("why", session).out.startswith(f"{session} failed ({document['reason']}).")
    whole = stocked("why", upload, "--json").json
    assert commands_of(whole) == [f"daybook why {session}"]
    closed = stocked("annotate", session, "--room", "2.345")
    assert closed.exit == 1 and f"Session {session} failed: nothing can be added to it." in closed.err


def test_why_of_a_waiting_group_names_the_sessions(stocked: Run, sample: SampleLab, folder: Path) -> None:
    table = sample.subjects[0].sessions[0].directory / "sessions.txt"
    table.unlink()
    path = write_input_file(sample, sessions=2)
    where = folder / "grouped"
    kilosort_output(where / "ks", curated=datetime(2023, 5, 4))
    path.write_text(
        path.read_text() + f'clustering:\n  - {{curator: user_1, location: "{where}", group_name: g1, '
        'sessions: ["12345_1", "12345_2"]}\n'
    )
    uploaded = stocked("upload", "subject_1.yml", "--json")
    assert uploaded.exit == 0
    assert set(uploaded.json["clusterings"][0]) == {
        "index", "group_name", "clustering", "username", "renewed", "outcome", "reason", "incident", "differences",
    }  # fmt: skip
    document = stocked("why", "g1", "--json").json
    session = uploaded.json["sessions"][0]["session"]
    assert document["reason"] == "clustering-sessions"
    assert commands_of(document) == [f"daybook why {session}", "daybook work"]
