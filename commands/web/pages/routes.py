"""Pages and forms as routes: a page is shown in a thread, a form is taken only from a page of this server, and whatever
fails is a page too.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from commands.web.callers import Refused, refuse_secrets_in_query
from commands.web.pages.carrying_on import ask, ask_script, brings_sign_in, resumed
from commands.web.pages.showing import failed, failed_here
from commands.web.pages.visiting import SignInFirst, Visit, visitor
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving

Shown = Callable[[Visit], Response]
Sent = Callable[[Visit, FormData], Response]
FIELDS = 1000
_OF_SIGN_IN = 10
SET_UP = "/account/second-factor"
"""Where whoever needs a second factor and has none can do something about it."""
PART = 1 << 20
FROM_ELSEWHERE = Problem(
    403, "form-from-elsewhere", "The form was sent from another page.", "Open its page here, and send it from there."
)  # fmt: skip


def add_page(router: APIRouter, serving: Serving, path: str, show: Shown, *, enough: bool = True) -> None:
    """``show`` may raise whatever a refusal is. ``enough``: see ``visitor``."""

    def endpoint(request: Request) -> Response:
        return answering(serving, request, lambda: show(visitor(serving, request, enough=enough)))

    router.add_api_route(path, endpoint, methods=["GET"])


def add_form(
    router: APIRouter, serving: Serving, path: str, send: Sent, *, enough: bool = True, part_bytes: int = PART
) -> None:
    """Who is signed in no more is asked to sign in again, and the form goes on its way then. ``part_bytes``: how much
    one field may hold, where the form is sent in parts; ``bounds`` limits the whole."""

    async def endpoint(request: Request) -> Response:
        if not is_own(request, serving.public_url):
            return await run_sync(failed, serving, FROM_ELSEWHERE)
        most = FIELDS + _OF_SIGN_IN
        async with request.form(max_files=1, max_fields=most, max_part_size=part_bytes) as form:
            return await run_sync(taken, form, request)

    def taken(form: FormData, request: Request) -> Response:
        def sent(typed: FormData) -> Response:
            def carried_out() -> Response:
                try:
                    visit = visitor(serving, request, enough=enough)
                except SignInFirst:
                    return (
                        ask_script(serving, request) if by_script(request) else ask(serving, request, typed)
                    )
                return send(visit, typed)

            return answering(serving, request, carried_out)

        if brings_sign_in(form):
            return answering(serving, request, lambda: resumed(serving, request, form, sent))
        return sent(form)

    router.add_api_route(path, endpoint, methods=["POST"])


def answering(
    serving: Serving, request: Request, answer: Callable[[], Response], *, by_code: bool = False
) -> Response:
    """What ``answer`` gives, or the page of what it raises. ``by_code``: a provider puts one into the address."""
    try:
        if not by_code:
            refuse_secrets_in_query(request)
        return answer()
    except SignInFirst as first:
        if by_script(request):
            return ask_script(serving, request)
        return RedirectResponse(f"/sign-in?{urlencode({'next': first.back})}", 303)
    except Refused as refused:
        problem = refused.problem
    except Exception as error:  # noqa: BLE001 - nobody ever sees a traceback
        doing = f"serve: {request.method} {getattr(request.scope.get('route'), 'path', '-')}"
        problem = problem_of(error, doing=doing, beside=serving.folder)
    if problem.code == "second-factor-required" and not by_script(request):
        return RedirectResponse(SET_UP, 303)
    return failed_here(serving, problem) if by_script(request) else failed(serving, problem)


def by_script(request: Request) -> bool:
    """Whether htmx asks, for a part of the page that is open."""
    return request.headers.get("hx-request") == "true"


def seen_other(path: str, **query: Any) -> Response:
    """After a form: the page that shows what became of it; loading it again sends nothing twice."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)


def is_own(request: Request, public_url: str | None) -> bool:
    """Whether a form was sent by a page of this server, as the browser says it: nobody's page can send it unseen."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    own = {request.headers.get("host", ""), urlsplit(public_url or "").netloc}
    return origin.netloc != "" and origin.netloc in own
