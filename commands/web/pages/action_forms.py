"""One form for each action, derived from the registry of actions: for every next step there is a page that does it.

A page that has a form of its own for an action sends it here, too: the fields, the refusals and what is answered are
the same everywhere.
"""

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.answers.actions import ACTIONS, Action
from commands.answers.parameters import parameters
from commands.door.command_ids import new_command_id
from commands.web.pages.addresses import record_address
from commands.web.pages.associating import probes_on_disk, tasks_on_disk
from commands.web.pages.carrying_on import own_address
from commands.web.pages.choosing import lists
from commands.web.pages.fields import LISTS, Field, fields_of, plain, read
from commands.web.pages.next_steps import Way, ways
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit, WrongField
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

_BY_NAME = {action.name: action for action in ACTIONS}
PATHS_OF_FILES = frozenset(
    f"/do/{action.name}"
    for action in ACTIONS
    if any(each.name == "content" for each in parameters(action.do))
)
_BUTTONS = {
    "add-clustering": "Add the clustering", "add-tasks": "Add the tasks", "amend": "Add what was left out",
    "associate": "Associate and insert", "insert-probe": "Record the insertion", "mend-insertion": "Mend the insertion",
    "propose-value": "Propose the value", "register-subject": "Register the subject", "settle": "Settle and insert",
    "remove-probe": "Record the removal", "withdraw": "Withdraw", "work": "Look again now",
    "rename-subject": "Rename the subject", "load-catalogue": "Load the file",
    "take-back-insertion": "Take the insertion back",
}  # fmt: skip
_DANGEROUS = frozenset(
    {"withdraw", "erase-person", "take-back-insertion", "take-back-value", "take-back-subject"}
)


def action_forms(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/do/{action}", _form)
    add_form(router, serving, "/do/{action}", _done, part_bytes=serving.settings.limits.input_file_bytes)
    return router


def _action(visit: Visit) -> Action:
    found = _BY_NAME.get(visit.path("action"))
    if found is None:
        raise Refusal("not-found", f'There is no action "{visit.path("action")[:100]}".')
    return found


def _form(visit: Visit) -> Response:
    given, found = dict(visit.query), _action(visit)
    if found.name == "add-tasks" and given.get("ref"):
        given = {"content": tasks_on_disk(visit, given["ref"]), "filename": "tasks.yml"} | given
    return shown(visit, found, given)


def shown(
    visit: Visit, action: Action, given: Mapping[str, str], *, wrong: WrongField | None = None,
    problem: Problem | None = None, command_id: str = "", status: int = 200,
) -> Response:  # fmt: skip
    asked = parameters(action.do)
    made = fields_of(asked, _fitting(action, given), wrong)
    associates = any(each.name == "association" for each in asked)
    named = {each.name for each in made}
    said = "" if wrong is None else (wrong.message if wrong.field not in named else "")
    return page(
        visit, "do.html", button_of(action.name).rstrip("."), position=position(visit), status=status,
        action=action.name, about=inspect.getdoc(action.do) or "", fields=made, wrong=said, associates=associates,
        probes=probes_on_disk(visit, given.get("ref", ""), given) if associates else [],
        lists=lists(visit, _lists(made)),
        problem=problem, ways=[] if problem is None else ways(problem.steps), button=button_of(action.name),
        dangerous=action.name in _DANGEROUS, command_id=command_id or new_command_id(),
        back=own_address(given["back"]) if given.get("back") else "",
    )  # fmt: skip


def _lists(made: list[Field]) -> set[str]:
    return {LISTS[each.name] for each in made if each.name in LISTS and each.kind == "line"}


def _fitting(action: Action, given: Mapping[str, str]) -> dict[str, str]:
    """A record that is named goes where the action takes records."""
    names = {each.name for each in parameters(action.do)}
    found = dict(given)
    if "ref" in found and "ref" not in names and "records" in names:
        found.setdefault("records", found["ref"])
    return found


def button_of(action: str) -> str:
    return _BUTTONS.get(action, action.replace("-", " ").capitalize())


def position(visit: Visit) -> int:
    with visit.serving.daybook(visit.actor).reading() as world:
        return int(world.head.size)


def _done(visit: Visit, form: FormData) -> Response:
    action = _action(visit)
    command_id = str(form.get("command_id") or new_command_id())
    typed = {name: plain(value) for name, value in form.items() if isinstance(value, str)}
    try:
        given = read(parameters(action.do), form)
        if isinstance(given.get("content"), bytes):
            given["content"], given["encoding"] = _as_text(given["content"])
            if any(each.name == "filename" for each in parameters(action.do)):
                given.setdefault("filename", _name_of_file(form))
        done = visit.do(action.name, command_id=command_id, **given)
        if not done.answer.ok and hasattr(done.answer, "refusal"):
            raise done.answer.refusal()
    except WrongField as wrong:
        return shown(visit, action, typed, wrong=wrong, command_id=command_id, status=422)
    except Refusal as refusal:
        problem = problem_of(refusal, doing=f"do {action.name}", beside=visit.serving.folder)
        return shown(
            visit, action, typed, problem=problem, status=problem.status
        )  # the next is another command
    if typed.get("back") and done.secret is None and done.answer.ok:
        return seen_other(own_address(typed["back"]), done=action.name, ref=str(given.get("ref", "")))
    return page(
        visit, "done.html", f"{button_of(action.name)}: done" if done.answer.ok else "Not done",
        position=done.answer.position, status=200 if done.answer.ok else 409, facts=facts_of(done.answer),
        secret=done.secret, ways=ways(getattr(done.answer, "next_steps", ())), ok=done.answer.ok,
        record=_record_of(done.answer, given),
    )  # fmt: skip


def _as_text(data: bytes) -> tuple[str, str]:
    from base64 import b64encode

    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(data).decode(), "base64"


def _name_of_file(form: FormData) -> str:
    chosen = form.get("content_file")
    return (getattr(chosen, "filename", None) or "upload.yml")[:255]


def _record_of(answer: Any, given: Mapping[str, Any]) -> Way | None:
    """Where to look at what became of it."""
    for name in ("request", "session", "clustering", "upload"):
        ref = getattr(answer, name, None)
        if isinstance(ref, str) and ref:
            return Way(f"See {ref}", record_address(ref))
    ref = str(given.get("ref", ""))
    return Way(f"See {ref}", record_address(ref)) if ref[1:].isdigit() else None


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of what was answered; ``link`` leads to the record that it names."""

    label: str
    text: str


def facts_of(answer: Any) -> list[Fact]:
    """What a command answered, line by line: what is empty says nothing."""
    found = []
    for each in fields(answer):
        value = getattr(answer, each.name)
        if each.name in ("ok", "position", "next_steps") or value in (None, "", [], {}, ()):
            continue
        found.append(Fact(each.name.replace("_", " ").capitalize(), _said(value)))
    return found


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_dataclass(value) and not isinstance(value, type):
        return _said(asdict(value))
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name}: {_said(each)}" for name, each in value.items() if each not in (None, [], "")
        )
    if isinstance(value, list | tuple):
        return "; ".join(map(_said, value[:20])) + (
            f" and {len(value) - 20:,} more" if len(value) > 20 else ""
        )
    return f"{value:,}" if isinstance(value, int) else str(value)
