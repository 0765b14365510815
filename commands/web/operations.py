"""One operation for each question that is asked by parameters: derived from the registry of questions.

Its parameters are those of ``Question.ask``, its answer is the document of every face.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.responses import Response

from commands.answers import wire
from commands.answers.parameters import MomentText, parameters
from commands.answers.questions import QUESTIONS, Question
from commands.answers.times import moment_of
from commands.inputfile.nearest import did_you_mean
from commands.web.answering import answered, etag, is_known
from commands.web.callers import Refused, caller, tell
from commands.web.openapi import documented
from commands.web.problems import Problem
from commands.web.serving import Serving

NOT_BY_POSITION = frozenset({"people", "tokens", "invitations", "verification", "what-if", "proof", "status"})
"""What they say changes although no event was added: names, last uses, files, times that pass."""
AsOf = Annotated[
    Annotated[MomentText, Field(description="What it said then: a position of the log, or a time (UTC).")]
    | None,
    Query(),
]


PATHS_OF_FILES = frozenset(f"/api/v1{question.path}" for question in QUESTIONS if question.in_body)


def questions(serving: Serving) -> APIRouter:
    router = APIRouter()
    for question in QUESTIONS:
        if question.path is None or question.ask is None:
            continue
        path = question.path.replace("{ref}", "{ref:path}")
        method, endpoint = ("POST", _endpoint_of_file) if question.in_body else ("GET", _endpoint)
        router.add_api_route(
            path, endpoint(serving, question), methods=[method], name=question.name, operation_id=_identity(question),
            summary=_first_line(question.ask), **documented(question.answers, {"ok": {"type": "boolean"}}),
        )  # fmt: skip
    return router


def _identity(question: Question) -> str:
    return "get_" + question.name.replace("-", "_")


def _first_line(ask: Callable[..., Any]) -> str:
    return (inspect.getdoc(ask) or "").partition("\n\n")[0].replace("\n", " ")


def _endpoint(serving: Serving, question: Question) -> Callable[..., Response]:
    ask = question.ask
    assert ask is not None  # noqa: S101
    asked_for = _parameters(ask, str(question.path))
    known = {parameter.name for parameter in asked_for if f"{{{parameter.name}}}" not in str(question.path)}
    by_position = question.name not in NOT_BY_POSITION

    def endpoint(request: Request, **asked: Any) -> Response:
        actor = caller(serving, request)
        refuse_unknown(request, known)
        as_of = asked.pop("as_of", None)
        moment = None if as_of is None else moment_of(as_of)
        asking = serving.asking(actor, moment)
        tagged = by_position and moment is None
        if tagged and "if-none-match" in request.headers:
            with asking.daybook.reading() as world:
                position = world.head.size
            if is_known(request, position):
                return Response(status_code=304, headers={"ETag": etag(position)})
        with asking.opened():
            answer = ask(asking, **asked)
            headers = {"ETag": etag(answer.position), "Cache-Control": "private, no-cache"} if tagged else {}
            if asking.then is not None:
                tell(request, wire.MOMENT, " ".join(map(str, asking.then)))
            return answered(answer, headers=headers)

    first = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    endpoint.__signature__ = inspect.Signature([first, *asked_for])  # type: ignore[attr-defined]
    endpoint.__doc__ = inspect.getdoc(ask)
    return endpoint


def _endpoint_of_file(serving: Serving, question: Question) -> Callable[..., Response]:
    ask = question.ask
    assert ask is not None  # noqa: S101

    def endpoint(request: Request, body: BaseModel) -> Response:
        actor = caller(serving, request)
        refuse_unknown(request, set())
        with serving.asking(actor).opened() as asking:
            given = {name: getattr(body, name) for name in type(body).model_fields}
            return answered(ask(asking, **given))

    return taking_body(endpoint, question.name, ask)


def taking_body(
    endpoint: Callable[..., Response], name: str, function: Callable[..., Any]
) -> Callable[..., Response]:
    """The endpoint, as FastAPI reads it: its ``body`` holds the parameters of the function."""
    kinds = (("request", Request), ("body", _body_of(name, function)))
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kind)
            for each, kind in kinds
        ]
    )
    endpoint.__doc__ = inspect.getdoc(function)
    return endpoint


def _body_of(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """A model of the parameters, which takes nothing else and changes no type."""
    fields: dict[str, Any] = {
        each.name: (each.annotation, ... if each.default is inspect.Parameter.empty else each.default)
        for each in parameters(function)
    }
    title = "".join(word.capitalize() for word in name.split("-"))
    return create_model(title, __config__=ConfigDict(extra="forbid", strict=True), **fields)


def _parameters(ask: Callable[..., Any], path: str) -> list[inspect.Parameter]:
    """Those of the question, as FastAPI reads them; and the moment that it is asked of."""
    found = []
    for parameter in parameters(ask):
        in_path = f"{{{parameter.name}}}" in path
        annotation: Any = Annotated[parameter.annotation, Path() if in_path else Query()]
        found.append(parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY))
    as_of = inspect.Parameter("as_of", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=AsOf)
    return [*found, as_of]


def refuse_unknown(request: Request, known: set[str]) -> None:
    """An unknown parameter would be ignored in silence, and the answer would be to another question."""
    for name in request.query_params:
        if name not in known:
            hint = did_you_mean(name, known) or _elsewhere(name)
            hint = hint or f"There are: {', '.join(sorted(known)) or 'none'}."
            problem = Problem(422, "no-such-parameter", f'There is no parameter "{name}" here.', hint)
            raise Refused(replace(problem, errors=[{"where": f"query.{name}", "message": problem.message}]))


def _elsewhere(name: str) -> str:
    """Which questions have the parameter that this one has not."""
    having = [
        question.name
        for question in QUESTIONS
        if question.ask is not None and any(one.name == name for one in parameters(question.ask))
    ]
    return f"Can be asked so: {', '.join(having)}." if having else ""
