"""The OpenAPI document: FastAPI knows the parameters, the types of the answers are those of ``schema --answers``."""

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


def documented(answers: tuple[type[Any], ...], own: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """For a route: its answer's schema and the problems that it can answer with."""
    schema = json_schema(*answers, own=own)
    schema.pop("$schema")
    good = {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
    responses: dict[int | str, dict[str, Any]] = {status: good}
    if status == 200:
        responses[304] = {"description": "Nothing was added since the answer with this ETag."}
    responses |= problems_of()
    return {"responses": responses, "response_class": _Nothing, "status_code": status}


def problems_of() -> dict[int | str, dict[str, Any]]:
    """What every operation can answer with where it does not do what it is asked."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        code: {"description": said, "content": {problems.MEDIA_TYPE: problem}}
        for code, said in _ERRORS.items()
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
