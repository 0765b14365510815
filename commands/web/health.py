"""Whether the server lives, and whether it can do its work. Open to everybody: nothing of the ledger is in it."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from commands.door.freshness import SCHEMA_REVISION, check_schema, to_be_made_anew
from commands.web.measuring import CONTENT_TYPE
from commands.web.serving import Serving
from ledger import log
from ledger.errors import Refusal

_LEAST_FREE = 100 << 20


def health(serving: Serving) -> APIRouter:
    router = APIRouter()

    def healthz() -> Response:
        """The process answers."""
        return Response("ok\n", media_type="text/plain")

    def readyz() -> Response:
        """The ledger can be read, its schema and lists are those of this program, and there is space to write."""
        found = ready(serving)
        is_ready = all(each["ok"] for each in found.values())
        return Response(
            orjson.dumps({"ok": is_ready, "checks": found}),
            200 if is_ready else 503,
            media_type="application/json",
        )

    def metrics() -> Response:
        """What the server counts, for Prometheus."""
        position: int | None = None
        with suppress(Refusal), serving.ledger.database.reading() as transaction:
            position = log.read_head(transaction).size
        under_way = 0 if serving.working is None else serving.working.under_way
        text = serving.measures.text(position=position, under_way=under_way)
        return Response(text, headers={"content-type": CONTENT_TYPE})

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        router.add_api_route(path, endpoint, methods=["GET"], include_in_schema=False)
    return router


def ready(serving: Serving) -> dict[str, dict[str, Any]]:
    found = {name: {"ok": False, "says": "not asked"} for name in ("database", "schema", "projections")}
    try:
        with serving.ledger.database.reading() as transaction:
            found["database"] = {"ok": True, "says": "reached"}
            check_schema(transaction)
            found["schema"] = {"ok": True, "says": SCHEMA_REVISION}
            fits = not to_be_made_anew(log.read_head(transaction))
            found["projections"] = {"ok": fits, "says": "up to date" if fits else "being made anew"}
    except Refusal as refusal:
        name = next(name for name, each in found.items() if not each["ok"])
        found[name] = {"ok": False, "says": refusal.code}
    found["disk"] = _space(serving.folder)
    return found


def _space(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {"ok": True, "says": "the database's own"}
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return {"ok": False, "says": error.strerror or "unreadable"}
    return {"ok": free >= _LEAST_FREE, "says": f"{free >> 20} MiB free"}
