"""What changed between two moments of the ledger, record by record."""

from itertools import islice
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from commands.answers.diff import diff
from commands.answers.times import moment_of
from commands.web.pages.action_forms import position
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit, WrongField
from commands.web.problems import problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal
from ledger.moments import Moment

MOST = 300
_ASKED = ("start", "end", "subject", "user")


def differing(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/diff", _diff)
    return router


def _diff(visit: Visit) -> Response:
    asked = {name: value for name, value in visit.query.items() if name in _ASKED}
    problem, lines, at = None, None, 0
    if "start" in asked:
        try:
            at, lines = _compared(visit, asked)
        except Refusal as refusal:
            problem = problem_of(refusal, doing="diff", beside=visit.serving.folder)
    return page(
        visit, "diff.html", "What changed", position=at or position(visit), lines=lines, asked=asked, most=MOST,
        status=200 if problem is None else problem.status, problem=problem,
        ways=[] if problem is None else ways(problem.steps),
    )  # fmt: skip


def _compared(visit: Visit, asked: dict[str, str]) -> tuple[int, list[Any]]:
    """The first differences, and one more where there are more: they come row by row, while the ledger is open."""
    start, end = (None if name not in asked else _moment(name, asked[name]) for name in ("start", "end"))
    with visit.asking().opened() as asking:
        found = diff(asking.world(), start, end, subject=asked.get("subject"), user=asked.get("user"))
        return found.position, list(islice(found.differences, MOST + 1))


def _moment(name: str, text: str) -> Moment | None:
    try:
        return moment_of(text)
    except ValueError:
        raise WrongField(
            name, f'"{text[:100]}" is no moment. Give a position of the log, or a time.'
        ) from None
