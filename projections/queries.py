"""What somebody wants of a list: one query, shared by every face, and the SQL conditions that it comes to.

A condition is *fixed* where it asks for what never changes in a record: its subject, its user, and when it was
requested. The others are *moving*: as of a moment, they ask what the record was then.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import orjson

from ledger.errors import Refusal
from projections.lines import subject_key
from projections.records import Clustering, Deletion, Session, Upload

Kind = Literal["sessions", "clusterings", "uploads", "requests"]
Missing = Literal["tasks", "clusterings", "room", "association", "data"]
MISSING: tuple[Missing, ...] = get_args(Missing)
DATA_REMARKS = frozenset({"probe-not-on-disk", "lf-only", "data-left-out", "crashed"})
"""Remarks of a session that say that recorded data are missing in it."""
LIMIT = 100
_STANDING = "row.status IN ('pending', 'waiting', 'inserted')"
_IN = {"sqlite": "instr", "postgresql": "strpos"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which records, and which page of them. Everything that is given must hold.

    ``probe`` is the inserted one. ``text`` is looked for in what a line shows as text, in any case. ``since`` and
    ``until`` are times of the log, from the first to before the last, and mean when a record was requested or received.
    ``missing``: see ``_MISSING``. Pages go from new to old: ``after`` a record's number come older ones, ``before`` one
    the next newer ones. ``limit`` None is for ``pages`` alone: all.
    """

    subject: str | None = None
    user: str | None = None
    status: str | None = None
    project: str | None = None
    task: str | None = None
    probe: str | None = None
    text: str | None = None
    since: str | None = None
    until: str | None = None
    missing: tuple[Missing, ...] = ()
    after: int | None = None
    before: int | None = None
    limit: int | None = LIMIT

    @property
    def is_filtered(self) -> bool:
        cursors = ("after", "before", "limit")
        return any(
            getattr(self, field.name) not in (None, ()) for field in fields(self) if field.name not in cursors
        )


