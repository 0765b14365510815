"""A visit: who looks at a page, signed in by a cookie, and of which moment. What pages ask and do goes through it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from commands.accounts.sign_ins import actor_by_sign_in
from commands.answers.actions import action
from commands.answers.answering import Done
from commands.answers.asking import Asking
from commands.answers.parameters import parameters
from commands.answers.questions import QUESTIONS, Question
from commands.answers.times import EXAMPLES, moment_of
from commands.door.actor import PASSWORD, Actor
from commands.door.permission import refuse_without_second_factor
from commands.web.pages.cookies import INTERFACE, carried
from commands.web.posting import send_secret
from commands.web.serving import Serving
from ledger.errors import Refusal
from ledger.moments import Moment

_BY_NAME = {question.name: question for question in QUESTIONS}


class SignInFirst(Exception):
    """Nobody is signed in. ``back``: the address to come back to."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class WrongField(Refusal):
    """A field of a form or an address does not hold what it has to. ``field`` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("usage", message, "Mend it, and send the form again.")
        self.field = field


@dataclass
class Visit:
    """``as_of``: the moment that the page shows, None for now."""

    serving: Serving
    request: Request
    actor: Actor
    as_of: Moment | None = None
    asked: list[Asking] = field(default_factory=list)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """What the address asks for, without what is empty; of what stands in it twice, the last."""
        return {name: value for name, value in self.request.query_params.items() if value.strip()}

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def asking(self) -> Asking:
        return self.serving.asking(self.actor, self.as_of)

    def ask(self, question: str, /, **given: Any) -> Any:
        """The answer to one of ``commands.answers.questions``, read to its end when this returns. ``given`` can be
        text, as an address or a form has it. Raises WrongField for what can't be read.
        """
        asked = _BY_NAME[question]
        assert asked.ask is not None  # noqa: S101
        with self.asking().opened() as asking:
            return asked.ask(asking, **_read(_model_of_question(asked), given))

    def do(self, name: str, /, *, command_id: str | None, **given: Any) -> Done:
        """Take one of ``commands.answers.actions``. Raises WrongField, and what the action refuses."""
        taken = action(name)
        found = taken.do(self.asking(), command_id, **_read(_model_of_action(name), given))
        done = Done(*found) if taken.secret else Done(found)
        send_secret(self.serving, name, done.answer, done.secret)
        return done


def visitor(serving: Serving, request: Request, *, enough: bool = True) -> Visit:
    """Raises SignInFirst for whoever is not signed in, and where it has to be ``enough``, Refusal for whoever came by a
    password alone and has a role that needs more. Asks the database: not for an event loop.
    """
    actor = actor_by_sign_in(serving.ledger, carried(serving, request), "cookie", interface=INTERFACE)
    if actor is None:
        raise SignInFirst(_address(request))
    request.state.actor = actor.user
    if enough and actor.authentication == PASSWORD:
        with serving.daybook(actor).reading() as world:
            refuse_without_second_factor(world)
    return Visit(serving, request, actor, _moment(request))


def _address(request: Request) -> str:
    """Of a page that can be looked at again."""
    path = quote(request.url.path)
    return f"{path}?{request.url.query}" if request.url.query else path


def _moment(request: Request) -> Moment | None:
    text = request.query_params.get("as_of", "").strip()
    if not text:
        return None
    try:
        return moment_of(text)
    except ValueError:
        message = f'"{text[:100]}" is no moment. Give a position of the log, or a time: {EXAMPLES}.'
        raise WrongField("as_of", message) from None


@cache
def _model_of_question(question: Question) -> type[BaseModel]:
    assert question.ask is not None  # noqa: S101
    return _model(question.name, question.ask)


@cache
def _model_of_action(name: str) -> type[BaseModel]:
    return _model(name, action(name).do)


def _model(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """Reads each parameter from text, and takes no other."""
    fields: dict[str, Any] = {
        each.name: (each.annotation, ... if each.default is each.empty else each.default)
        for each in parameters(function)
    }
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _read(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        read = model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise WrongField(name, f"{name}: {first['msg']}.") from None
    return {name: getattr(read, name) for name in model.model_fields}
