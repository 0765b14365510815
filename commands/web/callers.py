"""Who calls: the actor of a request, by what the request carries. Nothing in an address or a query lets anybody in."""

from fastapi import Request

from commands.accounts.tokens import actor_by_token
from commands.door.actor import Actor
from commands.web.problems import NOT_SIGNED_IN, Problem
from commands.web.serving import INTERFACE, Serving

_IN_QUERY = ("token", "access_token", "authorization", "password", "code")


class Refused(Exception):
    """The request is answered with this problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def caller(serving: Serving, request: Request) -> Actor:
    """Raises Refused for whoever is not signed in. Asks the database: not for an event loop."""
    refuse_secrets_in_query(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    actor = None
    if scheme.lower() == "bearer":
        actor = actor_by_token(serving.ledger, token.strip(), interface=INTERFACE)
    if actor is None:
        raise Refused(NOT_SIGNED_IN)
    request.state.actor = actor.user
    return actor


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
