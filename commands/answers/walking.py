"""A list, page after page, of one moment: for faces that ask for a page at a time, wherever the ledger is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.moments import Moment

if TYPE_CHECKING:
    from commands.answers.lists import AnyList
    from projections.queries import Kind, Query

    AskPage = Callable[[Query, Moment | None], AnyList]


def walked(
    page: "AskPage", kind: "Kind", query: "Query", as_of: Moment | None, *, most: int
) -> "Iterator[AnyList]":
    """To the end of the list, or to the limit of the query, ``most`` records a page; all as of the moment of the first
    page."""
    left = query.limit
    while left is None or left > 0:
        found = page(replace(query, limit=most if left is None else min(most, left)), as_of)
        yield found
        left = None if left is None else left - len(getattr(found, kind))
        end = found.last if query.before is None else found.first
        cursor = found.looked_back_to if found.looked_back_to is not None else end if found.more else None
        if cursor is None:
            return
        as_of = found.position if as_of is None else as_of
        query = replace(query, after=cursor) if query.before is None else replace(query, before=cursor)
