"""The lists: sessions, clusterings, uploads, requests. A ledger and a query in, a page as a typed document out.

The same for an earlier moment: its world is that of a reading about ``Past.lists``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projections import pages
from projections.lines import ListedClustering, ListedSession, ListedUpload, RedactionLine, RequestLine
from projections.queries import Kind, Query
from projections.redacted import redacted

if TYPE_CHECKING:
    from commands.door.world import World

_STREAMS: dict[Kind, str] = {
    "sessions": "session", "clusterings": "clustering", "uploads": "upload", "requests": "deletion",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOfList:
    """``first`` and ``last`` are the numbers of the newest and the oldest record of the page, to ask for what comes
    before or after. ``more``: there are further ones in the direction that was asked for. ``count``: how many match in
    all, None where that is not known, "more than that" with ``count_or_more``. Where looking stopped before its end,
    ``looked_back_to`` is the record to go on after; ``looked_at``: how many records were looked at one by one.
    ``position``: what the ledger ended at. ``redactions``: why texts of these records are "(redacted)"."""

    more: bool
    first: int | None
    last: int | None
    count: int | None
    count_or_more: bool
    looked_at: int
    looked_back_to: int | None
    position: int
    redactions: list[RedactionLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionList(PageOfList):
    """Newest first, as in every list."""

    sessions: list[ListedSession]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringList(PageOfList):
    clusterings: list[ListedClustering]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadList(PageOfList):
    uploads: list[ListedUpload]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestList(PageOfList):
    """Requests to delete, correct or redact."""

    requests: list[RequestLine]


AnyList = SessionList | ClusteringList | UploadList | RequestList


def sessions(world: "World", query: Query) -> SessionList:
    found = pages.page(world.transaction, world.head, "sessions", query)
    return SessionList(sessions=found.rows, **_about(world, "sessions", found))


def clusterings(world: "World", query: Query) -> ClusteringList:
    found = pages.page(world.transaction, world.head, "clusterings", query)
    return ClusteringList(clusterings=found.rows, **_about(world, "clusterings", found))


def uploads(world: "World", query: Query) -> UploadList:
    found = pages.page(world.transaction, world.head, "uploads", query)
    return UploadList(uploads=found.rows, **_about(world, "uploads", found))


def requests(world: "World", query: Query) -> RequestList:
    found = pages.page(world.transaction, world.head, "requests", query)
    return RequestList(requests=found.rows, **_about(world, "requests", found))


def every(world: "World", kind: Kind, query: Query) -> Iterator[AnyList]:
    """One page after the other, to the end or to ``limit``, in the memory of one page."""
    document: Callable[..., AnyList] = DOCUMENTS[kind]
    for found in pages.pages(world.transaction, world.head, kind, query):
        yield document(**{kind: found.rows}, **_about(world, kind, found))


def _about(world: "World", kind: Kind, page: pages.Page[Any]) -> dict[str, Any]:
    name = kind.removesuffix("s")
    streams = {f"{_STREAMS[kind]}/{getattr(row, name)[1:]}" for row in page.rows}
    return {
        "more": page.more,
        "first": page.first,
        "last": page.last,
        "count": None if page.count is None else page.count.number,
        "count_or_more": page.count is not None and page.count.or_more,
        "looked_at": page.looked_at,
        "looked_back_to": page.looked_back_to,
        "position": page.position,
        "redactions": redacted(world.transaction, world.head.live_slot, streams),
    }


DOCUMENTS: dict[Kind, type[AnyList]] = {
    "sessions": SessionList, "clusterings": ClusteringList, "uploads": UploadList, "requests": RequestList,
}  # fmt: skip
ANSWERS: dict[Kind, Callable[["World", Query], AnyList]] = {
    "sessions": sessions, "clusterings": clusterings, "uploads": uploads, "requests": requests,
}  # fmt: skip
