"""validate, upload, compose, template, schema, work."""

import json
from pathlib import Path

import pytest

from commands.cli.finding_lines import line, write_findings
from commands.inputfile.findings import Finding
from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, commands_of, run_cli, write_input_file

pytestmark = pytest.mark.both_ways

FINDING_KEYS = {"stage", "severity", "code", "path", "line", "column", "message", "hint", "next_steps"}


# --- validate -------------------------------------------------------------------------------------


def test_valid_file_is_said_to_be_valid(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample)
    ended = stocked("validate", "subject_1.yml", "--json")
    assert ended.exit == 0
    assert set(ended.json) == {
        "ok", "position", "stage", "findings", "more", "blanked", "sessions", "clusterings", "differing",
        "unrecorded",
    }  # fmt: skip
    assert (ended.json["ok"], ended.json["stage"]) == (True, 2)
    assert all(set(finding) == FINDING_KEYS for finding in ended.json["findings"])
    assert "3 sessions, 3 new" in stocked("validate", "subject_1.yml").out


def test_mistake_is_shown_as_a_compiler_shows_it(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample, replaced=("user_2]", "user2]"))
    ended = stocked("validate", "subject_1.yml")
    assert ended.exit == 1
    first = ended.out.splitlines()[0]
    assert first.startswith(
        'subject_1.yml:6:28: error: experimenter "user2" is not in reference.Experimenter.'
    )
    assert 'Did you mean "user_2"? [' in first
    assert ended.out.splitlines()[-1].startswith("3 errors")
    findings = stocked("validate", "subject_1.yml", "--json").json["findings"]
    errors = [finding for finding in findings if finding["severity"] == "error"]
    assert (errors[0]["line"], errors[0]["column"]) == (6, 28)


def test_validating_ingests_nothing_and_leaves_one_event(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample)
    stocked("validate", "subject_1.yml")
    stocked("validate", "subject_1.yml", "--no-record")
    (event,) = stocked("log", "--type", "InputFileChecked", "--json").json["events"]
    assert event["body"]["filename"] == "subject_1.yml" and event["body"]["ok"] is True
    assert event["actor"] == "user_1"
    assert stocked("sessions", "--json").json["sessions"] == []


def test_without_a_ledger_stages_0_and_1_are_checked(sample: SampleLab) -> None:
    write_input_file(sample)
    ended = run_cli("validate", "subject_1.yml")
    assert ended.exit == 0
    assert "stages 0 and 1 passed" in ended.out
    assert "stage 2 (values and paths) was not checked" in ended.err
    assert run_cli("validate", "subject_1.yml", "--json").json["stage"] == 1
    assert not Path("daybook.db").exists()


def test_database_without_a_ledger_is_no_ledger(folder: Path, sample: SampleLab) -> None:
    write_input_file(sample)
    (folder / "daybook.db").touch()
    assert run_cli("validate", "subject_1.yml", "--json").json["stage"] == 1


def test_standard_input_is_validated() -> None:
    ended = run_cli("validate", "-", stdin="subject: {name: \n")
    assert ended.exit == 1
    assert ended.out.startswith("<stdin>:")


def test_file_beyond_the_limit_is_not_read_to_its_end(run_here: Run, folder: Path) -> None:
    (folder / "daybook.toml").write_text("[limits]\ninput_file_bytes = 100\n")
    (folder / "big.yml").write_bytes(b"#" * 5000)
    ended = run_here("validate", "big.yml", "--json")
    assert ended.exit == 1
    (finding,) = ended.json["findings"]
    assert finding["code"] == "file-too-large" and "5,000 bytes" in finding["message"]
    uploaded = run_here("upload", "big.yml", "--json")
    assert uploaded.exit == 1
    assert uploaded.json["upload"] is None
    assert "nothing was ingested" in run_here("upload", "big.yml").out
    assert run_here("uploads", "--json").json["uploads"] == []


# --- findings -------------------------------------------------------------------------------------


