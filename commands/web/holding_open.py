"""An answer that is held open: server-sent events to whoever listens, until he or she is let in no longer.

So many listen at once. Nobody holds the ledger open while waiting, and a reader that is slow is sent no more than it
takes.
"""

import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from threading import BoundedSemaphore, Lock
from typing import ClassVar

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from commands.answers.following import EVERY_S
from commands.web.serving import Serving
from ledger import log

ALIVE_S = 15.0
STREAM = "text/event-stream"


class Newest:
    """How far the ledger has come, asked once for all who wait."""

    def __init__(self, serving: Serving) -> None:
        self._serving, self._lock = serving, Lock()
        self._known, self._asked_at = 0, float("-inf")

    def position(self) -> int:
        with self._lock:
            if time.monotonic() - self._asked_at >= EVERY_S / 2:
                with self._serving.ledger.database.reading() as transaction:
                    self._known = log.read_head(transaction).size
                self._asked_at = time.monotonic()
            return self._known


class HeldOpen(StreamingResponse):
    """Looks for news ``every_s``; with ``goes_on`` at once again where there were some. After ``longest_s`` it ends,
    and the client comes again, after ``retry_ms``: one that is gone without a word holds no place for good."""

    longest_s: ClassVar[float]
    every_s: ClassVar[float]
    retry_ms: ClassVar[int]
    goes_on: ClassVar[bool]

    def __init__(
        self, serving: Serving, request: Request, places: BoundedSemaphore, newest: Newest, position: int
    ) -> None:
        self._serving, self._request, self._places, self._newest = serving, request, places, newest
        self._position = position
        super().__init__(self._pieces(), media_type=STREAM, headers={"Cache-Control": "no-store"})

    @abstractmethod
    def news(self) -> list[bytes] | None:
        """What has come behind ``_position``, which is moved on. None where the caller is let in no longer."""

    @abstractmethod
    def no_place(self) -> Response:
        """For whoever comes when all places are taken."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._places.acquire(blocking=False):
            await self.no_place()(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.release()

    async def _pieces(self) -> AsyncIterator[bytes]:
        began = said = time.monotonic()
        yield b"retry: %d\n\n" % self.retry_ms
        while not self._serving.stopping.is_set() and time.monotonic() - began < self.longest_s:
            found = await run_sync(self.news)
            if found is None:
                return
            for piece in found:
                yield piece
            if found:
                said = time.monotonic()
                if self.goes_on:
                    continue
            elif time.monotonic() - said > ALIVE_S:
                yield b": nothing new\n\n"
                said = time.monotonic()
            await sleep(self.every_s)
