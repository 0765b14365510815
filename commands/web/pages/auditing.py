"""The audit: who ingested what, the log to be searched, one event of it. Nothing here has an end of retention."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from commands.answers.document import json_text
from commands.answers.phrases import phrase
from commands.answers.refused_files import refused_files
from commands.answers.sentences import authenticated
from commands.answers.times import EXAMPLES, time_of
from commands.web.pages.addresses import record_address
from commands.web.pages.as_files import as_csv, as_json
from commands.web.pages.charts import Chart, stacked
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.timeline import title
from commands.web.pages.visiting import Visit, WrongField
from commands.web.serving import Serving
from ledger.bodies import SCHEMAS
from ledger.errors import Refusal

TABS = (
    ("/audit", "Overview"),
    ("/log", "Search the log"),
    ("/log?type=ActionRefused", "Refusals"),
    ("/integrity", "Integrity"),
)
AUTHENTICATIONS = ("second-factor", "password", "token", "oidc", "os", "claimed")
_WEEKS = 26
_PAGE = 50
_WITHIN = 50_000
"""Positions that are looked through for one page."""
_BYS = ("user", "subject", "project", "authentication")
_FILTERS = ("text", "actor", "type", "subject", "since", "until", "authentication")
_LETTERS = {"session": "s", "clustering": "c", "upload": "u", "deletion": "d"}


def auditing(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/audit", _overview)
    add_page(router, serving, "/audit.csv", _overview_csv)
    add_page(
        router,
        serving,
        "/audit.json",
        lambda visit: as_json(_counts(visit), "audit", len(_counts(visit).rows)),
    )
    add_page(router, serving, "/log", _log)
    add_page(router, serving, "/log.csv", _log_csv)
    add_page(router, serving, "/log.json", _log_json)
    add_page(router, serving, "/log/{position}", _event)
    return router


# --- who ingested what ----------------------------------------------------------------------------------------------


def _days(visit: Visit) -> dict[str, str]:
    """From which day, before which; half a year unless said."""
    found = {}
    for name in ("since", "until"):
        if text := visit.query.get(name, ""):
            try:
                found[name] = time_of(text)[:10]
            except ValueError:
                raise WrongField(name, f'"{text[:100]}" is no day. Write one such as {EXAMPLES}.') from None
    if "since" not in found:
        first = datetime.now(UTC).date() - timedelta(weeks=_WEEKS)
        found["since"] = first.isoformat()
    return found


def _counts(visit: Visit) -> Any:
    by = visit.query.get("by", "user")
    return visit.ask("audit", by=by if by in _BYS else "user", **_days(visit))


def _overview(visit: Visit) -> Response:
    wrong, status = None, 200
    try:
        days = _days(visit)
    except WrongField as error:
        wrong, status = error, 422
        days = _days(replace_query(visit))
    weeks = visit.ask("audit", by="week", **days)
    by = visit.query.get("by", "user")
    counts = visit.ask("audit", by=by if by in _BYS else "user", **days)
    with visit.asking().opened() as asking:
        rules = refused_files(asking.world("nothing"), since=time_of(days["since"]))
    now = {"as_of": counts.position, "by": by, **days}
    return page(
        visit, "audit.html", "Who ingested what", position=counts.position, status=status, tabs=TABS,
        weeks=_chart(weeks), counts=counts, by=counts.by, bys=_BYS, rules=rules, days=days, wrong=wrong,
        since=visit.query.get("since", ""),        until=visit.query.get("until", ""),
        files=[("This table as CSV", "/audit.csv", now), ("as JSON", "/audit.json", now)],
    )  # fmt: skip


def replace_query(visit: Visit) -> Visit:
    """The same without what its address asks for."""
    plain = replace(visit)
    plain.__dict__["query"] = {}
    return plain


def _chart(weeks: Any) -> Chart | None:
    """Each week of the time, the empty ones too."""
    found = {row.key: row for row in weeks.rows if row.key}
    if not found:
        return None
    first, last = date.fromisoformat(min(found)), date.fromisoformat(max(found))
    rows: list[tuple[str, int, int]] = []
    while first <= last and len(rows) < 520:
        row = found.get(first.isoformat())
        rows.append(
            (f"{first.day} {first:%b}", row.sessions_inserted if row else 0, row.rejected if row else 0)
        )
        first += timedelta(weeks=1)
    return stacked(rows, ("sessions inserted", "files rejected"))


def _overview_csv(visit: Visit) -> Response:
    found = _counts(visit)
    names = [name for name in type(found.total).__dataclass_fields__ if name != "key"]
    rows = ([row.key or "", *(getattr(row, name) for name in names)] for row in found.rows)
    return as_csv([found.by or "key", *names], rows, f"audit-by-{found.by}", found.position)


# --- the log --------------------------------------------------------------------------------------------------------


def _asked(visit: Visit) -> dict[str, str]:
    names = (*_FILTERS, "after", "before", "limit")
    return {name: value for name, value in visit.query.items() if name in names}


def _found(visit: Visit, asked: dict[str, str]) -> Any:
    try:
        return visit.ask("log", **{"limit": str(_PAGE), "within": str(_WITHIN), **asked})
    except WrongField as wrong:
        value = asked.get(wrong.field, "")[:100]
        said = (
            f'"{value}" is no time. Write one such as {EXAMPLES}.'
            if wrong.field in ("since", "until")
            else ""
        )
        raise WrongField(wrong.field, said or f'"{value}" cannot be looked for here.') from None


def _log(visit: Visit) -> Response:
    asked = _asked(visit)
    wrong: WrongField | None = None
    problem = ""
    try:
        found = _found(visit, asked)
    except WrongField as error:
        wrong, found = error, None
    except Refusal as refusal:
        problem, found = f"{refusal.message} {refusal.hint}", None
    position = found.position if found is not None else visit.ask("log", limit="1").position
    events = list(found.events)[::-1] if found is not None else []
    kept = {name: value for name, value in asked.items() if name in _FILTERS}
    if visit.as_of is not None:
        kept["as_of"] = str(visit.as_of)
    now = {"as_of": position, "limit": _PAGE, **asked}
    return page(
        visit, "log.html", "The log", position=position, status=200 if found is not None else 422, tabs=TABS,
        asked=asked, kept=kept, found=found, rows=[_row(event) for event in events], wrong=wrong, problem=problem,
        kinds=sorted(SCHEMAS),
        authentications=AUTHENTICATIONS, title_of=title, refusals=asked.get("type") == "ActionRefused",
        files=[("This page as CSV", "/log.csv", now), ("as JSON", "/log.json", now)] if found is not None else [],
    )  # fmt: skip


def _row(event: Any) -> dict[str, Any]:
    return {
        "event": event, "title": title(event.type), "says": phrase(event.type, event.body),
        "by": authenticated(event.via), "ref": _ref(event.stream), "link": _link(event.stream),
    }  # fmt: skip


def _ref(stream: str) -> str:
    kind, _, number = stream.partition("/")
    return f"{_LETTERS[kind]}{number}" if kind in _LETTERS and number.isdigit() else stream


def _link(stream: str) -> str | None:
    """The page of what the stream tells of, where there is one."""
    kind, _, name = stream.partition("/")
    if kind in _LETTERS and name.isdigit():
        return record_address(_ref(stream))
    if kind == "subject":
        return record_address(f"subject:{name.removeprefix('0/')}")
    return record_address(f"user:{name}") if kind == "user" else None


def _log_csv(visit: Visit) -> Response:
    found = _found(visit, _asked(visit))
    titles = ["position", "recorded_at", "actor", "authentication", "type", "stream", "subject", "says"]
    rows = [
        [
            event.position, event.recorded_at, event.actor, authenticated(event.via), event.type, event.stream,
            event.subject, phrase(event.type, event.body),
        ]
        for event in list(found.events)[::-1]
    ]  # fmt: skip
    return as_csv(titles, rows, "log", found.position)


def _log_json(visit: Visit) -> Response:
    found = _found(visit, _asked(visit))
    count = len(found.events)
    return as_json(found, "log", count)


def _event(visit: Visit) -> Response:
    text = visit.path("position")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refusal("not-found", f'There is no event "{text[:50]}".', "Look for it in the log.")
    position = int(text)
    found = visit.ask("log", after=str(max(position - 1, 0)), before=str(position + 1), limit="1")
    events = list(found.events)
    if not events:
        raise Refusal("not-found", f"There is no event {position:,}: the log ends at {found.position:,}.", "")
    (event,) = events
    body = json_text(event.body).decode() if event.body is not None else ""
    return page(
        visit, "event.html", f"Event {position:,}", position=found.position, tabs=TABS, row=_row(event), event=event,
        body=body[:40_000], cut=max(len(body) - 40_000, 0),
        files=[("as JSON", "/log.json", {"after": position - 1, "before": position + 1})],
    )  # fmt: skip
