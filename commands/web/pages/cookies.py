"""The cookie of a sign-in: what it is called, where it goes, and how it comes into a response."""

from fastapi import Request
from starlette.responses import Response

from commands.accounts.sign_ins import LASTS, Origin, sign_in_by, sign_out
from commands.web.serving import Serving

INTERFACE = "web"


def is_secure(serving: Serving) -> bool:
    return (serving.public_url or "").startswith("https:")


def cookie(serving: Serving) -> str:
    """Its name. One with ``__Host-`` can be set by nobody but this very host, over TLS (RFC 6265bis, 4.1.3.2)."""
    return "__Host-daybook" if is_secure(serving) else "daybook"


def carried(serving: Serving, request: Request) -> str:
    """What the request carries; what it has just been signed in with comes first."""
    begun: str = getattr(request.state, "sign_in", "")
    return begun or request.cookies.get(cookie(serving), "")


def carrying(serving: Serving, request: Request, response: Response, secret: str) -> Response:
    """The response, which gives the browser a sign-in in place of the one that it had."""
    request.state.sign_in = secret
    response.set_cookie(
        cookie(serving), secret, max_age=int(LASTS.total_seconds()), path="/", httponly=True,
        secure=is_secure(serving), samesite="lax",
    )  # fmt: skip
    return response


def carrying_none(serving: Serving, response: Response) -> Response:
    response.delete_cookie(
        cookie(serving), path="/", secure=is_secure(serving), httponly=True, samesite="lax"
    )
    return response


def provider_name(serving: Serving) -> str:
    """By whom somebody can sign in without a password here; empty where by nobody."""
    return "" if serving.settings.provider is None else serving.settings.provider.name


def end_the_one_before(serving: Serving, request: Request) -> None:
    """The sign-in that the browser came with lets nobody in any more, whoever put it there."""
    kept = sign_in_by(serving.ledger, request.cookies.get(cookie(serving), ""), "cookie")
    if kept is not None:
        sign_out(serving.ledger, kept)


def origin_of(request: Request) -> Origin:
    """``request.client`` is who the connection is with, or whom a proxy that was named says it comes from."""
    return Origin(
        request.client.host if request.client is not None else "", request.headers.get("user-agent", ""), "cookie",
        INTERFACE,
    )  # fmt: skip
