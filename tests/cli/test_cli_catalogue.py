"""Reference values, subjects and probes from the command line."""

from pathlib import Path
from typing import Any

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Ended, Run, run_cli

pytestmark = pytest.mark.both_ways


def exact(ended: Ended, **told: Any) -> bool:
    """Whether the answer is this and nothing else."""
    return bool(ended.json == {"ok": True, "position": ended.json["position"], **told})


def test_catalogue_is_loaded_once(run: Run, sample: SampleLab) -> None:
    first = run("catalogue", "load", "catalogue.yml", "--json")
    again = run("catalogue", "load", "catalogue.yml", "--json")
    assert first.json["ok"] and first.json["added"] > 10
    facts = {"added": 0, "known": first.json["added"] + first.json["known"]}
    assert again.json == {"ok": True, "position": first.json["position"], **facts, "told": [], "findings": []}
    assert "0 facts added" in run("catalogue", "load", "catalogue.yml").out


def test_catalogue_comes_from_standard_input(run_here: Run) -> None:
    ended = run_here("catalogue", "load", "-", "--json", stdin="acquisition.Project: [p]\n")
    assert exact(ended, added=1, known=0, told=[], findings=[])


def test_catalogue_with_a_mistake_loads_nothing(run_here: Run) -> None:
    ended = run_here(
        "catalogue", "load", "-", stdin="acquisition.Projct: [p]\nreference.Experimenter: [user_1]\n"
    )
    assert ended.exit == 1
    assert ended.out.startswith("<stdin>:1:1: error: ")
    assert "acquisition.Project" in ended.out
    assert "nothing was loaded" in ended.out
    assert run_here("catalogue", "list", "--json").json["values"] == []
    again = run_here("catalogue", "load", "-", "--json", stdin="acquisition.Projct: [p]\n")
    assert set(again.json) == {"ok", "position", "added", "known", "told", "findings"}


def test_value_is_added_retired_and_comes_back(run: Run) -> None:
    add = ("catalogue", "add", "behavior.TaskType", "SleepTask", "--arena-not-required", "--json")
    assert exact(run(*add), added=1)
    assert exact(run(*add), added=0)
    retire = ("catalogue", "retire", "behavior.TaskType", "SleepTask", "--json")
    assert exact(run(*retire), retired=1)
    assert exact(run(*retire), retired=0)
    (value,) = run("catalogue", "list", "behavior.TaskType", "--json").json["values"]
    assert value == {
        "table": "behavior.TaskType",
        "value": "SleepTask",
        "attributes": {"arena_required": False},
        "retired": True,
    }
    assert exact(run(*add), added=1)


def test_attributes_are_kept(run: Run) -> None:
    run("catalogue", "add", "reference.Probe", "npx_1", "--attribute", "probe_model=neuropixels 1.0")
    (value,) = run("catalogue", "list", "--json").json["values"]
    assert value["attributes"] == {"probe_model": "neuropixels 1.0"}
    assert "probe_model: neuropixels 1.0" in run("catalogue", "list").out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["catalogue", "add", "reference.Prob", "x"], 1, 'Did you mean "reference.Probe"?'),
        (["catalogue", "list", "nothing-like-it"], 1, "The tables are"),
        (["catalogue", "retire", "reference.Probe", "x"], 1, '"x" is not in reference.Probe'),
        (["catalogue", "add", "reference.Probe", ""], 2, "A value needs text"),
        (["catalogue", "add", "reference.Probe", "a\x1b[31m"], 2, "control characters"),
        (["catalogue", "add", "reference.Probe", "x", "--arena-not-required"], 2, "behavior.TaskType only"),
        (["catalogue", "add", "reference.Probe", "x", "--attribute", "y"], 2, "not of the form key=value"),
        (["catalogue", "load", "none.yml"], 2, "There is no file none.yml"),
        (["subject", "add", ""], 2, "needs a name"),
        (["subject", "add", "a/b"], 1, "no slash"),
        (["probe", "insert", "1", "npx_1", "--at", "2023-03-01"], 1, "daybook subject add 1"),
        (["probe", "insert", "1", "npx_1"], 2, "--at"),
        (["probe", "insert", "1", "npx_1", "--at", "noon"], 2, "Expected local time"),
        (["probe", "insert", "1", "npx_1", "--at", "2023-03-01T00:00:00Z"], 2, "names a time zone"),
        (["probe", "remove", "1", "npx_1", "--at", "2023-03-01"], 1, "not registered"),
    ],
)
def test_mistakes_are_one_line_that_says_what_to_do(
    run_here: Run, arguments: list[str], exit_code: int, said: str
) -> None:
    ended = run_here(*arguments)
    assert ended.exit == exit_code
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert ended.out == ""


def test_probe_is_inserted_and_removed(run: Run) -> None:
    run("catalogue", "add", "reference.Probe", "npx_1")
    insert = {
        "action": "insert-probe",
        "ref": None,
        "arguments": {"subject": "12345", "probe": None, "at": None},
    }
    for added, steps in ((1, [insert]), (0, [])):
        assert exact(run("subject", "add", "12345", "--json"), added=added, subject="12345", next_steps=steps)
    insert = ("probe", "insert", "12345", "npx_1", "--at", "2023-03-01", "--json")
    assert exact(run(*insert), added=1)
    assert exact(run(*insert), added=0)
    remove = ("probe", "remove", "12345", "npx_1", "--at", "2023-04-01 10:00", "--json")
    assert exact(run(*remove), removed=1)
    assert exact(run(*remove), removed=0)
    (subject,) = run("subject", "list", "--json").json["subjects"]
    assert subject["probes"] == [
        {"probe": "npx_1", "insertion_time": "2023-03-01 00:00:00", "removal_time": "2023-04-01 10:00:00"}
    ]
    assert "2023-04-01 10:00:00" in run("subject", "list").out


