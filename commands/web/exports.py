"""What is taken away over HTTP as a file: the lines of an export, a bundle. Written to the end before it is sent: no
slow reader holds the ledger open, and nobody gets the beginning of a ledger that is not intact.
"""

from collections.abc import Callable
from tempfile import TemporaryFile
from typing import IO, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.answers import wire
from commands.answers.document import json_text
from commands.answers.parameters import Checkpoint, Ref
from commands.answers.taken_away import bundle_taken_away, log_taken_away
from commands.answers.times import moment_of
from commands.web.answering import sent_from
from commands.web.callers import caller
from commands.web.openapi import problems_of
from commands.web.operations import AsOf, refuse_unknown
from commands.web.serving import Serving

LINES, ZIP = "application/x-ndjson", "application/zip"
_Records = Annotated[
    list[Ref] | None, Query(description="Only these, and the uploads that they came from; else the whole ledger.")
]  # fmt: skip


def exports(serving: Serving) -> APIRouter:
    router = APIRouter()

    def export(request: Request, as_of: AsOf = None) -> Response:
        """The whole log as JSON Lines, for an import elsewhere; as of a moment where one is given."""
        actor = caller(serving, request)
        refuse_unknown(request, {"as_of"})
        asking = serving.asking(actor, None if as_of is None else moment_of(as_of))
        return taken_away(
            lambda file: log_taken_away(asking, file.write),
            LINES,
            lambda moved: f"ledger-{moved.events}.jsonl",
        )

    def bundle(
        request: Request, records: _Records = None, checkpoint: Annotated[Checkpoint | None, Query()] = None
    ) -> Response:
        """A file that a stranger can verify offline, under the newest checkpoint unless one is given."""
        actor = caller(serving, request)
        refuse_unknown(request, {"records", "checkpoint"})
        asking = serving.asking(actor)

        def make(file: IO[bytes]) -> dict[str, int]:
            return {"events": bundle_taken_away(asking, file, records=records or (), checkpoint=checkpoint)}

        return taken_away(make, ZIP, lambda _: "bundle.zip")

    router.add_api_route(
        "/export", export, methods=["GET"], operation_id="get_export", summary="The whole log as JSON Lines.",
        responses=_file(LINES, "CloudEvents, one a line; the last one says how many lines there are, and the root."),
        response_class=Response,
    )  # fmt: skip
    router.add_api_route(
        "/bundle", bundle, methods=["GET"], operation_id="get_bundle",
        summary="A file that a stranger can verify offline.",
        responses=_file(ZIP, "A zip file; python verify.py in it recomputes all of it."), response_class=Response,
    )  # fmt: skip
    return router


def _file(kind: str, said: str) -> dict[int | str, dict[str, Any]]:
    bytes_ = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": said, "content": {kind: bytes_}}, **problems_of()}


def taken_away(make: Callable[[IO[bytes]], Any], kind: str, name_of: Callable[[Any], str]) -> Response:
    file = TemporaryFile()  # noqa: SIM115 - closed when it is sent
    try:
        made = make(file)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{name_of(made)}"',
        wire.TAKEN: quote(json_text(made, indent=False).decode()),
    }
    return sent_from(file, kind, headers=headers)
