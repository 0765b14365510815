"""withdraw, delete, restore, and what show, why and the lists say of what is gone: on the command line."""

import re
from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, commands_of, folder, run, run_here, sample, stocked, write_input_file

pytestmark = pytest.mark.both_ways

__all__ = ["folder", "run", "run_here", "sample", "stocked"]


@pytest.fixture
def filled(stocked: Run, sample: SampleLab) -> Run:
    """Three sessions of user_3, each with a clustering; user_1 and user_2 are admins."""
    write_input_file(sample)
    assert stocked("role", "grant", "user_2", "admin").exit == 0
    assert stocked("upload", "subject_1.yml", "--as", "user_3").exit == 0
    return stocked


def first_session(run: Run) -> str:
    return str(run("sessions", "--json").json["sessions"][-1]["session"])


def requested(run: Run, *records: str, user: str = "user_3") -> str:
    ended = run("delete", "request", *records, "--reason", "wrong animal", "--as", user, "--json")
    assert ended.exit == 0, ended.err
    return str(ended.json["request"])


def test_the_whole_way_of_a_wrong_upload(filled: Run) -> None:
    upload = filled("uploads", "--json").json["uploads"][0]["upload"]
    ended = filled("delete", "request", upload, "--reason", "wrong animal", "--as", "user_3")
    number = ended.out.partition(" ")[0]

    assert ended.exit == 0
    assert f"{number} asks for the deletion of {upload}. Nothing is deleted yet." in ended.out
    assert (
        "It would take 3 sessions with 9 tasks and 3 probes, and 3 clusterings of one session." in ended.out
    )
    assert "All of it is user_3's own." in ended.out
    assert f"An admin other than user_3 decides: daybook request approve {number}" in ended.out

    listed = filled("request", "list")
    assert number in listed.out and "wrong animal" in listed.out
    ended = filled("request", "approve", number)
    assert ended.out == (
        f"{number} was carried out: 3 sessions and 3 clusterings are deleted.\n"
        f"To undo it, whole: daybook restore {number}\n"
    )
    assert "No request is open" in filled("request", "list").shown
    assert number in filled("request", "list", "--all").out

    ended = filled("upload", "subject_1.yml", "--as", "user_3")
    assert ended.exit == 0
    blocked = filled("restore", number)
    assert blocked.exit == 1
    assert blocked.out.count(" is held by ") == 3 and "[blocked]" in blocked.err
    document = filled("restore", number, "--json").json
    assert document["ok"] is False and document["error"]["code"] == "blocked"
    assert len(document["blockers"]) == 3

    again = filled("uploads", "--json").json["uploads"][0]["upload"]
    assert filled("request", "approve", requested(filled, again)).exit == 0
    ended = filled("restore", number)
    assert (ended.exit, ended.out) == (0, f"{number} is undone: 3 sessions and 3 clusterings stand again.\n")
    assert filled("verify").exit == 0


def test_what_was_deleted_is_listed_shown_and_explained(filled: Run) -> None:
    one = first_session(filled)
    number = requested(filled, one)
    filled("request", "approve", number)
    because = f"{number} (requested by user_3: wrong animal; approved by user_1)"

    listed = filled("sessions", "--status", "deleted", "--json").json["sessions"]
    assert [row["session"] for row in listed] == [one]
    assert len(filled("clusterings", "--status", "deleted", "--json").json["clusterings"]) == 1
    assert "deleted" in filled("sessions").out
    assert because in filled("show", one).out
    assert filled("show", one, "--json").json["deleted_by"]["deletion"] == number
    explained = filled("why", one)
    assert because in explained.out and f"$ daybook restore {number}" in explained.out
    assert "2 inserted, 1 deleted" in filled("uploads").out
    upload = filled("uploads", "--json").json["uploads"][0]["upload"]
    assert filled("show", upload, "--json").json["deleted"] == 1
    assert f"{one} is deleted" in filled("why", upload).out


def test_a_request_is_shown_and_says_what_it_waits_for(filled: Run) -> None:
    one = first_session(filled)
    number = requested(filled, one)

    for arguments in (["show", number], ["request", "show", number]):
        ended = filled(*arguments)
        assert f"{number} is requested: user_3 asked for the deletion of {one}." in ended.out
        assert "Reason: wrong animal" in ended.out and "DeletionRequested" in ended.out
        document = filled(*arguments, "--json").json
        assert (document["kind"], document["status"], document["grown"]) == ("deletion", "requested", None)
    explained = filled("why", number, "--json").json
    assert (explained["status"], explained["reason"]) == ("requested", "approval")
    assert f"daybook request approve {number}" in commands_of(explained)
    assert "other than user_3" in explained["message"]
    assert [event["type"] for event in filled("history", number, "--json").json["events"]] == [
        "DeletionRequested"
    ]


def test_rejecting_and_cancelling_say_so(filled: Run) -> None:
    _, second, first = (row["session"] for row in filled("sessions", "--json").json["sessions"])
    rejected, cancelled = requested(filled, first), requested(filled, second)

    assert filled("request", "reject", rejected).exit == 2
    assert filled("request", "reject", rejected, "--reason", "it is right").exit == 0
    assert filled("request", "cancel", cancelled, "--as", "user_3").exit == 0

    assert (
        "rejected by user_1" in filled("why", rejected).out and "it is right" in filled("why", rejected).out
    )
    assert "taken back by user_3" in filled("why", cancelled).out
    assert filled("request", "approve", rejected).exit == 1


