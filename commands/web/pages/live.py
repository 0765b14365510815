"""Tells a page that is looked at when the log has grown, as server-sent events; the page then asks for its parts again.

So many pages are told at once; whoever comes later is told nothing, and sees what is new by loading the page.
"""

import time
from collections.abc import AsyncIterator
from threading import BoundedSemaphore

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from commands.web.following import STREAM, Newest
from commands.web.pages.visiting import SignInFirst, visitor
from commands.web.serving import Serving
from ledger.errors import Refusal

MOST = 100
LONGEST_S = 600.0
EVERY_S = 1.0
ALIVE_S = 15.0
_NO_MORE = 204
"""A browser that gets this does not come again by itself."""


def live(serving: Serving) -> APIRouter:
    router = APIRouter()
    places, newest = BoundedSemaphore(MOST), Newest(serving)

    def told(request: Request) -> Response:
        text = request.query_params.get("after", "")
        try:
            visitor(serving, request)
        except (SignInFirst, Refusal):
            return Response(status_code=_NO_MORE)
        after = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else newest.position()
        return _Told(serving, request, places, newest, after)

    router.add_api_route("/live", told, methods=["GET"])
    return router


class _Told(StreamingResponse):
    def __init__(
        self, serving: Serving, request: Request, places: BoundedSemaphore, newest: Newest, after: int
    ) -> None:
        self._serving, self._request, self._places, self._newest = serving, request, places, newest
        self._after = after
        super().__init__(self._pieces(), media_type=STREAM, headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._places.acquire(blocking=False):
            await Response(status_code=_NO_MORE)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.release()

    async def _pieces(self) -> AsyncIterator[bytes]:
        began = said = time.monotonic()
        yield b"retry: 5000\n\n"
        while not self._serving.stopping.is_set() and time.monotonic() - began < LONGEST_S:
            position = await run_sync(self._grown)
            if position is None:
                return
            if position > self._after:
                self._after, said = position, time.monotonic()
                yield f"data: {position}\n\n".encode()
            elif time.monotonic() - said > ALIVE_S:
                said = time.monotonic()
                yield b": nothing new\n\n"
            await sleep(EVERY_S)

    def _grown(self) -> int | None:
        """None for whoever is signed in no longer."""
        position = self._newest.position()
        if position <= self._after:
            return position
        try:
            visitor(self._serving, self._request)
        except (SignInFirst, Refusal):
            return None
        return position
