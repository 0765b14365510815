"""The requests of a lineage: those that took a record, those that would, and what a request is about."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from ledger import log
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from projections.lineage_nodes import Look, request_number
from projections.records import Deletion, Upload

_OPEN = 1_000  # requests; few are undecided at a time


def that_took_of(look: Look, upload: Upload, first: int, last: int) -> None:
    """The requests that took records of the upload, even records that are not shown."""
    parts = [
        f"SELECT DISTINCT e.correlation FROM {table} r JOIN events e ON e.position = r.status_position "
        "WHERE r.id BETWEEN ? AND ? AND r.upload = ? AND r.status = 'deleted'"
        for table in (look.state.sessions.table, look.state.clusterings.table)
    ]
    found = look.transaction.run(" UNION ".join(parts), (first, last, upload.id) * 2).fetchall()
    numbers = sorted(number for row in found if (number := request_number(row[0])) is not None)
    look.state.deletions.prefetch(numbers[: look.most])
    for number in numbers[: look.most]:
        look.graph.edge(look.request_node(number), f"u{upload.id}", "took")


def open_ones(look: Look, name: str, records: tuple[int, int], events: Iterable[StoredEvent]) -> None:
    """The open requests that name the record, or would take one of ``records`` (from, to) or one of the events."""
    positions = {event.position for event in events}
    table = look.state.deletions.table
    is_open = f"FROM {table} WHERE status = 'requested'"
    found = look.first_of(f"SELECT id {is_open} ORDER BY id DESC", most=_OPEN)
    if len(found) == _OPEN:
        count = look.count(f"SELECT count(*) {is_open}")
        look.graph.left_out(name, "open requests, not looked at", count - _OPEN)
    rows = look.there(look.state.deletions, [row[0] for row in reversed(found)])
    shown = log.read_positions(look.transaction, [row.shown_position for row in rows])
    for row in rows:
        named = orjson.loads(row.records)
        body = body_of(shown[row.shown_position])
        impact = [
            *body.get("impact", {}).get("sessions", ()),
            *body.get("impact", {}).get("clusterings", ()),
        ]
        if row.kind == "redaction":
            concerned = body.get("position") in positions
        else:
            concerned = name in named or any(a <= records[1] and records[0] <= b for a, b in impact)
        if concerned:
            look.graph.edge(look.request_node(row.id), name, "asks")


def taken(look: Look, name: str, row: Deletion, approved: int, executed: StoredEvent) -> None:
    """The records that a request took between its approval and its execution, and those that replaced them."""
    for kind in ("Session", "Clustering"):
        found = look.first_of(
            "SELECT stream, position, recorded_at FROM events "
            f"WHERE position BETWEEN ? AND ? AND type = '{kind}Deleted' ORDER BY position",
            approved, executed.position,
        )  # fmt: skip
        rows: Any = look.state.sessions if kind == "Session" else look.state.clusterings
        events = {int(stream.partition("/")[2]): (position, at) for stream, position, at in found}
        for gone in look.there(rows, events):
            record, (position, at) = look.record_node(gone), events[gone.id]
            look.graph.edge(record, f"e{executed.position}", "step")
            look.graph.edge(f"e{executed.position}", record, "took", position=position, at=at)
            other = rows.get(gone.replaced_by)
            if other is not None:
                look.graph.edge(record, look.record_node(other), "replaced")
        whole = row.sessions if kind == "Session" else row.clusterings
        look.graph.left_out(name, f"{kind.lower()}s", whole - len(events))


def asked(look: Look, name: str, row: Deletion) -> None:
    """The records that an undecided or refused request would take, as it was last shown."""
    shown = log.read_positions(look.transaction, [row.shown_position])[row.shown_position]
    impact = body_of(shown).get("impact", {})
    for kind in ("sessions", "clusterings"):
        ranges = impact.get(kind, ())
        rows: Any = getattr(look.state, kind)
        numbers = list(_first(look.most, (n for first, last in ranges for n in range(first, last + 1))))
        for record in look.there(rows, numbers):
            look.graph.edge(name, look.record_node(record), "asks")
        whole = sum(last - first + 1 for first, last in ranges)
        look.graph.left_out(name, kind, whole - len(numbers))


def redacted(look: Look, name: str, position: int) -> None:
    event = log.read_positions(look.transaction, [position]).get(position)
    if event is None:
        return
    look.graph.edge(name, look.event_node(event), "redacts")
    kind, _, number = event.stream.partition("/")
    rows: Any = {
        "session": look.state.sessions,
        "clustering": look.state.clusterings,
        "upload": look.state.uploads,
    }.get(kind)
    record = rows.get(int(number)) if rows is not None else None
    if record is not None:
        target = look.upload_node(record) if isinstance(record, Upload) else look.record_node(record)
        look.graph.edge(target, f"e{position}", "step")


def _first(most: int, numbers: Iterator[int]) -> Iterator[int]:
    for count, number in enumerate(numbers):
        if count >= most:
            return
        yield number
