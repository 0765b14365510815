"""A server on a free port of this machine: one for all tests of a process, over the ledger of each test in turn."""

import asyncio
import atexit
import socket
import ssl
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx

import commands.web.callers
from commands.accounts.server_key import server_key
from commands.accounts.tokens import actor_by_token, create_token
from commands.door.actor import Actor
from commands.door.ledger import Ledger
from commands.door.settings import Settings
from commands.door.submit import Daybook
from commands.inputfile.limits import Limits
from commands.recordings.roots import Roots
from commands.web.measuring import Measures
from commands.web.server import Options, bind, server_of
from commands.web.serving import Serving
from commands.web.working import Working
from tests.ledger.writing import is_sqlite
from tests.patience import PATIENCE_S

LIMITS = Limits()
_PREFIX = "a-test-"
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody and is not asked: else each client would read all authorities that this machine knows."""


class _Running:
    """What is made once: the application, its socket and its thread. Whoever holds ``taken`` has it to itself."""

    def __init__(self) -> None:
        self.taken = threading.Lock()
        settings = Settings("", Roots.of({}), LIMITS, None, None, "a test")
        self.serving = Serving(None, settings, None)  # type: ignore[arg-type] # until a test has it
        listening, begun = bind("127.0.0.1", 0), threading.Event()
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        options = Options(host="127.0.0.1", port=0)
        self._server = server_of(self.serving, listening, options, lambda _: begun.set())
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        assert begun.wait(PATIENCE_S)
        atexit.register(self.stop)

    def _run(self, listening: socket.socket) -> None:
        with listening:
            asyncio.run(self._server.serve(sockets=[listening]))

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)


running: Callable[[], _Running] = cache(_Running)


class Server:
    """``as_`` gives a client that is signed in by a token of its own. Who acts by ``known_as`` has a token that no event
    tells of, so that a ledger holds the same whether it is asked here or at the server."""

    def __init__(self, url: str, beside: Path, *, limits: Limits = LIMITS, work: bool = True) -> None:
        self._running = running()
        assert self._running.taken.acquire(timeout=PATIENCE_S)
        self.url, self.address = url, self._running.address
        self.ledger = Ledger.open(url, connections=8)
        self.serving = self._running.serving
        self.serving.ledger = self.ledger
        self.serving.settings = Settings(url, Roots.of({}), limits, None, None, "a test")
        self.serving.key = server_key(beside)
        self.serving.folder = beside if is_sqlite(url) else None
        self.serving.measures = Measures()
        self.serving.working = Working(self.serving) if work else None
        if self.serving.working is not None:
            self.serving.working.take_up()
        self._clients: list[httpx.Client] = []
        self.anonymous = self.client()

    def client(self, **headers: str) -> httpx.Client:
        client = httpx.Client(
            base_url=self.address, headers=headers, timeout=PATIENCE_S, trust_env=False, verify=_NO_TLS
        )
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
        if self.serving.working is not None:
            self.serving.working.stop()
        self.ledger.close()
        self._running.taken.release()


def known_as(user: str) -> str:
    return _PREFIX + quote(user, safe="")


def _actor(ledger: Ledger, text: str, *, interface: str) -> Actor | None:
    if text.startswith(_PREFIX):
        return Actor(unquote(text.removeprefix(_PREFIX)), interface, authentication="claimed")
    return actor_by_token(ledger, text, interface=interface)


commands.web.callers.actor_by_token = _actor
