"""The addresses of all pages and forms, as the program has them."""

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter
from fastapi.routing import APIRoute

from commands.web.pages import pages
from tests.serving import Server


def routes(server: Server, method: Literal["GET", "POST"]) -> list[str]:
    """With their parameters in braces."""
    all_of_them = {route.path for route in _within(pages(server.serving)) if method in route.methods}
    found = sorted(path for path in all_of_them if not path.startswith("/static/"))
    assert "/account/second-factor" in found
    return found


def _within(router: APIRouter) -> Iterator[APIRoute]:
    """FastAPI keeps the routers that a router includes as they are."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _within(route.original_router)  # type: ignore[attr-defined]