def test_unknown_probe_is_answered_with_the_command_that_adds_it(run_here: Run) -> None:
    run_here("subject", "add", "12345")
    ended = run_here("probe", "insert", "12345", "npx_1", "--at", "2023-03-01")
    assert "daybook catalogue propose reference.Probe npx_1" in ended.err


def test_empty_lists_say_what_to_do(run_here: Run) -> None:
    assert "daybook catalogue load FILE" in run_here("catalogue", "list").out
    assert "daybook subject add NAME" in run_here("subject", "list").out


def test_verbs_of_a_group_are_listed_in_its_help() -> None:
    text = run_cli("catalogue", "--help").out
    assert all(verb in text for verb in ("load", "add", "retire", "list"))


def load(run: Run, folder: Path, text: str) -> Any:
    (folder / "again.yml").write_text(text)
    return run("catalogue", "load", "again.yml")


def test_loaded_catalogue_says_what_it_changed_kept_and_left_retired(run_here: Run, folder: Path) -> None:
    first = """
reference.Probe: [{probe: npx_1, probe_model: "neuropixels 1.0"}, npx_2]
behavior.TaskType: [{name: SleepTask, arena_required: false}]
"""
    assert load(run_here, folder, first).out == "3 facts added, 0 known already.\n"
    assert run_here("catalogue", "retire", "reference.Probe", "npx_2").exit == 0

    again = load(run_here, folder, first.replace("1.0", "2.0").replace(", arena_required: false", ""))

    assert again.out.splitlines() == [
        "1 fact added, 2 known already.",
        '"npx_1" of reference.Probe was changed from (probe_model: neuropixels 1.0) to (probe_model: neuropixels 2.0).',
        '"npx_2" of reference.Probe is retired, and stays so. To bring it back: '
        "daybook catalogue propose reference.Probe npx_2",
        '"SleepTask" of behavior.TaskType keeps what the file does not say of it: arena_required: false.',
    ]
    values = {value["value"]: value for value in run_here("catalogue", "list", "--json").json["values"]}
    assert values["npx_2"]["retired"] is True
    assert values["SleepTask"]["attributes"] == {"arena_required": False}
    assert values["npx_1"]["attributes"] == {"probe_model": "neuropixels 2.0"}


def test_catalogue_does_not_insert_a_retired_probe(run_here: Run, folder: Path) -> None:
    load(run_here, folder, "reference.Probe: [npx_2]\n")
    run_here("catalogue", "retire", "reference.Probe", "npx_2")
    text = """
reference.Probe: [npx_2]
subjects: [{name: "12345", probes: [{probe: npx_2, insertion_time: "2023-03-01 00:00:00"}]}]
"""

    refused = load(run_here, folder, text)

    assert refused.exit == 1 and "[unknown-probe]" in refused.err
    assert "daybook catalogue propose reference.Probe npx_2" in refused.err


def types(run: Run, ref: str, *more: str) -> list[str]:
    return [event["type"] for event in run("history", ref, "--json", *more).json["events"]]


def test_history_of_a_subject_a_probe_and_a_user_by_their_whole_names(run: Run) -> None:
    for subject in ("12345", "123456"):
        run("subject", "add", subject)
    for probe in ("npx_1", "npx_11"):
        run("catalogue", "add", "reference.Probe", probe)
    run("probe", "insert", "12345", "npx_1", "--at", "2023-03-01")
    run("probe", "insert", "123456", "npx_11", "--at", "2023-03-01")
    run("probe", "take-back", "12345", "npx_1", "--reason", "wrong animal")
    run("role", "grant", "user_2", "auditor")

    assert types(run, "subject:12345") == ["SubjectRegistered", "ProbeInserted", "ProbeInsertionTakenBack"]
    assert types(run, "probe:npx_1") == ["ReferenceValueAdded", "ProbeInserted", "ProbeInsertionTakenBack"]
    assert types(run, "user:user_2") == ["RoleGranted"]
    assert types(run, "probe:npx_1", "--as-of", "6") == ["ReferenceValueAdded", "ProbeInserted"]
    for ref in ("subject:1234", "probe:npx", "user:user"):
        ended = run("history", ref)
        assert ended.exit == 1 and "[not-found]" in ended.err


def test_subject_probe_and_user_are_shown_by_their_whole_names(run: Run) -> None:
    run("subject", "add", "12345")
    run("catalogue", "add", "reference.Probe", "npx_1")
    run("probe", "insert", "12345", "npx_1", "--at", "2023-03-01")

    subject = run("show", "subject:12345", "--json").json
    probe = run("show", "probe:npx_1", "--json").json
    user = run("show", "user:user_1", "--json").json

    inserted = {"insertion_time": "2023-03-01 00:00:00", "removal_time": None}
    assert (subject["kind"], subject["subject"]) == ("subject", "12345")
    assert subject["probes"] == [{"probe": "npx_1", **inserted}]
    assert probe["inserted_in"] == [{"subject": "12345", **inserted}]
    assert (user["role"], user["sessions"]) == ("admin", {})
    assert run("show", "subject:12345", "--as-of", "2", "--json").json["probes"] == []
    assert "npx_1" in run("show", "subject:12345").out
    for ref in ("subject:1234", "probe:npx", "user:user"):
        assert run("show", ref).exit == 1
