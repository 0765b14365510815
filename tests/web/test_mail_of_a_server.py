"""Mail of a server: what an admin makes on a page goes out by itself, and a mail server that is away fails nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from commands.door.settings import MailSettings
from commands.web import posting
from commands.web.posting import Posting
from tests.mail.conftest import Mailbox, mailbox, smtp
from tests.patience import until
from tests.serving import Server
from tests.web.conftest import joined
from tests.web.test_people_on_pages import link_in

__all__ = ["mailbox", "smtp"]


@pytest.fixture
def sending(server: Server, smtp: MailSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(posting, "EVERY_S", 0.05)
    server.serving.settings = replace(server.serving.settings, mail=smtp)
    server.serving.posting = Posting(server.serving)
    server.serving.posting.start()
    yield server
    server.serving.posting.stop()
    server.serving.posting = None


def test_an_invitation_with_an_address_goes_out_by_mail(sending: Server, mailbox: Mailbox) -> None:
    browser = joined(sending, "user_1")

    told = browser.post("/people/invite", user="user_2", email="user_2@example.org", command_id="one")
    browser.post("/people/invite", user="user_2", email="user_2@example.org", command_id="one")
    until(lambda: len(mailbox.mails) == 1)
    shown = browser.get("/people/outbox")

    assert link_in(told.text) in mailbox.bodies()[0] and mailbox.mails[0]["To"] == "user_2@example.org"
    assert "You are invited" in shown.text and "dbi_" not in shown.text
    over_http = sending.as_("user_1").post("/api/v1/actions/reset-password", json={"user": "user_1"})
    assert over_http.status_code == 403, "one's own takes another admin, and nothing goes out"


def test_a_mail_server_that_is_away_fails_no_command(sending: Server) -> None:
    settings = MailSettings("127.0.0.1", 1, "daybook@example.org", "none")
    sending.serving.settings = replace(sending.serving.settings, mail=settings)
    browser = joined(sending, "user_1")

    told = browser.post("/people/invite", user="user_2", email="user_2@example.org", command_id="one")

    assert told.status_code == 200 and link_in(told.text)
    until(lambda: "cannot be reached" in browser.get("/people/outbox").text)


def test_without_mail_the_link_is_shown_and_the_outbox_says_so(server: Server) -> None:
    browser = joined(server, "user_1")

    told = browser.post("/people/invite", user="user_2", email="user_2@example.org", command_id="one")

    assert link_in(told.text) and "sends no mail" in browser.get("/people/outbox").text