def finding(code: str, at: int | None, severity: str = "error", message: str = "What is so.") -> Finding:
    return Finding(1, severity, code, "", at, None if at is None else 1, message, "Do this.")  # type: ignore[arg-type]


def test_findings_are_in_the_order_of_the_file_and_the_placeless_come_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_findings([finding("c", None), finding("b", 7), finding("a", 3)], "f.yml", most_of_a_kind=None)
    assert capsys.readouterr().out.splitlines() == [
        "f.yml:3:1: error: What is so. Do this. [a]",
        "f.yml:7:1: error: What is so. Do this. [b]",
        "f.yml: error: What is so. Do this. [c]",
    ]


def test_many_of_a_kind_are_counted_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    many = [finding("same", at, message=f"{at} is so.") for at in range(1, 1001)] + [
        finding("other", 500, "warning")
    ]
    write_findings(many, "f.yml", most_of_a_kind=10)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert lines[-1] == "f.yml: error: ... and 990 errors more of this kind [same]"
    write_findings(many, "f.yml", most_of_a_kind=None)
    assert len(capsys.readouterr().out.splitlines()) == 1001


def test_what_is_said_of_many_places_stands_once_on_a_terminal_and_everywhere_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    many = [finding("same", at) for at in range(1, 31)]
    many += [finding("same", 40, message="Another is so."), finding("twice", 50), finding("twice", 51)]
    write_findings(many, "f.yml", most_of_a_kind=10)
    assert capsys.readouterr().out.splitlines() == [
        "f.yml:1:1: error: What is so. Do this. (Also at lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 19 more.) [same]",
        "f.yml:40:1: error: Another is so. Do this. [same]",
        "f.yml:50:1: error: What is so. Do this. [twice]",
        "f.yml:51:1: error: What is so. Do this. [twice]",
    ]
    write_findings(many, "f.yml", most_of_a_kind=None)
    assert len(capsys.readouterr().out.splitlines()) == 33


def test_what_a_file_holds_cannot_steer_the_terminal() -> None:
    evil = Finding(1, "error", "x", "", 1, 1, 'found "\x1b[2J\u202e\nnext"')
    shown = line(evil, "f.yml").replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", "")
    assert "\x1b[2J" not in shown and "\u202e" not in shown and "\n" not in shown


# --- upload ---------------------------------------------------------------------------------------


def test_growing_file_is_uploaded_again_and_again(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample, sessions=2)
    first = stocked("upload", "subject_1.yml", "--json")
    assert first.exit == 0
    assert set(first.json) == {
        "ok", "position", "upload", "username", "filename", "findings", "more", "blanked", "sessions", "clusterings",
        "next_steps",
    }  # fmt: skip
    assert [session["outcome"] for session in first.json["sessions"]] == ["inserted", "inserted"]
    assert set(first.json["sessions"][0]) == {
        "index", "location", "session", "username", "renewed", "outcome", "session_time", "reason", "incident", "differences",
        "moved_from",
    }  # fmt: skip
    write_input_file(sample)
    second = stocked("upload", "subject_1.yml", "--json")
    assert [session["outcome"] for session in second.json["sessions"]] == [
        "duplicate",
        "duplicate",
        "inserted",
    ]
    third = stocked("upload", "subject_1.yml")
    assert third.exit == 0
    assert third.out.splitlines()[-1].endswith(": 3 sessions: 3 duplicates.")


def test_rejected_file_ingests_nothing_and_says_so(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample, replaced=("user_2]", "user2]"))
    ended = stocked("upload", "subject_1.yml")
    assert ended.exit == 1
    assert "3 errors: nothing was ingested." in ended.out.splitlines()[-1]
    document = stocked("upload", "subject_1.yml", "--json").json
    assert document["ok"] is False and document["sessions"] == [] and document["upload"].startswith("u")
    assert stocked("sessions", "--json").json["sessions"] == []
    (newest, _) = sorted(
        stocked("uploads", "--json").json["uploads"], key=lambda u: u["upload"], reverse=True
    )
    why = stocked("why", newest["upload"], "--json").json
    assert why["reason"] == "rejected" and commands_of(why) == ["daybook upload subject_1.yml"]
    assert "user2" in why["message"]


