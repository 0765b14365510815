"""Signing in and out with a cookie. What is typed stands in the body of a form, and is shown nowhere again."""

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from commands.accounts.sign_ins import LASTS, Origin, SecondFactorNeeded, sign_in, sign_in_by, sign_out
from commands.web.pages.routes import FROM_ELSEWHERE, answering, is_own
from commands.web.pages.showing import failed, plain
from commands.web.pages.visiting import INTERFACE, cookie, is_secure
from commands.web.problems import problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

_LONGEST = 1000


def signing_in(serving: Serving) -> APIRouter:
    router = APIRouter()

    def shown(request: Request) -> Response:
        back = own_address(request.query_params.get("next", ""))
        return answering(serving, request, lambda: _form(serving, back=back))

    async def sent(request: Request) -> Response:
        if not is_own(request, serving.public_url):
            return await run_sync(failed, serving, FROM_ELSEWHERE)
        async with request.form(max_files=0, max_fields=5) as form:
            return await run_sync(answering, serving, request, lambda: _signed_in(serving, request, form))

    async def left(request: Request) -> Response:
        if not is_own(request, serving.public_url):
            return await run_sync(failed, serving, FROM_ELSEWHERE)
        return await run_sync(answering, serving, request, lambda: _signed_out(serving, request))

    router.add_api_route("/sign-in", shown, methods=["GET"])
    router.add_api_route("/sign-in", sent, methods=["POST"])
    router.add_api_route("/sign-out", left, methods=["POST"])
    return router


def own_address(text: str) -> str:
    """Where to go after a sign-in: a path of this server, whatever the link said."""
    fits = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if fits and "\\" not in text else "/"


def _form(
    serving: Serving, *, back: str, user: str = "", code: bool = False, wrong: str = "", status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    return plain(
        serving, "sign_in.html", "Sign in", back=back, typed=user, code=code, wrong=wrong, status=status,
        headers=headers,
    )  # fmt: skip


def _signed_in(serving: Serving, request: Request, form: FormData) -> Response:
    user, password, code = (str(form.get(name, ""))[:_LONGEST] for name in ("user", "password", "code"))
    back = own_address(str(form.get("next", "")))
    origin = Origin(
        request.client.host if request.client is not None else "", request.headers.get("user-agent", ""), "cookie",
        INTERFACE,
    )  # fmt: skip
    try:
        signed, secret = sign_in(serving.ledger, serving.key, user, password, origin, code=code or None)
    except SecondFactorNeeded as needed:
        said = f"{needed.message} {needed.hint}"
        return _form(serving, back=back, user=user, code=True, wrong=said, status=401)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="sign in", beside=None)
        said = f"{problem.message} {problem.hint}".rstrip()
        return _form(
            serving, back=back, user=user, code=bool(code), wrong=said, status=problem.status,
            headers=dict(problem.headers),
        )  # fmt: skip
    request.state.actor = signed.user
    response = RedirectResponse(back, 303)
    response.set_cookie(
        cookie(serving), secret, max_age=int(LASTS.total_seconds()), path="/", httponly=True,
        secure=is_secure(serving), samesite="lax",
    )  # fmt: skip
    return response


def _signed_out(serving: Serving, request: Request) -> Response:
    kept = sign_in_by(serving.ledger, request.cookies.get(cookie(serving), ""), "cookie")
    if kept is not None:
        sign_out(serving.ledger, kept)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(
        cookie(serving), path="/", secure=is_secure(serving), httponly=True, samesite="lax"
    )
    return response
