"""Answers as responses: one JSON document, made before it is sent, so that no slow reader holds the ledger open."""

from collections.abc import Iterator
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from fastapi import Request
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from commands.answers.document import json_pieces
from ledger import __version__

_IN_MEMORY = 1 << 20
_PIECE = 1 << 16
JSON = "application/json"


def etag(position: int) -> str:
    return f'"{__version__}-{position}"'


def is_known(request: Request, position: int) -> bool:
    """Whether the client has the answer of this position."""
    known = request.headers.get("if-none-match")
    return known is not None and etag(position) in {
        each.strip().removeprefix("W/") for each in known.split(",")
    }


def answered(
    answer: Any, *, status: int = 200, headers: dict[str, str] | None = None, **own: Any
) -> Response:
    """``own`` are the fields of the API beside ``ok``. Reads the answer to its end."""
    ok = getattr(answer, "ok", True)
    file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    try:
        for piece in json_pieces(answer, {"ok": ok, **own}):
            file.write(piece)
        size = file.tell()
        file.seek(0)
        if size <= _IN_MEMORY:
            with file:
                return Response(file.read(), status, headers, media_type=JSON)
    except BaseException:
        file.close()
        raise
    return sent_from(file, JSON, status=status, headers=headers)


def sent_from(
    file: IO[bytes], media_type: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """All of a written file, piece by piece; it is closed then."""
    sent = {"content-length": str(file.seek(0, SEEK_END)), **(headers or {})}
    file.seek(0)
    return StreamingResponse(
        _pieces(file), status, sent, media_type=media_type, background=BackgroundTask(file.close)
    )


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    try:
        while piece := file.read(_PIECE):
            yield piece
    finally:
        file.close()
