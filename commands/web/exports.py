"""The whole ledger over HTTP, as the lines of an export. Written to the end before it is sent: no slow reader holds the
ledger open, and nobody gets the beginning of a ledger that is not intact.
"""

from tempfile import TemporaryFile
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from commands.answers.times import moment_of
from commands.moving.exporting import export_ledger
from commands.web.answering import sent_from
from commands.web.callers import caller
from commands.web.openapi import problems_of
from commands.web.operations import AsOf, refuse_unknown
from commands.web.serving import Serving

MEDIA_TYPE = "application/x-ndjson"
_LINES: dict[str, Any] = {
    "description": "CloudEvents, one a line; the last one says how many lines there are, and the root.",
    "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}


def exports(serving: Serving) -> APIRouter:
    router = APIRouter()

    def export(request: Request, as_of: AsOf = None) -> Response:
        """The whole log as JSON Lines, for an import elsewhere; as of a moment where one is given."""
        actor = caller(serving, request)
        refuse_unknown(request, {"as_of"})
        moment = None if as_of is None else moment_of(as_of)
        file = TemporaryFile()  # noqa: SIM115 - closed when it is sent
        try:
            moved = export_ledger(serving.daybook(actor), file.write, as_of=moment)
        except BaseException:
            file.close()
            raise
        name = f'attachment; filename="ledger-{moved.events}.jsonl"'
        return sent_from(file, MEDIA_TYPE, headers={"Content-Disposition": name})

    router.add_api_route(
        "/export", export, methods=["GET"], operation_id="get_export", summary="The whole log as JSON Lines.",
        responses={200: _LINES, **problems_of()}, response_class=Response,
    )  # fmt: skip
    return router
