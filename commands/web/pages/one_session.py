"""Add sessions by a form: one, or many of one day, of which each row repeats what it leaves empty from the row above.
It makes the input file that somebody else would have written, and brings that in.
"""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.door.command_ids import new_command_id
from commands.inputfile.entry_file import written
from commands.inputfile.findings import Finding
from commands.intake.upload_report import UploadReport
from commands.web.pages import drafting
from commands.web.pages.action_forms import position
from commands.web.pages.choosing import lists
from commands.web.pages.editing import EDITOR
from commands.web.pages.fields import plain
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit, WrongField
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from commands.web.uploads import taken_in
from ledger.errors import Refusal

ROWS, MOST_ROWS, TASKS = 3, 100, 4
_ROW = ("location", "experimenter", "room", "project", "notes")
_TASK = ("task_type", "arena_apparatus", "task_start", "task_stop", "notes")
_LISTS = ("arenas", "experimenters", "projects", "rooms", "subjects", "task_types")
_AT = re.compile(r"sessions\[(\d+)\](?:\.(\w+))?(?:\[(\d+)\](?:\.(\w+))?)?")
_ASKED_NUMBER = 9


def one_session(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/ingest/one", lambda visit: _shown(visit, dict(visit.query)))
    add_form(router, serving, "/ingest/one", _sent)
    return router


def _shown(
    visit: Visit, given: Mapping[str, str], *, wrong: Mapping[str, str] | None = None,
    about: list[Finding] | None = None, problem: Problem | None = None, command_id: str = "", status: int = 200,
) -> Response:  # fmt: skip
    return page(
        visit, "one_session.html", "Add sessions by form", position=position(visit), status=status, given=given,
        rows=_rows(given), tasks=TASKS, wrong=wrong or {}, about=about or [], problem=problem,
        ways=[] if problem is None else ways(problem.steps), command_id=command_id or new_command_id(),
        lists=lists(visit, _LISTS),
    )  # fmt: skip


def _rows(given: Mapping[str, str]) -> int:
    text = given.get("rows", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < _ASKED_NUMBER else ROWS
    return max(1, min(number, MOST_ROWS))


def _sent(visit: Visit, form: FormData) -> Response:
    given = {name: plain(str(value)) for name, value in form.items()}
    command_id = given.get("command_id", "")
    if given.get("do") == "more":
        return _shown(visit, given | {"rows": str(_rows(given) + ROWS)}, command_id=command_id)
    used, entries = _entries(given)
    subject = given.get("subject", "").strip()
    if not entries or not subject:
        wrong = {} if subject else {"subject": "Say which subject it is."}
        wrong |= {} if entries else {"location.0": "Say where the recording lies."}
        return _shown(visit, given, wrong=wrong, command_id=command_id, status=422)
    text = written(subject, sessions=entries)
    name = drafting.named(f"{subject}.yml")
    try:
        if given.get("do") == "edit":
            return seen_other(EDITOR, name=drafting.keep_beside(visit, name, text.encode()))
        report = taken_in(visit.serving, visit.actor, text.encode(), name, command_id or None)
    except WrongField as error:
        return _shown(visit, given, wrong={error.field: error.message}, status=422)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="add a session", beside=visit.serving.folder)
        return _shown(visit, given, problem=problem, status=problem.status)
    if report.ok:
        return seen_other(f"/ingest/uploads/{report.upload}")
    return _refused(visit, given, used, report)


def _entries(given: Mapping[str, str]) -> tuple[list[int], list[dict[str, Any]]]:
    """The rows that name a place, and the entry of each: what a row leaves empty is that of the row above."""
    used, entries = [], []
    above: dict[str, str] = {}
    tasks = _tasks(given)
    for row in range(_rows(given)):
        typed = {name: given.get(f"{name}.{row}", "").strip() for name in _ROW}
        if not typed["location"]:
            continue
        above = {name: typed[name] or above.get(name, "") for name in _ROW if name != "notes"}
        entry: dict[str, Any] = {"location": typed["location"]}
        for name in ("experimenter", "project"):
            several = [each.strip() for each in above[name].split(",") if each.strip()]
            if several:
                entry[name] = several
        entry |= {"room": above["room"]} if above["room"] else {}
        entry |= {"notes": typed["notes"]} if typed["notes"] else {}
        entry["tasks"] = tasks
        if given.get("clustering"):
            entry["clustering"] = True
        used.append(row)
        entries.append(entry)
    return used, entries


def _tasks(given: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for number in range(TASKS):
        typed = {name: given.get(f"task.{name}.{number}", "").strip() for name in _TASK}
        if typed["task_type"]:
            found.append({name: _value(name, text) for name, text in typed.items() if text})
    return found


def _value(name: str, text: str) -> Any:
    """A time in seconds is a number; ``yes`` says that sessions.txt has it. What is neither is left to the check."""
    if name not in ("task_start", "task_stop"):
        return text
    if text.casefold() in ("yes", "true"):
        return True
    try:
        return float(text)
    except ValueError:
        return text


def _refused(visit: Visit, given: Mapping[str, str], used: list[int], report: UploadReport) -> Response:
    """Each finding at the field that it is about; the others above the form."""
    wrong: dict[str, str] = {}
    about: list[Finding] = []
    for finding in report.findings:
        if finding.severity != "error":
            continue
        name = _field_of(finding.path, used)
        if name:
            wrong.setdefault(name, f"{finding.message} {finding.hint}".rstrip())
        else:
            about.append(finding)
    return _shown(visit, given, wrong=wrong, about=about, status=422)


def _field_of(path: str, used: list[int]) -> str:
    if path.startswith("subject"):
        return "subject"
    found = _AT.match(path)
    if found is None or int(found[1]) >= len(used):
        return ""
    row, field = used[int(found[1])], found[2] or "location"
    if field == "tasks":
        return f"task.{found[4] or 'task_type'}.{found[3] or 0}"
    return f"{field}.{row}" if field in _ROW else ""
