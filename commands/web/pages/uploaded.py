"""What becomes of an upload: how far it is while it is processed, then each entry and why it is what it is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from commands.intake.upload_report import UploadedClustering, UploadedSession
from commands.intake.uploading import report_of
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving
from ledger.errors import NextStep, Refusal

PAGE = 100
_FIRST = ("error", "waiting", "pending", "moved", "inserted", "duplicate")
"""What needs somebody comes before what does not."""
_WORDS = {"error": "failed", "duplicate": "on record"}
_UPLOAD = "u"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the file, and the record that it stands for. ``place`` is how the correction of it alone is asked
    for."""

    ref: str
    name: str
    subject: str
    outcome: str
    reason: str
    username: str
    differences: Sequence[Any]
    renewed: bool
    moved_from: str
    place: str

    @property
    def mark(self) -> str:
        return {"error": "error", "duplicate": "on record", "moved": "inserted"}.get(
            self.outcome, self.outcome
        )


def uploaded(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/ingest/uploads/{upload}", _shown)
    return router


def _shown(visit: Visit) -> Response:
    upload = visit.path("upload")
    number = upload.removeprefix(_UPLOAD)
    if not upload.startswith(_UPLOAD) or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise Refusal("not-found", f'There is no upload "{upload[:50]}".', "", NextStep("list-uploads"))
    report = report_of(visit.serving.daybook(visit.actor), int(number))
    entries = [*map(_session, report.sessions), *map(_clustering, report.clusterings)]
    counts = Counter(entry.outcome for entry in entries)
    wanted = visit.query.get("outcome", "")
    listed = [entry for entry in entries if wanted in ("", entry.outcome)]
    listed.sort(
        key=lambda entry: (
            _FIRST.index(entry.outcome) if entry.outcome in _FIRST else 9,
            not entry.differences,
        )
    )
    start = _start(visit)
    working = visit.serving.working
    return page(
        visit, "uploaded.html", f"{report.filename}: {_summary(counts)}", position=report.position, report=report,
        entries=listed[start : start + PAGE], start=start, total=len(listed), every=len(entries), page_size=PAGE,
        counts=[(one, _WORDS.get(one, one), counts[one]) for one in _FIRST if counts[one]], wanted=wanted,
        pending=counts["pending"], settled=len(entries) - counts["pending"],
        nobody=counts["pending"] > 0 and (working is None or working.waited_for(int(number), 0)),
        name=visit.query.get("name", report.filename),
    )  # fmt: skip


def _summary(counts: Counter[str]) -> str:
    parts = [f"{counts[one]:,} {_WORDS.get(one, one)}" for one in _FIRST if counts[one]]
    return ", ".join(parts) or "no entries"


def _start(visit: Visit) -> int:
    asked = visit.query.get("from", "0")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0


def _session(one: UploadedSession) -> Entry:
    return Entry(
        one.session, one.location, one.session_time or "", one.outcome, one.reason or "", one.username,
        one.differences, one.renewed, one.moved_from or "", f"sessions.{one.index}",
    )  # fmt: skip


def _clustering(one: UploadedClustering) -> Entry:
    return Entry(
        one.clustering, one.group_name or "clustering", "", one.outcome, one.reason or "", one.username,
        one.differences, one.renewed, "", f"clustering.{one.index}",
    )  # fmt: skip
