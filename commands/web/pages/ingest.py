"""Where the lab works: the pages that ingest, complete, correct and settle; their router, and those that take files."""

from fastapi import APIRouter

from commands.web.pages import (
    action_forms,
    composing,
    correcting,
    differing,
    editing,
    home,
    one_session,
    requests,
    uploaded,
    values,
    work,
)
from commands.web.serving import Serving

BYTES_OF_FILES = dict.fromkeys(
    action_forms.PATHS_OF_FILES | editing.PATHS_OF_FILES | correcting.PATHS_OF_FILES, 3
)
"""How many bytes each byte of a file may take in a form: chosen, and typed with long line ends."""


def ingest(serving: Serving) -> APIRouter:
    router = APIRouter()
    for part in (
        home.home, action_forms.action_forms, one_session.one_session, composing.composing, editing.editing,
        uploaded.uploaded, requests.requests, correcting.correcting, work.work, values.values, differing.differing,
    ):  # fmt: skip
        router.include_router(part(serving))
    return router
