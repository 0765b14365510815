"""Help: the same topics on pages and on the command line, by their words and by the code of what was refused."""

import re

import pytest

from commands.answers.help_topics import help_for, topics
from commands.cli.next_steps import worded
from commands.web.pages.next_steps import ON_MACHINE, way
from tests.cli.conftest import Run, run_here
from tests.serving import Server
from tests.web.conftest import joined

__all__ = ["run_here"]
HEADINGS = {
    "Invitation link invalid": "invitation",
    "Too many authentication requests in one hour": "too-many-attempts",
    "Invalid username or password": "wrong-password",
    "Failed to authenticate user: Missing or incorrect credentials": "not-signed-in",
    "Not receiving emails": "mail",
    "Documentation not accessible": "documentation",
    "Long error message (traceback)": "server-fault",
    "Token expires during delivery": "token-expired",
    "Storing the login information locally": "token-file",
    "QuotaExceeded": "disk-full",
    "Unrecoverable key error": "key-lost",
    "Internal Server Error": "server-fault",
    "Errors occurred during upload": "upload-errors",
    "Deadlock": "deadlock",
    "Lost access to 2FA Authenticator App": "second-factor",
    "No data specified": "no-file",
    "I can't connect to the database or web gui": "unreachable",
    "The web GUI keeps sending me back to the login": "back-to-sign-in",
    "I ingested the wrong data": "wrong-data",
    "I ingested my session but it's not been analysed": "waits",
    "There are more analysis results than I expected": "duplicates",
    "I get a Permission Denied error message": "not-permitted",
}


@pytest.mark.parametrize("heading", HEADINGS)
def test_what_people_are_used_to_look_for_leads_to_its_topic(heading: str) -> None:
    found = [topic.id for topic in help_for(heading).topics[:3]]

    assert HEADINGS[heading] in found


def test_a_code_leads_to_its_topic_alone_and_each_code_to_one() -> None:
    codes = [code for topic in topics() for code in topic.codes]

    assert len(codes) == len(set(codes))
    for topic in topics():
        for code in topic.codes:
            assert [each.id for each in help_for(code).topics] == [topic.id]


def test_what_helps_is_worded_by_both_faces() -> None:
    for topic in topics():
        for step in topic.next_steps:
            assert worded(step).startswith("daybook "), step
            assert way(step) is not None or step.action in ON_MACHINE, step


def test_the_command_line_explains_what_is_no_verb_and_still_every_verb(run_here: Run) -> None:
    topic, verb, nothing = (
        run_here("help", *words.split()) for words in ("permission denied", "upload", "qqqq xxxx")
    )

    assert (
        topic.exit == 0
        and topic.out.startswith("Permission denied\n")
        and "daybook role request" in topic.out
    )
    assert verb.exit == 0 and "Usage: " in verb.out
    assert nothing.exit == 2 and "no help about" in nothing.err
    assert run_here("help", "permission", "denied", "--json").json["topics"][0]["id"] == "not-permitted"


def test_help_is_searched_read_and_printed_on_pages(ledger_url: str, server: Server) -> None:
    browser = joined(server, "user_2")

    found = browser.get("/help?q=permission+denied").text
    every = browser.get("/help").text
    whole = browser.get("/help/docs/all")

    assert found.index("Permission denied") < found.index("</article>") and 'href="/people"' in found
    assert every.count("<article") == len(topics())
    assert whole.status_code == 200 and "<h1>Architecture</h1>" in whole.text
    for name in re.findall(r'href="/help/docs/([\w-]+)"', every):
        assert browser.get(f"/help/docs/{name}").status_code == 200, name
    assert browser.get("/help/docs/nonsense").status_code == 404
    assert browser.get("/help/docs/..%2f..%2fpyproject").status_code == 404


def test_what_was_refused_leads_to_help_by_its_code(ledger_url: str, server: Server) -> None:
    page = joined(server, "user_2").get("/sessions/s999999")

    assert page.status_code == 404 and 'href="/help?q=not-found"' in page.text
