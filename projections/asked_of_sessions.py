"""What a list is asked about sessions: a project, a type of task, a probe, what is missing. In SQL and in memory.

A list of sessions asks it of its own rows. Clusterings and uploads ask it of the sessions they stand on or brought: one
session must be all of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import orjson

from projections.records import Session

if TYPE_CHECKING:
    from projections.queries import Query

Missing = Literal["tasks", "clusterings", "room", "association", "data"]
MISSING: tuple[Missing, ...] = get_args(Missing)
MissingOfClustering = Literal["tasks", "room", "association", "data"]
"""A session's clusterings cannot be missing where one of them is listed."""
DATA_REMARKS = frozenset({"probe-not-on-disk", "lf-only", "data-left-out", "crashed"})
"""Remarks of a session that say that recorded data are missing in it."""
_IN = {"sqlite": "instr", "postgresql": "strpos"}
# the numbers that an upload's entries can have: see ``projections.entries``
_FIRST = "coalesce(row.first_record, row.id + 2)"
_OF: dict[str, tuple[str, ...]] = {
    "clusterings": (
        "sessions_{slot} AS own WHERE own.id = row.session",
        "clustering_sessions_{slot} AS link JOIN sessions_{slot} AS own ON own.id = link.session "
        "WHERE link.clustering = row.id",
    ),
    "uploads": (
        f"sessions_{{slot}} AS own WHERE own.id BETWEEN {_FIRST} AND {_FIRST} + row.sessions + row.clusterings - 1 "
        "AND own.upload = row.id",
    ),
}
"""Which sessions are a record's, ``row``: each way by its own index."""
Asked = tuple[str, list[Any]]


def is_asked(query: "Query") -> bool:
    return bool(query.missing) or (query.project, query.task, query.probe) != (None, None, None)


def condition(kind: str, query: "Query", slot: str, dialect: str) -> Asked | None:
    """About a ``row`` of this list; None where nothing is asked."""
    if not is_asked(query):
        return None
    if kind == "sessions":
        return _of("row", query, slot, dialect)
    text, values = _of("own", query, slot, dialect)
    ways = [f"EXISTS (SELECT 1 FROM {way.format(slot=slot)} AND {text})" for way in _OF[kind]]
    standing = f" AND {_standing('row')}" if kind == "clusterings" and query.missing else ""
    return f"({' OR '.join(ways)}){standing}", values * len(ways)


def _of(own: str, query: "Query", slot: str, dialect: str) -> Asked:
    project = None if query.project is None else orjson.dumps(query.project).decode()
    of = f"_{slot} AS part WHERE part.session = {own}.id"
    asked = (
        (f"{_IN[dialect]}({own}.project, ?) > 0", project),
        (f"EXISTS (SELECT 1 FROM session_tasks{of} AND part.task_type = ?)", query.task),
        (f"EXISTS (SELECT 1 FROM session_probes{of} AND part.probe = ?)", query.probe),
    )
    given = [(text, value) for text, value in asked if value is not None]
    texts = [text for text, _ in given]
    texts += [_missing(name, own, slot, dialect) for name in dict.fromkeys(query.missing)]
    return " AND ".join(texts), [value for _, value in given]


def _standing(row: str) -> str:
    return f"{row}.status IN ('pending', 'waiting', 'inserted')"


def _missing(name: Missing, own: str, slot: str, dialect: str) -> str:
    """For sessions that are inserted or may still be: no task, no clustering of its own, no room, a probe
    association that somebody has to give, or recorded data.
    """
    if name == "room":
        return f"{own}.room IS NULL AND {_standing(own)}"
    if name == "association":
        return f"{own}.status = 'waiting' AND {own}.reason = 'probe-association'"
    if name == "data":
        has = _IN[dialect]
        remarks = " OR ".join(f"{has}({own}.remarks, '\"{code}\"') > 0" for code in sorted(DATA_REMARKS))
        return (
            f"({own}.status = 'waiting' AND {own}.reason IN ('data-missing', 'acquiring') "
            f"OR {own}.status = 'inserted' AND ({remarks}))"
        )
    if name == "tasks":
        none = f"NOT EXISTS (SELECT 1 FROM session_tasks_{slot} AS part WHERE part.session = {own}.id)"
        waits = f"{own}.status = 'waiting' AND {own}.reason = 'sessions-txt'"
        return f"({none} AND {own}.status = 'inserted' OR {waits})"
    standing = "part.status = 'inserted'"
    none = (
        f"NOT EXISTS (SELECT 1 FROM clusterings_{slot} AS part WHERE part.session = {own}.id AND {standing})"
    )
    return f"{own}.status = 'inserted' AND {none}"


# --- in memory ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """A session with what it has besides its row: types of tasks, inserted probes, how many of its clusterings are
    inserted."""

    session: Session
    tasks: Collection[str] = ()
    probes: Collection[str] = ()
    clusterings: int = 0


def holds_of_one(query: "Query", sessions: Sequence[Parts]) -> bool:
    """Whether one of these sessions is all that is asked: the same as ``condition`` says in SQL."""
    return not is_asked(query) or any(_holds(query, one) for one in sessions)


def _holds(query: "Query", one: Parts) -> bool:
    return (
        (query.project is None or query.project in orjson.loads(one.session.project))
        and (query.task is None or query.task in one.tasks)
        and (query.probe is None or query.probe in one.probes)
        and all(_lacks(name, one) for name in query.missing)
    )


def _lacks(name: Missing, one: Parts) -> bool:
    row = one.session
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
        return waits or (row.status == "inserted" and not one.tasks)
    return row.status == "inserted" and not one.clusterings