def test_waiting_session_goes_on_when_its_file_appears(stocked: Run, sample: SampleLab) -> None:
    table = sample.subjects[0].sessions[0].directory / "sessions.txt"
    kept = table.read_bytes()
    table.unlink()
    write_input_file(sample, sessions=1)
    uploaded = stocked("upload", "subject_1.yml")
    assert uploaded.exit == 0
    assert "waiting" in uploaded.out and "daybook why s" in uploaded.out
    looked = stocked("work", "--json")
    assert looked.exit == 0
    assert looked.json == {
        "ok": True, "position": looked.json["position"], "looked_at": 1, "sessions": [], "clusterings": [], "waiting": 1,
        "looked_again": 0, "found": [], "clusterings_waiting": 0,
    }  # fmt: skip
    table.write_bytes(kept)
    worked = stocked("work", "--json")
    assert [session["status"] for session in worked.json["sessions"]] == ["inserted"]
    assert worked.json["waiting"] == 0
    assert stocked("work").out == "Nothing is pending or waiting.\n"


def test_entry_that_fails_at_stage_3_gives_exit_code_3(stocked: Run, sample: SampleLab) -> None:
    (sample.subjects[0].sessions[0].directory / "sessions.txt").write_text(
        "#1, open_field_1, start=1, end=5\n"
    )
    write_input_file(sample, sessions=2)
    ended = stocked("upload", "subject_1.yml")
    assert ended.exit == 3
    assert "error" in ended.out and "inserted" in ended.out
    assert stocked("upload", "subject_1.yml", "--json").exit == 3


def test_why_counts_one_error_as_one(stocked: Run, folder: Path) -> None:
    (folder / "empty.yml").write_text("")
    upload = stocked("upload", "empty.yml", "--json").json["upload"]
    assert "ingested: 1 error.\n" in stocked("why", upload).out


def test_differences_are_written_as_in_an_input_file(stocked: Run, sample: SampleLab) -> None:
    file = write_input_file(sample, sessions=1)
    assert stocked("upload", file.name).exit == 0
    write_input_file(sample, sessions=1, replaced=("notes: true", "notes: 'in the dark'"))
    out = stocked("upload", file.name).out

    assert "says otherwise" in out
    assert "notes: true -> in the dark" in out


def test_duplicate_that_differs_is_reported_field_by_field(stocked: Run, sample: SampleLab) -> None:
    write_input_file(sample, sessions=1)
    stocked("upload", "subject_1.yml")
    write_input_file(sample, sessions=1, replaced=("user_1, user_2", "user_1, user_3"))
    ended = stocked("upload", "subject_1.yml")
    assert ended.exit == 0
    assert "stays as it is" in ended.out
    assert "experimenter[1]: user_2 -> user_3" in ended.out


def test_upload_from_standard_input(stocked: Run, sample: SampleLab) -> None:
    text = write_input_file(sample, sessions=1).read_bytes()
    assert stocked("upload", "-", "--json", stdin=text).json["ok"] is True
    assert stocked("uploads", "--json").json["uploads"][0]["filename"] == "stdin"


# --- drafts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_template_and_example_are_printed(form: str) -> None:
    empty = run_cli("template", "--format", form).out
    example = run_cli("template", "--format", form, "--example").out
    assert "location" in empty and "location" in example and empty != example
    if form == "json":
        assert json.loads(empty).keys() == json.loads(example).keys()


def test_example_passes_stages_0_and_1(folder: Path) -> None:
    (folder / "example.yml").write_text(run_cli("template", "--example").out)
    assert run_cli("validate", "example.yml").exit == 0


def test_template_with_json_is_json() -> None:
    assert run_cli("--json", "template").json.keys() >= {"subject", "sessions"}
    assert run_cli("--json", "template", "--format", "yaml").exit == 2


