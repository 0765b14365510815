"""The fields of a form, from the parameters of an action: how each is asked for, and how what was typed is read.

Pure: the same parameters make the fields, whoever asks.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from inspect import Parameter
from typing import Any, Literal, Union, get_args, get_origin

from starlette.datastructures import FormData, UploadFile

from commands.answers.parameters import Content, LocalTime
from commands.web.pages.visiting import WrongField

Kind = Literal["line", "lines", "pairs", "choice", "yes", "time", "number", "file", "object"]
PAIR = "association."
_LINE_BREAKS = ("\r\n", "\r")
_ASKED = {
    "as_crashed": "The acquisition crashed: take what is there",
    "at": "When",
    "attributes": "More about it, as a JSON object",
    "authenticated_only": "Take commands only of who is signed in",
    "content": "The file",
    "curation_time": "Curation time (local); empty: read from disk",
    "despite_dates": "One session, although its recordings are days apart",
    "despite_serial": "Despite the serial numbers",
    "email": "Mail address",
    "filename": "Name of the file",
    "from_disk": "Read the disk again, instead of a file",
    "insertion_time": "Inserted at (local time)",
    "length": "Good for",
    "name": "Name",
    "new_value": "New spelling",
    "of": "Of which user",
    "own_requests": "Admins may approve their own requests",
    "ref": "Record",
    "records": "Records, one a line",
    "removal_time": "Removed at (local time)",
    "start": "Started at (local time)",
    "still_in": "It is still in",
    "without": "Without these, one a line",
}  # fmt: skip
_HELP = {
    "reason": "It is kept in the event, and everyone sees it.",
    "records": "Ids such as s12 or c34.",
    "ref": "An id such as s12, or what it is told by.",
}
LISTS = {
    "subject": "subjects", "probe": "probes", "user": "users", "owner": "users", "of": "users",
    "curator": "experimenters", "experimenter": "experimenters", "room": "rooms", "project": "projects",
    "table": "tables",
}  # fmt: skip
"""Fields whose choices can be searched, and the list that holds them."""


@dataclass(frozen=True, slots=True)
class Field:
    """``value`` is what stands in it, ``wrong`` what is said of it, ``list`` the list of its choices."""

    name: str
    label: str
    kind: Kind
    required: bool
    value: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""
    wrong: str = ""
    list: str = ""
    pairs: tuple[tuple[str, str], ...] = field(default=())


def fields_of(
    asked: list[Parameter], given: Mapping[str, str], wrong: WrongField | None = None
) -> list[Field]:
    """``given`` is what an address or a form has for them."""
    return [_field(each, given, wrong) for each in asked if each.name not in ("encoding", "association")]


def _field(each: Parameter, given: Mapping[str, str], wrong: WrongField | None) -> Field:
    name = each.name
    kind, choices = _kind(each.annotation)
    value = given.get(name, "")
    if not value and each.default not in (Parameter.empty, None, False):
        value = str(each.default)
    said = wrong.message if wrong is not None and wrong.field == name else ""
    return Field(
        name, _ASKED.get(name, name.replace("_", " ").capitalize()), kind,
        each.default is Parameter.empty and kind != "yes", value, choices, _HELP.get(name, ""), said,
        LISTS.get(name, ""),
    )  # fmt: skip


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if annotation is Content:
        return "file", ()
    if annotation is LocalTime:
        return "time", ()
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        (inner,) = [each for each in arguments if each is not type(None)]
        return _kind(inner)
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    if origin is Literal:
        return "choice", tuple(map(str, arguments))
    if annotation is bool:
        return "yes", ()
    if annotation is int:
        return "number", ()
    if origin is list:
        return "lines", ()
    if origin is dict:
        return "object", ()
    return "line", ()


def read(asked: list[Parameter], form: FormData) -> dict[str, Any]:
    """What was typed, as the action takes it; what is empty is left out. Raises WrongField."""
    found: dict[str, Any] = {}
    for each in asked:
        name = each.name
        if name == "association":
            pairs = {
                key.removeprefix(PAIR): str(value) for key, value in form.items() if key.startswith(PAIR)
            }
            found[name] = {key: value for key, value in pairs.items() if value.strip()}
            continue
        kind, _ = _kind(each.annotation)
        given = form.get(name)
        if kind == "file":
            found[name] = _file(form, name)
            continue
        text = plain(given) if isinstance(given, str) else ""
        if kind == "yes":
            found[name] = bool(text)
        elif not text.strip():
            if each.default is Parameter.empty and kind == "lines":
                found[name] = []
        elif kind == "lines":
            found[name] = [line.strip() for line in text.split("\n") if line.strip()]
        elif kind == "time":
            found[name] = local_time(text)
        elif kind == "object":
            found[name] = _object(name, text)
        else:
            found[name] = text.strip()
    return found


def plain(text: str) -> str:
    """As it was typed: a browser sends each line break as two characters (HTML, 4.10.21.4)."""
    for each in _LINE_BREAKS:
        text = text.replace(each, "\n")
    return text


def _file(form: FormData, name: str) -> str | bytes:
    """What was chosen, or else what was typed."""
    chosen = form.get(f"{name}_file")
    if isinstance(chosen, UploadFile) and chosen.filename:
        return chosen.file.read()
    return plain(str(form.get(name) or ""))


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise WrongField(name, 'This is no JSON object, such as {"part": "NP2004"}.')
    return found


def local_time(text: str) -> str:
    """``2026-01-31T12:00`` of a browser's calendar as ``2026-01-31 12:00:00``; anything else as it was typed."""
    text = text.strip()
    try:
        there = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if there.tzinfo is not None else there.isoformat(sep=" ")
