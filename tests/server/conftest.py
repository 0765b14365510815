"""A server on a free port of this machine, over a fresh ledger; and a client for each who calls."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands.accounts.server_key import server_key
from commands.accounts.tokens import create_token
from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.settings import Settings
from commands.door.submit import Daybook
from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots
from commands.web.server import Options, bind, server_of
from commands.web.serving import Serving
from commands.web.working import Working
from tests.accounts.conftest import quick_passwords
from tests.cli.conftest import folder, sample
from tests.ledger.writing import is_sqlite
from tests.patience import PATIENCE_S

__all__ = ["Server", "folder", "quick_passwords", "sample", "server"]
LIMITS = Limits()


class Server:
    """``as_`` gives a client that is signed in by a token of its own."""

    def __init__(self, url: str, beside: Path, *, limits: Limits = LIMITS, work: bool = True) -> None:
        self.url = url
        self.ledger = Ledger.open(url, connections=8)
        settings = Settings(url, Roots.of({}), limits, None, None, "a test")
        self.serving = Serving(self.ledger, settings, server_key(beside), beside if is_sqlite(url) else None)
        if work:
            self.serving.working = Working(self.serving)
        listening, told, begun = bind("127.0.0.1", 0), list[str](), threading.Event()
        self._server = server_of(
            self.serving,
            listening,
            Options(host="127.0.0.1", port=0),
            lambda address: (told.append(address), begun.set()),
        )
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve(sockets=[listening])), daemon=True
        )
        self._thread.start()
        assert begun.wait(PATIENCE_S)
        self.address = told[0]
        self._clients: list[httpx.Client] = []
        self.anonymous = self.client()

    def client(self, **headers: str) -> httpx.Client:
        client = httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE_S, trust_env=False)
        self._clients.append(client)
        return client

    def token(self, user: str, **options: Any) -> str:
        """As if the user had signed in with a password."""
        daybook = Daybook(self.ledger, Actor(user, "api", authentication="password"))
        _, secret = create_token(daybook, "a test", **options)
        assert secret is not None
        return secret

    def as_(self, user: str, **options: Any) -> httpx.Client:
        return self.client(Authorization=f"Bearer {self.token(user, **options)}")

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        if self.serving.working is not None:
            self.serving.working.stop()
        self.ledger.close()


@pytest.fixture
def server(ledger_url: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(ledger_url, tmp_path)
    yield made
    made.close()
