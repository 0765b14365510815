"""The status of a session or a clustering, and its part in the counts of its upload."""

from typing import Any

from ledger.envelope import StoredEvent
from projections.records import Clustering, Session
from projections.rows import State

Payload = dict[str, Any]


def stream_id(event: StoredEvent) -> int:
    return int(event.stream[event.stream.index("/") + 1 :])


COUNTED = {"inserted": "inserted", "waiting": "waiting", "error": "errors"}


def set_status(
    state: State, record: Session | Clustering, event: StoredEvent, status: str, body: Payload
) -> None:
    """Set the record's status and its part in its upload's counts, which say how things stand now. A clustering of
    one session is no entry of a file, and has no part in them.
    """
    if isinstance(record, Session) or record.session is None:
        upload = state.uploads.change(record.upload)
        for counted, step in ((COUNTED.get(record.status), -1), (COUNTED.get(status), 1)):
            if counted is not None:
                setattr(upload, counted, getattr(upload, counted) + step)
    record.status = status
    record.status_position = event.position
    record.reason = body.get("reason") or body.get("code")
    record.message = body.get("message")
