"""Coming in over HTTP: ``/auth/accept``, ``login``, ``logout``, ``status``. What is typed there stands in a body, never
in an address, and is in no answer and no log."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from commands.accounts.own import PasswordSet, SignIns, change_password, end_sign_in, sign_ins
from commands.accounts.resets import ResetDone
from commands.accounts.second_factor import confirm, set_up
from commands.accounts.sign_ins import (
    Origin,
    SignedIn,
    accept,
    forgive,
    prove_password,
    reset,
    sign_in,
    sign_in_by,
    sign_out,
)
from commands.answers.accounts import FactorBegun, SignedOut, WhoIsIn, who_is_in
from commands.door.actor import PASSWORD, SECOND_FACTOR, Actor
from commands.web.answering import answered
from commands.web.callers import Refused, bearer, caller, refuse_secrets_in_query
from commands.web.openapi import documented
from commands.web.operations import refuse_unknown
from commands.web.problems import Problem
from commands.web.serving import INTERFACE, Serving

_OK = {"ok": {"type": "boolean"}}
_SECRET = {"type": "object", "description": "Told this once: the token to send as Authorization: Bearer."}
_User = Annotated[str, Field(min_length=1, max_length=255)]
_Secret = Annotated[str, Field(min_length=1, max_length=1000)]


class Accepted(BaseModel):
    """``code`` is that of the invitation, ``password`` the one that is chosen."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: _Secret
    password: _Secret


class Credentials(BaseModel):
    """``code`` is one of the second factor, where there is one: what the app shows, or a recovery code."""

    model_config = ConfigDict(extra="forbid", strict=True)
    user: _User
    password: _Secret
    code: _Secret | None = None


class NewFactor(BaseModel):
    """``password`` is the user's own, once more."""

    model_config = ConfigDict(extra="forbid", strict=True)
    password: _Secret


class NewPassword(BaseModel):
    """``password`` is the one before, ``new_password`` the one that is chosen."""

    model_config = ConfigDict(extra="forbid", strict=True)
    password: _Secret
    new_password: _Secret


class FactorShown(BaseModel):
    """``code`` is the one that the app shows now."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: _Secret


class Reset(BaseModel):
    """``code`` is that of the link. ``password`` is the new one, or where the second factor is reset the one that the
    user has."""

    model_config = ConfigDict(extra="forbid", strict=True)
    code: _Secret
    password: _Secret


def signing_in(serving: Serving) -> APIRouter:
    router = APIRouter(prefix="/auth")
    told = documented((SignedIn,), _OK)
    told["responses"][200]["content"]["application/json"]["schema"]["properties"]["secret"] = _SECRET

    def accept_(request: Request, body: Accepted) -> Response:
        """Join by an invitation: choose a password, and be signed in."""
        refuse_secrets_in_query(request)
        refuse_unknown(request, set())
        return _answered(*accept(serving.ledger, body.code, body.password, origin_of(request)))

    def login(request: Request, body: Credentials) -> Response:
        """Sign in. The answer's ``secret`` holds a token, which ends at ``until`` or by a logout."""
        refuse_secrets_in_query(request)
        refuse_unknown(request, set())
        origin = origin_of(request)
        found = sign_in(serving.ledger, serving.key, body.user, body.password, origin, code=body.code)
        return _answered(*found)

    def reset_(request: Request, body: Reset) -> Response:
        """Choose a new password, or give up a second factor that is lost, by the code of a link. All sign-ins end."""
        refuse_secrets_in_query(request)
        refuse_unknown(request, set())
        return answered(reset(serving.ledger, body.code, body.password, origin_of(request)))

    def logout(request: Request) -> Response:
        """End the sign-in that the request comes by."""
        refuse_secrets_in_query(request)
        kept = sign_in_by(serving.ledger, bearer(request), "bearer")
        if kept is None:
            actor = caller(serving, request, enough=False)
            raise Refused(
                Problem(
                    409, "not-a-sign-in", f"You come by a token ({actor.token}), which no sign-in made.",
                    "Revoke it, if it is not needed any more.",
                )
            )  # fmt: skip
        sign_out(serving.ledger, kept)
        return answered(SignedOut(id=kept.id, user=kept.username))

    def status(request: Request) -> Response:
        """Who is signed in, by what, and until when."""
        actor = caller(serving, request, enough=False)
        refuse_unknown(request, set())
        with serving.daybook(actor).reading() as world:
            return answered(who_is_in(world, actor, request.state.carried_by))

    for path, endpoint in (("/accept", accept_), ("/login", login)):
        router.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            operation_id=f"auth_{path[1:]}",
            summary=_summary(endpoint),
            **told,
        )
    router.add_api_route(
        "/reset", reset_, methods=["POST"], operation_id="auth_reset", summary=_summary(reset_),
        **documented((ResetDone,), _OK),
    )  # fmt: skip
    _own_account(serving, router)
    router.add_api_route(
        "/logout", logout, methods=["POST"], operation_id="auth_logout", summary=_summary(logout),
        **documented((SignedOut,), _OK),
    )  # fmt: skip
    router.add_api_route(
        "/status", status, methods=["GET"], operation_id="auth_status", summary=_summary(status),
        **documented((WhoIsIn,), _OK),
    )  # fmt: skip
    return router


