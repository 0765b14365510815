"""Webhooks get every event, signed and in order; what is refused is put aside where admins see it."""

import hmac
import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from commands.accounts.server_key import ServerKey
from commands.accounts.webhooks import (
    MOST_DEAD,
    RemoveWebhook,
    WebhookLine,
    WebhookMade,
    add_webhook,
    list_webhooks,
    retry_webhook,
)
from commands.answers import webhook_sending
from commands.answers.rows import EventLine
from commands.answers.webhook_messages import NotTaken, may_be_sent_to, send
from commands.answers.webhook_sending import REFUSED_AT_MOST, WebhooksSent, send_due
from commands.door.actor import Actor
from commands.door.permission import NotPermitted
from commands.door.submit import Daybook
from ledger import secrets
from ledger.errors import Refusal
from tests.cli.conftest import Run, run_cli
from tests.ledger.writing import added, append

KEY = ServerKey([Fernet.generate_key()])
HERE = ("127.0.0.0/8",)
NOW = 1_800_000_000.0


class Receiver:
    """Takes messages at an address of this machine, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                outer.got.append((dict(self.headers), body))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_words: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/daybook?x=1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def positions(self) -> list[int]:
        return [json.loads(body)["position"] for _, body in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


class Hook:
    """One webhook from the first event on, and a clock that the test turns."""

    def __init__(self, daybook: Daybook, receiver: Receiver) -> None:
        self.daybook, self.now = daybook, NOW
        self.made: WebhookMade
        self.made, self.secret = add_webhook(daybook, KEY, receiver.url, since=0)

    def send(self, networks: tuple[str, ...] = HERE) -> WebhooksSent:
        return send_due(self.daybook.ledger, KEY, networks, clock=lambda: self.now)

    @property
    def line(self) -> WebhookLine:
        return list_webhooks(self.daybook, self.made.id).webhooks[0]


@pytest.fixture
def hook(daybook: Daybook, receiver: Receiver) -> Hook:
    return Hook(daybook, receiver)


def size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


def test_every_event_is_sent_once_it_is_there_in_order(
    hook: Hook, receiver: Receiver, daybook: Daybook
) -> None:
    hook.send()
    append(daybook.database, [added("user_2"), added("user_3")])
    hook.send()
    hook.send()

    assert receiver.positions == list(range(1, size(daybook) + 1))
    assert hook.line.sent_to == size(daybook)


def test_a_message_is_signed_with_its_time(hook: Hook, receiver: Receiver) -> None:
    hook.send()

    headers, body = receiver.got[0]
    at, _, signed = headers["Daybook-Signature"].removeprefix("t=").partition(",v1=")
    assert hook.secret is not None and int(at) == int(NOW)
    wanted = hmac.new(hook.secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
    assert signed == wanted
    assert headers["Daybook-Place"].startswith("1-") and headers["Daybook-Event"] == "LedgerCreated"


@pytest.mark.parametrize("status", [500, 503, 429, 408, 302])
def test_what_may_pass_is_tried_again_after_longer_and_longer(
    hook: Hook, receiver: Receiver, status: int
) -> None:
    receiver.answers = [status] * 3

    pauses = []
    for _ in range(3):
        assert hook.send().waiting == 1
        assert hook.send().sent == 0 and len(receiver.got) == len(pauses) + 1  # not before its time
        line = hook.line
        assert line.next_at is not None and str(status) in str(line.error)
        pauses.append(line.failures)
        hook.now += 2.0 ** len(pauses)
    hook.send()

    assert pauses == [1, 2, 3]
    assert receiver.positions[:4] == [1, 1, 1, 1] and receiver.positions[4] == 2
    assert hook.line.failures == 0 and hook.line.dead == []


def test_what_is_refused_is_put_aside_and_the_next_one_goes_on(
    hook: Hook, receiver: Receiver, daybook: Daybook
) -> None:
    receiver.answers = [400] * REFUSED_AT_MOST

    for _ in range(REFUSED_AT_MOST):
        hook.send()
        hook.now += 3600

    assert [letter.position for letter in hook.line.dead] == [1]
    assert hook.line.sent_to == size(daybook) and receiver.positions[REFUSED_AT_MOST:] == list(
        range(2, size(daybook) + 1)
    )

    receiver.got.clear()
    assert retry_webhook(daybook, hook.made.id).again == [1]
    hook.send()

    assert receiver.positions == [1] and hook.line.dead == []


def test_a_fault_of_ours_at_one_hook_holds_up_no_other(
    hook: Hook, receiver: Receiver, daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, _ = add_webhook(daybook, KEY, f"{receiver.url}&other", since=size(daybook) - 1)
    compose = webhook_sending.message_of

    def fault(event: EventLine, *rest: Any) -> Any:
        if event.position == 1:  # only the first hook is sent it
            raise RuntimeError("a fault")
        return compose(event, *rest)

    monkeypatch.setattr(webhook_sending, "message_of", fault)
    done = hook.send()

    assert (done.waiting, hook.line.failures) == (1, 1) and "(incident " in str(hook.line.error)
    assert list_webhooks(daybook, other.id).webhooks[0].sent_to == size(daybook)
    monkeypatch.undo()
    hook.now += 2
    assert hook.send().waiting == 0 and hook.line.error is None
    assert set(receiver.positions) == set(range(1, size(daybook) + 1))


def test_a_hook_with_many_dead_letters_stands_still(hook: Hook, receiver: Receiver, daybook: Daybook) -> None:
    letter = {"position": 1, "attempts": 5, "error": "it answers 400", "at": "2026-01-01T00:00:00.000000Z"}
    with daybook.database.writing() as transaction:
        kept = secrets.find(transaction, hook.made.id)
        assert kept is not None
        secrets.change(transaction, kept, kept.details | {"dead": [letter] * MOST_DEAD})

    assert hook.send().waiting == 1
    assert receiver.got == [] and hook.line.stopped


def test_a_message_is_sent_again_where_its_place_was_not_kept(
    hook: Hook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after it was taken, and before that was kept."""
    change = secrets.change

    def killed(*_words: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(secrets, "change", killed)
    with pytest.raises(KeyboardInterrupt):
        hook.send()
    monkeypatch.setattr(secrets, "change", change)
    hook.send()

    assert receiver.positions[:3] == [1, 1, 2]


def test_what_was_removed_is_sent_nothing(hook: Hook, receiver: Receiver, daybook: Daybook) -> None:
    daybook.submit(RemoveWebhook(id=hook.made.id))

    assert hook.send().sent == 0 and receiver.got == []
    assert list_webhooks(daybook).webhooks == []


def test_the_address_and_the_secret_stand_in_no_event(hook: Hook, daybook: Daybook) -> None:
    with daybook.reading() as world:
        text = str(world.transaction.run("SELECT payload FROM events").fetchall())
        kept = str(world.transaction.run("SELECT digest, details FROM secrets").fetchall())

    assert hook.secret is not None
    assert hook.secret not in text + kept and "/daybook?x=1" not in text + kept


def test_only_admins_see_and_make_them(hook: Hook, daybook: Daybook) -> None:
    other = Daybook(daybook.ledger, Actor("user_2"))

    for do in (
        lambda: list_webhooks(other), lambda: retry_webhook(other, hook.made.id),
        lambda: add_webhook(other, KEY, "https://example.org"),
    ):  # fmt: skip
        with pytest.raises(NotPermitted):
            do()


def test_a_private_address_is_sent_to_only_where_the_settings_name_its_network(
    hook: Hook, receiver: Receiver
) -> None:
    assert hook.send(()).waiting == 1
    hook.now += 10
    assert hook.send(("10.0.0.0/8",)).waiting == 1

    assert receiver.got == [] and "no address that may be sent to" in str(hook.line.error)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("8.8.8.8", True), ("10.0.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False), ("::1", False),
        ("::ffff:10.0.0.1", False), ("2002:0a00:0001::1", False), ("fd00::1", False), ("0.0.0.0", False),
        ("2001:4860:4860::8888", True), ("192.168.7.7", True),
    ],
)  # fmt: skip
def test_where_messages_may_go(address: str, may: bool) -> None:
    assert may_be_sent_to(ip_address(address), ("192.168.7.0/24",), only_private=False) is may


