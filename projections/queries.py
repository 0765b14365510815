"""What somebody wants of a list: one query, shared by every face, and the SQL conditions that it comes to.

A condition is *fixed* where it asks for what never changes in a record: its user, when it was requested, and its
subject where that was not renamed since. The others are *moving*: as of a moment, they ask what the record was then.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from ledger.errors import Refusal
from projections import asked_of_sessions
from projections.asked_of_sessions import MISSING, Missing, Parts
from projections.lines import subject_key
from projections.portions import marks
from projections.records import Clustering, Deletion, Session, Upload

Kind = Literal["sessions", "clusterings", "uploads", "requests"]
LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which records, and which page of them. Everything that is given must hold.

    ``probe`` is the inserted one. ``text`` is looked for in what a line shows as text, in any case. ``since`` and
    ``until`` are times of the log, from the first to before the last, and mean when a record was requested or received.
    ``project``, ``task``, ``probe`` and ``missing`` are asked about sessions: see ``asked_of_sessions``. Pages go from
    new to old: ``after`` a record's number come older ones, ``before`` one the next newer ones. ``limit`` None is for
    ``pages`` alone: all.
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
_ABOUT_SESSIONS: tuple[Kind, ...] = ("sessions", "clusterings", "uploads")
FILTERS: dict[str, tuple[Kind, ...]] = dict.fromkeys(("project", "task", "probe", "missing"), _ABOUT_SESSIONS)
"""Which lists have a filter that not all have."""
MISSING_IN: dict[Missing, tuple[Kind, ...]] = dict.fromkeys(MISSING, _ABOUT_SESSIONS)
MISSING_IN["clusterings"] = ("sessions", "uploads")


def no_such_filter(kind: Kind, name: str) -> str:
    return f"{kind.capitalize()} cannot be filtered by {name}: {_together(FILTERS[name])} can."


def _together(kinds: Sequence[Kind]) -> str:
    return f"{', '.join(kinds[:-1])} and {kinds[-1]}"


def check(kind: Kind, query: Query) -> None:
    """Raises Refusal for a question that this list cannot answer."""
    for name, kinds in FILTERS.items():
        if getattr(query, name) and kind not in kinds:
            raise Refusal("no-such-filter", no_such_filter(kind, name), "Leave it out.")
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
    for missing in query.missing:
        if kind not in MISSING_IN[missing]:
            raise Refusal(
                "no-such-filter",
                f"{kind.capitalize()} cannot lack {missing}: {_together(MISSING_IN[missing])} can.",
                "Leave it out.",
            )
    if query.after is not None and query.before is not None:
        raise Refusal(
            "two-cursors", "A page is after a record or before one, not both.", "Give one of the two."
        )


def conditions(
    kind: Kind, query: Query, slot: str, dialect: str, subjects: Collection[str] | None = None
) -> Conditions:
    """Without text: Python looks for it, so that both databases compare alike. ``subjects`` are the names of today that
    records of the subject of then may have, where it was renamed since."""
    listed = LISTED[kind]
    subject = None if query.subject is None else subject_key(query.subject)
    fixed = (
        ("row.subject = ?", subject if subjects is None else None), (f"row.{listed.user} = ?", query.user),
        (f"row.{listed.time} >= ?", query.since), (f"row.{listed.time} < ?", query.until),
    )  # fmt: skip
    moving: list[tuple[str, Any]] = [("row.status = ?", query.status)]
    if subjects is not None:
        moving.append(("row.subject = ?", subject))
    if query.status == "error" and kind in ("sessions", "clusterings"):
        moving.append(("row.replaced_by IS NULL", ()))  # shown under what its entry became later
    text, values = _joined(moving)
    asked = asked_of_sessions.condition(kind, query, slot, dialect)
    if asked is not None:
        text, values = " AND ".join(filter(None, [text, asked[0]])), [*values, *asked[1]]
    first, first_values = _joined(fixed)
    if subjects is not None:
        first = " AND ".join(filter(None, [first, f"row.subject IN ({marks(subjects)})"]))
        first_values = [*first_values, *sorted(subjects)]
    return Conditions(first, first_values, text, values)


def _joined(parts: Sequence[tuple[str, Any]]) -> tuple[str, list[Any]]:
    given = [(text, value) for text, value in parts if value is not None]
    return " AND ".join(text for text, _ in given), [value for _, value in given if value != ()]


def holds(kind: Kind, query: Query, row: Any, sessions: Sequence[Parts] = ()) -> bool:
    """Whether the moving conditions hold for a record in memory: the same as ``conditions`` says in SQL. ``sessions``
    are its own, or it itself."""
    return (
        (query.status is None or row.status == query.status)
        and (query.subject is None or row.subject == subject_key(query.subject))
        and (query.status != "error" or getattr(row, "replaced_by", None) is None)
        and (kind != "clusterings" or not query.missing or row.status in ("pending", "waiting", "inserted"))
        and asked_of_sessions.holds_of_one(query, sessions)
    )


def has_text(row: Any, columns: Sequence[str], needle: str) -> bool:
    """``needle`` is folded already."""
    return any(needle in folded(str(value)) for name in columns if (value := getattr(row, name)) is not None)


def folded(text: str) -> str:
    """The form in which a search compares text: NFC, without case."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).casefold()
