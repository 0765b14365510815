"""A mail server of the test, and a lab that sends mail by it."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from commands.accounts.server_key import server_key
from commands.door.settings import MailSettings
from commands.door.submit import Daybook
from commands.mail.outbox import Post
from tests.accounts.conftest import quick_passwords

__all__ = ["quick_passwords"]


class Mailbox:
    """``refuses`` is what it answers instead of taking a mail."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refuses = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - of the library
        if self.refuses:
            return self.refuses
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"

    def bodies(self) -> list[str]:
        return [mail.get_payload(decode=True).decode() for mail in self.mails]  # type: ignore[union-attr]


class _AnyPort(Controller):
    """It looks whether it can be reached, at the port that it got."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[MailSettings]:
    controller = _AnyPort(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    assert controller.server is not None
    port = controller.server.sockets[0].getsockname()[1]
    yield MailSettings("127.0.0.1", port, "daybook@example.org", "none")
    controller.stop()


@pytest.fixture
def post(daybook: Daybook, tmp_path: Path) -> Post:
    return Post(daybook.ledger, server_key(tmp_path), "https://daybook.example.org")
