"""An uploaded file as it came, with numbered lines that can be linked to, a part at a time."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from commands.answers.stored_file import StoredFile
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving

PART = 400  # lines
MOST_LETTERS = 60_000
LONGEST_LINE = 2_000


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """``cut``: so many further characters are left out."""

    number: int
    text: str
    cut: int


def stored_files(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/uploads/{ref}/file", _shown)
    add_page(router, serving, "/uploads/{ref}/file/bytes", _bytes)
    return router


def _shown(visit: Visit) -> Response:
    """The part that holds the line that is asked for."""
    ref = visit.path("ref")
    found: StoredFile = visit.ask("stored-file", ref=ref)
    lines = found.content.splitlines() if found.encoding == "utf-8" else []
    asked = visit.query.get("line", "1")
    line = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
    line = min(max(line, 1), max(len(lines), 1))
    first = (line - 1) // PART * PART + 1
    shown, letters = [], 0
    for number, text in enumerate(lines[first - 1 : first - 1 + PART], start=first):
        if letters > MOST_LETTERS and number > line:
            break
        shown.append(NumberedLine(number, text[:LONGEST_LINE], max(len(text) - LONGEST_LINE, 0)))
        letters += len(shown[-1].text)
    last = shown[-1].number if shown else 0
    return page(
        visit, "stored_file.html", f"File of {ref}", position=found.position, found=found, ref=ref, lines=shown,
        blanked={one.first_line: one for one in found.blanked},
        marked=line if "line" in visit.query else None, total=len(lines), first=first, last=last,
        files=[("The file as it came", f"/uploads/{ref}/file/bytes", {})],
    )  # fmt: skip


def _bytes(visit: Visit) -> Response:
    found: StoredFile = replace(visit, as_of=None).ask("stored-file", ref=visit.path("ref"))
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(found.filename, safe='')}",
        "x-content-type-options": "nosniff",
    }
    return Response(found.data, headers=headers, media_type="application/octet-stream")
