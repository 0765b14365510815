"""Who calls: the actor of a request, by what the request carries. Nothing in an address or a query lets anybody in."""

from dataclasses import replace
from urllib.parse import quote, unquote

from fastapi import Request

from commands.accounts.random_text import taken_apart
from commands.accounts.sign_ins import actor_by_sign_in
from commands.accounts.tokens import actor_by_token
from commands.answers import wire
from commands.door.actor import PASSWORD, Actor
from commands.door.permission import refuse_without_second_factor
from commands.web.problems import NOT_SIGNED_IN, Problem
from commands.web.serving import INTERFACE, Serving
from ledger import __version__, secrets

_IN_QUERY = ("token", "access_token", "authorization", "password", "code")


class Refused(Exception):
    """The request is answered with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def caller(serving: Serving, request: Request, *, enough: bool = True) -> Actor:
    """Raises Refused for whoever is not signed in, and where it has to be ``enough``, Refusal for whoever came by a
    password alone and has a role that needs more. Asks the database: not for an event loop.
    """
    refuse_secrets_in_query(request)
    refuse_other_version(request)
    given = bearer(request)
    actor = actor_by_token(serving.ledger, given, interface=INTERFACE)
    if actor is None:
        actor = actor_by_sign_in(serving.ledger, given, "bearer", interface=INTERFACE)
    if actor is None:
        raise Refused(NOT_SIGNED_IN)
    if owner := request.headers.get(wire.ON_BEHALF_OF):
        actor = replace(actor, on_behalf_of=unquote(owner))
    request.state.actor, request.state.carried_by = actor.user, _id_of(given)
    tell(request, wire.USER, quote(actor.user))
    if actor.until is not None:
        tell(request, wire.UNTIL, actor.until)
    if enough and actor.authentication == PASSWORD:
        with serving.daybook(actor).reading() as world:
            refuse_without_second_factor(world)
    return actor


def is_still_in(serving: Serving, request: Request) -> bool:
    """Whether who called is let in as before: asked again and again where an answer goes on for long."""
    given = bearer(request)
    return (
        actor_by_token(serving.ledger, given, interface=INTERFACE) is not None
        or actor_by_sign_in(serving.ledger, given, "bearer", interface=INTERFACE) is not None
    )


def bearer(request: Request) -> str:
    """What stands in the header, empty where nothing does."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _id_of(given: str) -> str:
    """The public part of it."""
    found = [taken_apart(given, kind) for kind in (secrets.TOKEN, secrets.SIGN_IN)]
    return next((each.id for each in found if each is not None), "")


def tell(request: Request, header: str, value: str) -> None:
    """Have a header in the answer, whatever it will be."""
    told: list[tuple[bytes, bytes]] = request.state.told
    told.append((header.lower().encode(), value.encode()))


def refuse_other_version(request: Request) -> None:
    """A client that reads the answers as another version gives them would misread them; one that says no version reads
    what it gets."""
    theirs = request.headers.get(wire.VERSION, __version__)
    if theirs == __version__ or request.headers.get(wire.ANSWERS) == wire.answers_digest():
        return
    raise Refused(
        Problem(
            409, wire.OTHER_VERSION,
            f"The server is daybook {__version__}, and was asked by daybook {theirs[:20]}; they do not answer alike.",
            f"Use daybook {__version__}.", headers={wire.ANSWERS: wire.answers_digest()},
        )
    )  # fmt: skip


def refuse_secrets_in_query(request: Request) -> None:
    """Addresses are kept in logs and histories along the way."""
    for name in request.query_params:
        if name.lower() in _IN_QUERY:
            raise Refused(
                Problem(
                    400, "secret-in-address", f'"{name}" does not belong into an address.',
                    'Send it in a header, "Authorization: Bearer TOKEN", and consider it known: have another made.',
                )
            )  # fmt: skip
