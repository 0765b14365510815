"""From types to plain data and back: build frozen dataclasses from plain data, and describe them as JSON Schema.

Answers are dataclasses all the way down; only this module walks their types. It validates nothing: what it reads
came from the ledger, here or at a server.
"""

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Convert = Callable[[Any], Any]
_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_LISTS = (list, tuple, Iterable)


_HINTS: dict[Any, dict[str, Any]] = {}
_SHAPES: dict[Any, tuple[frozenset[str], list[tuple[str, Convert]]]] = {}


def hints(document: Any) -> dict[str, Any]:
    """The types of the fields, by name."""
    if document not in _HINTS:
        _HINTS[document] = get_type_hints(document)
    return _HINTS[document]


def read(document: type[T], plain: Mapping[str, Any]) -> T:
    """The document that these plain data are. What they lack takes its default; what has no field is left out."""
    names, deep = _shape(document)
    given = dict(plain) if plain.keys() <= names else {name: plain[name] for name in plain if name in names}
    for name, convert in deep:
        if (value := given.get(name)) is not None:
            given[name] = convert(value)
    return document(**given)


def read_any(documents: Sequence[type[Any]], plain: Mapping[str, Any]) -> Any:
    """As ``read``, of a document that is one of these: the one with just these fields. Raises ValueError for none."""
    for document in documents:
        if fits(document, plain):
            return read(document, plain)
    raise ValueError(f"fields of no {' or '.join(each.__name__ for each in documents)}")


def fits(document: Any, plain: Mapping[str, Any]) -> bool:
    """Whether plain data have the fields of a document and no others, and the words in them that it always has."""
    known = hints(document)
    if plain.keys() != {field.name for field in fields(document)}:
        return False
    words = ((plain[name], get_args(hint)) for name, hint in known.items() if get_origin(hint) is Literal)
    return all(value in allowed for value, allowed in words)


def _shape(document: Any) -> tuple[frozenset[str], list[tuple[str, Convert]]]:
    """The fields, and how those are read that hold more than a plain value."""
    if document not in _SHAPES:
        converts = [(name, _convert(hint)) for name, hint in hints(document).items()]
        names = frozenset(field.name for field in fields(document))
        _SHAPES[document] = names, [(name, convert) for name, convert in converts if convert is not None]
    return _SHAPES[document]


def _convert(hint: Any) -> Convert | None:
    if is_dataclass(hint):
        return lambda value: read(hint, value) if isinstance(value, Mapping) else value  # type: ignore[arg-type]
    origin, arguments = _parts(hint)
    if origin is Union:
        return _convert_one_of(arguments)
    if origin in _LISTS:
        return _convert_all(origin, _convert(arguments[0]))
    if origin in (dict, Mapping):
        value_of = _convert(arguments[1])
        return (
            None if value_of is None else lambda value: {key: value_of(item) for key, item in value.items()}
        )
    return None


def _convert_one_of(hints_: tuple[Any, ...]) -> Convert | None:
    documents = [each for each in hints_ if is_dataclass(each)]
    if len(documents) > 1:
        return lambda value: read_any(documents, value) if isinstance(value, Mapping) else value  # type: ignore[arg-type]
    return next((convert for each in hints_ if (convert := _convert(each)) is not None), None)


def _convert_all(origin: Any, item_of: Convert | None) -> Convert | None:
    if origin is Iterable:  # read once, and goes out row by row
        return iter if item_of is None else lambda value: map(item_of, value)
    if item_of is None:
        return None
    made: Any = tuple if origin is tuple else list
    return lambda value: made(item_of(item) for item in value)


def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    origin = get_origin(hint)
    return (Union if origin is types.UnionType else origin), get_args(hint)


# --- JSON Schema ----------------------------------------------------------------------------------------------------


def json_schema(*documents: type[Any], own: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Of a document that is one of these, in the dialect 2020-12; ``own`` are the fields that a face puts before it.
    Every field is there always; nothing else is."""
    definitions: dict[str, Any] = {}
    schemas = [_object(document, definitions, own) for document in documents]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": definitions}


def _object(
    document: type[Any], definitions: dict[str, Any], own: Mapping[str, dict[str, Any]] = MappingProxyType({})
) -> dict[str, Any]:
    known = hints(document)
    properties = {field.name: _schema(known[field.name], definitions) for field in fields(document)}
    properties = {**own, **properties}
    told = " ".join(inspect.cleandoc(document.__doc__ or "").split())
    is_made = told.startswith(f"{document.__name__}(")  # by dataclass itself, where nobody wrote any
    return {
        "title": document.__name__,
        **({"description": told} if told and not is_made else {}),
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def nested(document: type[Any]) -> Iterator[type[Any]]:
    """The documents that one holds, and those that they hold; each as often as it is held."""
    waiting = list(hints(document).values())
    seen = set()
    while waiting:
        hint = waiting.pop(0)
        if is_dataclass(hint) and hint not in seen:
            seen.add(hint)
            yield hint  # type: ignore[misc]
            waiting += hints(hint).values()
        waiting += [each for each in get_args(hint) if not isinstance(each, str)]


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if is_dataclass(hint):
        name = hint.__name__  # type: ignore[union-attr]
        if name not in definitions:
            definitions[name] = {}  # one that holds itself
            definitions[name] = _object(hint, definitions)  # type: ignore[arg-type]
        return {"$ref": f"#/$defs/{name}"}
    origin, arguments = _parts(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is Union:
        return {"anyOf": [_schema(each, definitions) for each in arguments]}
    if origin in _LISTS:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    raise TypeError(f"{hint} has no JSON Schema here")


def shown(hint: Any) -> str:
    """A type in a table for people: ``list of SessionLine``, ``text or nothing``."""
    words = {
        str: "text",
        int: "integer",
        float: "number",
        bool: "yes or no",
        type(None): "null",
        Any: "anything",
    }
    if hint in words:
        return words[hint]
    if is_dataclass(hint):
        return str(hint.__name__)  # type: ignore[union-attr]
    origin, arguments = _parts(hint)
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin is Union:
        return " or ".join(map(shown, arguments))
    if origin in _LISTS:
        return f"list of {shown(arguments[0])}"
    return f"{shown(arguments[1])} by name"
