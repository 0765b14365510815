"""Wrong data: requests with what they take before anyone approves, and what can be asked for instead. Reads; what is
decided goes through the form of its action.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.answers.actions import action
from commands.answers.doing.common import bytes_of
from commands.answers.request import Request
from commands.door.command_ids import new_command_id
from commands.intake.validation import validate
from commands.web.pages.action_forms import facts_of, position
from commands.web.pages.fields import plain
from commands.web.pages.impact import drawn
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.timeline import timeline
from commands.web.pages.visiting import Visit, WrongField
from commands.web.problems import Problem, problem_of
from commands.web.serving import Serving
from ledger.errors import Refusal

PAGE = 50
_KINDS = {
    "deletion": "Delete", "correction": "Correct", "redaction": "Redact", "proposal": "Add", "addition": "Add to",
    "mending": "Mend", "taking-back": "Take back", "role": "Role for",
}  # fmt: skip
_WORDS = {
    "requested": ("pending", "open"), "executed": ("inserted", "carried out"), "rejected": ("withdrawn", "rejected"),
    "cancelled": ("withdrawn", "taken back"), "restored": ("inserted", "restored"),
}  # fmt: skip
_FILTERS = ("status", "subject", "user", "text", "decided", "after", "before")


@dataclass(frozen=True, slots=True)
class May:
    """What the visitor may do with a request, and why not where he or she may not."""

    decide: bool
    cancel: bool
    why_not: str


def requests(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/requests", _list)
    add_page(router, serving, "/requests/{ref}", _request)
    add_page(router, serving, "/requests/{ref}/restore", _restore)
    add_page(router, serving, "/wrong-data/delete", _delete)
    add_form(router, serving, "/wrong-data/delete", _delete_sent)
    add_page(router, serving, "/wrong-data/redact", _redact)
    add_page(router, serving, "/wrong-data/replay", _replay)
    add_page(router, serving, "/wrong-data/what-if", _what_if)
    return router


def status_of(status: str) -> tuple[str, str]:
    """The mark and the word of a request's status."""
    return _WORDS.get(status, ("pending", status))


def title_of(asked: Any) -> str:
    some = ", ".join(asked.records[:3]) + (
        f" and {len(asked.records) - 3} more" if len(asked.records) > 3 else ""
    )
    return f"{_KINDS.get(asked.kind, asked.kind.capitalize())} {some or asked.subject or asked.request}"


def _list(visit: Visit) -> Response:
    asked = {name: value for name, value in visit.query.items() if name in _FILTERS}
    try:
        found = visit.ask("requests", limit=str(PAGE), **asked)
        wrong = None
    except WrongField as error:
        found, wrong = visit.ask("requests", limit=str(PAGE)), error
    return page(
        visit, "requests.html", "Wrong data", position=found.position, status=200 if wrong is None else 422,
        found=found, asked=asked, wrong=wrong, title_of=title_of, status_of=status_of,
    )  # fmt: skip


def _asked(visit: Visit) -> Request:
    found: Request = visit.ask("request", request_id=visit.path("ref"))
    return found


def _request(visit: Visit) -> Response:
    asked = _asked(visit)
    grown = [one.ref for one in asked.grown.records] if asked.grown is not None else []
    why = visit.ask("why", ref=asked.request)
    verb = "?" if asked.status == "requested" else ""
    return page(
        visit, "request.html", f"{title_of(asked)}{verb}", position=asked.position, asked=asked, why=why,
        drawing=drawn(asked.records, asked.takes, grown), grown=grown, may=_may(visit, asked),
        mark=status_of(asked.status), changes=[] if asked.change is None else _change(asked.change),
        timeline=timeline(asked.events, shown_to=asked.position), command_id=new_command_id(),
        done=visit.query.get("done", ""),
    )  # fmt: skip


def _change(change: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in change.items() if value not in (None, "", [], {})]


def _may(visit: Visit, asked: Request) -> May:
    if asked.status != "requested" or visit.as_of is not None:
        return May(decide=False, cancel=False, why_not="")
    mine = asked.requested_by == visit.actor.user
    status = visit.ask("status", of=visit.actor.owner, kept=False)
    if status.role != "admin":
        return May(False, mine, "An admin decides on it.")
    decides = _decides(visit, asked)
    why_not = "" if decides else "You asked for it yourself: another admin has to decide."
    return May(decides, mine or status.role == "admin", why_not)


