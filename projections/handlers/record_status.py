"""The status of a session or a clustering, and its part in its upload: in its counts, and when it changed last."""

from typing import Any

from ledger.envelope import StoredEvent
from projections.records import Clustering, Session
from projections.rows import State

Payload = dict[str, Any]


def stream_id(event: StoredEvent) -> int:
    return number_of(event.stream)


def number_of(stream: str) -> int:
    return int(stream[stream.index("/") + 1 :])


_OF_BOTH = {
    "InsertRequested": "pending", "Waiting": "waiting", "Inserted": "inserted", "InsertFailed": "error",
    "EntryRenewed": "pending", "Withdrawn": "withdrawn", "Deleted": "deleted",
}  # fmt: skip
STATUS = {
    **{f"{record}{name}": status for record in ("Session", "Clustering") for name, status in _OF_BOTH.items()},
    "ProbesAssociated": "pending", "SessionSettled": "pending",
}  # fmt: skip
"""Which status an event gives its record."""
RESTORED = ("SessionRestored", "ClusteringRestored")
"""These say it themselves."""
COUNTED = {"inserted": "inserted", "waiting": "waiting", "error": "errors"}


def changed(state: State, record: Session | Clustering, event: StoredEvent) -> None:
    """That something happened to the record, and so to its upload, where it is an entry of it."""
    record.changed_at = event.recorded_at
    if is_entry(record):
        state.uploads.change(record.upload).changed_at = event.recorded_at


def is_entry(record: Session | Clustering) -> bool:
    """Of an input file. A clustering of one session is none."""
    return isinstance(record, Session) or record.session is None


def set_status(state: State, record: Session | Clustering, event: StoredEvent, body: Payload) -> None:
    """The record's status and its part in the counts of its upload, which say how things stand now; with the reason
    and message, while it waits or has failed."""
    status = body["status"] if event.type in RESTORED else STATUS[event.type]
    before, after = COUNTED.get(record.status), COUNTED.get(status)
    if before != after and is_entry(record):
        upload = state.uploads.change(record.upload)
        if before is not None:
            setattr(upload, before, getattr(upload, before) - 1)
        if after is not None:
            setattr(upload, after, getattr(upload, after) + 1)
    told = body if status in ("waiting", "error") else {}
    record.status = status
    record.status_position = event.position
    record.reason = told.get("reason") or told.get("code")
    record.message = told.get("message")
