"""The editor of input files: a draft that is kept, checked as often as one likes, mended where a finding says how, and
uploaded when it is right. Works without scripts; what was typed comes back with every answer.
"""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.responses import HTMLResponse, Response

from commands.answers.doing.common import bytes_of
from commands.door.command_ids import new_command_id
from commands.inputfile.document import Unreadable
from commands.inputfile.encoding import decode
from commands.inputfile.mending import Mending, mended, repairable, repaired
from commands.intake.checking import CheckedFile
from commands.intake.validation import validate
from commands.web.pages import drafting
from commands.web.pages.action_forms import position
from commands.web.pages.fields import plain
from commands.web.pages.findings import GROUPS, Cause, causes, marked, stages, wordless
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit, WrongField
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from commands.web.uploads import taken_in
from ledger.errors import Refusal

EDITOR = "/ingest"
PATHS_OF_FILES = frozenset({EDITOR, "/ingest/open", "/ingest/keep"})
_AHEAD = 400  # numbers beyond the last line, for what is still to be typed
_NOT_PARSED = 0


def editing(serving: Serving) -> APIRouter:
    router = APIRouter()
    most = 2 * serving.settings.limits.input_file_bytes + 1000  # a line break is sent as two characters
    add_page(router, serving, EDITOR, _opened)
    add_form(router, serving, EDITOR, _sent, part_bytes=most)
    add_form(router, serving, "/ingest/open", _file_opened, part_bytes=most)
    add_form(router, serving, "/ingest/keep", _kept, part_bytes=most)
    add_form(router, serving, "/ingest/drop", _dropped)
    return router


def _opened(visit: Visit) -> Response:
    name = drafting.named(visit.query.get("name", "")) if "name" in visit.query else ""
    data = _data_of(visit, name)
    if "check" in visit.query and data:
        checked = _checked(visit, name, data, record=False)
        return shown(visit, name, text_of(data), checked=checked, data=data)
    return shown(visit, name, text_of(data), data=data)


def _data_of(visit: Visit, name: str) -> bytes:
    """The draft of that name; or the file that one uploaded under it, to go on with; or the upload that is meant."""
    upload = visit.query.get("upload", "")
    if not upload and name:
        kept = drafting.content_of(visit, name)
        if kept is not None:
            return kept
        found = visit.ask("uploads", user=visit.actor.owner, text=name, limit="20").uploads
        upload = next((each.upload for each in found if each.filename == name), "")
    if not upload:
        return b""
    stored = visit.ask("stored-file", ref=upload)
    return bytes_of(stored.content, stored.encoding)


def text_of(data: bytes) -> str:
    """For an editor. What is no text is shown as far as it is some."""
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\0", "\ufffd")


