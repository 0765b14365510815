"""What pages load: the style sheet and one library, from here and from nowhere else.

Their addresses hold a digest of what they are, so that a browser keeps each as long as it likes.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from commands.web.serving import Serving

_STATIC = Path(__file__).parents[1] / "static"
_TYPES = {
    "style.css": "text/css", "icon.svg": "image/svg+xml", "htmx.min.js": "text/javascript",
    "live.js": "text/javascript", "editor.js": "text/javascript",
}  # fmt: skip
_A_YEAR = "public, max-age=31536000, immutable"


def assets(_serving: Serving) -> APIRouter:
    router = APIRouter()
    for name, media_type in _TYPES.items():
        router.add_api_route(f"/static/{name}", _sent(name, media_type), methods=["GET"])
    return router


@cache
def _bytes(name: str) -> bytes:
    return (_STATIC / name).read_bytes()


@cache
def address(name: str) -> str:
    return f"/static/{name}?{sha256(_bytes(name)).hexdigest()[:12]}"


def _sent(name: str, media_type: str) -> Callable[[], Response]:
    def sent() -> Response:
        return Response(_bytes(name), media_type=media_type, headers={"cache-control": _A_YEAR})

    return sent
