"""What each event means for the projections. The one code path of live appends and rebuilds.

A handler changes rows through the ``State`` and does nothing else: no clock, no disk, no settings. A handler's
meaning is part of its projection's version (``projections.records.VERSIONS``).
"""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from ledger.envelope import StoredEvent
from ledger.events import body_of, known
from projections.records import (
    Activity,
    Clustering,
    ClusteringGroup,
    ClusteringSession,
    ProbeInsertion,
    ReferenceValue,
    Session,
    SessionLocation,
    SessionProbe,
    SessionTask,
    SessionTime,
    Subject,
    Upload,
)
from projections.rows import State

Payload = dict[str, Any]


def apply(state: State, events: Iterable[StoredEvent]) -> None:
    """Bring the projections from the position before the first of these events to that of the last.

    Raises IntegrityFailure for an event that a newer version of the program wrote: skipping it would make
    projections that look whole and are not.
    """
    counts: dict[tuple[str, str, str, str], int] = {}
    last_at: dict[tuple[str, str, str, str], str] = {}
    for event in events:
        key = (event.actor, event.subject, event.recorded_at[:10], event.type)
        counts[key] = counts.get(key, 0) + 1
        last_at[key] = event.recorded_at
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(state, event, body_of(event))
        else:
            known(event)
    _count(state, counts, last_at)


def _count(
    state: State, counts: dict[tuple[str, str, str, str], int], last_at: dict[tuple[str, str, str, str], str]
) -> None:
    for key, number in counts.items():
        if state.activity.get(key) is None:
            state.activity.add(Activity(*key, number, last_at[key]))
        else:
            counted = state.activity.change(key)
            counted.events += number
            counted.last_at = last_at[key]


def prefetch(state: State, events: Iterable[StoredEvent]) -> None:
    """Load in bulk the rows that ``apply`` of these events will change."""
    ids: dict[str, list[int]] = {"session": [], "clustering": [], "upload": []}
    for event in events:
        kind, _, number = event.stream.partition("/")
        if event.stream_version > 1 and kind in ids:
            ids[kind].append(int(number))
    for rows, kind in (
        (state.sessions, "session"),
        (state.clusterings, "clustering"),
        (state.uploads, "upload"),
    ):
        if len(ids[kind]) > 1:
            rows.prefetch(ids[kind])


def _id(event: StoredEvent) -> int:
    return int(event.stream[event.stream.index("/") + 1 :])


def compact_json(value: object) -> str:
    return orjson.dumps(value).decode()


# --- uploads --------------------------------------------------------------------------------------------------------


def _received(state: State, event: StoredEvent, body: Payload) -> None:
    state.uploads.add(
        Upload(
            id=_id(event),
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
        )
    )


def _validated(state: State, event: StoredEvent, body: Payload) -> None:
    upload = state.uploads.change(_id(event))
    upload.status = "validated"
    upload.sessions = body["sessions"]
    upload.clusterings = body["clusterings"]
    ranges = body["unchanged_sessions"] + body["unchanged_clusterings"]
    changed = len(body["changed_sessions"]) + len(body["changed_clusterings"])
    upload.duplicates = changed + sum(last - first + 1 for first, last in ranges)
    upload.version = event.stream_version


def _rejected(state: State, event: StoredEvent, body: Payload) -> None:
    upload = state.uploads.change(_id(event))
    upload.status = "rejected"
    upload.errors = sum(finding["severity"] == "error" for finding in body["findings"])
    upload.version = event.stream_version


def _processed(state: State, event: StoredEvent, _body: Payload) -> None:
    upload = state.uploads.change(_id(event))
    upload.status = "processed"
    upload.processed_at = event.recorded_at
    upload.version = event.stream_version


# --- sessions -------------------------------------------------------------------------------------------------------