@dataclass(frozen=True, slots=True)
class Conditions:
    """SQL about a table that is called ``row``, each part with its values, or empty."""

    fixed: str
    fixed_values: Sequence[Any]
    moving: str
    moving_values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list is about. ``user`` and ``time`` are its columns, ``text`` the columns that are searched for text."""

    record: Any
    user: str
    time: str
    text: tuple[str, ...]
    statuses: tuple[str, ...]


_STATUSES = ("pending", "waiting", "inserted", "error", "withdrawn", "deleted")
LISTED: dict[Kind, Listed] = {
    "sessions": Listed(
        Session, "username", "requested_at",
        ("location", "name", "subject", "session_time", "experimenter", "room", "project", "message"), _STATUSES,
    ),
    "clusterings": Listed(
        Clustering, "username", "requested_at",
        ("location", "group_name", "subject", "curator", "curation_time", "notes", "message"), _STATUSES,
    ),
    "uploads": Listed(
        Upload, "username", "received_at", ("filename", "subject", "sha256"),
        ("received", "validated", "rejected", "processed"),
    ),
    "requests": Listed(
        Deletion, "requested_by", "requested_at", ("reason", "decision", "records", "subject"),
        ("requested", "rejected", "cancelled", "executed", "restored"),
    ),
}  # fmt: skip
_OF_SESSIONS = ("project", "task", "probe", "missing")


def check(kind: Kind, query: Query) -> None:
    """Raises Refusal for a question that this list cannot answer."""
    if kind != "sessions":
        for name in _OF_SESSIONS:
            if getattr(query, name):
                raise Refusal(
                    "no-such-filter",
                    f"{kind.capitalize()} cannot be filtered by {name}: only sessions can.",
                    "Leave it out, or list the sessions.",
                )
    if query.status is not None and query.status not in LISTED[kind].statuses:
        raise Refusal(
            "no-such-status",
            f'{kind.capitalize()} have no status "{query.status}".',
            f"Expected one of: {', '.join(LISTED[kind].statuses)}.",
        )
    unknown = [name for name in query.missing if name not in MISSING]
    if unknown:
        raise Refusal(
            "no-such-filter",
            f'"{unknown[0]}" is nothing that can be missing.',
            f"Expected: {', '.join(MISSING)}.",
        )
    if query.after is not None and query.before is not None:
        raise Refusal(
            "two-cursors", "A page is after a record or before one, not both.", "Give one of the two."
        )


def conditions(kind: Kind, query: Query, slot: str, dialect: str) -> Conditions:
    """Without text: Python looks for it, so that both databases compare alike."""
    listed = LISTED[kind]
    subject = None if query.subject is None else subject_key(query.subject)
    project = None if query.project is None else orjson.dumps(query.project).decode()
    of = f"FROM {{}}_{slot} AS part WHERE part.session = row.id"
    fixed = (
        ("row.subject = ?", subject), (f"row.{listed.user} = ?", query.user),
        (f"row.{listed.time} >= ?", query.since), (f"row.{listed.time} < ?", query.until),
    )  # fmt: skip
    moving: tuple[tuple[str, Any], ...] = (
        ("row.status = ?", query.status),
        (f"{_IN[dialect]}(row.project, ?) > 0", project),
        (f"EXISTS (SELECT 1 {of.format('session_tasks')} AND part.task_type = ?)", query.task),
        (f"EXISTS (SELECT 1 {of.format('session_probes')} AND part.probe = ?)", query.probe),
    )  # fmt: skip
    if query.status == "error" and kind in (
        "sessions",
        "clusterings",
    ):  # shown under what its entry became later
        moving = (*moving, ("row.replaced_by IS NULL", ()))
    missing = [_missing(name, slot, dialect) for name in dict.fromkeys(query.missing)]
    return Conditions(*_joined(fixed), *_joined([*moving, *((text, ()) for text in missing)]))


def _joined(parts: Sequence[tuple[str, Any]]) -> tuple[str, list[Any]]:
    given = [(text, value) for text, value in parts if value is not None]
    return " AND ".join(text for text, _ in given), [value for _, value in given if value != ()]


def _missing(name: Missing, slot: str, dialect: str) -> str:
    """For sessions that are inserted or may still be: no task, no clustering of its own, no room, a probe
    association that somebody has to give, or recorded data.
    """
    if name == "room":
        return f"row.room IS NULL AND {_STANDING}"
    if name == "association":
        return "row.status = 'waiting' AND row.reason = 'probe-association'"
    if name == "data":
        has = _IN[dialect]
        remarks = " OR ".join(f"{has}(row.remarks, '\"{code}\"') > 0" for code in sorted(DATA_REMARKS))
        return (
            f"(row.status = 'waiting' AND row.reason IN ('data-missing', 'acquiring') "
            f"OR row.status = 'inserted' AND ({remarks}))"
        )
    if name == "tasks":
        none = f"NOT EXISTS (SELECT 1 FROM session_tasks_{slot} AS part WHERE part.session = row.id)"
        return (
            f"({none} AND row.status = 'inserted' OR row.status = 'waiting' AND row.reason = 'sessions-txt')"
        )
    standing = "part.status = 'inserted'"
    none = f"NOT EXISTS (SELECT 1 FROM clusterings_{slot} AS part WHERE part.session = row.id AND {standing})"
    return f"row.status = 'inserted' AND {none}"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session has besides its row: types of tasks, inserted probes, how many of its clusterings are inserted."""

    tasks: Collection[str] = ()
    probes: Collection[str] = ()
    clusterings: int = 0


def holds(query: Query, row: Any, parts: Parts) -> bool:
    """Whether the moving conditions hold for a record in memory: the same as ``conditions`` says in SQL."""
    return (
        (query.status is None or row.status == query.status)
        and (query.status != "error" or getattr(row, "replaced_by", None) is None)
        and (query.project is None or query.project in orjson.loads(row.project))
        and (query.task is None or query.task in parts.tasks)
        and (query.probe is None or query.probe in parts.probes)
        and all(_lacks(name, row, parts) for name in query.missing)
    )


def _lacks(name: Missing, row: Session, parts: Parts) -> bool:
    if name == "room":
        return row.room is None and row.status in ("pending", "waiting", "inserted")
    if name == "association":
        return row.status == "waiting" and row.reason == "probe-association"
    if name == "data":
        if row.status == "waiting":
            return row.reason in ("data-missing", "acquiring")
        return row.status == "inserted" and not DATA_REMARKS.isdisjoint(orjson.loads(row.remarks or "[]"))
    if name == "tasks":
        waits = row.status == "waiting" and row.reason == "sessions-txt"
        return waits or (row.status == "inserted" and not parts.tasks)
    return row.status == "inserted" and not parts.clusterings


def has_text(row: Any, columns: Sequence[str], needle: str) -> bool:
    """``needle`` is folded already."""
    return any(needle in folded(str(value)) for name in columns if (value := getattr(row, name)) is not None)


def folded(text: str) -> str:
    """The form in which a search compares text: NFC, without case."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).casefold()
