"""Reference values: what the lab can choose from. Anybody proposes one; an admin accepts it, mends its spelling, or
retires it."""

from fastapi import APIRouter
from starlette.responses import Response

from commands.inputfile.known import REFERENCE_TABLES
from commands.web.pages.next_steps import action_address
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving

MOST = 500


def values(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/values", _values)
    return router


def _values(visit: Visit) -> Response:
    table = visit.query.get("table", REFERENCE_TABLES[0])
    wanted = visit.query.get("text", "").casefold()
    found = visit.ask("catalogue", table=table)
    matching = [each for each in found.values if wanted in each.value.casefold()]
    matching.sort(key=lambda each: (each.retired, each.value.casefold()))
    open_ = visit.ask("requests", text=table, limit="20")
    return page(
        visit, "values.html", "Reference values", position=found.position, table=table, tables=REFERENCE_TABLES,
        values=matching[:MOST], count=len(matching), wanted=visit.query.get("text", ""),
        proposals=[one for one in open_.requests if one.kind in ("proposal", "mending", "taking-back")],
        address=action_address,
    )  # fmt: skip