def _session_requested(state: State, event: StoredEvent, body: Payload) -> None:
    entry, session = body["entry"], _id(event)
    state.sessions.add(
        Session(
            id=session,
            upload=int(event.correlation[1:]),
            entry_index=body["entry_index"],
            subject=event.subject,
            username=event.username,
            location=body["location"],
            name=entry.get("name"),
            status="pending",
            reason=None,
            message=None,
            status_position=event.position,
            session_time=None,
            system=None,
            room=entry.get("room"),
            project=compact_json(entry.get("project", [])),
            experimenter=compact_json(entry["experimenter"]),
            entry=None,
            requested_at=event.recorded_at,
            changed_at=event.recorded_at,
            version=event.stream_version,
        )
    )
    state.locations.add(SessionLocation(body["location"], event.username, session))


def _session(state: State, event: StoredEvent) -> Session:
    session = state.sessions.change(_id(event))
    session.changed_at = event.recorded_at
    session.version = event.stream_version
    return session


_COUNTED = {"inserted": "inserted", "waiting": "waiting", "error": "errors"}


def _set_status(
    state: State, record: Session | Clustering, event: StoredEvent, status: str, body: Payload
) -> None:
    """The record's status and its part in the counts of its upload, which say how things stand now."""
    upload = state.uploads.change(record.upload)
    for counted, step in ((_COUNTED.get(record.status), -1), (_COUNTED.get(status), 1)):
        if counted is not None:
            setattr(upload, counted, getattr(upload, counted) + step)
    record.status = status
    record.status_position = event.position
    record.reason = body.get("reason") or body.get("code")
    record.message = body.get("message")


def _session_waiting(state: State, event: StoredEvent, body: Payload) -> None:
    _set_status(state, _session(state, event), event, "waiting", body)


def _session_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _set_status(state, session, event, "inserted", {})
    session.session_time = body["session_time"]
    session.system = body["system"]
    state.times.add(SessionTime(session.subject, session.session_time, session.id))
    for probe in body["probes"]:
        state.probes.add(
            SessionProbe(
                session.id,
                probe["name"],
                probe["probe"],
                probe["serial"],
                probe["part_number"],
                probe["shanks"],
                probe["matched_by"],
            )
        )
    _add_tasks(state, session.id, body["tasks"])


def _add_tasks(state: State, session: int, tasks: list[Payload]) -> None:
    for number, task in enumerate(tasks, start=1):
        detail = {key: task[key] for key in ("objects", "cue_cards", "curtains") if task.get(key)}
        state.tasks.add(
            SessionTask(
                session,
                number,
                task["task_type"],
                task.get("arena_apparatus"),
                task.get("task_start"),
                task.get("task_stop"),
                int(task.get("stop_inferred", False)),
                task.get("notes"),
                task.get("light_level"),
                compact_json(detail) if detail else None,
            )
        )


