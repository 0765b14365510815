"""The views that a query can name: their columns, and where their rows come from. The same words as in the answers.

Rows are read page by page, oldest first; none is held longer than that. What is in no view cannot be asked for: no
secret, no mail, no name or address of a person, no uploaded file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import orjson

from commands.answers.rows import EventLine, ProbeInsertionLine, ProbeLine, TaskLine
from commands.answers.typed import hints
from ledger import log
from ledger.bodies import SCHEMAS, body_of
from ledger.envelope import StoredEvent, via_of
from projections.lines import (
    ListedClustering,
    ListedSession,
    ListedUpload,
    RedactionLine,
    RequestLine,
    subject_name,
)
from projections.pages import pages
from projections.queries import Kind, Query

if TYPE_CHECKING:
    from commands.door.world import World

PAGE = 2_000
Rows = Iterator[Sequence[Sequence[Any]]]
_NAIVE = ("session_time", "curation_time", "insertion_time", "removal_time")
_TYPES: dict[Any, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class View:
    """``columns``: their types by their names. ``rows`` gives them page by page, in the order of the columns."""

    name: str
    about: str
    columns: Mapping[str, str]
    rows: Callable[["World"], Rows]


def columns_of(document: Any, **more: str) -> dict[str, str]:
    """The columns of a typed line; ``more`` stand before it."""
    known = hints(document)
    return more | {field.name: _type_of(field.name, known[field.name]) for field in fields(document)}


def _type_of(name: str, hint: Any) -> str:
    if name.endswith("_at") or name == "invited_until":
        return "TIMESTAMPTZ"
    if name in _NAIVE:
        return "TIMESTAMP"
    if get_origin(hint) in (Union, UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Literal:
        return "VARCHAR"
    if hint == list[str]:
        return "VARCHAR[]"
    return _TYPES.get(hint, "JSON")


# --- lists ------------------------------------------------------------------------------------------------------------


def _listed(kind: Kind, names: Sequence[str]) -> Callable[["World"], Rows]:
    def rows(world: "World") -> Rows:
        oldest_first = Query(limit=None, before=0)
        for page in pages(world.transaction, world.head, kind, oldest_first):
            yield [[getattr(line, name) for name in names] for line in reversed(page.rows)]

    return rows


def _list(name: Kind, about: str, document: Any) -> View:
    columns = columns_of(document)
    return View(name, about, columns, _listed(name, list(columns)))


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(
    name: str, about: str, columns: Mapping[str, str], sql: str, of_row: Callable[[Any], Sequence[Any]]
) -> View:
    """``sql`` names the live tables with ``{slot}``."""

    def rows(world: "World") -> Rows:
        for page in world.transaction.stream(sql.format(slot=world.head.live_slot), PAGE):
            yield [of_row(row) for row in page]

    return View(name, about, columns, rows)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _task(row: Any) -> Sequence[Any]:
    """What stands on the floor, and its like, is one JSON object in the table."""
    detail = orjson.loads(row[-1]) if row[-1] else {}
    placed = [_json(detail.get(name)) for name in ("objects", "cue_cards", "curtains")]
    return [f"s{row[0]}", *row[1:6], bool(row[6]), *row[7:9], *placed]


# --- the log ----------------------------------------------------------------------------------------------------------


def event_row(event: StoredEvent) -> list[Any]:
    return [
        event.position, event.stream, event.stream_version, event.type, event.schema, event.command_id,
        event.correlation, event.causation, event.actor, _via(event), event.recorded_at, subject_name(event.subject),
        event.username, _body(event),
    ]  # fmt: skip


def _via(event: StoredEvent) -> str:
    return event.via if '"authentication":' in event.via else orjson.dumps(via_of(event)).decode()


def _body(event: StoredEvent) -> str | None:
    """Of the newest version; what is of it already is not taken apart."""
    if event.payload is None or event.schema == SCHEMAS.get(event.type):
        return event.payload
    return orjson.dumps(body_of(event)).decode()


def _events(world: "World") -> Rows:
    for page in log.pages(world.transaction, 0, world.head.size, PAGE):
        yield list(map(event_row, page))


# --- all of them ------------------------------------------------------------------------------------------------------

_VIEWS = (
    _list("sessions", "every session, with how many clusterings it has", ListedSession),
    _list("clusterings", "every clustering", ListedClustering),
    _list("uploads", "every upload, with how its entries stand", ListedUpload),
    _list("requests", "requests to delete, to correct, to redact, to change", RequestLine),
    _table(
        "tasks", "the tasks of sessions", columns_of(TaskLine, session="VARCHAR"),
        "SELECT session, number, task_type, arena_apparatus, start_s, stop_s, stop_inferred, notes, light_level, "
        "detail FROM session_tasks_{slot} ORDER BY session, number",
        _task,
    ),
    _table(
        "session_probes", "which inserted probe each probe on disk is", columns_of(ProbeLine, session="VARCHAR"),
        "SELECT session, name, probe, serial, part_number, shanks, matched_by FROM session_probes_{slot} "
        "ORDER BY session, name",
        lambda row: [f"s{row[0]}", *row[1:]],
    ),
    _table(
        "clustering_sessions", "the sessions under clusterings over several",
        {"clustering": "VARCHAR", "session": "VARCHAR"},
        "SELECT clustering, session FROM clustering_sessions_{slot} ORDER BY clustering, session",
        lambda row: [f"c{row[0]}", f"s{row[1]}"],
    ),
    _table(
        "subjects", "subjects, and who registered them",
        {"subject": "VARCHAR", "registered_at": "TIMESTAMPTZ", "registered_by": "VARCHAR"},
        "SELECT subject, registered_at, registered_by FROM subjects_{slot} ORDER BY subject",
        lambda row: [subject_name(row[0]), *row[1:]],
    ),
    _table(
        "probes", "probes inserted in subjects", columns_of(ProbeInsertionLine, subject="VARCHAR"),
        "SELECT subject, probe, insertion_time, removal_time FROM probe_insertions_{slot} ORDER BY subject, probe",
        lambda row: [subject_name(row[0]), *row[1:]],
    ),
    _table(
        "reference_values", "the catalogue", {
            "reference": "VARCHAR", "value": "VARCHAR", "attributes": "JSON", "retired": "BOOLEAN",
        },
        "SELECT reference, value, attributes, retired FROM reference_values_{slot} ORDER BY reference, value",
        lambda row: [*row[:3], bool(row[3])],
    ),
    _table(
        "users", "who has an account or a role", {
            "user": "VARCHAR", "account": "VARCHAR", "role": "VARCHAR", "owner": "VARCHAR", "joined_at": "TIMESTAMPTZ",
        },
        "SELECT username, account, role, owner, joined_at FROM users_{slot} ORDER BY username",
        lambda row: [value or None for value in row],
    ),
    _table(
        "redactions", "payloads that were removed", columns_of(RedactionLine),
        "SELECT position, type, stream, approved_by, requested_by, redacted_at, reason FROM redactions_{slot} "
        "ORDER BY position",
        list,
    ),
    View("events", "the log: every event, with its body in the newest version", columns_of(EventLine), _events),
)  # fmt: skip
VIEWS = {view.name: view for view in _VIEWS}
