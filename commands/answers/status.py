"""How things stand for a user: who he or she is, what waits, what failed, what is open for decision, how old the
last checkpoint is. Reads the ledger with a handful of queries; appends nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from commands.answers.checkpoint import KeptCheckpoint, kept_checkpoint
from commands.answers.decisions import open_requests
from commands.answers.lab import Role
from commands.answers.typed import read
from commands.door.permission import is_admin, role_of
from ledger.log import lies_ahead
from projections.lines import RequestLine, deletion_line, subject_name

if TYPE_CHECKING:
    from commands.door.settings import Checkpoints
    from commands.door.world import World

LISTED = 10
LONG = timedelta(days=7)
_WAITING, _FAILED = "status IN ('pending', 'waiting')", "status = 'error' AND replaced_by IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRecord:
    """A session or clustering that is not inserted. ``name`` is its location or group_name, ``since`` when it was
    requested, ``long`` whether that is more than a week ago."""

    ref: str
    status: Literal["pending", "waiting", "error"]
    subject: str
    username: str
    name: str
    since: str
    long: bool
    reason: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheckpoint:
    """``covers_until`` is when the last event was recorded that it covers; ``since`` counts the events behind it."""

    size: int
    covers_until: str | None
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedSignIns:
    """``times``: how often so many attempts failed within an hour on that day (UTC) that no more were taken. ``user``
    is null where they were for a name that nobody has, or for many from one address.
    """

    user: str | None
    day: str
    times: int
    last_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``of`` is whose records are told of, null for everybody's. ``waiting`` are the first of ``waiting_count``,
    those that have waited longest; ``waiting_long`` counts those of more than a week. ``failed`` are the newest of
    ``failed_count``, without those whose entry succeeded since. ``decisions`` are the first of the
    ``decisions_count`` requests that the user may decide on; ``asked`` those of the ``asked_count`` that the user made
    and somebody else decides on. ``kept`` is the newest checkpoint that was kept by
    itself; ``ahead`` the time of the last event, where it lies ahead. ``failed_sign_ins`` are those of the last week,
    and told to admins."""

    position: int
    origin: str
    user: str
    role: Role | None
    of: str | None
    waiting_count: int
    waiting_long: int
    waiting: list[OpenRecord]
    failed_count: int
    failed: list[OpenRecord]
    decisions_count: int
    decisions: list[RequestLine]
    asked_count: int
    asked: list[RequestLine]
    checkpoint: LastCheckpoint | None
    kept: KeptCheckpoint | None
    ahead: str | None
    failed_sign_ins: list[FailedSignIns]


def status(
    world: "World", *, of: str | None = None, now: datetime, checkpoints: "Checkpoints | None" = None
) -> Status:
    """``now`` is in UTC; ``of`` is the user whose records are meant; ``checkpoints`` says where these are kept by
    themselves. Raises Refusal where that place cannot be read.
    """
    long_ago = (now - LONG).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    waiting, long, oldest = _open(world, _WAITING, of, long_ago, "requested_at, id")
    failed, _, newest = _open(world, _FAILED, of, long_ago, "id DESC")
    open_, mine = open_requests(world)
    asked = [row for row in open_ if row.requested_by == world.actor and row not in mine]
    return Status(
        position=world.head.size,
        origin=world.head.origin,
        user=world.actor,
        role=role_of(world, world.actor) or None,  # type: ignore[arg-type]
        of=of,
        waiting_count=waiting,
        waiting_long=long,
        waiting=sorted(oldest, key=lambda record: record.since)[:LISTED],
        failed_count=failed,
        failed=sorted(newest, key=lambda record: -int(record.ref[1:]))[:LISTED],
        decisions_count=len(mine),
        decisions=[read(RequestLine, deletion_line(row)) for row in mine[:LISTED]],
        asked_count=len(asked),
        asked=[read(RequestLine, deletion_line(row)) for row in asked[:LISTED]],
        checkpoint=_checkpoint(world),
        kept=None if checkpoints is None else kept_checkpoint(world, checkpoints),
        ahead=world.head.recorded_at if lies_ahead(world.head.recorded_at, now) else None,
        failed_sign_ins=_failed_sign_ins(world, long_ago) if is_admin(world) else [],
    )


def _failed_sign_ins(world: "World", since: str) -> list[FailedSignIns]:
    rows = world.transaction.run(
        f"SELECT username, day, sum(events), max(last_at) FROM {world.state.activity.table} "
        "WHERE type = 'SignInsFailed' AND last_at >= ? GROUP BY username, day ORDER BY day DESC, username",
        (since,),
    ).fetchall()
    return [
        FailedSignIns(user=user or None, day=day, times=int(times), last_at=last_at)
        for user, day, times, last_at in rows
    ]


def _open(
    world: "World", condition: str, of: str | None, long_ago: str, order: str
) -> tuple[int, int, list[OpenRecord]]:
    """How many there are, how many of them for long, and the first of each kind."""
    counted = long = 0
    found: list[OpenRecord] = []
    kinds = (
        ("s", world.state.sessions.table, "location"),
        ("c", world.state.clusterings.table, "group_name"),
    )
    values: list[Any] = [] if of is None else [of]
    if of is not None:
        condition += " AND username = ?"
    for letter, table, name in kinds:
        row = world.transaction.run(
            f"SELECT count(*), sum(CASE WHEN requested_at < ? THEN 1 ELSE 0 END) FROM {table} WHERE {condition}",
            [long_ago, *values],
        ).fetchone()
        counted, long = counted + row[0], long + int(row[1] or 0)
        if row[0]:
            rows = world.transaction.run(
                f"SELECT id, status, subject, username, {name}, location, requested_at, reason, message FROM {table} "
                f"WHERE {condition} ORDER BY {order} LIMIT {LISTED}",
                values,
            ).fetchall()
            found += [_record(letter, long_ago, *each) for each in rows]
    return counted, long, found


def _record(letter: str, long_ago: str, *row: Any) -> OpenRecord:
    number, state, subject, username, name, location, since, reason, message = row
    return OpenRecord(
        ref=f"{letter}{number}", status=state, subject=subject_name(subject), username=username, name=name or location,
        since=since, long=since < long_ago, reason=reason, message=message,
    )  # fmt: skip


def _checkpoint(world: "World") -> LastCheckpoint | None:
    row = world.transaction.run(
        "SELECT c.size, e.recorded_at FROM checkpoints c LEFT JOIN events e ON e.position = c.size "
        "WHERE c.size <= ? ORDER BY c.size DESC LIMIT 1",
        (world.head.size,),
    ).fetchone()
    return (
        None
        if row is None
        else LastCheckpoint(size=row[0], covers_until=row[1], since=world.head.size - row[0])
    )
