"""One operation for each action: derived from the registry of actions.

Its body is a JSON document of the parameters of ``Action.do``; its answer is that of the command line, and what is told
once stands in ``secret`` beside it.
"""

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from commands.answers import wire
from commands.answers.actions import ACTIONS, Action
from commands.answers.parameters import parameters
from commands.answers.receipts import result_types
from commands.door.command import checked_command_id
from commands.web.answering import answered
from commands.web.callers import caller, tell
from commands.web.openapi import documented
from commands.web.operations import refuse_unknown, taking_body
from commands.web.posting import send_secret
from commands.web.serving import Serving

_OK: dict[str, Any] = {"ok": {"type": "boolean"}}
_SECRET = {"type": "object", "description": "Told this once; not where the command is repeated."}
_REFUSED_BY_STATE = 409
PATHS_OF_FILES = frozenset(
    f"/api/v1/actions/{action.name}"
    for action in ACTIONS
    if any(parameter.name == "content" for parameter in parameters(action.do))
)


def actions(serving: Serving) -> APIRouter:
    router = APIRouter()
    for action in ACTIONS:
        summary = (inspect.getdoc(action.do) or "").replace("\n", " ")
        found = documented(result_types(action.verb), _OK, refused=_REFUSED_BY_STATE)
        if action.secret:
            schema = found["responses"][200]["content"]["application/json"]["schema"]
            schema["properties"]["secret"] = _SECRET
        router.add_api_route(
            f"/actions/{action.name}", _endpoint(serving, action), methods=["POST"], name=action.name,
            operation_id=action.name.replace("-", "_"), summary=summary, **found,
        )  # fmt: skip
    return router


def _endpoint(serving: Serving, action: Action) -> Callable[..., Response]:
    def endpoint(request: Request, body: BaseModel) -> Response:
        actor = caller(serving, request)
        refuse_unknown(request, set())
        command_id = checked_command_id(request.headers.get("idempotency-key"))
        request.state.command_id = command_id
        given = {name: getattr(body, name) for name in type(body).model_fields}
        answer = action.do(serving.asking(actor), command_id, **given)
        if (ahead := serving.ledger.ahead) is not None:
            tell(request, wire.AHEAD, ahead)
        answer, secret = answer if action.secret else (answer, None)
        send_secret(serving, action.name, answer, secret)
        own = {} if secret is None else {"secret": secret}
        return answered(answer, status=200 if answer.ok else _REFUSED_BY_STATE, **own)

    return taking_body(endpoint, action.name, action.do)
