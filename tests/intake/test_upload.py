"""An input file is accepted or rejected whole, and the ledger says exactly that."""

import json

import pytest
import yaml

from commands.inputfile.read import Limits, read_input_file
from commands.intake.validation import check_file, validate
from tests.intake.lab import Lab, document, number, session, task


def test_accepted_upload_inserts_each_session_and_keeps_the_bytes(lab: Lab) -> None:
    names = lab.record_many(2)
    before = lab.size()
    data = document(*(session(name) for name in names))

    report = lab.upload_bytes(data)

    assert report.ok and report.upload == f"u{before + 1}"
    assert [entry.outcome for entry in report.sessions] == ["inserted", "inserted"]
    assert [entry.session_time for entry in report.sessions] == [
        "2023-05-01 10:00:00",
        "2023-05-02 10:00:00",
    ]
    assert lab.types(before) == [
        "InputFileReceived", "InputFileValidated", "SessionInsertRequested", "SessionInsertRequested",
        "SessionInserted", "SessionInserted", "InputFileProcessed",
    ]  # fmt: skip
    assert {event.correlation for event in lab.events(before)} == {report.upload}
    assert lab.kept_bytes() == data


def test_rejected_upload_leaves_its_own_two_events_and_its_bytes(lab: Lab) -> None:
    good, bad = lab.record_many(2)
    before = lab.size()
    data = document(session(good), session(bad, experimenter="user_9"))

    report = lab.upload_bytes(data)

    assert not report.ok and report.sessions == []
    assert [finding.code for finding in report.findings if finding.severity == "error"] == ["unknown-value"]
    assert lab.types(before) == ["InputFileReceived", "InputFileRejected"]
    rejected = lab.bodies("InputFileRejected")[0]
    assert rejected["stage"] == 2
    assert 'experimenter "user_9"' in rejected["findings"][0]["message"]
    assert lab.kept_bytes() == data
    with lab.daybook.reading() as world:
        assert world.state.uploads[before + 1].status == "rejected"


def test_stage_1_error_of_one_session_does_not_hide_stage_2_findings_of_another(lab: Lab) -> None:
    lab.record_many(2)
    report = lab.upload(session("date_1", unknown=1), session("date_2", experimenter="user_9"))
    assert not report.ok
    assert {finding.stage for finding in report.findings if finding.severity == "error"} == {1, 2}


def test_a_file_without_entries_is_accepted_and_processed(lab: Lab) -> None:
    before = lab.size()
    report = lab.upload_bytes(b"subject:\n  name: 12345\n")
    assert report.ok and report.sessions == report.clusterings == []
    assert lab.types(before) == ["InputFileReceived", "InputFileValidated", "InputFileProcessed"]


@pytest.mark.parametrize("experimenter", ["user_1", "user_9"])
def test_validate_appends_one_event_and_without_recording_none(lab: Lab, experimenter: str) -> None:
    lab.record_many(1)
    data = document(session("date_1", experimenter=experimenter))
    before = lab.size()

    unrecorded = validate(lab.daybook, data, filename="a.yml", roots=lab.roots, record=False)
    assert lab.size() == before
    recorded = validate(lab.daybook, data, filename="a.yml", roots=lab.roots)

    assert recorded.findings == unrecorded.findings
    assert recorded.ok is (experimenter == "user_1") and recorded.stage == 2
    assert lab.types(before) == ["InputFileChecked"]
    assert lab.bodies("InputFileChecked")[0]["errors"] == (0 if recorded.ok else 1)
    assert lab.statuses() == {}


def test_without_a_ledger_validate_goes_through_stages_0_and_1(lab: Lab) -> None:
    before = lab.size()
    data = document(session("is_not_there", experimenter="nobody"))
    found = validate(None, data, filename="a.yml", roots=lab.roots)
    assert found.ok and found.stage == 1 and found.sessions is None
    assert validate(None, b"a: [", filename="a.yml", roots=lab.roots).stage == 0
    assert lab.size() == before


def test_yaml_and_json_of_one_document_give_the_same_events(lab: Lab) -> None:
    lab.record_many(2)
    entries = [
        session("date_1", room="2.345", notes="käse", tasks=[task(task_start=27, task_stop=1533.5)]),
        session("date_2", probe_association={"probe_1": "npx_1_18408403232"}, project=["my_project"]),
    ]
    as_yaml, as_json = document(*entries), document(*entries, form="json")
    checked = [
        check_file(
            lab.daybook, read_input_file(data, filename=name), lab.roots, then=lambda found: found.input_file
        )[1]
        for data, name in ((as_yaml, "a.yml"), (as_json, "a.json"))
    ]
    assert checked[0] == checked[1]

    assert lab.upload_bytes(as_yaml).ok
    again = lab.upload_bytes(as_json, filename="12345.json")

    assert [entry.outcome for entry in again.sessions] == ["duplicate", "duplicate"]
    assert [entry.differences for entry in again.sessions] == [[], []]


def test_unquoted_numbers_in_yaml_are_the_text_that_json_has(lab: Lab) -> None:
    lab.record_many(1)
    as_yaml = b"""
subject: {name: 12345}
sessions:
  - {location: "N:/rec/date_1", name: 12345_1, experimenter: user_1, room: 2.345, tasks: [], clustering: no}
"""
    plain = yaml.safe_load(as_yaml)
    plain["sessions"][0] |= {"name": "12345_1", "room": "2.345"}
    assert lab.upload_bytes(as_yaml).ok
    again = lab.upload_bytes(json.dumps(plain).encode(), filename="a.json")
    assert again.sessions[0].outcome == "duplicate" and again.sessions[0].differences == []


def test_a_file_name_that_is_no_text_is_spelled_out(lab: Lab) -> None:
    name = b"caf\xe9\n.yml".decode("utf-8", "surrogateescape")
    report = lab.upload_bytes(document(), filename=name)
    assert report.ok
    assert lab.bodies("InputFileReceived")[0]["filename"] == "caf\\xe9\\n.yml"
    assert not lab.upload_bytes(b"", filename=name).ok
    assert validate(lab.daybook, b"", filename=name, roots=lab.roots).stage == 0


def test_limits_are_those_given(lab: Lab) -> None:
    report = lab.upload_bytes(document(), limits=Limits(input_file_bytes=10))
    assert [finding.code for finding in report.findings] == ["file-too-large"]


def test_progress_counts_up_to_the_sessions_of_the_file(lab: Lab) -> None:
    names = lab.record_many(3)
    seen: list[tuple[int, int]] = []
    lab.upload_bytes(document(*map(session, names)), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 3)]


def test_who_uploaded_and_through_what_stands_in_every_event(lab: Lab) -> None:
    lab.record_many(1)
    before = lab.size()
    report = lab.upload(session("date_1"), user="user_2")
    assert {(event.actor, event.username, event.subject) for event in lab.events(before)[:-1]} == {
        ("user_2", "user_2", "0/12345")
    }
    with lab.daybook.reading() as world:
        row = world.state.sessions[number(report.sessions[0])]
        assert row.username == "user_2" and row.upload == before + 1


def test_a_rejected_upload_counts_its_errors_and_no_warning(lab: Lab) -> None:
    [bad] = lab.record_many(1)
    begun = {"task_type": "OpenField", "arena_apparatus": "150_square", "task_start": "true", "task_stop": 1}

    report = lab.upload(session(bad, experimenter="user_9", tasks=[begun]))

    severities = [finding.severity for finding in report.findings]
    assert severities.count("error") == 1 < len(severities)
    with lab.daybook.reading() as world:
        assert world.state.uploads[int(report.upload[1:])].errors == 1
