"""Compose an input file from folders of the configured roots, and what helps to write one: templates and the schema.
No folder outside of a root is listed, whatever the address says.
"""

import json
import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.inputfile.schema import SCHEMA_FILE_NAME, schema
from commands.inputfile.template import template
from commands.recordings.disk import Found, shown
from commands.recordings.locations import LocationError
from commands.recordings.readers import reader_of
from commands.recordings.roots import Roots, normalise
from commands.recordings.search import resolve
from commands.recordings.session import SessionDirectoryError
from commands.recordings.session_folders import derived_folder, looks_like_session
from commands.recordings.sessions_txt import TABLE_NAME
from commands.web.pages import drafting
from commands.web.pages.action_forms import position
from commands.web.pages.choosing import lists
from commands.web.pages.editing import EDITOR
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

MOST = 300
"""Names of a folder that are listed; further ones are counted."""
_LOOKED_INTO = 60  # folders of which the files are looked at
_FILES = 400


@dataclass(frozen=True, slots=True)
class Folder:
    """``why``: what makes it look like a session; empty where nothing does."""

    name: str
    location: str
    why: str


def composing(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/compose", _browsed)
    add_form(router, serving, "/compose", _composed)
    add_page(router, serving, "/ingest/template", _template)
    add_page(router, serving, "/ingest/schema.json", _schema)
    return router


def _browsed(visit: Visit) -> Response:
    return _shown(visit, visit.query.get("at", ""), visit.query.get("subject", ""))


def _shown(visit: Visit, at: str, subject: str, problem: Problem | None = None) -> Response:
    roots = visit.serving.settings.roots
    folders: list[Folder] = []
    more, here, above = 0, "", ""
    if at and problem is None:
        try:
            path = resolve(at, roots)
            here = normalise(at, roots)
            above = _above(here, roots)
            if roots.configured:
                folders, more = _folders(path, here)
        except (LocationError, OSError) as error:
            problem = _problem(visit, error)
    return page(
        visit, "compose.html", "Compose from a folder", position=position(visit), at=here or at, above=above,
        status=200 if problem is None else problem.status, roots=sorted(roots.directories) if roots.configured else [],
        folders=folders, more=more, subject=subject, problem=problem, why=_why(Path(here).name, []) if here else "",
        ways=[] if problem is None else ways(problem.steps), lists=lists(visit, {"subjects"}),
    )  # fmt: skip


def _problem(visit: Visit, error: Exception) -> Problem:
    if isinstance(error, OSError):
        return Problem(422, "not-readable", f"It cannot be read: {error.strerror}.")
    return problem_of(error, doing="compose", beside=visit.serving.folder)


def _above(here: str, roots: Roots) -> str:
    """The folder around it, as long as that is in a root."""
    parent = here.rpartition("/")[0]
    try:
        return normalise(parent, roots) if parent and here not in roots.directories else ""
    except LocationError:
        return ""


def _folders(path: Path, here: str) -> tuple[list[Folder], int]:
    with os.scandir(path) as entries:
        names = sorted(each.name for each in islice(entries, 20_000) if _is_folder(each))
    found = []
    for number, name in enumerate(names[:MOST]):
        files = _files(path / name) if number < _LOOKED_INTO else []
        found.append(Folder(shown(name), f"{here}/{name}", _why(name, files)))
    return found, max(0, len(names) - MOST)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _files(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [each.name for each in islice(entries, _FILES)]
    except OSError:
        return []


def _why(name: str, files: list[str]) -> str:
    """What its name and its files say."""
    if derived_folder(name) is not None:
        return ""
    said = []
    for file in files:
        found = reader_of(Found(folder="", name=file)) if "." in file else None
        if found is not None:
            said.append(f"recordings of {found.system}, such as {shown(file)}")
            break
    if any(file.lower() == TABLE_NAME for file in files):
        said.append("a sessions.txt")
    if looks_like_session(name):
        said.append("its name")
    return ", ".join(said)


def _composed(visit: Visit, form: FormData) -> Response:
    at, subject = str(form.get("at", "")), str(form.get("subject", "")).strip()
    try:
        draft = visit.ask("draft", directory=at, **({"subject": subject} if subject else {}))
    except (Refusal, LocationError, SessionDirectoryError) as error:
        return _shown(visit, at, subject, _problem(visit, error))
    name = drafting.named(f"{subject or Path(at.rstrip('/')).name or 'draft'}.yml")
    return seen_other(EDITOR, name=drafting.keep_beside(visit, name, draft.text.encode()))


def _template(visit: Visit) -> Response:
    """An empty file, as a draft of its own."""
    example = "example" in visit.query
    name = "example.yml" if example else "template.yml"
    text = template("yaml", example=example)
    return seen_other(EDITOR, name=drafting.keep_beside(visit, name, text.encode()))


def _schema(_visit: Visit) -> Response:
    return Response(
        json.dumps(schema(), indent=1), media_type="application/schema+json",
        headers={"content-disposition": f'attachment; filename="{SCHEMA_FILE_NAME}"'},
    )  # fmt: skip
