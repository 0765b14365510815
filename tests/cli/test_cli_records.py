"""sessions, clusterings, uploads, show, why, history, log."""

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
    assert "daybook upload FILE" in run_here(what).out
    assert run_here(what, "--json").json == {"ok": True, what: [], "more": False, "redactions": []}
    assert f"See them all: daybook {what}" in run_here(what, "--user", "nobody").out


def test_lists_hold_their_records(filled: Run) -> None:
    found = filled("sessions", "--json").json["sessions"]
    assert [session["session_time"][:10] for session in found] == ["2023-05-01", "2023-05-02", "2023-05-03"]
    assert set(found[0]) == {
        "session", "status", "subject", "session_time", "location", "name", "username", "upload", "system",
        "replaces", "replaced_by", "experimenter", "room", "project", "reason", "message", "requested_at", "changed_at",
    }  # fmt: skip
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
    assert [session["session_time"][:10] for session in document["sessions"]] == ["2023-05-02", "2023-05-03"]
    ended = filled("sessions", "--limit", "2")
    assert ended.err == "Older sessions are not shown: --limit N for more of them, --limit 0 for all.\n"


@pytest.mark.parametrize(
    "arguments",
    [["--since", "yesterday"], ["--since", "2026-13-45"], ["--limit", "-1"], ["--status", "lost"]],
)
def test_wrong_filters_are_wrong_usage(run_here: Run, arguments: list[str]) -> None:
    ended = run_here("sessions", *arguments)
    assert ended.exit == 2
    assert ended.err.count("\n") == 1


def test_record_is_found_by_id_location_and_time(filled: Run, sample: SampleLab) -> None:
    first = filled("sessions", "--json").json["sessions"][0]
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
        assert set(document) == {"ok", "ref", "status", "reason", "message", "resolve"}
        assert (document["ref"], document["status"], document["resolve"]) == (reference, status, [])
        assert "All is well" in filled("why", reference).out


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
    from commands.cli.phrases import _PHRASES
    from ledger.events import TYPES

    assert set(_PHRASES) == set(TYPES)


def test_every_event_of_a_full_ledger_is_phrased(filled: Run) -> None:
    ended = filled("log", "--limit", "0")
    lines = ended.out.splitlines()[1:]
    assert len(lines) == len(filled("log", "--json").json["events"])
