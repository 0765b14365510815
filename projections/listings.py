"""One whole record, and the catalogue, as plain data. Lists to page through are in ``projections.pages``.

Ids are written with their letter (``s12``), subjects without the datasource where it is 0.
"""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import orjson

from ledger import log
from ledger.bodies import NO_MORE, body_of
from ledger.database import Transaction
from ledger.envelope import StoredEvent, via_of
from projections.entries import left_out
from projections.lines import (
    clustering_line,
    deletion_line,
    session_line,
    subject_name,
    upload_line,
)
from projections.records import (
    Clustering,
    Deletion,
    ProbeInsertion,
    Session,
    SessionProbe,
    SessionTask,
    Upload,
)
from projections.redacted import redacted
from projections.references import Reference
from projections.rows import Rows, requested_by

Plain = dict[str, Any]
__all__ = ["event_line", "probe_line", "redactions", "reference_values", "subjects", "task_line", "whole"]


def whole(transaction: Transaction, slot: str, reference: Reference) -> Plain:
    """Everything about one record."""
    read = {"upload": _upload, "session": _session, "deletion": _request, "clustering": _clustering}
    found = read[reference.kind](transaction, slot, reference.id)
    return found | {"redactions": redactions(transaction, slot, {reference.stream})}


def redactions(transaction: Transaction, slot: str, streams: Collection[str]) -> list[Plain]:
    """What was redacted in the events of these streams: it says why texts of a record are "(redacted)"."""
    return list(map(asdict, redacted(transaction, slot, streams)))


def _rows(transaction: Transaction, slot: str, record: type[Any]) -> Rows[Any]:
    rows: Rows[Any] = Rows(record, slot)
    rows.attach(transaction)
    return rows


def _upload(transaction: Transaction, slot: str, number: int) -> Plain:
    row: Upload = _rows(transaction, slot, Upload)[number]
    bodies = {event.type: body_of(event) for event in log.read_stream(transaction, f"upload/{number}")}
    judged = bodies.get("InputFileValidated") or bodies.get("InputFileRejected") or {}
    sessions = requested_by(_rows(transaction, slot, Session), row)
    clusterings = requested_by(_rows(transaction, slot, Clustering), row)
    return (
        upload_line(row)
        | left_out(transaction, slot, [row])[row.id]
        | {
            "findings": judged.get("findings", []),
            "more": judged.get("more", NO_MORE),
            "new_sessions": [session_line(session) for session in sessions],
            "new_clusterings": [clustering_line(clustering) for clustering in clusterings],
            "changed_duplicates": judged.get("changed_sessions", []) + judged.get("changed_clusterings", []),
        }
    )


def _session(transaction: Transaction, slot: str, number: int) -> Plain:
    row: Session = _rows(transaction, slot, Session)[number]
    events = log.read_positions(transaction, {number, row.status_position})
    entry = orjson.loads(row.entry) if row.entry is not None else body_of(events[number])["entry"]
    event = events.get(row.status_position)
    status = _status_detail(event)
    inserted = _with_more(transaction, row, _inserted_detail(transaction, f"session/{number}", row, event))
    stands_on = transaction.run(
        f"SELECT clustering FROM clustering_sessions_{slot} WHERE session = ? ORDER BY clustering",
        (number,),
    ).fetchall()
    clustering_rows = _rows(transaction, slot, Clustering)
    clustering_rows.prefetch(found[0] for found in stands_on)
    return session_line(row) | {
        "deleted_by": _deleted_by(transaction, slot, row, event),
        "moved_from": orjson.loads(row.moved_from or "[]"),
        "notes": entry.get("notes"),
        "probes": [
            probe_line(probe)
            for probe in _rows(transaction, slot, SessionProbe).where("session = ?", [number])
        ],
        "tasks": [
            task_line(task) for task in _rows(transaction, slot, SessionTask).where("session = ?", [number])
        ],
        "recordings": inserted.get("recordings", []),
        "sessions_txt": inserted.get("sessions_txt"),
        "clusterings": [clustering_line(found) for found in clustering_rows.where("session = ?", [number])],
        "multi_session_clusterings": [clustering_line(clustering_rows[found[0]]) for found in stands_on],
        "waiting_for": {
            key: status[key]
            for key in ("found", "inserted", "belongs", "missing", "starts")
            if row.status == "waiting" and key in status
        },
        "remarks": inserted.get("remarks", []),
        "looked_for": orjson.loads(row.open or "[]"),
        "entry": entry,
    }


def _status_detail(event: StoredEvent | None) -> Plain:
    return {} if event is None else body_of(event)


def _inserted_detail(
    transaction: Transaction, stream: str, row: Session | Clustering, status: StoredEvent | None
) -> Plain:
    """What was inserted, even where the record was deleted or restored since."""
    if status is not None and status.type.endswith("Inserted"):
        return body_of(status)
    if row.status not in ("inserted", "deleted"):
        return {}
    events = log.read_stream(transaction, stream)
    inserted = [event for event in events if event.type in ("SessionInserted", "ClusteringInserted")]
    return body_of(inserted[-1]) if inserted else {}


