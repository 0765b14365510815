"""Wrong data, from the question to what stands again: what is taken is drawn before anyone approves."""

from pathlib import Path

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import run_cli, write_input_file
from tests.serving import Server
from tests.web.conftest import Browser, joined
from tests.web.test_doing_on_pages import command_id_in


@pytest.fixture
def admin(server: Server, sample: SampleLab) -> Browser:
    """user_1, an admin; three sessions of user_2 are inserted."""
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    browser = joined(server, "user_1")
    write_input_file(sample)
    assert run_cli("--db", server.url, "upload", "subject_1.yml", user="user_2").exit == 0
    return browser


def sessions(server: Server) -> list[str]:
    found = run_cli("--db", server.url, "sessions", "--json").json["sessions"]
    return [each["session"] for each in found]


def asked_for(browser: Browser, ref: str) -> str:
    shown = browser.get(f"/wrong-data/delete?records={ref}")
    assert shown.status_code == 200 and "It would take" in shown.text
    answer = browser.post(
        "/wrong-data/delete", records=ref, reason="wrong animal", command_id=command_id_in(shown.text)
    )
    assert answer.url.path.startswith("/requests/d")
    return answer.url.path


def test_a_deletion_is_seen_asked_for_decided_and_restored(admin: Browser, server: Server) -> None:
    requester, ref = joined(server, "user_2"), sessions(server)[0]
    place = asked_for(requester, ref)

    seen = admin.get(place)
    assert f"Delete {ref}?" in seen.text and "<svg" in seen.text and "user_2" in seen.text
    assert "Approve and delete" in seen.text
    request = place.rpartition("/")[2]
    assert request in admin.get("/").text

    decided = admin.post("/do/approve-request", ref=request, back=place, command_id=command_id_in(seen.text))
    assert decided.url.path == place and "carried out" in decided.text
    assert run_cli("--db", server.url, "show", ref, "--json").json["status"] == "deleted"

    preview = admin.get(f"{place}/restore")
    assert "What would stand again" in preview.text and "Nothing stands in its way" in preview.text
    admin.post("/do/restore", ref=request, back=place, command_id=command_id_in(preview.text))
    assert run_cli("--db", server.url, "show", ref, "--json").json["status"] == "inserted"


def test_who_asked_may_take_it_back_and_who_may_not_decide_is_told_so(admin: Browser, server: Server) -> None:
    requester = joined(server, "user_2")
    place = asked_for(requester, sessions(server)[0])

    shown = requester.get(place)

    assert "An admin decides" in shown.text and "Approve" not in shown.text
    assert "Take the request back" in shown.text
    refused = requester.post("/do/approve-request", ref=place.rpartition("/")[2])
    assert refused.status_code == 403
    requester.post("/do/cancel-request", ref=place.rpartition("/")[2], back=place)
    for view in ("", "?decided=yes", "?status=cancelled", "?text=animal", "?user=user_2", "?status=nothing"):
        assert admin.get(f"/requests{view}").status_code == (422 if view == "?status=nothing" else 200)
    assert "taken back" in admin.get("/requests?decided=yes").text


def test_a_request_without_a_reason_is_refused_at_the_field(admin: Browser, server: Server) -> None:
    ref = sessions(server)[0]

    answer = admin.post("/wrong-data/delete", records=ref, reason=" ")

    assert answer.status_code == 422 and 'id="reason-wrong"' in answer.text
    assert run_cli("--db", server.url, "request", "list", "--json").json["requests"] == []


def test_what_cannot_be_deleted_is_said_where_it_was_asked(admin: Browser) -> None:
    assert admin.get("/wrong-data/delete?records=s999").status_code == 404
    assert admin.get("/wrong-data/delete?records=%3Cb%3E").status_code in (404, 422)


def test_a_request_twice_sent_is_one(admin: Browser, server: Server) -> None:
    given = {"records": sessions(server)[0], "reason": "wrong", "command_id": "sent-twice"}

    first, again = (admin.post("/wrong-data/delete", **given) for _ in range(2))

    assert first.url.path == again.url.path


def test_the_log_can_be_folded_without_an_upload(admin: Browser, server: Server) -> None:
    upload = run_cli("--db", server.url, "uploads", "--json").json["uploads"][0]["upload"]

    shown = admin.get(f"/wrong-data/what-if?without={upload}")

    assert shown.status_code == 200 and "would not be there" in shown.text and "gone" in shown.text
    assert admin.get("/wrong-data/what-if?without=nothing").status_code == 422
    assert admin.get("/wrong-data/what-if").status_code == 200


def test_a_replay_is_looked_at_before_it_is_done(admin: Browser, server: Server) -> None:
    upload = run_cli("--db", server.url, "uploads", "--json").json["uploads"][0]["upload"]
    before = run_cli("--db", server.url, "log", "--limit", "0", "--json").json["position"]

    shown = admin.get(f"/wrong-data/replay?upload={upload}")

    assert "0 of 3 sessions would be new" in shown.text
    assert run_cli("--db", server.url, "log", "--limit", "0", "--json").json["position"] == before


def test_a_redaction_shows_what_would_go_and_what_would_stay(admin: Browser, server: Server) -> None:
    ref = sessions(server)[0]

    shown = admin.get(f"/wrong-data/redact?position={ref[1:]}")

    assert shown.status_code == 200 and "What would go" in shown.text and "What would stay" in shown.text
    assert admin.get("/wrong-data/redact?position=999999").status_code == 422
    asked = admin.post("/do/request-redaction", position=ref[1:], reason="asked by a lawyer")
    assert asked.status_code == 200


def test_what_has_come_since_it_was_asked_is_marked_and_has_to_be_accepted(
    server: Server, sample: SampleLab
) -> None:
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    admin, requester = joined(server, "user_1"), joined(server, "user_2")
    directory = sample.subjects[0].sessions[0].directory
    Path("bare.yml").write_text(
        f'subject: {{name: "12345"}}\nsessions:\n  - {{location: "{directory}", experimenter: user_1, tasks: []}}\n'
    )
    Path("tasks.yml").write_text("tasks:\n  - {task_type: SleepTask, task_start: 1, task_stop: 2}\n")
    assert run_cli("--db", server.url, "upload", "bare.yml", user="user_2").exit == 0
    ref = sessions(server)[0]
    place = asked_for(requester, ref)
    assert "Grown since" not in admin.get(place).text
    added = run_cli("--db", server.url, "add-tasks", ref, "tasks.yml", user="user_2")
    assert added.exit == 0, added.shown

    shown = admin.get(place).text
    assert "Grown since it was asked" in shown and 'name="accept_impact"' in shown
    request = place.rpartition("/")[2]
    refused = admin.post("/do/approve-request", ref=request, back=place)
    assert refused.status_code != 200 and 'class="refused"' in refused.text
    admin.post("/do/approve-request", ref=request, back=place, accept_impact="yes")

    assert run_cli("--db", server.url, "show", ref, "--json").json["status"] == "deleted"


def test_two_moments_are_compared_record_by_record(admin: Browser, server: Server) -> None:
    ref = sessions(server)[0]

    shown = admin.get("/diff?start=1")

    assert shown.status_code == 200 and f"session {ref}" in shown.text and "new" in shown.text
    assert admin.get("/diff?start=tomorrow").status_code == 422
    assert admin.get("/diff").status_code == 200
