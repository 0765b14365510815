"""The verbs correct and replay, as people and scripts see them."""

from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, folder, run, sample, stocked, write_input_file

pytestmark = pytest.mark.both_ways

__all__ = ["folder", "run", "sample", "stocked"]


def uploaded(stocked: Run, sample: SampleLab) -> Path:
    path = write_input_file(sample)
    assert stocked("upload", str(path)).exit == 0
    return path


def corrected_file(path: Path) -> Path:
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('room: "2.345"', 'room: "2.345"\n    notes: "restless"', 1), encoding="utf-8"
    )
    return path


def test_an_unchanged_file_has_nothing_to_correct(stocked: Run, sample: SampleLab) -> None:
    path = uploaded(stocked, sample)

    ended = stocked("correct", str(path))

    assert ended.exit == 0
    assert ended.out == f"{path}: nothing to correct, 3 sessions unchanged.\n"


def test_correct_says_field_by_field_what_would_change(stocked: Run, sample: SampleLab) -> None:
    path = corrected_file(uploaded(stocked, sample))

    ended = stocked("correct", str(path))

    assert ended.exit == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0].endswith("(matched by location):") and "  notes: (none) -> restless" in lines
    assert "What stands on them:" in lines and any("inserted anew" in line for line in lines)
    assert lines[-2] == f"{path}: 1 session would be deleted and inserted again. Nothing is requested yet."
    assert lines[-1] == f"To request it: daybook correct {path} --apply --reason TEXT"


def test_a_correction_goes_from_the_file_to_the_clean_upload(stocked: Run, sample: SampleLab) -> None:
    path = corrected_file(uploaded(stocked, sample))
    assert stocked("role", "grant", "user_2", "admin").exit == 0

    asked = stocked("correct", str(path), "--apply", "--reason", "the notes were missing")
    assert asked.exit == 0, asked.err
    request = asked.out.splitlines()[-2].rpartition(" ")[2]
    shown = stocked("request", "show", request)
    assert "notes: (none) -> restless" in shown.out
    refused = stocked("request", "approve", request)
    assert (refused.exit, "another admin" in refused.err) == (4, True)
    done = stocked("request", "approve", request, user="user_2")

    assert done.exit == 0 and done.out.startswith(f"{request} was carried out, by the file of u")
    new, _, old = done.out.splitlines()[0].partition(": ")[2].rstrip(".").partition(" replaces ")
    assert stocked("show", new, "--json").json["replaces"] == old
    assert stocked("show", old, "--json").json["replaced_by"] == new
    assert f"It replaces {old}" in stocked("why", new).out
    why = stocked("why", old).out
    assert f"It was replaced by {new}." in why
    assert f"$ daybook show {new}" in why
    assert "daybook restore" not in why
    again = stocked("upload", str(path), "--json").json
    assert [(e["outcome"], e["differences"]) for e in again["sessions"]] == [("duplicate", [])] * 3


def test_correct_as_json_has_everything(stocked: Run, sample: SampleLab) -> None:
    path = corrected_file(uploaded(stocked, sample))

    document = stocked("correct", str(path), "--json").json

    assert document["ok"] is True and document["request"] is None and document["subject"] == "12345"
    replaced = document["sessions"][0]
    assert (replaced["index"], replaced["matched_by"], replaced["outcome"]) == (0, "location", "inserted")
    assert replaced["differences"] == [{"field": "notes", "stored": None, "given": "restless"}]
    assert [dependent["becomes"] for dependent in document["dependents"]] == ["inserted-anew"]
    assert document["unchanged"] == {"sessions": 2, "clusterings": 0}
    assert document["new"] == {"sessions": [], "clusterings": []} and document["absent"] == []


def test_a_corrected_file_with_errors_is_refused_like_any_other(stocked: Run, sample: SampleLab) -> None:
    path = uploaded(stocked, sample)
    text = path.read_text(encoding="utf-8").replace('room: "2.345"', 'room: "9.999"', 1)
    path.write_text(text, encoding="utf-8")

    ended = stocked("correct", str(path), "--apply", "--reason", "another room")

    assert ended.exit == 1
    assert f"{path}:7:11: error: " in ended.out and "[unknown-value]" in ended.out
    assert ended.out.endswith("nothing can be corrected by this file as it is.\n")
    as_json = stocked("correct", str(path), "--json")
    assert as_json.exit == 1 and as_json.json["ok"] is False
    assert "unknown-value" in [finding["code"] for finding in as_json.json["findings"]]


def test_another_users_records_are_not_corrected(stocked: Run, sample: SampleLab) -> None:
    path = corrected_file(uploaded(stocked, sample))

    shown = stocked("correct", str(path), user="user_2")
    ended = stocked("correct", str(path), "--apply", "--reason", "mine", user="user_2")

    assert shown.exit == 0 and "(of user_1, matched by location):" in shown.out
    assert ended.exit == 4
    assert "user_2 may not correct: s" in ended.err


def test_a_reason_belongs_to_apply_and_apply_to_a_reason(stocked: Run, sample: SampleLab) -> None:
    path = corrected_file(uploaded(stocked, sample))
    for options in (["--apply"], ["--reason", "wrong"]):
        ended = stocked("correct", str(path), *options)
        assert ended.exit == 2 and "--apply --reason TEXT" in ended.err


def test_a_file_beyond_the_limit_is_refused(stocked: Run, folder: Path) -> None:
    (folder / "daybook.toml").write_text("[limits]\ninput_file_bytes = 10\n")
    (folder / "large.yml").write_text("x" * 11)

    ended = stocked("correct", "large.yml")

    assert ended.exit == 1 and "[file-too-large]" in ended.out


def test_replay_answers_as_upload_does(stocked: Run, sample: SampleLab) -> None:
    path = write_input_file(sample)
    first = stocked("upload", str(path), "--json").json

    ended = stocked("replay", first["upload"], "--json")

    assert ended.exit == 0 and ended.json.keys() == first.keys()
    assert [entry["outcome"] for entry in ended.json["sessions"]] == ["duplicate"] * 3
    assert stocked("show", ended.json["upload"], "--json").json["replays"] == first["upload"]
    human = stocked("replay", first["upload"])
    assert human.out.endswith("3 sessions: 3 duplicates.\n")


def test_replay_takes_the_exact_id_of_an_upload(stocked: Run, sample: SampleLab) -> None:
    uploaded(stocked, sample)
    for reference in ("s12", "u", "subject_1.yml", "u1x"):
        assert stocked("replay", reference).exit == 2
    missing = stocked("replay", "u999999")
    assert (missing.exit, "[not-found]" in missing.err) == (1, True)
