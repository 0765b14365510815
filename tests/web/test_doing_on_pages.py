"""Every action has a form, made of its parameters; what is refused or wrong leaves what was typed where it is."""

import re
from typing import Any

import pytest

from commands.answers.actions import ACTIONS
from commands.answers.parameters import parameters
from commands.samples.lab import SampleLab
from tests.cli.conftest import run_cli
from tests.serving import Server
from tests.web.conftest import Browser, joined


def command_id_in(text: str) -> str:
    found = re.search(r'name="command_id" value="([^"]+)"', text)
    assert found is not None
    return found[1]


@pytest.fixture
def browser(server: Server, sample: SampleLab) -> Browser:
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    return joined(server, "user_1")


def log_of(server: Server) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = run_cli("--db", server.url, "log", "--limit", "0", "--json").json["events"]
    return events


def test_every_action_has_a_form_with_all_that_it_takes(browser: Browser) -> None:
    for action in ACTIONS:
        shown = browser.get(f"/do/{action.name}?ref=s12&association.probeA=npx_1")
        assert shown.status_code == 200, action.name
        names = {*re.findall(r' name="([^"]+)"', shown.text)}
        taken = {each.name for each in parameters(action.do)} - {"encoding", "association"}
        assert taken <= names, action.name
        if any(each.name == "association" for each in parameters(action.do)):
            assert "association.probeA" in names


def test_what_is_typed_is_done_under_the_id_of_the_form_so_that_a_second_send_does_nothing(
    browser: Browser, server: Server
) -> None:
    form = browser.get("/do/register-subject?name=77001")
    assert 'value="77001"' in form.text
    given = {"command_id": command_id_in(form.text), "name": "77001"}

    first = browser.post("/do/register-subject", **given)
    again = browser.post("/do/register-subject", **given)

    assert first.status_code == again.status_code == 200 and "77001" in first.text
    assert [e["type"] for e in log_of(server)].count("SubjectRegistered") == 1 + 1  # the one of the catalogue


def test_a_wrong_field_is_said_at_it_and_what_was_typed_stays(browser: Browser) -> None:
    answer = browser.post("/do/insert-probe", subject="12345", probe="<b>x", insertion_time="yesterday")

    assert answer.status_code == 422
    assert 'value="yesterday"' in answer.text and "&lt;b&gt;x" in answer.text and "<b>x" not in answer.text
    assert re.search(r'id="insertion_time"[^>]*aria-invalid="true"', answer.text)


def test_what_is_refused_says_so_above_the_form_with_what_would_help(browser: Browser) -> None:
    answer = browser.post(
        "/do/insert-probe", subject="99999", probe="quite another", insertion_time="2026-01-31T12:00"
    )

    assert answer.status_code == 422 and 'role="alert"' in answer.text and 'value="99999"' in answer.text
    assert 'href="/do/register-subject?name=99999"' in answer.text


def test_who_may_not_is_told_who_may(server: Server, browser: Browser) -> None:
    answer = joined(server, "user_3").post("/do/grant-role", user="user_3", role="admin")

    assert answer.status_code == 403 and "admin" in answer.text


def test_a_form_that_another_page_sends_is_refused(browser: Browser, server: Server) -> None:
    browser.client.headers["Sec-Fetch-Site"] = "cross-site"

    assert browser.post("/do/register-subject", name="77002").status_code == 403
    assert "77002" not in str(log_of(server))


def test_an_action_that_is_none_is_not_found(browser: Browser) -> None:
    assert browser.get("/do/press-a-button").status_code == 404
