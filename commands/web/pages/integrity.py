"""Integrity: how large the ledger is, what it hashes to, who signed it; verify it now; take it away to be verified."""

from typing import IO, Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from commands.answers.taken_away import bundle_taken_away, log_taken_away
from commands.proving.checkpoints import signers
from commands.web.exports import LINES, ZIP, taken_away
from commands.web.pages.auditing import TABS
from commands.web.pages.routes import add_form, add_page, seen_other
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving


def integrity(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/integrity", _shown)
    add_form(router, serving, "/integrity/verify", _verify)
    add_page(router, serving, "/integrity/bundle", _bundle)
    add_page(router, serving, "/integrity/export", _export)
    return router


def _shown(visit: Visit) -> Response:
    found = visit.ask("checkpoint")
    with visit.serving.daybook(visit.actor).reading() as world:
        root, size = world.head.compact_range.root().hex(), world.head.size
    serving = visit.serving
    signatures: list[Any] = []
    if found.checkpoint is not None:
        _, signatures = signers(serving.settings.db, {"checkpoint": found.checkpoint}, ())
    last = serving.verifying.last(serving.ledger)
    return page(
        visit, "integrity.html", "Integrity", position=found.position, tabs=TABS, found=found, root=root, size=size,
        signatures=signatures, last=last, fingerprint="",
        refresh=last is not None and last.is_running,
        files=[("The whole log as JSON Lines", "/integrity/export", {})],
    )  # fmt: skip


def _verify(visit: Visit, _form: FormData) -> Response:
    serving = visit.serving
    serving.verifying.start(serving.ledger, serving.settings.db, visit.actor.user, serving.folder)
    return seen_other("/integrity")


def _bundle(visit: Visit) -> Response:
    asking = visit.asking()
    records = visit.request.query_params.getlist("records")

    def make(file: IO[bytes]) -> dict[str, int]:
        return {"events": bundle_taken_away(asking, file, records=records)}

    name = f"bundle-{records[0]}.zip" if len(records) == 1 and records[0].isalnum() else "bundle.zip"
    return taken_away(make, ZIP, lambda _: name)


def _export(visit: Visit) -> Response:
    asking = visit.asking()
    return taken_away(
        lambda file: log_taken_away(asking, file.write), LINES, lambda moved: f"ledger-{moved.events}.jsonl"
    )
