"""Tells a page that is looked at when the log has grown, as server-sent events; the page then asks for its parts again.

So many pages are told at once; whoever comes later is told nothing, and sees what is new by loading the page.
"""

from threading import BoundedSemaphore

from fastapi import APIRouter, Request
from starlette.responses import Response

from commands.web.holding_open import HeldOpen, Newest
from commands.web.pages.visiting import SignInFirst, visitor
from commands.web.serving import Serving
from ledger.errors import Refusal

MOST = 100
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


class _Told(HeldOpen):
    longest_s, every_s, retry_ms, goes_on = 600.0, 1.0, 5000, False

    def news(self) -> list[bytes] | None:
        position = self._newest.position()
        if position <= self._position:
            return []
        try:
            visitor(self._serving, self._request)
        except (SignInFirst, Refusal):
            return None
        self._position = position
        return [b"data: %d\n\n" % position]

    def no_place(self) -> Response:
        return Response(status_code=_NO_MORE)
