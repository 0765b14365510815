"""Pages for people: the same answers and actions as those of the API, as plain HTML that works without scripts.

The router of all of them. Each module of this package is one part of the lab's work.
"""

from fastapi import APIRouter

from commands.web.pages import (
    account,
    assets,
    auditing,
    by_provider,
    helping,
    ingest,
    integrity,
    links,
    lists,
    live,
    named,
    people,
    records,
    second_factor,
    signing_in,
    stored_files,
)  # fmt: skip
from commands.web.serving import Serving


def pages(serving: Serving) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    for part in (
        assets.assets, links.links, signing_in.signing_in, by_provider.by_provider,
        account.account, second_factor.second_factor, lists.lists,
        live.live, ingest.ingest, auditing.auditing, helping.helping, integrity.integrity, named.named, people.people,
        records.records, stored_files.stored_files,
    ):  # fmt: skip
        router.include_router(part(serving))
    return router
