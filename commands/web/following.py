"""The log as server-sent events: every event in order and those to come, for programs that go on where they left."""

from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from commands.answers.answering import Answering
from commands.answers.document import json_text
from commands.answers.following import AT_ONCE, EVERY_S, behind_mark, mark_of
from commands.answers.here import Here
from commands.answers.parameters import Number
from commands.answers.rows import EventLine
from commands.door.submit import Daybook
from commands.web.callers import caller, is_still_in
from commands.web.holding_open import STREAM, HeldOpen, Newest
from commands.web.openapi import problems_of
from commands.web.operations import refuse_unknown
from commands.web.problems import Problem
from commands.web.serving import Serving

MOST = 32
_Mark = Annotated[
    str | None, Header(description="The id of the last event that was handled.", max_length=100)
]
_After = Annotated[Number | None, Query(description="Begin behind this position; else with the first event.")]


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


class _Events(HeldOpen):
    longest_s, every_s, retry_ms, goes_on = 3600.0, EVERY_S, 2000, True

    def __init__(
        self, serving: Serving, request: Request, places: BoundedSemaphore, newest: Newest, ledger: Answering,
        position: int,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        super().__init__(serving, request, places, newest, position)

    def news(self) -> list[bytes] | None:
        if self._newest.position() <= self._position:
            return []
        if not is_still_in(self._serving, self._request):
            return None
        events = list(self._ledger.ask("log", after=self._position, limit=AT_ONCE).events)
        self._position = events[-1].position if events else self._position
        return [_piece(event) for event in events]

    def no_place(self) -> Response:
        problem = Problem(
            503, "too-many-followers", f"{MOST} programs follow this ledger here already.",
            "Try again in a while, or end another.", headers={"Retry-After": "30"},
        )  # fmt: skip
        return problem.response(self._serving.settings.contact)


def _piece(event: EventLine) -> bytes:
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        mark_of(event).encode(), event.type.encode(), json_text(event, indent=False),
    )  # fmt: skip