def test_what_is_not_encrypted_stays_in_the_named_networks() -> None:
    assert not may_be_sent_to(ip_address("8.8.8.8"), (), only_private=True)
    assert may_be_sent_to(ip_address("10.0.0.1"), ("10.0.0.0/8",), only_private=True)


def test_a_name_is_looked_up_once(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it leads to a moment later changes nothing."""
    import socket

    asked = []
    lookup = socket.getaddrinfo

    def changing(host: str, *words: Any, **options: Any) -> Any:
        asked.append(host)
        return lookup("127.0.0.1" if len(asked) > 1 else "198.51.100.7", *words, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)

    with pytest.raises(NotTaken, match="no address"):
        send(receiver.url.replace("127.0.0.1", "rebound.example"), b"", {}, ())
    assert asked == ["rebound.example"] and receiver.got == []


@pytest.mark.parametrize(
    "url", ["ftp://x", "https://", "https://user:x@host", "x", "https://h#f", "https://h:99999"]
)
def test_what_is_no_address_is_refused(daybook: Daybook, url: str) -> None:
    with pytest.raises(Refusal, match="no address of a webhook"):
        add_webhook(daybook, KEY, url)


def test_at_the_command_line(run_here: Run, receiver: Receiver, tmp_path: Path) -> None:
    Path("daybook.toml").write_text('[webhooks]\nnetworks = ["127.0.0.0/8"]\n')
    made = run_cli("webhook", "add", receiver.url, "--since", "0", "--json")
    hook = made.json["id"]
    receiver.answers = [400] * REFUSED_AT_MOST

    listed = run_cli("webhook", "list")
    sent = run_cli("webhook", "send")
    shown = run_cli("webhook", "show", hook)
    again = run_cli("webhook", "retry", hook)
    removed = run_cli("webhook", "remove", hook)

    assert made.json["secret"]["secret"] not in listed.out and hook in listed.out
    assert "1 webhook to be tried again" in sent.out and "it answers 400" in shown.out
    assert [ended.exit for ended in (made, listed, sent, shown, again, removed)] == [0] * 6
    assert run_cli("webhook", "list", user="user_2").exit == 4
