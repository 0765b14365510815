"""The lists of records: sessions, clusterings, uploads. Everything that a view shows stands in its address."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from commands.answers.times import EXAMPLES
from commands.web.pages.as_files import as_csv, as_json
from commands.web.pages.list_columns import CLUSTERINGS, SESSIONS, UPLOADS, Column, List
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit, WrongField
from commands.web.serving import Serving

PAGE = 50
_AT_ONCE = 1000
MOST_IN_FILE = 100_000
_CURSORS = ("after", "before", "limit")
_ALL = "all"


def lists(serving: Serving) -> APIRouter:
    router = APIRouter()
    for what in (SESSIONS, CLUSTERINGS, UPLOADS):
        add_page(router, serving, f"/{what.kind}", partial(_shown, what))
        add_page(router, serving, f"/{what.kind}.csv", partial(_csv, what))
        add_page(router, serving, f"/{what.kind}.json", partial(_json, what))
    return router


def asked_for(what: List, visit: Visit) -> dict[str, Any]:
    """What an address says to the question: of what it says besides, nothing."""
    known = {each.name for each in what.filters} | {"status", *_CURSORS}
    return {name: value for name, value in visit.query.items() if name in known}


def _ask(what: List, visit: Visit, asked: Mapping[str, Any]) -> Any:
    given = {"limit": str(PAGE), **asked}
    if "missing" in given:
        given["missing"] = [given["missing"]]
    try:
        return visit.ask(what.kind, **given)
    except WrongField as wrong:
        raise WrongField(wrong.field, _said(what, wrong.field, str(asked.get(wrong.field, "")))) from None


def _said(what: List, field: str, value: str) -> str:
    if field in ("since", "until"):
        return f'"{value[:100]}" is no time. Write one such as {EXAMPLES}.'
    among = {each.name: each.among for each in what.filters}.get(field) or what.tabs
    if field in ("missing", "status"):
        return f'"{value[:100]}" is none of these: {", ".join(each for each, _ in among if each)}.'
    return f'"{value[:100]}" cannot be looked for here.'


def _shown(what: List, visit: Visit) -> Response:
    asked = asked_for(what, visit)
    columns, chosen = _columns(what, visit)
    kept = {**{name: asked[name] for name in asked if name not in _CURSORS}, "column": chosen}
    if visit.as_of is not None:
        kept["as_of"] = visit.as_of
    shown: dict[str, Any] = {
        "what": what, "columns": columns, "asked": asked, "kept": kept, "wrong": None, "found": None, "rows": [],
        "filtered": [_told(what, name, asked[name]) for name in asked if name not in _CURSORS], "counts": {},
        "files": (), "is_live": False,
    }  # fmt: skip
    try:
        found = _ask(what, visit, asked)
    except WrongField as wrong:
        position = _ask(what, visit, {"limit": "1"}).position
        return page(
            visit, "list.html", what.title, position=position, status=422, **{**shown, "wrong": wrong}
        )
    counts = {} if shown["filtered"] or visit.as_of is not None else _counts(what, visit)
    if found.count is not None:
        counts[str(asked.get("status", ""))] = (found.count, found.count_or_more)
    now = {"as_of": found.position, "limit": PAGE, **asked, "column": chosen}
    files = [("This page as CSV", f"/{what.kind}.csv", now), ("as JSON", f"/{what.kind}.json", now)]
    if found.more or "after" in asked or "before" in asked:
        everything = {name: value for name, value in now.items() if name not in _CURSORS}
        files.append(("All that match as CSV", f"/{what.kind}.csv", {**everything, "limit": _ALL}))
    shown |= {"found": found, "rows": getattr(found, what.kind), "counts": counts, "files": files}
    shown["is_live"] = visit.as_of is None and not ("after" in asked or "before" in asked)
    return page(visit, "list.html", what.title, position=found.position, **shown)


def _columns(what: List, visit: Visit) -> tuple[list[Column], list[str]]:
    """Those that are shown, and those that the address names."""
    named = visit.request.query_params.getlist("column")
    chosen = [column for column in what.columns if column.field in named]
    return chosen or [column for column in what.columns if column.chosen], [c.field for c in chosen]


def _counts(what: List, visit: Visit) -> dict[str, tuple[int, bool]]:
    found = {status: _ask(what, visit, {"status": status, "limit": "1"}) for status in what.counted}
    return {
        status: (each.count, each.count_or_more) for status, each in found.items() if each.count is not None
    }


def _told(what: List, name: str, value: str) -> str:
    if name == "status":
        return dict(what.tabs).get(value, value).lower()
    titles = {each.name: each.title.lower() for each in what.filters}
    return f"{titles[name]} {value}"


# --- as files -------------------------------------------------------------------------------------------------------


def _csv(what: List, visit: Visit) -> Response:
    columns, _ = _columns(what, visit)
    columns = [column for column in columns if column.field != what.id]
    fields = [what.id, *(column.field for column in columns), *([what.reason] if what.reason else [])]
    asked = asked_for(what, visit)
    if asked.get("limit") != _ALL:
        found = _ask(what, visit, asked)
        rows: Any = getattr(found, what.kind)
        position = found.position
    else:
        position = _ask(what, visit, {"limit": "1"}).position
        rows = _every(what, replace(visit, as_of=position), asked)
    return as_csv(fields, ([getattr(row, field) for field in fields] for row in rows), what.kind, position)


def _every(what: List, visit: Visit, asked: dict[str, Any]) -> Iterator[Any]:
    """All that match at one position, newest first."""
    asked = {name: value for name, value in asked.items() if name not in _CURSORS} | {"limit": str(_AT_ONCE)}
    given = 0
    while given < MOST_IN_FILE:
        found = _ask(what, visit, asked)
        rows = getattr(found, what.kind)
        yield from rows
        given += len(rows)
        on = found.looked_back_to if found.looked_back_to is not None else found.last if found.more else None
        if on is None:
            return
        asked["after"] = str(on)


def _json(what: List, visit: Visit) -> Response:
    found = _ask(what, visit, asked_for(what, visit))
    return as_json(found, what.kind, len(getattr(found, what.kind)))
