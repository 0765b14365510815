"""sessions, clusterings, uploads, show, why, history, log."""

import os
from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import Run, write_input_file

LISTS = ("sessions", "clusterings", "uploads")


@pytest.fixture
def filled(stocked: Run, sample: SampleLab) -> Run:
    """A ledger with three sessions, each with a clustering."""
    write_input_file(sample)
    assert stocked("upload", "subject_1.yml").exit == 0
    return stocked


@pytest.mark.parametrize("what", LISTS)
def test_empty_list_says_what_to_do(run_here: Run, what: str) -> None:
    assert "daybook upload FILE" in run_here(what).err
    empty = {"ok": True, what: [], "more": False, "redactions": [], "first": None, "last": None, "count": 0}
    assert empty.items() <= run_here(what, "--json").json.items()
    assert empty.items() <= run_here(what, "--json", "--limit", "5").json.items()
    found = run_here(what, "--user", "nobody")
    assert found.out == "" and f"See them all: daybook {what}" in found.err  # a pipe has nothing


def test_lists_hold_their_records(filled: Run) -> None:
    found = filled("sessions", "--json").json["sessions"]
    assert [session["session_time"][:10] for session in found] == ["2023-05-03", "2023-05-02", "2023-05-01"]
    assert set(found[0]) == {
        "session", "status", "subject", "session_time", "location", "name", "username", "upload", "system",
        "replaces", "replaced_by", "experimenter", "room", "project", "reason", "message", "requested_at", "changed_at",
        "clusterings_inserted", "clusterings_waiting",
    }  # fmt: skip
    assert [(one["clusterings_inserted"], one["clusterings_waiting"]) for one in found] == [(1, 0)] * 3
    assert len(filled("clusterings", "--json").json["clusterings"]) == 3
    (upload,) = filled("uploads", "--json").json["uploads"]
    assert (upload["status"], upload["inserted"]) == ("processed", 3)
    for what in LISTS:
        assert "12345" in filled(what).out


def test_lists_are_filtered(filled: Run) -> None:
    def number(*arguments: str) -> int:
        return len(filled("sessions", "--json", *arguments).json["sessions"])

    assert number("--subject", "12345") == 3
    assert number("--subject", "999") == 0
    assert number("--user", "user_1", "--status", "inserted") == 3
    assert number("--status", "waiting") == 0
    assert number("--since", "2020-01-01") == 3
    assert number("--since", "2999-01-01T00:00:00+02:00") == 0
    assert number("--limit", "0") == 3


def test_limit_keeps_the_newest_and_says_that_there_are_more(filled: Run) -> None:
    document = filled("sessions", "--limit", "2", "--json").json
    assert document["more"] is True
    assert [session["session_time"][:10] for session in document["sessions"]] == ["2023-05-03", "2023-05-02"]
    ended = filled("sessions", "--limit", "2")
    last = document["sessions"][-1]["session"]
    assert ended.err == (
        f"Older sessions are not shown (2 of 3): --after {last} for the next page, --limit N for more of them, "
        "--limit 0 for all.\n"
    )
    assert ended.out.index("2023-05-02") < ended.out.index("2023-05-03")  # the newest last


def test_what_is_piped_is_whole_and_what_is_read_along_is_a_page(
    filled: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "daybook.toml").write_text("list_limit = 2\n")
    events = len(filled("log", "--json").json["events"])

    assert filled("sessions").out.count("\n") == 4 and filled("sessions").err == ""
    assert filled("log").out.count("\n") == events + 1 and filled("log").err == ""

    monkeypatch.setattr("commands.cli.output.is_terminal", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((1000, 24)))

    assert filled("sessions").out.count("\n") == 3
    assert "Older sessions are not shown (2 of 3)" in filled("sessions").err
    assert filled("log").out.count("\n") == 3
    assert filled("sessions", "--limit", "0").err == ""


def test_all_of_a_list_is_the_document_of_a_page_that_holds_it_all(filled: Run) -> None:
    for what in LISTS:
        streamed, page = filled(what, "--json"), filled(what, "--json", "--limit", "50")
        assert streamed.json == page.json
        assert set(page.json) == {
            "ok", what, "more", "first", "last", "count", "count_or_more", "looked_at", "looked_back_to", "position",
            "redactions",
        }  # fmt: skip


def test_cursors_lead_on_in_both_directions(filled: Run) -> None:
    all_of_it = [row["session"] for row in filled("sessions", "--json").json["sessions"]]
    newest, middle, oldest = all_of_it

    def listed(*arguments: str) -> list[str]:
        return [row["session"] for row in filled("sessions", "--json", *arguments).json["sessions"]]

    assert listed("--after", newest) == [middle, oldest]
    assert listed("--before", oldest[1:], "--limit", "1") == [middle]
    assert listed("--after", newest, "--limit", "0") == [middle, oldest]
    assert middle in filled("sessions", "--after", newest, "--limit", "0").out
    assert newest not in filled("sessions", "--after", newest, "--limit", "0").out
    assert filled("sessions", "--after", "yesterday").exit == 2


def test_sessions_are_filtered_by_what_they_hold_and_what_they_lack(filled: Run) -> None:
    def number(*arguments: str) -> int:
        found = filled("sessions", "--json", *arguments)
        size = found.json["position"]
        assert filled("sessions", "--json", *arguments, "--as-of", str(size)).json == found.json
        return len(found.json["sessions"])

    probe = filled("show", filled("sessions", "--json").json["sessions"][0]["session"], "--json").json[
        "probes"
    ][0]
    assert number("--task", "OpenField") == 3
    assert number("--task", "NoTask") == 0
    assert number("--probe", probe["probe"]) == 3
    assert number("--project", "nothing") == 0
    assert number("--missing", "tasks") == number("--missing", "clusterings", "--missing", "room") == 0
    assert number("--text", "2023-05-02_") == 1
    assert number("--until", "2001-01-01") == 0


