"""Lists that are longer than a page of the API: one page after the other, of one moment."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from commands.answers.questions import question as question_of
from commands.answers.walking import walked
from ledger.moments import Moment
from projections.queries import FILTERS, check

if TYPE_CHECKING:
    from commands.answers.lists import AnyList
    from commands.answers.log import Log
    from commands.answers.rows import EventLine
    from commands.remote.ledger import Remote
    from projections.queries import Kind, Query

PAGE = 1_000  # the most that the API gives at once
EVENTS = 10_000


def one_page(remote: "Remote", kind: "Kind", query: "Query", as_of: Moment | None) -> "AnyList":
    """Of as many records as the query says, however many requests that takes."""
    assert query.limit is not None  # noqa: S101
    if query.limit <= PAGE:
        return _asked(remote, kind, query, as_of)
    found = list(every(remote, kind, query, as_of))
    is_older = query.before is None
    newest, oldest = (found[0], found[-1]) if is_older else (found[-1], found[0])
    rows = chain.from_iterable(getattr(page, kind) for page in (found if is_older else found[::-1]))
    changed: dict[str, Any] = {
        kind: list(rows),
        "first": newest.first,
        "last": oldest.last if oldest.last is not None or len(found) == 1 else found[-2].last,
        "count": found[0].count,
        "count_or_more": found[0].count_or_more,
        "looked_at": sum(page.looked_at for page in found),
        "redactions": [row for page in found for row in page.redactions],
    }
    return replace(found[-1], **changed)


def every(remote: "Remote", kind: "Kind", query: "Query", as_of: Moment | None) -> "Iterator[AnyList]":
    """To the end of the list, or to the limit of the query; all as of the moment of the first page."""
    return walked(lambda asked, then: _asked(remote, kind, asked, then), kind, query, as_of, most=PAGE)


def _asked(remote: "Remote", kind: "Kind", query: "Query", as_of: Moment | None) -> "AnyList":
    check(kind, query)
    given = {field.name: getattr(query, field.name) for field in fields(query)}
    for name, kinds in FILTERS.items():
        if kind not in kinds:
            given.pop(name)
    if kind == "requests":
        given["decided"] = True  # what the query says of the status is all that is meant
    found: AnyList = remote.ask_once(question_of(kind), as_of, given)
    return found


def whole_log(remote: "Remote", as_of: Moment | None, asked: Mapping[str, Any]) -> "Log":
    """All events that match, as a stream. Of a text the newest that the API looks for at once."""
    from commands.answers.log import Log

    if asked.get("text") is not None:
        found: Log = remote.ask_once(question_of("log"), as_of, {**asked, "limit": EVENTS})
        return found
    first = {**asked, "before": None, "after": asked.get("after") or 0, "limit": EVENTS}
    page: Log = remote.ask_once(question_of("log"), as_of, first)
    end = page.position + 1 if asked.get("before") is None else min(page.position + 1, asked["before"])
    return Log(
        position=page.position,
        more=False,
        older=None,
        newer=None,
        events=_onward(remote, page, as_of, first, end),
    )


def _onward(
    remote: "Remote", page: "Log", as_of: Moment | None, asked: Mapping[str, Any], end: int
) -> "Iterator[EventLine]":
    while True:
        for event in page.events:
            if event.position >= end:
                return
            yield event
        if page.newer is None or page.newer + 1 >= end:
            return
        page = remote.ask_once(question_of("log"), as_of, {**asked, "after": page.newer})
