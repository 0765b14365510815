"""Mail: put into an outbox, sent by a server, tried again; no secret stays behind, and nobody is told twice."""

from collections.abc import Callable
from typing import Any

import pytest

from commands.accounts.invitations import invite
from commands.accounts.preferences import SetPreferences
from commands.accounts.resets import issue_reset
from commands.answers.doing.people import invite_user
from commands.door.actor import Actor
from commands.door.settings import MailSettings
from commands.door.submit import Daybook
from commands.lab.people import SetPerson
from commands.lab.roles import GrantRole
from commands.mail import notices, sending
from commands.mail.notices import look
from commands.mail.outbox import Post, put_secret
from commands.mail.sending import Sent, send_due
from commands.mail.texts import Letter
from commands.requests.changes.roles import RequestRole
from commands.requests.closing import RejectRequest
from ledger import outbox
from tests.accounts.people import joined, signed_in
from tests.mail.conftest import Mailbox

__all__ = ["invite_user", "issue_reset"]


def invited(daybook: Daybook, post: Post, user: str = "user_2") -> str:
    """The link that went into the outbox."""
    answer, code = invite(daybook, user, email=f"{user}@example.org")
    link = f"https://daybook.example.org/accept/{code}"
    assert put_secret(post, "invite-user", answer, {"link": link, "code": code})
    return link


def mails(post: Post) -> list[outbox.Mail]:
    with post.ledger.database.reading() as transaction:
        return outbox.newest(transaction, 100)


def on_shelf(post: Post) -> str:
    with post.ledger.database.reading() as transaction:
        return repr(transaction.run("SELECT * FROM outbox").fetchall())


def due_again(post: Post) -> None:
    with post.ledger.database.writing() as transaction:
        transaction.run("UPDATE outbox SET next_at = created_at")


def test_an_invitation_is_encrypted_until_it_is_sent_and_blank_then(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox
) -> None:
    link = invited(daybook, post)
    before = on_shelf(post)

    assert send_due(post, smtp) == Sent(1, 0) and send_due(post, smtp) == Sent(0, 0)

    (mail,) = mails(post)
    assert link not in before and "dbi_" not in before and "user_2@example.org" not in before
    assert (mail.status, mail.body, mail.attempts) == ("sent", "", 1) and mail.sent_at
    (body,) = mailbox.bodies()
    assert link in body and mailbox.mails[0]["To"] == "user_2@example.org"
    assert mailbox.mails[0]["From"] == "daybook@example.org" and "invited" in mailbox.mails[0]["Subject"]


def test_what_cannot_be_sent_is_tried_again_later_with_the_reason(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox
) -> None:
    link = invited(daybook, post)
    away = MailSettings("127.0.0.1", 1, "daybook@example.org", "none")

    assert send_due(post, away) == Sent(0, 1) and send_due(post, away) == Sent(0, 0)
    (waiting,) = mails(post)
    assert waiting.status == "queued" and "cannot be reached" in waiting.reason
    assert waiting.next_at > waiting.created_at
    mailbox.refuses = "451 later"
    due_again(post)
    assert send_due(post, smtp) == Sent(0, 1)
    (waiting,) = mails(post)
    assert waiting.status == "queued" and "451" in waiting.reason
    mailbox.refuses = ""
    due_again(post)
    assert send_due(post, smtp) == Sent(1, 0)

    (mail,) = mails(post)
    assert (mail.status, mail.attempts, mail.reason) == ("sent", 3, "") and link in mailbox.bodies()[0]


def planted(*_: object, **__: object) -> object:
    raise RuntimeError("a fault")


