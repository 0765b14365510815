"""What workers have to do: what is pending or waits, when each was looked at, and who works. Reads; appends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from commands.intake.looks import RESTING, Look, looks_at, workers
from projections.lines import subject_name

if TYPE_CHECKING:
    from commands.door.world import World

JobStatus = Literal["queued", "looking", "waiting", "resting", "failed"]
STATUSES: tuple[JobStatus, ...] = ("queued", "looking", "waiting", "resting", "failed")
_UNSETTLED = "status IN ('pending', 'waiting')"
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The looks at a record. ``next`` is when a worker looks again by itself, null where one looks now or none will;
    ``by`` who looked last, a host and a process; ``error`` why that came to nothing."""

    attempts: int
    first: str
    last: str
    next: str | None
    by: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A session or clustering that is not settled. ``status``: ``queued`` until somebody looks, ``looking`` while one
    does, ``waiting`` for the next look, ``resting`` where the disk did not answer, ``failed`` where no worker looks
    again. ``message`` is what it waits for."""

    record: str
    status: JobStatus
    subject: str
    username: str
    location: str
    since: str
    message: str | None
    looked: Looked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLine:
    """``folders`` are the only ones that it takes work of, or the shares that it can reach. ``is_there``: it was seen a
    moment ago."""

    name: str
    host: str
    actor: str
    folders: list[str]
    started_at: str
    seen_at: str
    is_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Oldest first; ``more``: there are others behind the last. ``nobody``: something is to be done, and no worker is
    running."""

    position: int
    jobs: list[Job]
    more: bool
    workers: list[WorkerLine]
    nobody: bool


def jobs(
    world: "World", *, status: str | None = None, folder: str | None = None, host: str | None = None,
    after: int = 0, limit: int = 100,
) -> Jobs:  # fmt: skip
    """``folder`` is a location in the form that the ledger keeps; ``host`` a host, or one of its workers."""
    found: list[Job] = []
    while len(found) <= limit:
        page = _page(world, after, folder)
        looks = looks_at(world.transaction, [row[0] for row in page])
        lines = [_job(row, looks.get(row[0])) for row in page]
        found += [
            line
            for line in lines
            if (status is None or line.status == status)
            and (
                host is None or (line.looked is not None and host in (line.looked.by, _host(line.looked.by)))
            )
        ]
        if len(page) < _PAGE:
            break
        after = int(page[-1][0][1:])
    there = [_worker(one) for one in workers(world.transaction)]
    return Jobs(
        position=world.head.size,
        jobs=found[:limit],
        more=len(found) > limit,
        workers=there,
        nobody=bool(found) and not any(one.is_there for one in there),
    )


def looked(world: "World", record: str) -> Looked | None:
    """None where nobody did, and of an earlier moment."""
    if world.transaction.past is not None:
        return None
    look = looks_at(world.transaction, [record]).get(record)
    return None if look is None else _looked(look)


def somebody_works(world: "World") -> bool:
    """Whether a worker is running."""
    return world.transaction.past is None and any(one.is_there for one in workers(world.transaction))


def _page(world: "World", after: int, folder: str | None) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    inside = "" if folder is None else " AND (location = ? OR substr(location, 1, ?) = ?)"
    values: list[Any] = [] if folder is None else [folder, len(folder) + 1, f"{folder}/"]
    for letter, table in (("s", world.state.sessions.table), ("c", world.state.clusterings.table)):
        found = world.transaction.run(
            f"SELECT id, status, subject, username, location, requested_at, message FROM {table} "
            f"WHERE {_UNSETTLED} AND id > ?{inside} ORDER BY id LIMIT {_PAGE}",
            (after, *values),
        ).fetchall()
        rows += [(f"{letter}{row[0]}", *row[1:]) for row in found]
    return sorted(rows, key=lambda row: int(row[0][1:]))[:_PAGE]


def _job(row: Sequence[Any], look: Look | None) -> Job:
    record, status, subject, username, location, since, message = row
    return Job(
        record=record, status=_status(status, look), subject=subject_name(subject), username=username,
        location=location, since=since, message=message, looked=None if look is None else _looked(look),
    )  # fmt: skip


def _status(status: str, look: Look | None) -> JobStatus:
    if look is not None and look.status in ("looking", RESTING, "failed"):
        return look.status  # type: ignore[return-value]
    return "queued" if status == "pending" or look is None else "waiting"


def _looked(look: Look) -> Looked:
    return Looked(
        attempts=look.attempts, first=look.first_at, last=look.last_at, next=look.next_at, by=look.host,
        error=look.error or None,
    )  # fmt: skip


def _worker(one: Any) -> WorkerLine:
    return WorkerLine(
        name=one.name, host=one.host, actor=one.actor, folders=list(one.folders), started_at=one.started_at,
        seen_at=one.seen_at, is_there=one.is_there,
    )  # fmt: skip


def _host(name: str) -> str:
    return name.rpartition(":")[0]
