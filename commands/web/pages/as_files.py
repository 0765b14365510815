"""A view as a file: what a page shows, as CSV or as the JSON of its answer, with the position in name and headers."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response

from commands.web.answering import answered

_FORMULA = ("=", "+", "-", "@", "\t", "'")
POSITION, COUNT = "Daybook-Position", "Daybook-Count"


def as_json(answer: Any, name: str, count: int) -> Response:
    """The document as the API gives it."""
    return answered(answer, headers=_headers(f"{name}-{answer.position}.json", answer.position, count))


def as_csv(titles: Sequence[str], rows: Iterable[Sequence[Any]], name: str, position: int) -> Response:
    """Lines as in RFC 4180. A text that a spreadsheet would take for a formula has an apostrophe before it."""
    text, count = io.StringIO(), 0
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(titles)
    for row in rows:
        writer.writerow([_safe(value) for value in row])
        count += 1
    headers = _headers(f"{name}-{position}.csv", position, count)
    return Response(text.getvalue().encode(), headers=headers, media_type="text/csv; charset=utf-8")


def _headers(file: str, position: int, count: int) -> dict[str, str]:
    return {
        "content-disposition": f'attachment; filename="{file}"', POSITION: str(position), COUNT: str(count),
        "cache-control": "private, no-cache",
    }  # fmt: skip


def _safe(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
