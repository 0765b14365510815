"""Work: what is pending, waits or failed, by cause and by folder; when it was looked at, and who works."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from commands.answers.jobs import Job, Jobs
from commands.web.pages.routes import add_page
from commands.web.pages.showing import page
from commands.web.pages.visiting import Visit
from commands.web.serving import Serving

MOST = 500
"""Records of a kind and a status that are looked at; the newest."""
_SHOWN = 50  # records of a cause
_OVERDUE, _UNSEEN = timedelta(minutes=15), timedelta(hours=1)
_ORDER = {"error": 0, "waiting": 1, "pending": 2}
_CAUSES = {
    "probe-association": "Which probe is which", "sessions-txt": "sessions.txt is not there yet",
    "data-missing": "Recorded data are missing", "acquiring": "Still being acquired", "no-start": "When it started",
    "starts-apart": "Recordings of several days", "serial-contradicts": "The serial numbers say otherwise",
    "clustering-sessions": "Its sessions are not inserted", "": "Being processed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """A record that is not settled. ``job`` says how it was looked at, where anybody did."""

    ref: str
    status: str
    subject: str
    username: str
    location: str
    reason: str
    message: str
    since: str
    job: Job | None


@dataclass(slots=True)
class Group:
    """``key`` is the cause, or the folder. ``again``: a look may help, so that it can be tried again."""

    key: str
    title: str
    status: str
    items: list[Item] = field(default_factory=list)

    @property
    def people(self) -> list[str]:
        return sorted({item.username for item in self.items})

    @property
    def folders(self) -> list[str]:
        return sorted({_folder(item.location) for item in self.items})

    @property
    def subjects(self) -> list[str]:
        return sorted({item.subject for item in self.items})

    @property
    def looked(self) -> Any:
        """The newest look at any of them."""
        looks = [
            item.job.looked for item in self.items if item.job is not None and item.job.looked is not None
        ]
        return max(looks, key=lambda look: look.last, default=None)

    @property
    def again(self) -> bool:
        return self.status != "error"


def work(serving: Serving) -> APIRouter:
    router = APIRouter()
    add_page(router, serving, "/work", _work)
    return router


def _work(visit: Visit) -> Response:
    found: Jobs = visit.ask("jobs", limit=str(MOST))
    jobs = {job.record: job for job in found.jobs}
    items = [item for status in ("error", "waiting", "pending") for item in _items(visit, status, jobs)]
    by = visit.query.get("by", "cause")
    groups = _grouped(items, _cause if by != "folder" else lambda item: (_folder(item.location), item.status))
    here = visit.serving.working
    return page(
        visit, "work.html", "Work", position=found.position, groups=groups, by=by, workers=found.workers,
        nobody=found.nobody and here is None, serves=here is not None, under_way=0 if here is None else here.under_way,
        stuck=_stuck(items, datetime.now(UTC)), shown=_SHOWN, wanted=visit.query.get("cause", ""), most=MOST,
        full=len(items) >= MOST, done=visit.query.get("done", ""), title_of=_title,
    )  # fmt: skip


def _items(visit: Visit, status: str, jobs: dict[str, Job]) -> Iterable[Item]:
    for kind, name in (("sessions", "session"), ("clusterings", "clustering")):
        for row in getattr(visit.ask(kind, status=status, limit=str(MOST)), kind):
            if status == "error" and row.replaced_by is not None:
                continue
            ref = getattr(row, name)
            yield Item(
                ref, row.status, row.subject, row.username, row.location, row.reason or "", row.message or "",
                row.requested_at, jobs.get(ref),
            )  # fmt: skip


def _cause(item: Item) -> tuple[str, str]:
    return item.reason, item.status


def _folder(location: str) -> str:
    """Above the session: where those of a subject lie."""
    return location.rpartition("/")[0] or location


def _title(reason: str) -> str:
    return _CAUSES.get(reason) or reason.replace("-", " ").capitalize()


def _grouped(items: Iterable[Item], key: Callable[[Item], tuple[str, str]]) -> list[Group]:
    found: dict[tuple[str, str], Group] = {}
    for item in items:
        name, status = key(item)
        found.setdefault((name, status), Group(name, name, status)).items.append(item)
    return sorted(
        found.values(), key=lambda group: (_ORDER.get(group.status, 9), -len(group.items), group.key)
    )


def _stuck(items: Iterable[Item], now: datetime) -> list[Item]:
    """What has stood still for longer than it should: a look that is overdue, or one that never came."""
    found = []
    for item in items:
        if item.status == "error":
            continue
        look = None if item.job is None else item.job.looked
        if look is None:
            late = item.status == "pending" and _age(item.since, now) > _UNSEEN
        else:
            late = look.next is not None and _age(look.next, now) > _OVERDUE
        if late:
            found.append(item)
    return found


def _age(at: str, now: datetime) -> timedelta:
    try:
        return now - datetime.fromisoformat(at)
    except ValueError:
        return timedelta()
