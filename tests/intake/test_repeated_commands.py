"""The same command id again: nothing is done twice, what a crash left is finished, and the answer is the first one.

(The fixture verifies the ledger.)
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from commands.door.world import Result
from commands.inputfile.entries import ClusteringEntry
from commands.intake.completion import add_clustering, add_tasks, annotate, associate
from commands.intake.settling import SettleSessions
from commands.intake.upload_report import UploadReport
from commands.intake.uploading import replay
from commands.intake.validation import validate
from commands.intake.working import Worked, watch, work
from commands.requests.approving import approve
from commands.requests.correction.correct import correct
from commands.samples.clusterings import kilosort_output
from ledger.errors import Conflict, LedgerUnavailable, Refusal
from tests.intake.child import CRASHED, Moment, start, upload_at_once
from tests.intake.lab import PROBES, SERIALS, Lab, document, group, number, session
from tests.patience import PATIENCE_S

ID = "once-1"
TASKS = b"- {task_type: OpenField, arena_apparatus: 150_square, task_start: 0, task_stop: 10}"


def growing_file(lab: Lab) -> bytes:
    """Two new sessions and a clustering over them, one that waits, and one that is in the ledger already."""
    names = lab.record_many(3)
    lab.record("date_4", day=3, acquiring=True)
    kilosort_output(lab.share.parent / "joint" / "g")
    lab.upload(session("date_3"))
    entries = [*(session(name, name=name) for name in names), session("date_4")]
    return document(*entries, clustering=[group("g", names[:2])])


def test_an_upload_repeated_gives_the_first_answer_and_appends_nothing(lab: Lab) -> None:
    data = growing_file(lab)
    first = lab.upload_bytes(data, command_id=ID)
    size = lab.size()

    assert [entry.outcome for entry in first.sessions] == ["inserted", "inserted", "duplicate", "waiting"]
    assert lab.upload_bytes(data, command_id=ID) == first
    assert lab.size() == size


def test_an_upload_repeated_after_all_has_changed_answers_as_it_did(lab: Lab) -> None:
    data = growing_file(lab)
    first = lab.upload_bytes(data, command_id=ID)
    lab.record("date_4", day=3)
    work(lab.daybook, lab.roots)
    annotate(lab.daybook, number(first.sessions[0]), roots=lab.roots, notes="later")
    size = lab.size()

    again = lab.upload_bytes(data, command_id=ID)

    assert again == first and again.sessions[3].outcome == "waiting"
    assert lab.size() == size


def test_a_rejected_file_repeated_stays_rejected_though_it_would_pass_now(lab: Lab) -> None:
    data = document(session("date_1"))
    first = lab.upload_bytes(data, command_id=ID)
    lab.record_many(1)

    assert not first.ok and first.findings
    assert lab.upload_bytes(data, command_id=ID) == first
    assert lab.upload_bytes(data).ok


def test_one_id_for_two_files_is_refused(lab: Lab) -> None:
    lab.record_many(1)
    lab.upload_bytes(document(session("date_1")), command_id=ID)
    with pytest.raises(Conflict) as caught:
        lab.upload_bytes(document(), command_id=ID)
    assert caught.value.code == "command-id-reused"


@pytest.mark.parametrize("given", ["", "a/1", "a b", "x" * 101])
def test_an_id_that_could_be_that_of_a_step_is_refused(lab: Lab, given: str) -> None:
    with pytest.raises(Refusal) as caught:
        lab.upload_bytes(document(), command_id=given)
    assert caught.value.code == "command-id"


@pytest.mark.parametrize("moment", ["before", "within", "after"])
@pytest.mark.parametrize("step", ["AcceptInputFile", "SettleSessions", "SettleClustering", "FinishUpload"])
def test_an_upload_that_died_is_finished_under_its_id_as_the_same_upload(
    lab: Lab, step: str, moment: Moment
) -> None:
    data = growing_file(lab)
    process, answer = start(lab.url, str(lab.share.parent), "user_1", data, None, (step, moment), ID)
    process.join(PATIENCE_S)
    answer.close()
    assert process.exitcode == CRASHED

    finished = lab.upload_bytes(data, command_id=ID)
    size = lab.size()

    assert [entry.outcome for entry in finished.sessions] == ["inserted", "inserted", "duplicate", "waiting"]
    assert [entry.outcome for entry in finished.clusterings] == ["inserted"]
    assert Counter(lab.types())["InputFileReceived"] == 2
    assert lab.upload_bytes(data, command_id=ID) == finished
    assert lab.size() == size


def test_two_processes_with_one_id_make_one_upload_and_give_one_answer(lab: Lab) -> None:
    data = growing_file(lab)

    one, other = upload_at_once(lab.url, str(lab.share.parent), [("user_1", data)] * 2, ID)

    assert "refused" not in one and one["upload"] == other["upload"]
    assert [entry["session"] for entry in one["sessions"]] == [e["session"] for e in other["sessions"]]
    assert Counter(lab.types())["InputFileReceived"] == 2
    assert lab.upload_bytes(data, command_id=ID).upload == one["upload"]


def test_a_replay_repeated_is_one_upload(lab: Lab) -> None:
    lab.record_many(1)
    first = lab.upload(session("date_1"))
    assert first.upload is not None
    replayed = replay(lab.daybook, int(first.upload[1:]), roots=lab.roots, command_id=ID)
    size = lab.size()

    assert replay(lab.daybook, int(first.upload[1:]), roots=lab.roots, command_id=ID) == replayed
    assert lab.size() == size


def test_a_check_repeated_answers_for_the_ledger_as_it_was(lab: Lab) -> None:
    lab.record_many(1)
    data = document(session("date_1"))
    first = validate(lab.daybook, data, filename="a.yml", roots=lab.roots, command_id=ID)
    lab.upload_bytes(data)
    size = lab.size()

    assert first.sessions is not None and first.sessions.new == 1 and first.unrecorded is None
    assert validate(lab.daybook, data, filename="a.yml", roots=lab.roots, command_id=ID) == first
    assert lab.size() == size


def test_work_repeated_takes_up_nothing_that_came_since(lab: Lab) -> None:
    lab.record("date_1", acquiring=True)
    lab.upload(session("date_1"))
    lab.record("date_1")
    first = work(lab.daybook, lab.roots, command_id=ID)
    lab.record("date_2", day=1, acquiring=True)
    lab.upload(session("date_2"))
    lab.record("date_2", day=1)
    size = lab.size()

    assert [moved.status for moved in first.sessions] == ["inserted"]
    assert work(lab.daybook, lab.roots, command_id=ID) == first
    assert lab.size() == size and lab.statuses()["N:/rec/date_2"] == "waiting"


def inserted(lab: Lab) -> int:
    lab.record_many(1)
    return number(lab.upload(session("date_1")).sessions[0])


def waiting(lab: Lab) -> int:
    lab.record("date_1", serials=("1", "2"))
    return number(lab.upload(session("date_1")).sessions[0])


def test_a_clustering_added_twice_under_one_id_is_one(lab: Lab) -> None:
    lab.record("date_1", serials=(SERIALS[0],))
    one = number(lab.upload(session("date_1")).sessions[0])
    kilosort_output(lab.share.parent / "joint" / "alone")
    clustering = ClusteringEntry(curator="user_1", location="N:/joint/alone")
    first = add_clustering(lab.daybook, one, clustering, roots=lab.roots, command_id=ID)
    size = lab.size()

    assert add_clustering(lab.daybook, one, clustering, roots=lab.roots, command_id=ID) == first
    assert lab.size() == size


COMPLETIONS: dict[str, tuple[Callable[[Lab], int], Callable[[Lab, int], Result]]] = {
    "annotate": (
        inserted,
        lambda lab, one: annotate(lab.daybook, one, roots=lab.roots, notes="once", command_id=ID),
    ),
    "add-tasks": (
        inserted,
        lambda lab, one: add_tasks(lab.daybook, one, TASKS, filename="t.yml", roots=lab.roots, command_id=ID),
    ),
    "associate": (
        waiting,
        lambda lab, one: associate(
            lab.daybook,
            one,
            {"probe_1": PROBES[0], "probe_2": PROBES[1]},
            roots=lab.roots,
            command_id=ID,
        ),
    ),
}


@pytest.mark.parametrize("verb", COMPLETIONS)
def test_a_completion_repeated_gives_the_first_answer(lab: Lab, verb: str) -> None:
    prepare, complete = COMPLETIONS[verb]
    one = prepare(lab)
    first = complete(lab, one)
    size = lab.size()

    assert complete(lab, one) == first
    assert lab.size() == size


def test_an_association_that_died_before_the_session_was_tried_is_finished(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, complete = COMPLETIONS["associate"]
    one = prepare(lab)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("commands.intake.completing.settle", die)
        complete(lab, one)
    assert lab.statuses() == {"N:/rec/date_1": "pending"}

    finished: Any = complete(lab, one)

    assert finished.status == "inserted"
    assert complete(lab, one) == finished
    assert Counter(lab.types())["ProbesAssociated"] == 1


def test_a_correction_requested_and_approved_twice_under_their_ids_is_one(lab: Lab) -> None:
    lab.record_many(2)
    lab.upload(session("date_1"), session("date_2"))
    data = document(session("date_1", room="2.345"), session("date_2"))
    options: dict[str, Any] = {"filename": "12345.yml", "roots": lab.roots, "reason": "the room"}
    asked = correct(lab.daybook, data, **options, command_id=ID)
    again = correct(lab.daybook, data, **options, command_id=ID)
    assert asked.request is not None
    assert (again.request, again.upload, again.position) == (asked.request, asked.upload, asked.position)
    assert [change.differences for change in again.plan.sessions] == [
        change.differences for change in asked.plan.sessions
    ]

    admin, request = lab.as_admin("user_2"), int(asked.request[1:])
    done = approve(admin, request, accept_impact=False, roots=lab.roots, command_id="once-2")
    size = lab.size()

    assert approve(admin, request, accept_impact=False, roots=lab.roots, command_id="once-2") == done
    later = correct(lab.daybook, data, **options, command_id=ID)
    assert (later.request, len(later.plan.sessions)) == (asked.request, 1)
    assert lab.size() == size


def test_receipts_hold_nothing_that_somebody_wrote(lab: Lab) -> None:
    secret = "xyzzy of nowhere"
    lab.record_many(1)
    first = lab.upload(session("date_1", notes=secret))
    one = number(first.sessions[0])
    annotate(lab.daybook, one, roots=lab.roots, room="2.345")
    data = document(session("date_1", notes=f"not {secret}"))
    correct(lab.daybook, data, filename=f"{secret}.yml", roots=lab.roots, reason=secret)
    lab.upload_bytes(data, filename=f"{secret}.yml")
    validate(lab.daybook, data, filename=f"{secret}.yml", roots=lab.roots)

    with lab.daybook.database.reading() as transaction:
        results = transaction.run("SELECT result FROM receipts").fetchall()
    assert len(results) > 5
    assert not [result for (result,) in results if "xyzzy" in result]


def test_a_fault_while_a_batch_is_kept_fails_only_the_entry_that_it_lies_with(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = lab.record_many(3)
    decide = SettleSessions.decide

    def fault(command: SettleSessions, world: Any) -> Any:
        rows = [world.state.sessions[settled.session] for settled in command.sessions]
        bad = [row for row in rows if row.location.endswith("date_2")]
        if bad and type(command.sessions[rows.index(bad[0])].event).__name__ == "SessionInserted":
            raise ValueError("a fault")
        return decide(command, world)

    monkeypatch.setattr(SettleSessions, "decide", fault)
    report: UploadReport = lab.upload(*map(session, names))

    assert [entry.outcome for entry in report.sessions] == ["inserted", "error", "inserted"]
    assert report.sessions[1].incident is not None
    assert report.failed


def test_watching_survives_a_lost_connection_and_says_so_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LedgerUnavailable("unreachable", "The server is away.", "")
    looks: list[object] = [lost, lost, None, lost, None]
    told: list[object] = []

    def look(*arguments: Any, **options: Any) -> Worked:
        if not looks:
            raise KeyboardInterrupt
        what = looks.pop(0)
        if isinstance(what, Exception):
            raise what
        return work(*arguments, **options)

    monkeypatch.setattr("commands.intake.working.work", look)
    with pytest.raises(KeyboardInterrupt):
        watch(lab.daybook, lab.roots, interval_s=0, tell=told.append)

    kinds = [what if what is None else type(what).__name__ for what in told]
    assert kinds == ["LedgerUnavailable", None, "Worked"] * 2
