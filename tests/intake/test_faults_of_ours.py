"""A fault of the program in one entry fails that entry, under an incident, and every other goes on: at each step of an
upload. Mended, the same file is taken as if it had never been.

A fault is planted in a function of the step, for one entry of three. What is looked at for a moment later stands in
``test_looking_again.py``, mail in ``tests/mail``, webhooks in ``tests/following``, files and batches of workers in
``tests/workers``, rebuilds in ``tests/projections/test_left_out.py``.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from commands.inputfile import input_file
from commands.inputfile.check.clusterings import Clusterings
from commands.inputfile.check.places import Places
from commands.inputfile.check.sessions import Sessions
from commands.intake import (
    additions,
    completing,
    duplicates,
    insertion,
    looking,
    moved,
    nested,
    settling,
    shared_runs,
    validation,
)
from commands.intake.outcomes import Settling
from commands.intake.validation import validate
from commands.intake.working import work
from commands.samples.clusterings import kilosort_output
from projections.apply import _HANDLERS
from tests.cli.conftest import run_cli
from tests.intake.lab import SUBJECT, Lab, document, group, number, session

__all__ = ["additions", "completing", "shared_runs", "validation"]
AT_FAULT = "date_2"


class Step(NamedTuple):
    """Where a fault is planted: ``concerns`` says of the arguments whether they are of the entry at fault."""

    owner: Any
    name: str
    concerns: Callable[..., bool]


def _in_any(*arguments: Any, **options: Any) -> bool:
    return any(AT_FAULT in repr(each) for each in (*arguments, *options.values()))


CHECKING = {
    "where it lies": Step(nested.Finder, "_look", _in_any),
    "its values": Step(Sessions, "_values_of", _in_any),
    "its location": Step(Places, "look_for", _in_any),
}
READING = {
    "its directory": Step(insertion, "open_session", _in_any),
    "its probes": Step(insertion, "look", _in_any),
    "what the ledger says of it": Step(looking, "session_entry_from_json", _in_any),
    "its surroundings": Step(settling, "current_entries", lambda world, rows: _in_any(rows)),
}
SETTLING = {"its events": Step(Settling, "_insert", lambda self, settled, event, row: _in_any(row.location))}


def plant(monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    original = getattr(step.owner, step.name)

    def planted(*arguments: Any, **options: Any) -> Any:
        if step.concerns(*arguments, **options):
            raise RuntimeError("a fault")
        return original(*arguments, **options)

    monkeypatch.setattr(step.owner, step.name, planted)


def plant_in_fold(monkeypatch: pytest.MonkeyPatch, kind: str, concerns: Callable[..., bool]) -> None:
    handler = _HANDLERS[kind]

    def planted(state: Any, event: Any, body: Any) -> None:
        if concerns(state, event, body):
            raise RuntimeError("a fault")
        handler(state, event, body)

    monkeypatch.setitem(_HANDLERS, kind, planted)


@pytest.fixture
def three(lab: Lab) -> list[dict[str, Any]]:
    return [session(name) for name in lab.record_many(3)]


def assert_only_the_one_failed_and_a_later_try_succeeds(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = lab.upload(*three)

    assert [entry.outcome for entry in report.sessions] == ["inserted", "error", "inserted"]
    incident = report.sessions[1].incident
    assert report.failed and incident is not None and incident in str(report.sessions[1].reason)
    [event] = lab.bodies("SessionInsertFailed")
    assert (event["incident"], event["code"]) == (incident, "incident") and "Report it" in event["hint"]
    with lab.daybook.reading() as world:
        assert {row.status for row in world.state.uploads.where("id > 0", [])} == {"processed"}
    monkeypatch.undo()
    again = lab.upload(*three)
    assert [entry.outcome for entry in again.sessions] == ["duplicate", "inserted", "duplicate"]
    assert not again.failed and not again.findings


@pytest.mark.parametrize("step", CHECKING | READING | SETTLING)
def test_a_fault_at_any_step_of_one_session_holds_up_no_other(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    plant(monkeypatch, (CHECKING | READING | SETTLING)[step])

    assert_only_the_one_failed_and_a_later_try_succeeds(lab, three, monkeypatch)


def test_a_fault_in_what_its_event_means_holds_up_no_other(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_in_fold(
        monkeypatch,
        "SessionInserted",
        lambda state, event, body: body["session_time"].startswith("2023-05-02"),
    )

    assert_only_the_one_failed_and_a_later_try_succeeds(lab, three, monkeypatch)


@pytest.mark.parametrize("step", CHECKING)
def test_a_check_names_the_entry_that_it_stumbles_over_and_says_the_rest(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    plant(monkeypatch, CHECKING[step])
    three[2]["experimenter"] = "user_9"

    found = validate(lab.daybook, document(*three), filename="", roots=lab.roots)

    assert [(each.code, each.path, each.severity) for each in found.findings] == [
        ("incident", "sessions[1]", "warning"), ("unknown-value", "sessions[2].experimenter", "error"),
    ]  # fmt: skip
    assert found.findings[0].line and "incident " in found.findings[0].message


def test_a_fault_where_recordings_may_have_been_moved_holds_up_no_other(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subject has a session that the file lacks, so what is new is read before it is accepted."""
    lab.record("elsewhere", day=9)
    lab.upload(session("elsewhere"))
    plant(monkeypatch, Step(moved, "open_session", _in_any))

    assert_only_the_one_failed_and_a_later_try_succeeds(lab, three, monkeypatch)


