"""Every question and every action as a method: derived from their registries, with signature and documentation."""

import inspect
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from commands.answers.actions import ACTIONS, Action
from commands.answers.questions import QUESTIONS, Question
from daybook.errors import WrongArgument

_AS_OF = inspect.Parameter(
    "as_of", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="int | str | datetime | None"
)
_COMMAND_ID = inspect.Parameter(
    "command_id", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | None"
)
_LONGEST = 100
_OF_FILES = ("encoding",)  # a file is given as bytes or as text


@cache
def named() -> dict[str, Question | Action]:
    """By the name of the method."""
    asked = {one.name.replace("-", "_"): one for one in QUESTIONS if one.ask is not None}
    done = {action.name.replace("-", "_"): action for action in ACTIONS}
    assert not asked.keys() & done.keys()  # noqa: S101
    return {**asked, **done}


def function_of(one: Question | Action) -> Callable[..., Any]:
    function = one.do if isinstance(one, Action) else one.ask
    assert function is not None  # noqa: S101
    return function


def as_method(one: Question | Action, call: Callable[..., Any]) -> Callable[..., Any]:
    """``call`` takes the parameters by name; the one that names a record can also be given without."""
    from commands.answers.parameters import parameters

    function = function_of(one)
    given = [
        each.replace(
            kind=inspect.Parameter.POSITIONAL_OR_KEYWORD if each.name == "ref" else each.kind,
            annotation=_said(each.annotation),
        )
        for each in parameters(function)
        if each.name not in _OF_FILES
    ]
    signature = inspect.Signature([*given, _COMMAND_ID if isinstance(one, Action) else _AS_OF])
    name, shown = one.name.replace("-", "_"), str(signature).replace("'", "")

    def method(*positional: Any, **named_: Any) -> Any:
        try:
            bound = signature.bind(*positional, **named_)
        except TypeError as error:
            raise TypeError(f"{name}{shown}: {error}") from None
        return call(**bound.arguments)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = inspect.getdoc(function)
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


def checked(one: Question | Action, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters, each of its type, as the API checks them; those that are None are left out. Raises
    WrongArgument."""
    from pydantic import TypeAdapter, ValidationError

    from commands.answers.parameters import parameters

    types = {parameter.name: parameter.annotation for parameter in parameters(function_of(one))}
    found = {}
    for name, value in given.items():
        if value is None:
            continue
        if name == "content" and isinstance(value, bytes | str):  # its size is bounded where it is read
            found[name] = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
            continue
        try:
            found[name] = TypeAdapter(types[name]).validate_python(value)
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise WrongArgument("wrong-argument", f"{name}={_short(value)}: {why}.", "") from None
    return found


def _said(annotation: Any) -> str:
    """A type without what is checked of it: ``str``, ``list[str] | None``."""
    if get_origin(annotation) is Annotated:
        return _said(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return f"Literal{list(get_args(annotation))}"
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(map(_said, get_args(annotation)))
    if get_args(annotation):
        return f"{get_origin(annotation).__name__}[{', '.join(map(_said, get_args(annotation)))}]"
    return "None" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
