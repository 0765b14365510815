"""The uploads: what became of each input file."""

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload, stream_id
from projections.records import Duplicate, Upload
from projections.rows import State


def received(state: State, event: StoredEvent, body: Payload) -> None:
    state.uploads.add(
        Upload(
            id=stream_id(event),
            username=event.username,
            subject=event.subject,
            filename=body["filename"],
            sha256=body["sha256"],
            size_bytes=body["size_bytes"],
            status="received",
            sessions=0,
            clusterings=0,
            inserted=0,
            duplicates=0,
            waiting=0,
            errors=0,
            received_at=event.recorded_at,
            processed_at=None,
            version=event.stream_version,
            first_record=None,
            replays=body["replays"],
            changed_at=event.recorded_at,
        )
    )


def _upload(state: State, event: StoredEvent) -> Upload:
    upload = state.uploads.change(stream_id(event))
    upload.version, upload.changed_at = event.stream_version, event.recorded_at
    return upload


def validated(state: State, event: StoredEvent, body: Payload) -> None:
    upload = _upload(state, event)
    upload.status = "validated"
    upload.sessions = body["sessions"]
    upload.clusterings = body["clusterings"]
    ranges = body["unchanged_sessions"] + body["unchanged_clusterings"]
    changed = len(body["changed_sessions"]) + len(body["changed_clusterings"])
    upload.duplicates = changed + sum(last - first + 1 for first, last in ranges)
    for kind in ("session", "clustering"):
        named = {entry[kind]: entry["index"] for entry in reversed(body[f"changed_{kind}s"])}
        for record, index in named.items():
            if record:  # a redaction blanks it
                state.duplicates.add(Duplicate(int(record[1:]), upload.id, index))


def rejected(state: State, event: StoredEvent, body: Payload) -> None:
    upload = _upload(state, event)
    upload.status = "rejected"
    upload.errors = (
        sum(finding["severity"] == "error" for finding in body["findings"]) + body["more"]["errors"]
    )


def subject_renamed(state: State, event: StoredEvent, _body: Payload) -> None:
    _upload(state, event).subject = event.subject


def processed(state: State, event: StoredEvent, _body: Payload) -> None:
    upload = _upload(state, event)
    upload.status = "processed"
    upload.processed_at = event.recorded_at
