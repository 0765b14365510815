"""Correct with a file: what would be replaced and by what, before anything is asked for; then the request."""

from typing import Literal, cast

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.answers.correction import CorrectionReport
from commands.answers.doing.common import bytes_of
from commands.door.command_ids import new_command_id
from commands.inputfile.entry_file import entry_file
from commands.web.pages import drafting
from commands.web.pages.action_forms import position
from commands.web.pages.editing import text_of
from commands.web.pages.fields import plain
from commands.web.pages.findings import causes
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

PATHS_OF_FILES = frozenset({"/correct"})


def correcting(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/correct", _opened)
    add_form(
        router, serving, "/correct", _sent, part_bytes=2 * serving.settings.limits.input_file_bytes + 1000
    )
    return router


def _opened(visit: Visit) -> Response:
    upload, name = visit.query.get("upload", ""), drafting.named(visit.query.get("name", ""))
    if not upload:
        text = text_of(drafting.content_of(visit, name) or b"") if "name" in visit.query else ""
        return _shown(visit, name if "name" in visit.query else "", text)
    stored = visit.ask("stored-file", ref=upload)
    data = bytes_of(stored.content, stored.encoding)
    kind, _, number = visit.query.get("entry", "").partition(".")
    alone = None
    if kind in ("sessions", "clustering") and number.isascii() and number.isdigit() and len(number) < 9:
        alone = entry_file(
            data, cast("Literal['sessions', 'clustering']", kind), int(number), filename=stored.filename,
            limits=visit.serving.settings.limits,
        )  # fmt: skip
    return _previewed(visit, stored.filename, text_of(data) if alone is None else alone)


def _sent(visit: Visit, form: FormData) -> Response:
    name, text = drafting.named(str(form.get("name", ""))), plain(str(form.get("text", "")))
    reason = plain(str(form.get("reason", ""))).strip()
    if form.get("do") != "request":
        return _previewed(visit, name, text, reason=reason)
    if not reason:
        return _previewed(
            visit, name, text, wrong="Say why: the reason is kept, and whoever decides goes by it."
        )
    try:
        done = visit.do(
            "correct",
            command_id=str(form.get("command_id") or "") or None,
            content=text,
            filename=name,
            reason=reason,
        )
    except Refusal as refusal:
        return _shown(visit, name, text, reason=reason, problem=_problem(visit, refusal))
    report: CorrectionReport = done.answer
    if report.request is not None:
        return seen_other(f"/requests/{report.request}")
    return _shown(visit, name, text, reason=reason, report=report)


def _previewed(visit: Visit, name: str, text: str, *, reason: str = "", wrong: str = "") -> Response:
    if not text.strip():
        return _shown(visit, name, text, reason=reason, wrong=wrong)
    try:
        report = visit.do("correct", command_id=None, content=text, filename=name or drafting.NAMELESS).answer
    except Refusal as refusal:
        return _shown(visit, name, text, reason=reason, problem=_problem(visit, refusal))
    return _shown(visit, name, text, reason=reason, report=report, wrong=wrong)


def _problem(visit: Visit, refusal: Refusal) -> Problem:
    return problem_of(refusal, doing="correct", beside=visit.serving.folder)


def _shown(
    visit: Visit, name: str, text: str, *, reason: str = "", report: CorrectionReport | None = None,
    problem: Problem | None = None, wrong: str = "",
) -> Response:  # fmt: skip
    wrong_file = report is not None and not report.ok
    status = problem.status if problem is not None else 422 if wrong or wrong_file else 200
    return page(
        visit, "correct.html", "Correct with a file", position=position(visit), status=status, name=name, text=text,
        report=report, reason=reason, problem=problem, wrong=wrong, command_id=new_command_id(),
        causes=[] if report is None else causes(report.findings),
        ways=[] if problem is None else ways(problem.steps),
        replaced=report is not None and bool(report.sessions or report.clusterings),
    )  # fmt: skip