@pytest.mark.parametrize("what", ["clusterings", "uploads"])
def test_lists_are_filtered_by_the_sessions_behind_their_records(filled: Run, what: str) -> None:
    everything = len(filled(what, "--json").json[what])

    def number(*arguments: str) -> int:
        found = filled(what, "--json", *arguments)
        size = found.json["position"]
        assert filled(what, "--json", *arguments, "--as-of", str(size)).json == found.json
        return len(found.json[what])

    assert number("--task", "OpenField") == everything > 0
    assert number("--task", "NoTask") == number("--project", "nothing") == number("--missing", "tasks") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("request", "list", "--project", "x"), "Requests cannot be filtered by project: sessions, clusterings and uploads can."),
        (("clusterings", "--missing", "clusterings"), "Clusterings cannot lack clusterings: sessions and uploads can."),
    ],
)  # fmt: skip
def test_filter_of_other_lists_is_wrong_usage_that_names_them(
    run_here: Run, arguments: tuple[str, ...], said: str
) -> None:
    ended = run_here(*arguments)

    assert ended.exit == 2
    assert said in ended.err


@pytest.mark.parametrize(
    "arguments",
    [["--since", "tomorrow"], ["--since", "2026-13-45"], ["--limit", "-1"], ["--status", "lost"]],
)
def test_wrong_filters_are_wrong_usage(run_here: Run, arguments: list[str]) -> None:
    ended = run_here("sessions", *arguments)
    assert ended.exit == 2
    assert ended.err.count("\n") == 1


def test_record_is_found_by_id_location_and_time(filled: Run, sample: SampleLab) -> None:
    first = filled("sessions", "--json").json["sessions"][-1]
    location = str(sample.subjects[0].sessions[0].directory)
    for reference in (
        first["session"],
        location,
        f"{location}/",
        location.replace("/", "\\"),
        first["session_time"],
    ):
        document = filled("show", reference, "--json").json
        assert (document["kind"], document["session"]) == ("session", first["session"]), reference
    assert len(document["tasks"]) == 3
    assert document["probes"][0]["matched_by"] == "serial"
    text = filled("show", first["session"]).out
    assert "tasks:" in text and "probes:" in text and "OpenField" in text


def test_upload_and_clustering_are_shown_whole(filled: Run) -> None:
    (upload,) = filled("uploads", "--json").json["uploads"]
    clustering = filled("clusterings", "--json").json["clusterings"][0]
    shown = filled("show", upload["upload"], "--json").json
    assert shown["kind"] == "upload" and len(shown["new_sessions"]) == 3
    assert filled("show", clustering["clustering"], "--json").json["outputs"]
    assert upload["sha256"] in filled("show", upload["upload"]).out
    assert "outputs:" in filled("show", clustering["clustering"]).out


@pytest.mark.parametrize("verb", ["show", "why", "history"])
def test_unknown_reference_says_what_a_reference_is(run_here: Run, verb: str) -> None:
    ended = run_here(verb, "s999")
    assert ended.exit == 1
    assert "Nothing here is called" in ended.err
    assert run_here(verb, "s999", "--json").json["error"]["code"] == "not-found"


def test_why_says_that_all_is_well(filled: Run) -> None:
    session = filled("sessions", "--json").json["sessions"][0]["session"]
    upload = filled("uploads", "--json").json["uploads"][0]["upload"]
    for reference, status in ((session, "inserted"), (upload, "processed")):
        document = filled("why", reference, "--json").json
        assert (document["ref"], document["status"], document["reason"]) == (reference, status, None)
        assert document["next_steps"] == []
        assert "Nothing to do." in filled("why", reference).out


def test_history_is_oldest_first(filled: Run) -> None:
    session = filled("sessions", "--json").json["sessions"][0]["session"]
    document = filled("history", session, "--json").json
    assert document["ref"] == session
    assert [event["type"] for event in document["events"]] == ["SessionInsertRequested", "SessionInserted"]
    assert "SessionInserted" in filled("history", session).out


def test_history_of_a_stream(filled: Run) -> None:
    events = filled("history", "subject/0/12345", "--json").json["events"]
    assert [event["type"] for event in events] == ["SubjectRegistered", "ProbeInserted"]


def test_log_is_filtered(filled: Run) -> None:
    def types(*arguments: str) -> list[str]:
        return [event["type"] for event in filled("log", "--json", *arguments).json["events"]]

    assert types()[0] == "LedgerCreated"
    assert types("--limit", "1") == [types()[-1]]
    assert types("--type", "SessionInserted") == ["SessionInserted"] * 3
    assert set(types("--subject", "12345", "--actor", "user_1")) >= {"SubjectRegistered", "SessionInserted"}
    assert types("--until", "2001-01-01") == []
    assert types("--since", "2001-01-01", "--until", "2999-01-01") == types()


def test_unknown_event_type_is_answered_with_the_near_one(run_here: Run) -> None:
    assert 'Did you mean "SessionInserted"?' in run_here("log", "--type", "SesionInserted").err


def test_every_type_of_event_has_a_phrase() -> None:
    from commands.answers.phrases import _PHRASES
    from ledger.events import TYPES

    assert set(_PHRASES) == set(TYPES), "_PHRASES of commands/answers/phrases.py"


def test_every_event_of_a_full_ledger_is_phrased(filled: Run) -> None:
    ended = filled("log", "--limit", "0")
    lines = ended.out.splitlines()[1:]
    assert len(lines) == len(filled("log", "--json").json["events"])