def _session_failed(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _set_status(state, session, event, "error", body)
    state.locations.remove(session.location)


def _complete(session: Session, completed: Payload | None) -> None:
    if completed is not None:
        session.entry = compact_json(completed)
        session.room = completed.get("room")
        session.project = compact_json(completed.get("project", []))


def _probes_associated(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _set_status(state, session, event, "pending", {})
    _complete(session, body["completed"])


def _tasks_added(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _complete(session, body["completed"])
    if body["tasks"] is not None:
        _add_tasks(state, session.id, body["tasks"])


def _session_annotated(state: State, event: StoredEvent, body: Payload) -> None:
    _complete(_session(state, event), body["completed"])


# --- clusterings ----------------------------------------------------------------------------------------------------


def _clustering_requested(state: State, event: StoredEvent, body: Payload) -> None:
    entry, clustering = body["entry"], _id(event)
    state.clusterings.add(
        Clustering(
            id=clustering,
            session=None,
            group_name=entry["group_name"],
            upload=int(event.correlation[1:]),
            entry_index=body["entry_index"],
            subject=event.subject,
            username=event.username,
            curator=entry["curator"],
            location=body["location"],
            curation_time=None,
            notes=entry.get("notes"),
            status="pending",
            reason=None,
            message=None,
            status_position=event.position,
            requested_at=event.recorded_at,
            changed_at=event.recorded_at,
            version=event.stream_version,
        )
    )
    state.groups.add(ClusteringGroup(entry["group_name"], event.subject, clustering))
    for session in body["sessions"]:
        state.clustering_sessions.add(ClusteringSession(clustering, session))


def _clustering(state: State, event: StoredEvent) -> Clustering:
    clustering = state.clusterings.change(_id(event))
    clustering.changed_at = event.recorded_at
    clustering.version = event.stream_version
    return clustering


def _clustering_waiting(state: State, event: StoredEvent, body: Payload) -> None:
    _set_status(state, _clustering(state, event), event, "waiting", body)


def _clustering_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    if body["session"] is None:
        clustering = _clustering(state, event)
        _set_status(state, clustering, event, "inserted", {})
        clustering.curation_time = body["curation_time"]
        return
    session = state.sessions[body["session"]]
    state.clusterings.add(
        Clustering(
            id=_id(event),
            session=session.id,
            group_name=None,
            upload=session.upload,
            entry_index=session.entry_index,
            subject=event.subject,
            username=event.username,
            curator=body["curator"],
            location=body["location"],
            curation_time=body["curation_time"],
            notes=body["notes"],
            status="inserted",
            reason=None,
            message=None,
            status_position=event.position,
            requested_at=event.recorded_at,
            changed_at=event.recorded_at,
            version=event.stream_version,
        )
    )


def _clustering_failed(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    _set_status(state, clustering, event, "error", body)
    state.groups.remove(clustering.group_name)


# --- subjects and reference values ----------------------------------------------------------------------------------


def _subject_registered(state: State, event: StoredEvent, _body: Payload) -> None:
    state.subjects.add(Subject(event.subject, event.recorded_at, event.actor))


def _probe_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    key = (event.subject, body["probe"])
    if state.insertions.get(key) is None:
        state.insertions.add(ProbeInsertion(*key, body["insertion_time"], None))
    else:
        insertion = state.insertions.change(key)
        insertion.insertion_time, insertion.removal_time = body["insertion_time"], None


def _probe_removed(state: State, event: StoredEvent, body: Payload) -> None:
    state.insertions.change((event.subject, body["probe"])).removal_time = body["removal_time"]


def _reference_added(state: State, _event: StoredEvent, body: Payload) -> None:
    key = (body["table"], body["value"])
    attributes = compact_json(body["attributes"])
    if state.reference.get(key) is None:
        state.reference.add(ReferenceValue(*key, attributes, 0))
    else:
        value = state.reference.change(key)
        value.attributes, value.retired = attributes, 0


def _reference_retired(state: State, _event: StoredEvent, body: Payload) -> None:
    state.reference.change((body["table"], body["value"])).retired = 1


_HANDLERS: dict[str, Callable[[State, StoredEvent, Payload], None]] = {
    "InputFileReceived": _received,
    "InputFileValidated": _validated,
    "InputFileRejected": _rejected,
    "InputFileProcessed": _processed,
    "SessionInsertRequested": _session_requested,
    "SessionWaiting": _session_waiting,
    "SessionInserted": _session_inserted,
    "SessionInsertFailed": _session_failed,
    "ProbesAssociated": _probes_associated,
    "TasksAdded": _tasks_added,
    "SessionAnnotated": _session_annotated,
    "ClusteringInsertRequested": _clustering_requested,
    "ClusteringWaiting": _clustering_waiting,
    "ClusteringInserted": _clustering_inserted,
    "ClusteringInsertFailed": _clustering_failed,
    "SubjectRegistered": _subject_registered,
    "ProbeInserted": _probe_inserted,
    "ProbeRemoved": _probe_removed,
    "ReferenceValueAdded": _reference_added,
    "ReferenceValueRetired": _reference_retired,
}
