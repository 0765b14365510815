"""Subjects, probes and users: what is on record of each, and what happened to it. Subjects as a list, too."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from commands.web.pages.addresses import record_address
from commands.web.pages.as_files import as_csv, as_json
from commands.web.pages.lineage import drawn
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.strips import strips
from commands.web.pages.timeline import timeline
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving
from ledger.errors import Refusal

_EVENTS = 100
_SESSIONS = 200  # that a strip of time shows
_SHOWN = 500  # subjects of a page


def named(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/subjects", _subjects)
    add_page(router, serving, "/subjects.csv", _subjects_csv)
    add_page(router, serving, "/subjects.json", lambda visit: as_json(*_with_count(visit)))
    for kind in ("subject", "probe", "user"):
        add_page(router, serving, f"/{kind}s/{{name:path}}", partial(_shown, kind))
    return router


def _with_count(visit: Visit) -> tuple[Any, str, int]:
    found = visit.ask("subjects")
    return found, "subjects", len(found.subjects)


def _subjects(visit: Visit) -> Response:
    found = visit.ask("subjects")
    wanted = visit.query.get("text", "").casefold()
    matching = [each for each in found.subjects if wanted in each.subject.casefold()]
    after = visit.query.get("after", "")
    behind = [each for each in matching if each.subject > after] if after else matching
    return page(
        visit, "subjects.html", "Subjects", position=found.position, subjects=behind[:_SHOWN], count=len(matching),
        more=len(behind) > _SHOWN, wanted=visit.query.get("text", ""),
        files=[("As CSV", "/subjects.csv", {"as_of": found.position}), ("as JSON", "/subjects.json", {})],
    )  # fmt: skip


def _subjects_csv(visit: Visit) -> Response:
    found = visit.ask("subjects")
    rows = (
        [each.subject, each.registered_at, each.registered_by, [probe.probe for probe in each.probes]]
        for each in found.subjects
    )
    return as_csv(["subject", "registered_at", "registered_by", "probes"], rows, "subjects", found.position)


def _shown(kind: str, visit: Visit) -> Response:
    name = visit.path("name")
    as_file = name.endswith(".json")
    ref = f"{kind}:{name.removesuffix('.json') if as_file else name}"
    record = visit.ask("record", ref=ref)
    if as_file:
        return as_json(record, kind, 1)
    name = ref.partition(":")[2]
    now = replace(visit, as_of=None)
    try:
        events = now.ask("history", ref=ref).events
    except Refusal:  # a user of whom nobody has said anything may own records
        events = []
    trace = visit.ask("trace", ref=ref, limit="8") if kind != "user" else None
    return page(
        visit, "named.html", f"{kind.capitalize()} {name}", position=record.position, record=record, kind=kind,
        name=name, ref=ref, timeline=timeline(events[-_EVENTS:], shown_to=record.position),
        left_out=max(len(events) - _EVENTS, 0), drawing=None if trace is None else drawn(trace, ref),
        strips=_strips(visit, record), covered=None, lists=f"{kind}s",
        files=[("This page as JSON", f"{record_address(ref)}.json", {"as_of": record.position})],
    )  # fmt: skip


def _strips(visit: Visit, record: Any) -> Any:
    """When each probe was in the subject, and which sessions were recorded then."""
    if record.kind != "subject" or not record.probes:
        return None
    found = visit.ask("sessions", subject=record.subject, limit=str(_SESSIONS))
    times = [
        (datetime.fromisoformat(each.session_time), each.session, each.status)
        for each in found.sessions
        if each.session_time and each.status == "inserted"
    ]
    return strips(record.probes, times)