def test_a_fault_of_ours_in_one_mail_holds_up_no_other(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in ("user_2", "user_3"):
        invited(daybook, post, user)
    compose = sending._message

    def fault(settings: MailSettings, mail: outbox.Mail, *rest: str) -> object:
        return planted() if mail.username == "user_2" else compose(settings, mail, *rest)

    monkeypatch.setattr(sending, "_message", fault)
    assert send_due(post, smtp) == Sent(1, 1)

    (waiting,) = [mail for mail in mails(post) if mail.status == "queued"]
    assert waiting.username == "user_2" and "a fault of daybook itself (incident " in waiting.reason
    monkeypatch.undo()
    due_again(post)
    assert send_due(post, smtp) == Sent(1, 0)


def test_an_event_that_cannot_be_told_holds_up_no_other(
    daybook: Daybook, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    researcher = staffed(daybook)
    look(post)
    ask(researcher)
    number = ask_elsewhere(daybook)
    monkeypatch.setattr(notices, "request_waits", fails_for(f"d{number}", notices.request_waits))

    assert look(post) == 2 and look(post) == 0, "the other one was told to both admins"


def test_a_gathered_mail_that_cannot_be_read_holds_up_no_digest(daybook: Daybook, post: Post) -> None:
    researcher = staffed(daybook)
    look(post)
    for user in ("user_1", "user_3"):
        Daybook(daybook.ledger, Actor(user)).submit(SetPreferences(user=user, mail={"mail-digest": "on"}))
    ask(researcher)
    look(post)
    with post.ledger.database.writing() as transaction:
        transaction.run("UPDATE outbox SET body = 'gAAAA' WHERE username = 'user_1'")
        transaction.run("UPDATE mail_position SET day = '2020-01-01'")

    assert look(post) == 1

    assert {(mail.username, mail.status) for mail in mails(post)} == {
        ("user_1", "failed"),
        ("user_3", "queued"),
    }


@pytest.mark.parametrize("why", ["refused", "expired", "without an address", "too often", "another key"])
def test_what_will_never_be_sent_has_failed_and_keeps_no_body(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox, why: str
) -> None:
    invited(daybook, post)
    changes = {
        "expired": "UPDATE outbox SET until = created_at",
        "without an address": "DELETE FROM people",
        "too often": "UPDATE outbox SET attempts = 11",
        "another key": "UPDATE outbox SET body = 'gAAAA'",
    }
    mailbox.refuses = "554 never" if why == "refused" else "451 later" if why == "too often" else ""
    if why in changes:
        with post.ledger.database.writing() as transaction:
            transaction.run(changes[why])

    assert send_due(post, smtp) == Sent(0, 1)

    (mail,) = mails(post)
    assert (mail.status, mail.body) == ("failed", "") and mail.reason and not mailbox.mails
    due_again(post)
    assert send_due(post, smtp) == Sent(0, 0)


def test_who_has_no_address_gets_no_mail_and_a_command_says_nothing_of_it(
    daybook: Daybook, post: Post
) -> None:
    answer, code = invite(daybook, "user_2")

    assert not put_secret(post, "invite-user", answer, {"link": "https://x/accept/1", "code": code})
    assert mails(post) == []


def staffed(daybook: Daybook) -> Daybook:
    """Two admins and a researcher with addresses; who asks is the researcher."""
    joined(daybook, "user_2")
    for user in ("user_1", "user_2", "user_3"):
        daybook.submit(SetPerson(user=user, email=f"{user}@example.org"))
    daybook.submit(GrantRole(user="user_3", role="admin"))
    return signed_in(daybook, "user_2")


def ask(researcher: Daybook) -> int:
    done = researcher.submit(RequestRole(role="admin", reason="I keep the rig."))
    return int(done.result.request[1:])


def ask_elsewhere(daybook: Daybook) -> int:
    """Another request that waits for the two admins, by another researcher."""
    joined(daybook, "user_4")
    return ask(signed_in(daybook, "user_4"))


def fails_for(request: str, tell: Callable[..., Letter]) -> Callable[..., Letter]:
    def fault(lab: str, number: str, *rest: Any) -> Letter:
        if number == request:
            raise RuntimeError("a fault")
        return tell(lab, number, *rest)

    return fault


def told(post: Post) -> set[tuple[str, str]]:
    return {(mail.username, mail.subject.partition(" at ")[2].partition(" ")[2]) for mail in mails(post)}


def test_what_waits_is_told_to_the_admins_and_what_became_of_it_to_who_asked(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox
) -> None:
    researcher = staffed(daybook)
    assert look(post) == 0, "of the past nothing is told"

    number = ask(researcher)
    assert look(post) == 2 and look(post) == 0
    daybook.submit(RejectRequest(request=number, reason="Not now."))
    assert look(post) == 1 and look(post) == 0
    send_due(post, smtp)

    assert told(post) == {
        ("user_1", "waits for a decision"), ("user_3", "waits for a decision"), ("user_2", "was rejected"),
    }  # fmt: skip
    assert all(f"https://daybook.example.org/requests/d{number}" in body for body in mailbox.bodies())


def test_each_kind_can_be_turned_off_or_gathered_into_a_daily_digest(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    researcher = staffed(daybook)
    look(post)
    Daybook(daybook.ledger, Actor("user_3")).submit(
        SetPreferences(user="user_3", mail={"mail-requests": "off"})
    )
    Daybook(daybook.ledger, Actor("user_1")).submit(SetPreferences(user="user_1", mail={"mail-digest": "on"}))

    ask(researcher)
    look(post)
    assert send_due(post, smtp) == Sent(0, 0) and [mail.status for mail in mails(post)] == ["gathered"]
    with post.ledger.database.writing() as transaction:
        transaction.run("UPDATE mail_position SET day = '2020-01-01'")
    assert look(post) == 1 and look(post) == 0
    assert send_due(post, smtp) == Sent(1, 0)

    (body,) = mailbox.bodies()
    assert "waits for the decision" in body and [mail.username for mail in mails(post)] == ["user_1"]


def test_what_has_waited_for_a_week_is_reminded_of_once_a_week(
    daybook: Daybook, post: Post, smtp: MailSettings, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    researcher = staffed(daybook)
    number = ask(researcher)
    look(post)

    def on_day(day: str) -> int:
        with post.ledger.database.writing() as transaction:
            transaction.run("UPDATE mail_position SET day = ?", (day,))
        return look(post)

    assert on_day("2020-01-01") == 0, "it has not waited for long"
    monkeypatch.setattr(notices, "_long_ago", lambda: "9999")
    assert on_day("2020-01-02") == 2
    send_due(post, smtp)
    with post.ledger.database.writing() as transaction:
        transaction.run("DELETE FROM outbox")
    assert on_day("2020-01-03") == 0, "whoever was reminded is not reminded again within the week"
    assert len(mailbox.mails) == 2 and all(f"d{number}" in body for body in mailbox.bodies())