def shown(
    visit: Visit, name: str, text: str, *, data: bytes = b"", checked: CheckedFile | None = None,
    problem: Problem | None = None, wrong: WrongField | None = None, done: str = "", command_id: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    text = plain(text)
    found, more = ([], None) if checked is None else (_causes(checked, text, visit), checked.more)
    number = _page_number(visit, len(found))
    marks = {} if checked is None else marked(found, checked.more)
    return page(
        visit, "editor.html", "Check and upload", position=position(visit), status=status,
        name=name, text=text, gutter=_gutter(text, marks), digits=len(str(text.count("\n") + _AHEAD)),
        checked=checked, causes=found[GROUPS * (number - 1) : GROUPS * number], count=len(found), number=number,
        pages=-(-len(found) // GROUPS), wordless=[] if more is None else wordless(more), more=more,
        stages=[] if checked is None else stages(checked.stage, checked.ok, found, checked.more),
        problem=problem, ways=[] if problem is None else ways(problem.steps), wrong=wrong, done=done,
        drafts=drafting.all_of(visit), command_id=command_id or new_command_id(), mend=_mend,
        is_text=b"\xef\xbf\xbd" in data or "\ufffd" not in text,
    )  # fmt: skip


def _causes(checked: CheckedFile, text: str, visit: Visit) -> list[Cause]:
    parses = checked.stage != _NOT_PARSED or checked.ok or text.lstrip()[:1] in ("{", "[")
    return causes(checked.findings, {} if parses else repairable(text, visit.serving.settings.limits))


def _page_number(visit: Visit, count: int) -> int:
    asked = visit.query.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    return max(1, min(number, -(-count // GROUPS) or 1))


def _gutter(text: str, marks: Mapping[int, str]) -> list[tuple[str, str]]:
    """The numbers of lines, in runs: those of a run without a mark a line each, and each one that is marked."""
    runs: list[tuple[str, str]] = []
    last, start = text.count("\n") + 1 + _AHEAD, 1
    for line in [*sorted(line for line in marks if line <= last), last + 1]:
        if line > start:
            runs.append(("\n".join(map(str, range(start, line))), ""))
        if line <= last:
            runs.append((str(line), marks[line]))
        start = line + 1
    return runs


def _mend(cause: Cause) -> str:
    """What a button sends: which word for which, or which kind of mistake."""
    if cause.mending is not None:
        return json.dumps([cause.mending.old, cause.mending.new])
    return json.dumps([cause.repair])


def _checked(
    visit: Visit, name: str, data: bytes, *, record: bool, command_id: str | None = None
) -> CheckedFile:
    settings = visit.serving.settings
    return validate(
        visit.serving.daybook(visit.actor), data, filename=name or drafting.NAMELESS, roots=settings.roots,
        limits=settings.limits, record=record and visit.actor.may_write, command_id=command_id,
    )  # fmt: skip


# --- what is sent ---------------------------------------------------------------------------------------------------


def _typed(form: FormData) -> tuple[str, str]:
    return drafting.named(str(form.get("name", ""))), plain(str(form.get("text", "")))


def _sent(visit: Visit, form: FormData) -> Response:
    name, text = _typed(form)
    command_id = str(form.get("command_id") or new_command_id())
    mending = str(form.get("mend", ""))
    try:
        if mending:
            return _mended(visit, name, text, mending)
        data = text.encode("utf-8", "surrogatepass")
        drafting.keep(visit, name, data)
        if str(form.get("do", "check")) == "upload":
            return _uploaded(visit, name, text, data, command_id)
        checked = _checked(visit, name, data, record=True, command_id=f"{command_id}-check")
        return shown(visit, name, text, checked=checked, command_id=command_id)
    except WrongField as wrong:
        return shown(visit, name, text, wrong=wrong, status=422)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="edit an input file", beside=visit.serving.folder)
        return shown(visit, name, text, problem=problem, status=problem.status)


def _uploaded(visit: Visit, name: str, text: str, data: bytes, command_id: str) -> Response:
    report = taken_in(visit.serving, visit.actor, data, name, command_id)
    if report.ok:
        return seen_other(f"/ingest/uploads/{report.upload}", name=name)
    checked = _checked(visit, name, data, record=False)
    return shown(visit, name, text, checked=checked, done="rejected", status=422)


def _mended(visit: Visit, name: str, text: str, asked: str) -> Response:
    """Mends all places of a cause as they are in what was typed, and checks again."""
    words = _words(asked)
    before = _causes(_checked(visit, name, text.encode("utf-8", "surrogatepass"), record=False), text, visit)
    if len(words) == 1:
        text = repaired(text, visit.serving.settings.limits, code=words[0])
    else:
        meant = Mending(*words)
        lines = [line for cause in before if cause.mending == meant for line in cause.lines]
        text = mended(text, meant, lines)
    data = text.encode("utf-8", "surrogatepass")
    drafting.keep(visit, name, data)
    return shown(visit, name, text, checked=_checked(visit, name, data, record=False), done="mended")


def _words(asked: str) -> list[str]:
    try:
        words: Any = json.loads(asked)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list) or len(words) not in (1, 2) or not all(isinstance(w, str) for w in words):
        raise WrongField("mend", "This mends nothing.")
    return words


def _file_opened(visit: Visit, form: FormData) -> Response:
    chosen = form.get("file")
    if not isinstance(chosen, UploadFile) or not chosen.filename:
        return shown(visit, "", "", wrong=WrongField("file", "Choose a file first."), status=422)
    data, name = chosen.file.read(), drafting.named(chosen.filename)
    limits = visit.serving.settings.limits
    try:
        decode(data, limits)
    except Unreadable as problem:
        text = "".join(f"{each.message} {each.hint}".rstrip() for each in problem.findings)
        return shown(visit, name, "", wrong=WrongField("file", text), status=422)
    return seen_other(EDITOR, name=drafting.keep_beside(visit, name, data), check="yes")


def _kept(visit: Visit, form: FormData) -> Response:
    """For a script that keeps what is typed, now and then."""
    name, text = _typed(form)
    drafting.keep(visit, name, text.encode("utf-8", "surrogatepass"))
    return HTMLResponse("Kept a moment ago.")


def _dropped(visit: Visit, form: FormData) -> Response:
    drafting.drop(visit, str(form.get("name", "")))
    return seen_other(EDITOR)