def test_schema_is_a_json_schema() -> None:
    assert run_cli("schema").json["$schema"].startswith("http://json-schema.org/")


def test_compose_fills_in_what_the_disk_tells(sample: SampleLab, folder: Path) -> None:
    ended = run_cli("compose", "recordings/12345", "--subject", "12345")
    assert ended.exit == 0
    assert ended.out.count("- location: ") == 3
    assert "must match reference.Experimenter" in ended.out
    written = run_cli("compose", "recordings/12345", "-o", "draft.yml")
    assert "daybook validate draft.yml" in written.out
    assert (folder / "draft.yml").read_text().count("- location: ") == 3
    document = run_cli("compose", "recordings/12345", "--json").json
    assert set(document) == {"ok", "position", "file", "text", "notes"}


def test_compose_writes_locations_in_the_notation_of_the_roots(sample: SampleLab, folder: Path) -> None:
    (folder / "daybook.toml").write_text(f'[roots]\n"N:" = ["{folder}/recordings"]\n')
    ended = run_cli("compose", "N:/12345")
    assert '- location: "N:/12345/2023-05-01_10-00-00"' in ended.out


def test_compose_does_not_overwrite(sample: SampleLab, folder: Path) -> None:
    (folder / "draft.yml").write_text("mine")
    ended = run_cli("compose", "recordings/12345", "-o", "draft.yml")
    assert ended.exit == 2
    assert "draft.yml is there already" in ended.err
    assert (folder / "draft.yml").read_text() == "mine"


@pytest.mark.parametrize(
    ("directory", "exit_code", "said"),
    [
        ("nowhere", 2, "There is no directory nowhere"),
        ("catalogue.yml", 2, "is a file"),
        ("/nowhere/at/all", 1, "/nowhere"),
        (".", 0, ""),
        ("empty", 1, "no recording of a known system"),
    ],
)
def test_compose_says_why_there_is_nothing_to_compose(
    sample: SampleLab, folder: Path, directory: str, exit_code: int, said: str
) -> None:
    (folder / "empty").mkdir()
    ended = run_cli("compose", directory)
    assert ended.exit == exit_code
    assert said in ended.err


def test_watching_has_no_end_and_so_no_json(run_here: Run) -> None:
    assert run_here("work", "--watch", "--json").exit == 2


def test_a_draft_lists_the_valid_values_where_there_is_a_ledger(stocked: Run, sample: SampleLab) -> None:
    assert stocked("catalogue", "retire", "reference.ExperimentRoom", "2.345").exit == 0
    for number in range(25):
        assert stocked("catalogue", "add", "acquisition.Project", f"project_{number:02}").exit == 0
    folder = str(sample.subjects[0].sessions[0].directory.parent)

    said = stocked("compose", folder, "--subject", "12345").out

    assert "must match reference.Experimenter: user_1, user_2, user_3\n" in said
    assert "must match reference.ExperimentRoom, which has no values yet" in said
    assert "project_18" in said and "project_24" not in said and "6 more" in said
    assert said.count("user_1, user_2, user_3") == 1
    assert "must match reference.Experimenter\n" in run_cli("--db", "none.db", "compose", folder).out


def test_a_draft_can_be_json_with_its_comments_beside_it(run_here: Run, sample: SampleLab) -> None:
    folder = str(sample.subjects[0].sessions[0].directory.parent)

    ended = run_here("compose", folder, "--format", "json", "--subject", "12345", "-o", "draft.json")
    document = run_here("compose", folder, "--format", "json", "--json").json

    assert json.loads((sample.directory / "draft.json").read_text())["subject"]["name"] == "12345"
    assert "sessions[0].experimenter: must match reference.Experimenter" in ended.err
    assert {"path": "subject.name", "text": "a registered subject; folder 12345"} in document["notes"]
    assert json.loads(document["text"])["sessions"][0]["experimenter"] == [None]
