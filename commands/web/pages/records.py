"""The page of a session, a clustering or an upload: what it says and who said so, what happened to it, where it came
from, what stands on it, how it stood at any moment, its proof, and what can be done.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from commands.answers.may import further, may_not
from commands.web.pages.addresses import record_address
from commands.web.pages.as_files import as_csv, as_json
from commands.web.pages.facts import facts_of, plain_value
from commands.web.pages.findings import causes
from commands.web.pages.lineage import drawn
from commands.web.pages.next_steps import ways
from commands.web.pages.routes import add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.timeline import timeline
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving
from ledger.errors import Refusal

KINDS = {"sessions": "s", "clusterings": "c", "uploads": "u"}
_BESIDE = 12  # records of a kind that are drawn
_EVENTS = 200  # of a timeline


def records(serving: Serving) -> APIRouter:
    router = APIRouter()
    for kind, letter in KINDS.items():
        place = f"/{kind}/{{ref}}"
        add_page(router, serving, f"{place}.json", partial(_json, letter))
        add_page(router, serving, f"{place}.csv", partial(_csv, letter))
        add_page(router, serving, place, partial(_shown, letter))
        add_page(router, serving, f"{place}/proof", partial(_proof, letter))
    add_page(router, serving, "/records/{ref:path}", _looked_up)
    return router


def _ref(letter: str, visit: Visit) -> str:
    """The record of this address. Raises Refusal for one of another kind, which would be found all the same."""
    ref = visit.path("ref")
    if ref[:1] != letter:
        raise Refusal("not-found", f"There is no {ref[:100]!r} here.", "Look for it in the lists.")
    return ref


def _looked_up(visit: Visit) -> Response:
    """Whatever somebody calls a record leads to its page."""
    text = visit.path("ref")
    given = {} if visit.as_of is None else {"as_of": visit.as_of}
    there = record_address(text)
    if there.startswith("/records/"):
        there = record_address(visit.ask("why", ref=text).ref)
    return seen_other(there, **given)


def _shown(letter: str, visit: Visit) -> Response:
    ref = _ref(letter, visit)
    now = replace(visit, as_of=None)
    history = now.ask("history", ref=ref)
    moments = [event.position for event in history.events[-_EVENTS:]]
    if (step := visit.query.get("step", "")).isascii() and step.isdigit():
        return _at_step(visit, moments, int(step))
    blame = visit.ask("blame", ref=ref)
    record = visit.ask("record", ref=ref)
    why = visit.ask("why", ref=ref)
    later = blame if visit.as_of is None else now.ask("blame", ref=ref)
    position = blame.position
    shown = [event for event in history.events if event.position <= position]
    trace = visit.ask("trace", ref=ref, limit=str(_BESIDE))
    facts = facts_of(blame, later)
    checkpoint = now.ask("checkpoint")
    name = _name(record)
    known = {(step.action, step.ref) for step in why.next_steps}
    steps = [*why.next_steps, *(each for each in further(record) if (each.action, each.ref) not in known)]
    signed = [event.position for event in shown if event.position <= (checkpoint.size or 0)]
    return page(
        visit, "record.html", f"{record.kind.capitalize()} {name}", position=position, record=record, ref=ref,
        name=name, kind=record.kind, facts=facts, why=why, ways=ways(steps) if visit.as_of is None else [],
        timeline=timeline(history.events[-_EVENTS:], shown_to=position),
        left_out=max(len(history.events) - _EVENTS, 0),
        drawing=drawn(trace, ref), moments=moments,
        step=_step_of(moments, position if visit.as_of is not None else None),
        covered=signed[-1] if signed else None, uncovered=len(shown) - len(signed), checkpoint=checkpoint,
        lists=letter_list(letter), causes=causes(record.findings) if record.kind == "upload" else [],
        may_not=_may_not(now, record.username),
        files=[
            ("This page as CSV", f"{visit.request.url.path}.csv", {"as_of": position}),
            ("as JSON", f"{visit.request.url.path}.json", {"as_of": position}),
        ],
    )  # fmt: skip


def _may_not(visit: Visit, owner: str | None) -> list[str]:
    with visit.asking().opened() as asking:
        found = may_not(asking.world("lab"), owner)
    return [
        f"{each.what}: this needs {each.needed}." + (f" Ask {', '.join(each.ask)}." if each.ask else "")
        for each in found
    ]


def letter_list(letter: str) -> str:
    return next(kind for kind, each in KINDS.items() if each == letter)


def _name(record: Any) -> str:
    for field in ("session_time", "group_name", "filename"):
        if getattr(record, field, None):
            return str(getattr(record, field))
    return str(record.ref)


def _at_step(visit: Visit, moments: list[int], step: int) -> Response:
    """The slider counts the record's own events, so that each of them can be reached; behind the last is now."""
    path = visit.request.url.path
    if step >= len(moments) or not moments:
        return RedirectResponse(path, 303)
    return seen_other(path, as_of=moments[max(step, 0)])


def _step_of(moments: list[int], position: int | None) -> int:
    if position is None:
        return len(moments)
    return max(sum(moment <= position for moment in moments) - 1, 0)


# --- as files -------------------------------------------------------------------------------------------------------


def _json(letter: str, visit: Visit) -> Response:
    ref = _ref(letter, visit)
    return as_json(visit.ask("record", ref=ref), ref, 1)


def _csv(letter: str, visit: Visit) -> Response:
    """What it says, a field a line, with who said so."""
    ref = _ref(letter, visit)
    blame = visit.ask("blame", ref=ref)
    titles = ["field", "value", "event", "type", "actor", "recorded_at", "upload", "path", "line"]
    rows = (
        [
            each.field, plain_value(each.value), each.event.position, each.event.type, each.event.actor,
            each.event.recorded_at, each.upload or "", each.path or "", each.line or "",
        ]
        for each in blame.fields
    )  # fmt: skip
    return as_csv(titles, rows, ref, blame.position)


def _proof(letter: str, visit: Visit) -> Response:
    """What a stranger verifies offline."""
    ref = _ref(letter, visit)
    proof = replace(visit, as_of=None).ask("proof", ref=ref)
    headers = {"content-disposition": f'attachment; filename="proof-{ref}-{proof.position}.json"'}
    return Response(proof.text, headers=headers, media_type="application/json")
