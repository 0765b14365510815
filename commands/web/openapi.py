"""The OpenAPI document: FastAPI knows the parameters, the types of the answers are those of ``schema --answers``."""

from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from commands.answers.typed import json_schema
from commands.web import problems

_DESCRIPTION = (
    "Every answer is the document that the command line prints as JSON. Errors are application/problem+json, with "
    "the codes and next steps of the command line. Every read takes as_of; lists go by after and before."
)
_ERRORS = {
    400: "Not a request that can be read, or a secret in its address.", 401: "Nobody is signed in.",
    403: "Whoever is signed in may not do this.", 404: "There is no such record.",
    408: "The body did not arrive in time.", 409: "It is in conflict with what is there.",
    413: "The body is too large.", 422: "It is refused, or a parameter is wrong.",
    429: "Too many attempts, or too much at once.",
    500: "A fault of Daybook, kept as an incident; or a damaged ledger.", 503: "The ledger is not available now.",
}  # fmt: skip


_EXAMPLES = {
    400: ("secret-in-address", "An address holds a secret.", "Send it in a header; addresses are kept in logs."),
    401: ("not-signed-in", "You are not signed in.", "Sign in"),
    403: ("not-permitted", "user_2 may not add reference values. This needs the role admin.", "user_1 can grant it"),
    404: ("not-found", 'Nothing here is called "s999".', "Give a whole id (s12, c34, u56, d78)"),
    408: ("too-slow", "The body of the request did not arrive in time.", "Send it again."),
    409: ("command-id-reused", "Command id add-1 was used before.", "Submit it under a new command id."),
    413: ("too-large", "The body has more than 1,048,576 bytes.", "Send less at once."),
    422: ("usage", "query.limit: Input should be greater than or equal to 1.", "See /api/v1/openapi.json."),
    429: ("too-many-attempts", "10 attempts to sign in failed within an hour.", "Wait 61 minutes, then try again."),
    500: ("incident", "This is a fault of daybook itself, not yours (incident 3f2a91c04be7).", "Please report it."),
    503: ("unreachable", "The database cannot be reached.", "Try again in a minute."),
}  # fmt: skip


def documented(
    answers: tuple[type[Any], ...], own: dict[str, Any], status: int = 200, *, refused: int | None = None
) -> dict[str, Any]:
    """For a route: its answer's schema and the problems that it can answer with. With the status ``refused`` it gives
    the same document where that says of itself that it is not ``ok``."""
    schema = json_schema(*answers, own=own)
    schema.pop("$schema")
    good = {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
    responses: dict[int | str, dict[str, Any]] = {status: good}
    if status == 200:
        responses[304] = {"description": "Nothing was added since the answer with this ETag."}
    responses |= problems_of()
    if refused is not None:
        content = {**responses[refused]["content"], "application/json": {"schema": deepcopy(schema)}}
        responses[refused] = {**responses[refused], "content": content}
    return {"responses": responses, "response_class": _Nothing, "status_code": status}


def problems_of() -> dict[int | str, dict[str, Any]]:
    """What every operation can answer with where it does not do what it is asked."""
    return {
        status: {
            "description": said,
            "content": {
                problems.MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": problems.Problem(status, *_EXAMPLES[status]).document(),
                }
            },
        }
        for status, said in _ERRORS.items()
    }


class _Nothing:
    """Responses are made by hand: FastAPI documents none of its own."""

    media_type = None


def describe(app: FastAPI, version: str) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title="Daybook", version=version, description=_DESCRIPTION, routes=app.routes
            )
            components = document.setdefault("components", {}).setdefault("schemas", {})
            for path in document["paths"].values():
                for operation in path.values():
                    _tidy(operation, components)
            for name in ("HTTPValidationError", "ValidationError"):
                components.pop(name, None)
            components["Problem"] = problems.json_schema()
            document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"token": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _tidy(operation: dict[str, Any], components: dict[str, Any]) -> None:
    """Moves definitions to where the others are."""
    for response in operation.get("responses", {}).values():
        for content in response.get("content", {}).values():
            schema = content.get("schema", {})
            for name, definition in schema.pop("$defs", {}).items():
                components.setdefault(name, _moved(definition))
            content["schema"] = _moved(schema)


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: item.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _moved(item)
            for key, item in value.items()
        }
    return [_moved(item) for item in value] if isinstance(value, list) else value