def _decides(visit: Visit, asked: Request) -> bool:
    """By the rule that the decision itself goes by."""
    from commands.requests.rules import may_decide

    with visit.serving.daybook(visit.actor).reading() as world:
        row = world.state.deletions.get(int(asked.request[1:]))
        return row is not None and bool(may_decide(world, [row]))


def _restore(visit: Visit) -> Response:
    """What would stand again, and what stands in its way."""
    asked = _asked(visit)
    why = visit.ask("why", ref=asked.request)
    return page(
        visit, "restore.html", f"Restore what {asked.request} took?", position=asked.position, asked=asked, why=why,
        restorable=any(step.action == "restore" for step in why.next_steps), command_id=new_command_id(),
        drawing=drawn(asked.records, asked.takes, []), ways=ways(why.next_steps), mark=status_of(asked.status),
    )  # fmt: skip


# --- asking for it ---------------------------------------------------------------------------------------------------


def _delete(visit: Visit) -> Response:
    names = [
        name
        for text in visit.request.query_params.getlist("records")
        for name in text.replace(",", " ").split()
    ]
    return _previewed(visit, names, visit.query.get("reason", ""))


def _previewed(
    visit: Visit, names: list[str], reason: str, *, problem: Problem | None = None, wrong: str = ""
) -> Response:
    looked = None
    if names and problem is None:
        try:
            looked = visit.ask("would-delete", records=names)
        except Refusal as refusal:
            problem = problem_of(refusal, doing="preview a deletion", beside=visit.serving.folder)
    status = 422 if wrong else 200 if problem is None else problem.status
    return page(
        visit, "delete.html", "Request a deletion", position=position(visit), status=status, names=names,
        looked=looked, reason=reason, problem=problem, wrong=wrong, command_id=new_command_id(),
        ways=[] if problem is None else ways(problem.steps),
        drawing=None if looked is None else drawn(looked.records, looked.takes, []),
    )  # fmt: skip


def _delete_sent(visit: Visit, form: FormData) -> Response:
    names = plain(str(form.get("records", ""))).split()
    reason = plain(str(form.get("reason", ""))).strip()
    if not reason:
        return _previewed(
            visit, names, "", wrong="Say why: the reason is kept, and whoever decides goes by it."
        )
    try:
        done = visit.do(
            "request-deletion",
            command_id=str(form.get("command_id") or "") or None,
            records=names,
            reason=reason,
        )
    except Refusal as refusal:
        problem = problem_of(refusal, doing="request a deletion", beside=visit.serving.folder)
        return _previewed(visit, names, reason, problem=problem)
    return seen_other(f"/requests/{done.answer.request}")


def _redact(visit: Visit) -> Response:
    """What a redaction would take, and what would stay."""
    from commands.requests.redaction import would_go

    text = visit.query.get("position", "")
    given = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    with visit.serving.daybook(visit.actor).reading() as world:
        goes = would_go(world, given) if 0 < given <= world.head.size else None
        size = world.head.size
    wrong = "" if not text or goes is not None else f"{text[:50]} is no event with a payload."
    return page(
        visit, "redact.html", "Request a redaction", position=size, goes=goes, given=text, wrong=wrong,
        status=422 if wrong else 200, command_id=new_command_id(),
    )  # fmt: skip


def _replay(visit: Visit) -> Response:
    """What would become of the stored bytes, taken again now: nothing is recorded of the look."""
    upload = visit.query.get("upload", "")
    stored = visit.ask("stored-file", ref=upload)
    settings = visit.serving.settings
    checked = validate(
        visit.serving.daybook(visit.actor), bytes_of(stored.content, stored.encoding), filename=stored.filename,
        roots=settings.roots, limits=settings.limits, record=False,
    )  # fmt: skip
    return page(
        visit, "replay.html", f"Take {stored.upload} again?", position=position(visit), stored=stored, checked=checked,
        command_id=new_command_id(), about=action("replay").do.__doc__ or "",
    )  # fmt: skip


def _what_if(visit: Visit) -> Response:
    without = visit.query.get("without", "")
    if not without:
        return page(
            visit, "what_if.html", "What if", position=position(visit), found=None, without="", problem=None
        )
    try:
        found = visit.ask("what-if", without=without)
    except Refusal as refusal:
        problem = problem_of(refusal, doing="what if", beside=visit.serving.folder)
        return page(
            visit, "what_if.html", "What if", position=position(visit), found=None, without=without, problem=problem,
            status=problem.status,
        )  # fmt: skip
    return page(
        visit, "what_if.html", f"Had {without} never come", position=found.position, found=found, without=without,
        problem=None, facts=facts_of(found.without),
    )  # fmt: skip
