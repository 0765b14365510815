"""Requests of every kind, and what became of them."""

from collections.abc import Callable

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload, stream_id
from projections.records import Deletion, Redaction, compact_json
from projections.rows import State


def deletion_requested(state: State, event: StoredEvent, body: Payload) -> None:
    _request(state, event, body, "deletion", body["records"])


def correction_requested(state: State, event: StoredEvent, body: Payload) -> None:
    named = [entry["session"] for entry in body["sessions"]]
    named += [entry["clustering"] for entry in body["clusterings"]]
    _request(state, event, body, "correction", named)


def redaction_requested(state: State, event: StoredEvent, body: Payload) -> None:
    _request(state, event, body, "redaction", [str(body["position"])])


def change_requested(state: State, event: StoredEvent, body: Payload) -> None:
    _request(state, event, body, body["kind"], body["records"])


def _request(state: State, event: StoredEvent, body: Payload, kind: str, named: list[str]) -> None:
    impact = body.get("impact", {})
    state.deletions.add(
        Deletion(
            id=stream_id(event),
            kind=kind,
            status="requested",
            subject=event.subject,
            requested_by=event.actor,
            requested_at=event.recorded_at,
            reason=body["reason"],
            records=compact_json(named),
            sessions=_in_ranges(impact.get("sessions", [])),
            clusterings=_in_ranges(impact.get("clusterings", [])),
            upload=body.get("upload"),
            shown_position=event.position,
            decided_by=None,
            decided_at=None,
            decision=None,
            version=event.stream_version,
            changed_at=event.recorded_at,
        )
    )


def _in_ranges(ranges: list[list[int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _deletion(state: State, event: StoredEvent) -> Deletion:
    deletion = state.deletions.change(stream_id(event))
    deletion.version, deletion.changed_at = event.stream_version, event.recorded_at
    return deletion


def impact_grown(state: State, event: StoredEvent, body: Payload) -> None:
    deletion = _deletion(state, event)
    deletion.sessions = _in_ranges(body["impact"]["sessions"])
    deletion.clusterings = _in_ranges(body["impact"]["clusterings"])
    deletion.shown_position = event.position


def decided(status: str) -> Callable[[State, StoredEvent, Payload], None]:
    def handler(state: State, event: StoredEvent, body: Payload) -> None:
        deletion = _deletion(state, event)
        deletion.status = status
        deletion.decided_by = event.actor
        deletion.decided_at = event.recorded_at
        deletion.decision = body.get("reason")

    return handler


def deletion_executed(state: State, event: StoredEvent, body: Payload) -> None:
    deletion = _deletion(state, event)
    deletion.sessions, deletion.clusterings = body["sessions"], body["clusterings"]


def correction_executed(state: State, event: StoredEvent, body: Payload) -> None:
    _deletion(state, event)
    upload = state.uploads.change(body["upload"])
    upload.first_record, upload.changed_at = body["first"], event.recorded_at


def deletion_restored(state: State, event: StoredEvent, _body: Payload) -> None:
    _deletion(state, event).status = "restored"


def payload_redacted(state: State, event: StoredEvent, body: Payload) -> None:
    state.redactions.add(
        Redaction(
            position=body["position"],
            stream=body["stream"],
            type=body["type"],
            reason=body["reason"],
            requested_by=body["requested_by"],
            approved_by=event.actor,
            redacted_at=event.recorded_at,
            event=event.position,
            key=body["key"] or None,
            marks=compact_json(body["marks"]) if body["marks"] else None,
        )
    )