def test_a_grown_impact_is_refused_once_and_then_accepted(filled: Run, sample: SampleLab) -> None:
    one = first_session(filled)
    number = requested(filled, one)
    place = sample.subjects[0].sessions[1].directory
    added = filled(
        "add-clustering", one, "--location", str(place), "--curator", "user_1", "--as", "user_3", "--json"
    )
    assert added.exit == 0, added.out
    clustering = added.json["clustering"]

    assert (
        f"It would take more now than was shown last: {clustering} of user_3."
        in filled("request", "show", number).out
    )
    refused = filled("request", "approve", number)
    assert refused.exit == 1 and "[impact-grown]" in refused.err and "--accept-impact" in refused.err
    assert f"daybook request approve {number} --accept-impact" in filled("why", number).out
    assert f"{number} --accept-impact" in filled("request", "show", number).out
    assert filled("request", "approve", number, "--accept-impact").exit == 0
    assert filled("show", clustering, "--json").json["status"] == "deleted"


def test_who_may_not_is_told_what_is_needed(filled: Run) -> None:
    one = first_session(filled)
    foreign = filled("delete", "request", one, "--reason", "x", "--as", "user_4")
    assert foreign.exit == 4 and "user_3, who uploaded it" in foreign.err
    number = requested(filled, one, user="user_2")
    own = filled("request", "approve", number, "--as", "user_2")
    assert own.exit == 4 and "policy own-requests allow" in own.err
    assert filled("restore", number, "--as", "user_3").exit == 4
    assert filled("withdraw", one, "--as", "user_4").exit == 4


def test_the_policy_is_printed_and_set(run: Run) -> None:
    assert "may not approve" in run("delete", "policy").out
    assert run("delete", "policy", "--own-requests", "allow", "--as", "user_2").exit == 4
    assert "may approve" in run("delete", "policy", "--own-requests", "allow").out
    told = run("delete", "policy", "--json").json
    assert told == {"ok": True, "position": told["position"], "own_requests": "allow"}
    assert "may not approve" in run("policy", "own-requests", "refuse").out
    assert run("policy", "list", "--json").json["own_requests"] == "refuse"


def test_withdrawing_takes_back_what_failed(stocked: Run, sample: SampleLab, folder: Path) -> None:
    for file in sample.subjects[0].sessions[0].directory.rglob("*"):
        if file.is_file():
            file.unlink()
    write_input_file(sample)
    assert stocked("upload", "subject_1.yml").exit == 3
    failed = first_session(stocked)

    ended = stocked("withdraw", failed)
    assert (ended.exit, ended.out) == (0, f"Withdrawn: {failed}.\n")
    assert stocked("withdraw", failed).out == "Nothing to do: all of it was withdrawn before.\n"
    assert "It was taken back by user_1 at 2" in stocked("why", failed).out
    assert [
        row["session"] for row in stocked("sessions", "--status", "withdrawn", "--json").json["sessions"]
    ] == [failed]
    assert "2 inserted, 1 withdrawn" in stocked("uploads").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["withdraw"], ["delete"], ["delete", "request", "s1"], ["request", "approve", "s1"], ["request", "show", "7"],
        ["restore", "s12"], ["request", "reject", "d1"], ["delete", "policy", "--own-requests", "maybe"],
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(run_here: Run, arguments: list[str]) -> None:
    assert run_here(*arguments).exit == 2


def test_only_exact_ids_are_taken(filled: Run) -> None:
    location = filled("sessions", "--json").json["sessions"][0]["location"]
    for verb in (["withdraw", location], ["delete", "request", location, "--reason", "x"]):
        ended = filled(*verb)
        assert ended.exit == 1 and "[not-an-id]" in ended.err


def test_the_older_spelling_is_the_same_verb_and_is_not_listed(filled: Run) -> None:
    number = requested(filled, first_session(filled))

    assert filled("delete", "list").out == filled("request", "list").out
    assert filled("delete", "show", number, "--json").json == filled("request", "show", number, "--json").json
    assert filled("delete", "reject", number, "--reason", "it is right").exit == 0
    listed = re.findall(r"^  (\w+)  ", filled("delete", "--help").out, re.MULTILINE)
    assert set(listed) == {"request"}
    listed = re.findall(r"^  (\w+)  ", filled("request", "--help").out, re.MULTILINE)
    assert set(listed) == {"list", "show", "approve", "reject", "cancel"}


def test_dry_run_shows_what_would_go_and_writes_nothing(filled: Run) -> None:
    upload = filled("uploads", "--json").json["uploads"][0]["upload"]
    before = filled("log", "--limit", "0", "--json").json["events"]

    ended = filled("delete", "request", upload, "--dry-run", "--as", "user_3")
    document = filled("delete", "request", upload, "--dry-run", "--as", "user_3", "--json").json
    refused = filled("delete", "request", upload, "--dry-run", "--as", "user_4")

    assert ended.exit == 0
    assert (
        "It would take 3 sessions with 9 tasks and 3 probes, and 3 clusterings of one session." in ended.out
    )
    assert ended.out.endswith("Nothing was asked for, and nothing is recorded.\n")
    assert (document["tasks"], document["probes"], document["users"]) == (9, 3, {"user_3": 6})
    assert "request" not in document
    assert refused.exit == 4
    assert filled("log", "--limit", "0", "--json").json["events"] == before
    asked = filled("delete", "request", upload, "--reason", "x", "--as", "user_3", "--json").json
    assert {name: asked[name] for name in ("sessions", "clusterings", "users")} == {
        name: document[name] for name in ("sessions", "clusterings", "users")
    }
    assert filled("delete", "request", upload).exit == 2
