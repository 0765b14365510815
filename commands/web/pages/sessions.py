"""The list of sessions."""

from fastapi import APIRouter
from starlette.responses import Response

from commands.web.pages.routes import add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving


def sessions(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/", lambda _: seen_other("/sessions"))
    add_page(router, serving, "/sessions", _sessions)
    return router


def _sessions(visit: Visit) -> Response:
    asked = {name: value for name, value in visit.query.items() if name != "as_of"}
    found = visit.ask("sessions", **asked)
    return page(visit, "sessions.html", "Sessions", position=found.position, found=found)
