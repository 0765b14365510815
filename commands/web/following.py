"""The log as server-sent events: every event in order and those to come, for programs that go on where they left.

So many listen at once. Nobody holds the ledger open while waiting, a reader that is slow is sent no more than it takes,
and who is let in no longer hears nothing more.
"""

import time
from collections.abc import AsyncIterator
from threading import BoundedSemaphore, Lock
from typing import Annotated, Any

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from commands.answers.answering import Answering
from commands.answers.document import json_text
from commands.answers.following import AT_ONCE, EVERY_S, behind_mark, mark_of
from commands.answers.here import Here
from commands.answers.parameters import Number
from commands.answers.rows import EventLine
from commands.door.submit import Daybook
from commands.web.callers import caller, is_still_in
from commands.web.openapi import problems_of
from commands.web.operations import refuse_unknown
from commands.web.problems import Problem
from commands.web.serving import Serving
from ledger import log

MOST = 32
LONGEST_S = 3600.0
"""Then a connection ends, and the client comes again: a program that is gone without a word holds no place for good."""
ALIVE_S = 15.0
STREAM = "text/event-stream"
_Mark = Annotated[
    str | None, Header(description="The id of the last event that was handled.", max_length=100)
]
_After = Annotated[Number | None, Query(description="Begin behind this position; else with the first event.")]


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


def following(serving: Serving) -> APIRouter:
    router = APIRouter()
    places, newest = BoundedSemaphore(MOST), Newest(serving)

    def events(request: Request, after: _After = None, last_event_id: _Mark = None) -> Response:
        """Every event in order, and those to come, as server-sent events. The id of each is the place behind it."""
        actor = caller(serving, request)
        refuse_unknown(request, {"after"})
        ledger = Here(Daybook(serving.ledger, actor), serving.settings)
        position = behind_mark(ledger, last_event_id) if last_event_id else after or 0
        return _Events(serving, request, places, newest, ledger, position)

    router.add_api_route(
        "/events", events, methods=["GET"], operation_id="get_events",
        summary="Every event in order, and those to come.", responses=_described(), response_class=Response,
    )  # fmt: skip
    return router


def _described() -> dict[int | str, dict[str, Any]]:
    said = "Server-sent events: id (the place behind the event), event (its type), data (the event, as in the log)."
    return {200: {"description": said, "content": {STREAM: {"schema": {"type": "string"}}}}, **problems_of()}


class _Events(StreamingResponse):
    def __init__(
        self, serving: Serving, request: Request, places: BoundedSemaphore, newest: Newest, ledger: Answering,
        position: int,
    ) -> None:  # fmt: skip
        self._serving, self._request, self._places, self._newest = serving, request, places, newest
        self._ledger, self._position = ledger, position
        super().__init__(self._pieces(), media_type=STREAM, headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._places.acquire(blocking=False):
            problem = Problem(
                503, "too-many-followers", f"{MOST} programs follow this ledger here already.",
                "Try again in a while, or end another.", headers={"Retry-After": "30"},
            )  # fmt: skip
            await problem.response(self._serving.settings.contact)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.release()

    async def _pieces(self) -> AsyncIterator[bytes]:
        began = said = time.monotonic()
        yield b"retry: 2000\n\n"
        while not self._serving.stopping.is_set() and time.monotonic() - began < LONGEST_S:
            found = await run_sync(self._next)
            if found is None:
                return
            for event in found:
                yield _piece(event)
                self._position = event.position
            if found:
                said = time.monotonic()
                continue
            if time.monotonic() - said > ALIVE_S:
                yield b": nothing new\n\n"
                said = time.monotonic()
            await sleep(EVERY_S)

    def _next(self) -> list[EventLine] | None:
        """None where the caller is let in no longer."""
        if self._newest.position() <= self._position:
            return []
        if not is_still_in(self._serving, self._request):
            return None
        return list(self._ledger.ask("log", after=self._position, limit=AT_ONCE).events)


def _piece(event: EventLine) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        mark_of(event).encode(), event.type.encode(), json_text(event, indent=False),
    )  # fmt: skip
