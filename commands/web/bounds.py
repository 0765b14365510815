"""Bounds of a request: how many bytes its body may have, how long it may take to arrive; and the headers of every
answer.

Plain ASGI: it counts what arrives while it arrives, whatever the headers say.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from commands.answers import wire
from commands.door.logs import LOG
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from ledger import __version__

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY = 1 << 20
AROUND_A_FILE = 1 << 16  # bytes of a body that are not the file
BETWEEN_PIECES_S = 20.0
WHOLE_BODY_S = 600.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_WHAT_ANSWERS = ((wire.VERSION.lower().encode(), __version__.encode()),)


class TooLarge(Exception):
    """More than the bound of bytes arrived."""


class TooSlow(Exception):
    """The body did not arrive in time."""


class Bounds:
    """``files`` are the paths whose bodies hold a file, and how many bytes each byte of it may take there."""

    def __init__(self, app: App, *, serving: Serving, files: Mapping[str, int]) -> None:
        self.app, self._serving, self._files = app, serving, files

    def _most(self, path: str) -> int:
        each = self._files.get(path)
        if each is None:
            return BODY
        return each * self._serving.settings.limits.input_file_bytes + AROUND_A_FILE

    async def _refuse(
        self, problem: Problem, scope: Scope, receive: Receive, send: Send, sent: dict[str, int]
    ) -> None:
        if not sent["status"]:  # else the answer has begun: the connection ends
            response = problem.response(self._serving.settings.contact)
            response.headers["connection"] = "close"
            await response(scope, receive, send)

    def _problem_of(self, error: Exception, scope: Scope) -> Problem:
        return problem_of(
            error, doing=f"serve: {scope['method']} {_pattern(scope)}", beside=self._serving.folder
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self._most(scope["path"])
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex[:16]
        told: list[tuple[bytes, bytes]] = [(b"x-request-id", request_id.encode()), *_WHAT_ANSWERS]
        scope.setdefault("state", {}).update(request_id=request_id, told=told)
        began, sent = time.perf_counter(), {"status": 0}
        sending = _with_headers(send, told, sent)
        try:
            await self.app(scope, _bounded(receive, most), sending)
        except TooLarge:
            problem = Problem(
                413, "too-large", f"The body has more than {most:,} bytes.", "Send less at once."
            )
            await self._refuse(problem, scope, receive, sending, sent)
        except TooSlow:
            problem = Problem(
                408, "too-slow", "The body of the request did not arrive in time.", "Send it again."
            )
            await self._refuse(problem, scope, receive, sending, sent)
        except Exception as error:  # noqa: BLE001 - nobody ever sees a traceback
            await self._refuse(self._problem_of(error, scope), scope, receive, sending, sent)
        finally:
            seconds = time.perf_counter() - began
            _log(scope, request_id, sent["status"], seconds)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._serving.measures.answered(method, _pattern(scope), sent["status"], seconds)


def _bounded(receive: Receive, most: int) -> Receive:
    arrived = 0
    deadline = time.monotonic() + WHOLE_BODY_S
    ended = False

    async def bounded() -> Message:
        nonlocal arrived, ended
        if ended:  # all that can come now: the client went away
            return await receive()
        patience = min(BETWEEN_PIECES_S, deadline - time.monotonic())
        try:
            message = await asyncio.wait_for(receive(), max(patience, 0.001))
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.request":
            arrived += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if arrived > most:
                raise TooLarge
        return message

    return bounded


def _with_headers(send: Send, told: list[tuple[bytes, bytes]], sent: dict[str, int]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent["status"] = message["status"]
            there = {name.lower() for name, _ in message.get("headers", ())}
            added = [(name, value) for name, value in _HEADERS if name not in there]
            message = {
                **message,
                "headers": [*message.get("headers", ()), *added, *told],
            }
        await send(message)

    return sending


def _pattern(scope: Scope) -> str:
    """Of the path: a client may have put anything into the path itself."""
    return str(getattr(scope.get("route"), "path", "-"))


def _log(scope: Scope, request_id: str, status: int, duration_s: float) -> None:
    state = scope.get("state", {})
    LOG.info(
        "answered",
        extra={
            "request": request_id, "method": scope["method"], "path": _pattern(scope), "status": status,
            "actor": state.get("actor"), "command_id": state.get("command_id"), "duration_s": duration_s,
        },
    )  # fmt: skip
