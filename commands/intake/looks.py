"""What was done about what is pending or waits: each look at a record, and who works. The only module that writes the
tables ``looks`` and ``workers``.

None of it is a fact of the ledger, nor in its log: lost, everything is looked at once more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, split
from ledger.database import Database, Transaction

LOOKING, WAITING, RESTING, FAILED, DONE = "looking", "waiting", "resting", "failed", "done"
SEEN_EVERY = timedelta(seconds=10)
_GONE_AFTER = timedelta(seconds=45)
_FORGOTTEN_AFTER = timedelta(days=7)
_SOONEST, _LATEST = timedelta(seconds=30), timedelta(days=1)
_OF_ITS_AGE = 10  # parts: what has waited for ten minutes is looked at every minute
_LONGEST_ERROR = 500  # characters
_SELECT = "SELECT record, folder, status, attempts, first_at, last_at, next_at, host, error FROM looks"
_MANY = 400
DEPTH = 2  # names below a root: a folder is that of a lab or of a subject, not of one day


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The looks at one record. ``record`` is its name. ``status`` is ``looking`` while somebody does, ``waiting`` and
    ``resting`` until ``next_at``, the second where the disk or the database did not answer, ``failed`` where it is not
    looked at again, ``done`` where it was settled."""

    record: str
    folder: str
    status: str
    attempts: int
    first_at: str
    last_at: str
    next_at: str | None
    host: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    name: str
    host: str
    actor: str
    folders: tuple[str, ...]
    started_at: str
    seen_at: str

    @property
    def is_there(self) -> bool:
        return self.seen_at > written(datetime.now(UTC) - _GONE_AFTER)


def written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def after(first_at: str, now: datetime) -> datetime:
    """When to look next at what was first looked at then: what came lately often, what is old rarely."""
    waited = now - datetime.fromisoformat(first_at)
    return now + min(max(waited / _OF_ITS_AGE, _SOONEST), _LATEST)


def folder_of(location: str, roots: Roots) -> str:
    """The folder by which work at a location is handed out: at most two names below its root."""
    try:
        prefix, names = split(location, roots)
    except LocationError:  # of a root that this host does not know
        return "/".join(location.split("/")[: DEPTH + 1])
    return "/".join([prefix.rstrip("/"), *names[:-1][:DEPTH]]) or "/"


def share_of(folder: str, roots: Roots) -> str:
    """What is slow or hangs as one."""
    try:
        return split(folder, roots)[0]
    except LocationError:
        return folder.split("/")[0]


def looks_at(transaction: Transaction, records: Sequence[str]) -> dict[str, Look]:
    found: dict[str, Look] = {}
    for start in range(0, len(records), _MANY):
        some = records[start : start + _MANY]
        marks = ", ".join("?" * len(some))
        for row in transaction.run(f"{_SELECT} WHERE record IN ({marks})", some).fetchall():
            look = _look(row)
            found[look.record] = look
    return found


def begin(database: Database, folders: Mapping[str, str], host: str) -> None:
    """Somebody looks at these records, which lie in these folders."""
    now = written(datetime.now(UTC))
    with database.writing() as transaction:
        transaction.run_many(
            "INSERT INTO looks (record, folder, status, attempts, first_at, last_at, next_at, host, error) "
            "VALUES (?, ?, 'looking', 1, ?, ?, NULL, ?, '') ON CONFLICT (record) DO UPDATE SET "
            "folder = excluded.folder, status = 'looking', attempts = looks.attempts + 1, last_at = excluded.last_at, "
            "next_at = NULL, host = excluded.host",
            [(record, folder, now, now, host) for record, folder in sorted(folders.items())],
        )


def end(database: Database, ended: Mapping[str, tuple[str, str | None, str]], host: str) -> None:
    """What came of it, if nobody else has begun meanwhile: the status, when to look next, and what went wrong. Of what
    was settled at the first look nothing is kept: the log says who did it, and where."""
    with database.writing() as transaction:
        transaction.run_many(
            "UPDATE looks SET status = ?, next_at = ?, error = ? WHERE record = ? AND host = ?",
            [
                (status, at, error[:_LONGEST_ERROR], record, host)
                for record, (status, at, error) in sorted(ended.items())
            ],
        )


def note(database: Database, waiting: Mapping[str, str], settled: Iterable[str], host: str) -> None:
    """Looks that are over: records that still wait, with their folders, and those that were settled. Of what was
    settled at the first look nothing is kept."""
    names = sorted(settled)
    with database.reading() as transaction:
        known = looks_at(transaction, [*waiting, *names])
    ended = [name for name in names if name in known]
    if not waiting and not ended:
        return
    now = datetime.now(UTC)
    at = written(now)
    rows = []
    for record, folder in sorted(waiting.items()):
        first = known[record].first_at if record in known else at
        rows.append((record, folder, first, at, written(after(first, now)), host))
    with database.writing() as transaction:
        if rows:
            transaction.run_many(
                "INSERT INTO looks (record, folder, status, attempts, first_at, last_at, next_at, host, error) "
                "VALUES (?, ?, 'waiting', 1, ?, ?, ?, ?, '') ON CONFLICT (record) DO UPDATE SET status = 'waiting', "
                "attempts = looks.attempts + 1, last_at = excluded.last_at, next_at = excluded.next_at, "
                "host = excluded.host, error = ''",
                rows,
            )
        if ended:
            transaction.run_many(
                "UPDATE looks SET status = 'done', attempts = attempts + 1, last_at = ?, next_at = NULL, host = ?, "
                "error = '' WHERE record = ?",
                [(at, host, record) for record in ended],
            )


def be_seen(database: Database, name: str, host: str, actor: str, folders: Sequence[str]) -> None:
    """A worker is there. Those that were not seen for a week are forgotten."""
    now = datetime.now(UTC)
    at = written(now)
    with database.writing() as transaction:
        transaction.run(
            "INSERT INTO workers (name, host, actor, folders, started_at, seen_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, folders = excluded.folders",
            (name, host, actor, "\n".join(folders), at, at),
        )
        transaction.run("DELETE FROM workers WHERE seen_at < ?", (written(now - _FORGOTTEN_AFTER),))


def be_gone(database: Database, name: str) -> None:
    with database.writing() as transaction:
        transaction.run("DELETE FROM workers WHERE name = ?", (name,))


def workers(transaction: Transaction) -> list[Worker]:
    rows = transaction.run(
        "SELECT name, host, actor, folders, started_at, seen_at FROM workers ORDER BY name"
    ).fetchall()
    return [
        Worker(
            name=row[0], host=row[1], actor=row[2], folders=tuple(filter(None, row[3].split("\n"))), started_at=row[4],
            seen_at=row[5],
        )
        for row in rows
    ]  # fmt: skip


def _look(row: Sequence[object]) -> Look:
    record, folder, status, attempts, first_at, last_at, next_at, host, error = row
    return Look(
        record=str(record), folder=str(folder), status=str(status), attempts=int(str(attempts)),
        first_at=str(first_at), last_at=str(last_at), next_at=None if next_at is None else str(next_at),
        host=str(host), error=str(error),
    )  # fmt: skip