def _own_account(serving: Serving, router: APIRouter) -> None:
    """What everybody does to his or her own account."""

    def new_factor(request: Request, body: NewFactor) -> Response:
        """Begin to set up a second factor: what an authenticator app has to be told, as text and as a picture."""
        actor = _by_password(serving, request)
        forgive(serving.ledger, prove_password(serving.ledger, actor.user, body.password, origin_of(request)))
        with serving.daybook(actor).reading() as world:
            position, lab = world.head.size, world.head.origin
        told = set_up(serving.ledger, serving.key, actor.user, lab=lab)
        begun = FactorBegun(position=position, user=actor.user)
        return answered(begun, secret={"secret": told.secret, "svg": told.svg})

    def confirm_factor(request: Request, body: FactorShown) -> Response:
        """Set it up by a code of it. All sign-ins end; recovery codes are told this once."""
        actor = _by_password(serving, request)
        codes = confirm(serving.daybook(actor), serving.key, body.code)
        with serving.daybook(actor).reading() as world:
            position = world.head.size
        return answered(FactorBegun(position=position, user=actor.user), secret={"recovery_codes": codes})

    def password(request: Request, body: NewPassword) -> Response:
        """Change one's password. All sign-ins end, this one too."""
        daybook = serving.daybook(_by_password(serving, request))
        return answered(change_password(daybook, body.password, body.new_password, origin_of(request)))

    def sign_ins_(request: Request) -> Response:
        """Where one is signed in."""
        with serving.daybook(caller(serving, request)).reading() as world:
            return answered(sign_ins(world))

    def end(request: Request, sign_in: str) -> Response:
        """End one of one's sign-ins."""
        daybook = serving.daybook(_by_password(serving, request))
        if not end_sign_in(daybook, sign_in):
            raise Refused(
                Problem(
                    404, "no-such-sign-in", "You have no sign-in of this id.", "See those that are there."
                )
            )
        return answered(SignedOut(id=sign_in, user=daybook.actor.user))

    for path, begin in (("/second-factor", new_factor), ("/second-factor/confirmation", confirm_factor)):
        found = documented((FactorBegun,), _OK)
        schema = found["responses"][200]["content"]["application/json"]["schema"]
        schema["properties"]["secret"] = {"type": "object", "description": "Told this once."}
        router.add_api_route(
            path,
            begin,
            methods=["POST"],
            operation_id=f"auth_{begin.__name__}",
            summary=_summary(begin),
            **found,
        )
    for path, method, endpoint_, told_ in (
        ("/password", "POST", password, PasswordSet), ("/sign-ins", "GET", sign_ins_, SignIns),
        ("/sign-ins/{sign_in}", "DELETE", end, SignedOut),
    ):  # fmt: skip
        router.add_api_route(
            path, endpoint_, methods=[method], operation_id=f"auth_{endpoint_.__name__.strip('_')}",
            summary=_summary(endpoint_), **documented((told_,), _OK),
        )  # fmt: skip


def _by_password(serving: Serving, request: Request) -> Actor:
    """Raises Refused for whoever comes by a token: a token is no person."""
    actor = caller(serving, request, enough=False)
    if actor.authentication not in (PASSWORD, SECOND_FACTOR):
        raise Refused(
            Problem(403, "not-a-sign-in", "This takes who is signed in with a password.", "Sign in.")
        )
    return actor


def origin_of(request: Request) -> Origin:
    """``request.client`` is who the connection is with, or whom a proxy that was named says it comes from."""
    return Origin(
        request.client.host if request.client is not None else "",
        request.headers.get("user-agent", ""), "bearer", INTERFACE,
    )  # fmt: skip


def _answered(found: SignedIn, secret: str) -> Response:
    return answered(found, secret={"token": secret})


def _summary(endpoint: object) -> str:
    return (endpoint.__doc__ or "").partition("\n")[0]