def test_a_fault_where_one_is_compared_with_the_ledger_leaves_it_as_it_is(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.upload(three[1])
    plant(monkeypatch, Step(duplicates, "session_differences", _in_any))
    three[1]["room"] = "2.345"

    report = lab.upload(*three)

    assert [(each.index, each.outcome) for each in report.sessions] == [(0, "inserted"), (2, "inserted")]
    [finding] = report.findings
    assert (finding.code, finding.path) == ("incident", "sessions[1]") and report.failed
    assert lab.statuses()["N:/rec/date_2"] == "inserted"
    monkeypatch.undo()
    again = lab.upload(*three)
    assert [entry.outcome for entry in again.sessions] == ["duplicate"] * 3
    assert again.sessions[1].differences and not again.failed


def test_where_an_entry_cannot_even_be_read_the_others_are_told_of(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read cannot be accepted, and a file is accepted whole."""
    plant(monkeypatch, Step(input_file, "_notice_inheritance", lambda tasks, report, at: at[1] == 1))
    three[2]["experimenter"] = "user_9"

    report = lab.upload(*three)

    assert not report.ok
    assert [(each.code, each.path) for each in report.findings] == [
        ("incident", "sessions[1]"), ("unknown-value", "sessions[2].experimenter"),
    ]  # fmt: skip
    assert "(incident " in report.findings[0].message
    monkeypatch.undo()
    three[2]["experimenter"] = "user_1"
    assert [entry.outcome for entry in lab.upload(*three).sessions] == ["inserted"] * 3


# --- clusterings ------------------------------------------------------------------------------------------------------


@pytest.fixture
def joint(lab: Lab, three: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for name in ("a", AT_FAULT, "b"):
        kilosort_output(lab.share.parent / "joint" / name)
    for each, name in zip(three, ("one", "two", "three"), strict=True):
        each["name"] = name
    return [group(name, ["one", "three"]) for name in ("a", AT_FAULT, "b")]


GROUPS = {
    "its check": Step(Clusterings, "_references", lambda self, entry, *_: _in_any(entry.group_name)),
    "its output": Step(settling, "insert_group", lambda entry, *_, **__: _in_any(entry.group_name)),
    "what the ledger says of it": Step(settling, "group_clustering_from_json", _in_any),
}


@pytest.mark.parametrize("step", [*GROUPS, "what its event means"])
def test_a_fault_at_any_step_of_one_clustering_holds_up_no_other(
    lab: Lab,
    three: list[dict[str, Any]],
    joint: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    if step in GROUPS:
        plant(monkeypatch, GROUPS[step])
    else:
        plant_in_fold(
            monkeypatch, "ClusteringInserted", lambda state, event, body: AT_FAULT in body["location"]
        )

    report = lab.upload(*three, clustering=joint)

    assert [entry.outcome for entry in report.clusterings] == ["inserted", "error", "inserted"]
    assert [entry.outcome for entry in report.sessions] == ["inserted"] * 3
    assert report.clusterings[1].incident is not None
    monkeypatch.undo()
    again = lab.upload(*three, clustering=joint)
    assert [entry.outcome for entry in again.clusterings] == ["duplicate", "inserted", "duplicate"]


def test_what_stands_on_an_entry_at_fault_fails_with_it_and_nothing_else(
    lab: Lab, three: list[dict[str, Any]], joint: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    joint[0]["sessions"] = ["one", "two"]
    plant(monkeypatch, CHECKING["its values"])

    report = lab.upload(*three, clustering=joint)

    assert [entry.outcome for entry in report.sessions] == ["inserted", "error", "inserted"]
    assert [entry.outcome for entry in report.clusterings] == ["error", "inserted", "inserted"]
    assert report.clusterings[0].incident is None


# --- what is pending, and how it is told --------------------------------------------------------------------------------


def test_work_goes_on_beside_an_entry_at_fault(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "_settle_sessions", lambda *_: None)
        left = [number(entry) for entry in lab.upload(*three).sessions]
    plant(monkeypatch, READING["what the ledger says of it"])

    worked = work(lab.daybook, lab.roots)

    assert [one.status for one in worked.sessions] == ["inserted", "error", "inserted"] and worked.failed
    assert worked.sessions[1].incident is not None
    monkeypatch.undo()
    again = lab.upload(*three)
    assert [entry.outcome for entry in again.sessions] == ["duplicate", "inserted", "duplicate"]
    assert [number(again.sessions[0]), number(again.sessions[2])] == [left[0], left[2]]


def test_an_upload_that_cannot_be_finished_holds_up_no_other(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "unfinished_uploads", lambda *_: [])
        first, second = (int(str(lab.upload(each).upload)[1:]) for each in three[:2])
    plant(monkeypatch, Step(settling, "_became", lambda record, *_: record.upload == first))

    work(lab.daybook, lab.roots)

    with lab.daybook.reading() as world:
        assert [world.state.uploads[n].status for n in (first, second)] == ["validated", "processed"]
    monkeypatch.undo()
    work(lab.daybook, lab.roots)
    with lab.daybook.reading() as world:
        assert world.state.uploads[first].status == "processed"


def test_the_command_line_says_which_incident_it_was_and_ends_with_3(
    lab: Lab, three: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    file = tmp_path / "12345.yml"
    file.write_bytes(document(*three))
    (tmp_path / "daybook.toml").write_text(f'db = "{lab.url}"\n[roots]\n"N:" = ["{lab.share.parent}"]\n')
    monkeypatch.chdir(tmp_path)
    plant(monkeypatch, CHECKING["its values"])

    ended = run_cli("upload", str(file))

    assert ended.exit == 3 and "incident" in ended.out and SUBJECT in ended.out
    with lab.daybook.reading() as world:
        [failed] = world.state.sessions.where("status = 'error'", [])
    assert f"s{failed.id}" in ended.out
    told = run_cli("why", f"s{failed.id}")
    assert "(incident " in told.out and "Report it under this number" in told.out