def _with_more(transaction: Transaction, row: Session, inserted: Plain) -> Plain:
    """Together with what a later look found: recordings that were added, and everything that stays with it since."""
    if not inserted:
        return inserted
    for event in log.read_stream(transaction, f"session/{row.id}"):
        if event.type == "MoreFound":
            more = body_of(event)
            recordings = [*inserted["recordings"], *more["recordings"]]
            inserted = inserted | {"recordings": recordings, "remarks": more["remarks"]}
    return inserted


def _deleted_by(
    transaction: Transaction, slot: str, row: Session | Clustering, status: StoredEvent | None
) -> Plain | None:
    """The deletion or correction that deleted a record which is deleted now: who asked, why, and who approved."""
    if row.status != "deleted" or status is None:
        return None
    deletion: Deletion = _rows(transaction, slot, Deletion)[int(status.correlation[1:])]
    return {
        "deletion": f"d{deletion.id}",
        "kind": deletion.kind,
        "requested_by": deletion.requested_by,
        "reason": deletion.reason,
        "approved_by": deletion.decided_by,
        "at": deletion.decided_at,
    }


def _request(transaction: Transaction, slot: str, number: int) -> Plain:
    row: Deletion = _rows(transaction, slot, Deletion)[number]
    events = log.read_stream(transaction, f"deletion/{number}")
    shown = next((event for event in events if event.position == row.shown_position), None)
    return deletion_line(row) | {
        "impact": _status_detail(shown).get("impact"),
        "events": [event_line(event) for event in events],
    }


def _clustering(transaction: Transaction, slot: str, number: int) -> Plain:
    row: Clustering = _rows(transaction, slot, Clustering)[number]
    event = log.read_positions(transaction, [row.status_position]).get(row.status_position)
    detail = _inserted_detail(transaction, f"clustering/{number}", row, event)
    links = transaction.run(
        f"SELECT session FROM clustering_sessions_{slot} WHERE clustering = ? ORDER BY session",
        (number,),
    ).fetchall()
    stands_on = [link[0] for link in links] if row.session is None else [row.session]
    found = _rows(transaction, slot, Session)
    found.prefetch(stands_on)
    return clustering_line(row) | {
        "deleted_by": _deleted_by(transaction, slot, row, event),
        "outputs": detail.get("outputs", []),
        "curation_time_inherited": detail.get("curation_time_inherited"),
        "remarks": detail.get("remarks", []),
        "sessions": [session_line(found[session]) for session in stands_on],
    }


def probe_line(row: SessionProbe) -> Plain:
    return {
        "name": row.name, "probe": row.probe, "serial": row.serial, "part_number": row.part_number,
        "shanks": row.shanks, "matched_by": row.matched_by,
    }  # fmt: skip


def task_line(row: SessionTask) -> Plain:
    return {
        "number": row.number, "task_type": row.task_type, "arena_apparatus": row.arena_apparatus,
        "task_start": row.start_s, "task_stop": row.stop_s, "stop_inferred": bool(row.stop_inferred),
        "notes": row.notes, "light_level": row.light_level,
        **(orjson.loads(row.detail) if row.detail else {}),
    }  # fmt: skip


def subjects(transaction: Transaction, slot: str) -> list[Plain]:
    insertions: dict[str, list[Plain]] = {}
    for row in _rows(transaction, slot, ProbeInsertion).where("subject >= ?", [""]):
        insertions.setdefault(row.subject, []).append(
            {"probe": row.probe, "insertion_time": row.insertion_time, "removal_time": row.removal_time}
        )
    rows = transaction.run(
        f"SELECT subject, registered_at, registered_by FROM subjects_{slot} ORDER BY subject"
    ).fetchall()
    return [
        {
            "subject": subject_name(key),
            "registered_at": at,
            "registered_by": by,
            "probes": insertions.get(key, []),
        }
        for key, at, by in rows
    ]


def reference_values(transaction: Transaction, slot: str, table: str | None = None) -> list[Plain]:
    where, values = ("", []) if table is None else (" WHERE reference = ?", [table])
    rows = transaction.run(
        f"SELECT reference, value, attributes, retired FROM reference_values_{slot}{where} ORDER BY reference, value",
        values,
    ).fetchall()
    return [
        {"table": table, "value": value, "attributes": orjson.loads(attributes), "retired": bool(retired)}
        for table, value, attributes, retired in rows
    ]


def event_line(event: StoredEvent) -> Plain:
    """An event as it is shown: its whole envelope and its body."""
    fields = event._asdict()
    del fields["payload"], fields["payload_sha256"]
    fields["via"] = via_of(event)
    fields["subject"] = subject_name(event.subject)
    return fields | {"body": None if event.payload is None else body_of(event)}
