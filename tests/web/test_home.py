"""Home: what needs somebody stands in its row with the form that resolves it; what happened since is told once."""

import re

import pytest

from commands.samples.lab import SampleLab
from tests.cli.conftest import run_cli, write_input_file
from tests.serving import Server
from tests.web.conftest import Browser, joined
from tests.web.test_doing_on_pages import log_of


@pytest.fixture
def browser(server: Server, sample: SampleLab) -> Browser:
    assert run_cli("--db", server.url, "catalogue", "load", "catalogue.yml").exit == 0
    return joined(server, "user_1")


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', text)
    assert found is not None
    return found[1]


def test_a_lab_where_nothing_waits_says_so_and_what_would_fill_the_page(browser: Browser) -> None:
    shown = browser.get("/")

    assert "Nothing needs you" in shown.text and "Nothing of yours waits or failed" in shown.text


def test_what_happened_is_told_until_it_is_seen_and_not_twice(
    browser: Browser, server: Server, sample: SampleLab
) -> None:
    first = browser.get("/").text
    browser.post("/seen", until=hidden(first, "until"))
    assert "Nothing has happened" in browser.get("/").text

    write_input_file(sample)
    assert run_cli("--db", server.url, "upload", "subject_1.yml", user="user_2").exit == 0
    shown = browser.get("/").text
    assert "user_2 uploaded 1 input file, inserted 3 sessions" in shown
    until = hidden(shown, "until")
    assert until == str(len(log_of(server)))

    browser.post("/seen", until=until)
    browser.post("/seen", until="1")  # an older page that stood open
    assert "Nothing has happened" in browser.get("/").text
    assert run_cli("--db", server.url, "subject", "add", "77003", user="user_2").exit == 0
    assert "registered 1 subject" in browser.get("/").text


def test_what_one_has_seen_is_told_to_others_still(browser: Browser, server: Server) -> None:
    browser.post("/seen", until=hidden(browser.get("/").text, "until"))

    assert "Nothing has happened" not in joined(server, "user_2").get("/").text


@pytest.mark.parametrize("until", ["", "-1", "x", "9" * 30])
def test_what_is_no_position_moves_nothing(browser: Browser, until: str) -> None:
    assert browser.post("/seen", until=until).status_code == 422


def test_a_rejected_file_is_told_of_once(browser: Browser, server: Server, sample: SampleLab) -> None:
    write_input_file(sample, replaced=("150_square", "150_sqare"))
    assert run_cli("--db", server.url, "upload", "subject_1.yml", user="user_2").exit == 1

    shown = browser.get("/").text

    assert "1 input file rejected" in shown and "uploaded 1 input file" not in shown
