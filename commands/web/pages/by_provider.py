"""Signing in by a provider: out to it, and back. Only whoever has an account here comes in."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from commands.accounts.standing import ACTIVE
from commands.accounts.two_steps import begin_anew
from commands.door.actor import Actor
from commands.web.pages.carrying_on import Asked, own_address
from commands.web.pages.cookies import INTERFACE, carrying, end_the_one_before, is_secure, origin_of
from commands.web.pages.routes import answering
from commands.web.pages.showing import plain
from commands.web.pages.signing_in import sign_in_form
from commands.web.problems import problem_of
from commands.web.serving import Serving
from commands.web.under_way import UNDER_WAY
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.web.provider import Provider

OUT, BACK, DONE = "/sign-in/provider", "/sign-in/provider/return", "/sign-in/done"


def by_provider(serving: Serving) -> APIRouter:
    router = APIRouter()

    def out(request: Request) -> Response:
        return answering(serving, request, lambda: _out(serving, request))

    def back(request: Request) -> Response:
        return answering(serving, request, lambda: _back(serving, request), by_code=True)

    def done(request: Request) -> Response:
        return answering(serving, request, lambda: plain(serving, "signed_in.html", "You are signed in"))

    for path, endpoint in ((OUT, out), (BACK, back), (DONE, done)):
        router.add_api_route(path, endpoint, methods=["GET"])
    return router


def _cookie(serving: Serving) -> str:
    return "__Host-daybook-provider" if is_secure(serving) else "daybook-provider"


def _provider(serving: Serving) -> "Provider":
    from commands.web.provider import Provider

    settings = serving.settings.provider
    if settings is None:
        raise Refusal("not-found", "Nobody signs in by a provider here.", "Sign in with your password.")
    return Provider(settings, serving.key, f"{serving.public_url}{BACK}")


def _out(serving: Serving, request: Request) -> Response:
    place, brought = _provider(serving).begin(own_address(request.query_params.get("next", "")))
    response = RedirectResponse(place, 303)
    response.set_cookie(
        _cookie(serving), brought, max_age=int(UNDER_WAY.total_seconds()), path="/", httponly=True,
        secure=is_secure(serving), samesite="lax",
    )  # fmt: skip
    return response


def _back(serving: Serving, request: Request) -> Response:
    asked = request.query_params
    try:
        provider = _provider(serving)
        begun = provider.begun(request.cookies.get(_cookie(serving), ""), asked.get("state", ""))
        if "code" not in asked:
            raise Refusal(
                "provider-refused", "The provider did not let you in.", "Try it again, or ask there."
            )
        user = provider.user_of(begun, asked["code"])
        _refuse_without_account(serving, user)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="sign in", beside=None)
        said = f"{problem.message} {problem.hint}".rstrip()
        response = sign_in_form(serving)(back="/", asked=Asked("", wrong=said), status=problem.status)
    else:
        end_the_one_before(serving, request)
        _, secret = begin_anew(serving.ledger, user, "oidc", origin_of(request))
        request.state.actor = user
        response = carrying(serving, request, RedirectResponse(begun.back, 303), secret)
    response.delete_cookie(
        _cookie(serving), path="/", secure=is_secure(serving), httponly=True, samesite="lax"
    )
    return response


def _refuse_without_account(serving: Serving, user: str) -> None:
    """Raises Refusal, also for a service account, which is no person, and for whoever has not joined."""
    actor = Actor(user, INTERFACE, authentication="oidc")
    with serving.daybook(actor).reading() as world:
        found = world.state.users.get(actor.user)
    if found is None or found.account != ACTIVE or found.owner or found.username != user:
        raise Refusal(
            "no-account", f"{user[:100]} has no account here that can be used.", "Ask an admin to invite you."
        )
