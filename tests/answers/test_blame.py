"""For each thing that a record says, which event said so, and on which line of which stored file."""

from typing import Any

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, folder, run, sample, stocked, write_input_file

__all__ = ["folder", "run", "sample", "stocked"]


def _blame(run: Run, ref: str, *more: str) -> dict[str, dict[str, Any]]:
    return {each["field"]: each for each in run("blame", ref, "--json", *more).json["fields"]}


@pytest.fixture
def uploaded(stocked: Run, sample: SampleLab) -> dict[str, Any]:
    write_input_file(sample)
    found: dict[str, Any] = stocked("upload", "subject_1.yml", "--json").json
    return found


def test_what_a_file_says_is_blamed_on_its_line(
    stocked: Run, sample: SampleLab, uploaded: dict[str, Any]
) -> None:
    lines = (sample.directory / "subject_1.yml").read_text(encoding="utf-8").splitlines()
    session = uploaded["sessions"][1]["session"]

    told = _blame(stocked, session)

    assert {told[name]["upload"] for name in ("location", "name", "experimenter", "room", "subject")} == {
        uploaded["upload"]
    }
    assert told["location"]["value"] in lines[told["location"]["line"] - 1]
    assert told["name"]["value"] in lines[told["name"]["line"] - 1]
    assert told["room"]["value"] in lines[told["room"]["line"] - 1]
    assert told["tasks"]["path"] == "sessions[1].tasks" and told["tasks"]["line"] is not None
    assert told["room"]["event"]["type"] == "SessionInsertRequested"


def test_what_the_recordings_say_is_blamed_on_the_event_that_read_them(
    stocked: Run, uploaded: dict[str, Any]
) -> None:
    told = _blame(stocked, uploaded["sessions"][0]["session"])

    assert told["session_time"]["event"]["type"] == told["status"]["event"]["type"] == "SessionInserted"
    assert told["session_time"]["line"] is None and told["session_time"]["recorded_in"].endswith(".meta")
    assert told["clusterings"]["event"]["type"] == "ClusteringInserted"


def test_what_somebody_added_is_blamed_on_that_and_before_on_nobody(
    stocked: Run, uploaded: dict[str, Any]
) -> None:
    session = uploaded["sessions"][0]["session"]
    before = stocked("status", "--json").json["position"]

    assert stocked("annotate", session, "--project", "my_project", "--as", "user_1").exit == 0
    told = _blame(stocked, session)

    assert told["project"]["event"]["type"] == "SessionAnnotated" and told["project"]["upload"] is None
    assert "project" not in _blame(stocked, session, "--as-of", str(before))


def test_what_a_newer_file_said_of_a_waiting_entry_is_blamed_on_the_newer_file(
    stocked: Run, sample: SampleLab
) -> None:
    (sample.subjects[0].sessions[0].directory / "sessions.txt").unlink()
    write_input_file(sample, sessions=1)
    first = stocked("upload", "subject_1.yml", "--json").json
    path = write_input_file(
        sample, sessions=1, replaced=("experimenter: [user_1, user_2]", "experimenter: [user_3]")
    )

    second = stocked("upload", "subject_1.yml", "--json").json
    told = _blame(stocked, first["sessions"][0]["session"])

    lines = path.read_text(encoding="utf-8").splitlines()
    assert told["experimenter"]["value"] == ["user_3"]
    assert told["experimenter"]["upload"] == second["upload"] != first["upload"] == told["room"]["upload"]
    assert "user_3" in lines[told["experimenter"]["line"] - 1]


def test_after_a_correction_it_says_what_was_before(
    stocked: Run, sample: SampleLab, uploaded: dict[str, Any]
) -> None:
    write_input_file(sample, replaced=("experimenter: [user_1, user_2]", "experimenter: [user_3]"))
    assert stocked("policy", "own-requests", "allow").exit == 0
    asked = stocked("correct", "subject_1.yml", "--apply", "--reason", "it was somebody else", "--json").json
    assert stocked("request", "approve", asked["request"]).exit == 0
    newest = stocked("sessions", "--json").json["sessions"]
    changed = next(each for each in newest if each["experimenter"] == ["user_3"] and each["replaces"])

    told = _blame(stocked, changed["session"])

    assert told["experimenter"]["was"] == ["user_1", "user_2"] and told["room"]["was"] is None
    assert told["experimenter"]["upload"] == changed["upload"] != uploaded["upload"]


def test_of_an_upload_it_says_what_came_with_it_and_what_became_of_it(
    stocked: Run, uploaded: dict[str, Any]
) -> None:
    told = _blame(stocked, uploaded["upload"])

    assert told["filename"]["event"]["type"] == "InputFileReceived"
    assert told["sessions"]["event"]["type"] == "InputFileValidated"
    assert told["inserted"]["event"]["type"] == "InputFileProcessed"


def test_a_person_reads_lines_and_a_request_has_none(stocked: Run, uploaded: dict[str, Any]) -> None:
    session = uploaded["sessions"][0]["session"]
    asked = stocked("delete", "request", session, "--reason", "x", "--json").json["request"]

    shown = stocked("blame", session)
    refused = stocked("blame", asked)

    assert shown.exit == 0 and f"{uploaded['upload']}, line" in shown.out
    assert refused.exit == 1 and "it says only what its own events say" in refused.err
