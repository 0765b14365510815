"""Signing in and out with a cookie. What is typed stands in the body of a form, and is shown nowhere again."""

from collections.abc import Callable

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from commands.accounts.two_steps import CodeNeeded, first_step, second_step
from commands.web.pages.carrying_on import Asked, own_address
from commands.web.pages.cookies import carrying, carrying_none, end_the_one_before, origin_of, provider_name
from commands.web.pages.routes import FROM_ELSEWHERE, answering, is_own
from commands.web.pages.showing import failed, fragment, plain
from commands.web.problems import problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

_LONGEST = 1000
_KEEPS_HALF = ("wrong-code", "too-many-attempts")
Show = Callable[..., Response]


def signing_in(serving: Serving) -> APIRouter:
    router = APIRouter()

    def shown(request: Request) -> Response:
        back = own_address(request.query_params.get("next", ""))
        return answering(serving, request, lambda: sign_in_form(serving)(back=back, asked=Asked("")))

    def form_at(path: str, taken: Callable[[Serving, Request, FormData], Response]) -> None:
        async def sent(request: Request) -> Response:
            if not is_own(request, serving.public_url):
                return await run_sync(failed, serving, FROM_ELSEWHERE)
            async with request.form(max_files=0, max_fields=6) as form:
                return await run_sync(answering, serving, request, lambda: taken(serving, request, form))

        router.add_api_route(path, sent, methods=["POST"])

    router.add_api_route("/sign-in", shown, methods=["GET"])
    form_at("/sign-in", _on_page)
    form_at("/sign-in/here", _here)
    form_at("/sign-out", _signed_out)
    return router


def sign_in_form(serving: Serving) -> Show:
    def show(
        *, back: str, asked: Asked, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        return plain(
            serving, "sign_in.html", "Sign in", back=back, asked=asked, provider=provider_name(serving), status=status,
            headers=headers,
        )  # fmt: skip

    return show


def _on_page(serving: Serving, request: Request, form: FormData) -> Response:
    back = own_address(str(form.get("next", "")))
    return _taken(serving, request, form, sign_in_form(serving), lambda: RedirectResponse(back, 303))


def _here(serving: Serving, request: Request, form: FormData) -> Response:
    """For a script, on a page whose sign-in has ended: what was typed there has stayed."""

    def show(
        *, back: str, asked: Asked, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        return fragment(
            "sign_in_again_here.html", back=back, asked=asked, provider=provider_name(serving), status=status,
            headers=headers,
        )  # fmt: skip

    return _taken(serving, request, form, show, lambda: fragment("signed_in_here.html"))


def _taken(
    serving: Serving, request: Request, form: FormData, show: Show, inside: Callable[[], Response]
) -> Response:
    user, password, half, code, was, back = (
        str(form.get(name, ""))[:_LONGEST] for name in ("user", "password", "half", "code", "was", "next")
    )
    back, origin = own_address(back), origin_of(request)
    if was and user != was:
        asked = Asked(was, wrong=f"{was} has typed this. Sign in as {was}, or leave the page.")
        return show(back=back, asked=asked, status=403)
    try:
        if half:
            found: object = second_step(serving.ledger, serving.key, half, code, origin)
        else:
            found = first_step(serving.ledger, user, password, origin)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="sign in", beside=None)
        said = f"{problem.message} {problem.hint}".rstrip()
        asked = Asked(user, half if refusal.code in _KEEPS_HALF else "", said, was)
        return show(back=back, asked=asked, status=problem.status, headers=dict(problem.headers))
    if isinstance(found, CodeNeeded):
        return show(back=back, asked=Asked(user, found.half, was=was))
    assert isinstance(found, tuple)  # noqa: S101
    signed, secret = found
    request.state.actor = signed.user
    end_the_one_before(serving, request)
    return carrying(serving, request, inside(), secret)


def _signed_out(serving: Serving, request: Request, _form: FormData) -> Response:
    end_the_one_before(serving, request)
    return carrying_none(serving, RedirectResponse("/sign-in", 303))
