"""``upload *.yml``, ``validate *.yml``: each file on its own, one summary, the exit code of the worst."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from commands.cli.published import schemas
from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, run_cli, write_input_file

pytestmark = pytest.mark.both_ways


@pytest.fixture
def files(sample: SampleLab) -> list[str]:
    """One that is good, one that does not parse, one that is not there, one that is good."""
    write_input_file(sample, sessions=1).rename(sample.directory / "first.yml")
    (sample.directory / "bad.yml").write_text("subject: [\n")
    write_input_file(sample, sessions=2).rename(sample.directory / "second.yml")
    return ["first.yml", "bad.yml", "none.yml", "second.yml"]


def test_of_several_files_each_is_uploaded_on_its_own(stocked: Run, files: list[str]) -> None:
    ended = stocked("upload", *files, "--json")

    assert ended.exit == 1
    Draft202012Validator(schemas()["upload"]).validate(ended.json)
    assert [one["file"] for one in ended.json["files"]] == files
    assert [one["outcome"] for one in ended.json["files"]] == ["done", "rejected", "refused", "done"]
    assert [one["outcome"] for one in ended.json["files"][3]["answer"]["sessions"]] == [
        "duplicate",
        "inserted",
    ]
    assert ended.json["files"][2]["error"]["code"] == "usage"
    assert (ended.json["ok"], ended.json["position"]) == (False, ended.json["files"][3]["answer"]["position"])


def test_one_summary_stands_at_the_end(stocked: Run, files: list[str]) -> None:
    ended = stocked("upload", *files)

    last = ended.out.split("\n\n")[-1]
    assert last.startswith("4 files: 2 accepted, 1 rejected, 1 refused.")
    assert all(file in last for file in files)
    assert "There is no file none.yml" in last and "There is no file none.yml" in ended.err


def test_several_files_are_validated_without_a_ledger_too(files: list[str]) -> None:
    ended = run_cli("validate", "first.yml", "bad.yml", "--json")

    assert ended.exit == 1
    Draft202012Validator(schemas()["validate"]).validate(ended.json)
    assert [one["outcome"] for one in ended.json["files"]] == ["done", "rejected"]
    assert "2 files: 1 valid, 1 rejected." in run_cli("validate", "first.yml", "bad.yml").out
    assert run_cli("validate", "first.yml", "second.yml").exit == 0


def test_what_every_file_would_meet_is_met_once(stocked: Run, files: list[str]) -> None:
    assert stocked("role", "grant", "user_3", "auditor").exit == 0
    before = len(stocked("log", "--json").json["events"])

    ended = stocked("upload", *files, "--json", user="user_3")

    assert ended.exit == 4
    assert [one["outcome"] for one in ended.json["files"]] == [
        "refused",
        "not-tried",
        "not-tried",
        "not-tried",
    ]
    assert len(stocked("log", "--json").json["events"]) == before + 1


def test_a_missing_ledger_is_said_once(files: list[str]) -> None:
    ended = run_cli("upload", *files)

    assert ended.exit == 1
    assert ended.err.count("There is no ledger") == 1


def test_a_fault_with_one_file_stops_no_other(
    stocked: Run, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import commands.intake.uploading as uploading

    take_in = uploading._taken_in

    def failing(*arguments: object, filename: str, **options: object) -> object:
        if filename == "first.yml":
            raise ZeroDivisionError
        return take_in(*arguments, filename=filename, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(uploading, "_taken_in", failing)

    ended = stocked("upload", "first.yml", "second.yml", "--json")

    assert ended.exit == 70
    assert [one["outcome"] for one in ended.json["files"]] == ["refused", "done"]


def test_what_is_for_one_file_is_refused_for_several(stocked: Run, files: list[str], folder: Path) -> None:
    assert "--receipt is for one file" in stocked("upload", *files, "--receipt", "r.json").err
    assert "--command-id is for one file" in stocked("upload", *files, "--command-id", "a" * 32).err
    assert "can be read once" in stocked("upload", "-", "-").err
