"""The clusterings, with the dedup key of those over several sessions. One of a single session has a row before it is
inserted only where it has to wait."""

from ledger.envelope import StoredEvent
from ledger.look_alikes import folded
from projections.handlers.record_status import Payload, changed, set_status, stream_id
from projections.records import Clustering, ClusteringGroup, ClusteringSession
from projections.rows import State


def clustering_requested(state: State, event: StoredEvent, body: Payload) -> None:
    entry = body["entry"]
    clustering = state.clusterings.add(
        Clustering(
            id=stream_id(event),
            session=body["session"],
            group_name=entry.get("group_name"),
            upload=int(event.correlation[1:])
            if body["session"] is None
            else state.sessions[body["session"]].upload,
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
            replaces=body["replaces"],
            replaced_by=None,
        )
    )
    if body["session"] is not None:
        return
    changed(state, clustering, event)
    _hold(state, clustering)
    for session in body["sessions"]:
        state.clustering_sessions.add(ClusteringSession(clustering.id, session))


def _hold(state: State, clustering: Clustering) -> None:
    name = str(clustering.group_name)
    state.groups.add(ClusteringGroup(name, clustering.subject, clustering.id, folded(name)))


def _clustering(state: State, event: StoredEvent) -> Clustering:
    clustering = state.clusterings.change(stream_id(event))
    clustering.version = event.stream_version
    changed(state, clustering, event)
    return clustering


def clustering_waiting(state: State, event: StoredEvent, body: Payload) -> None:
    set_status(state, _clustering(state, event), event, body)


def clustering_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    if body["session"] is None or state.clusterings.get(stream_id(event)) is not None:
        clustering = _clustering(state, event)
        set_status(state, clustering, event, body)
        clustering.curation_time = body["curation_time"]
        clustering.curator, clustering.location = body["curator"], body["location"]
        clustering.notes = body["notes"]
        return
    session = state.sessions[body["session"]]
    state.clusterings.add(
        Clustering(
            id=stream_id(event),
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
            replaces=None,
            replaced_by=None,
        )
    )


def clustering_failed(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    set_status(state, clustering, event, body)
    _free_group(state, clustering)


def clustering_entry_renewed(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    set_status(state, clustering, event, body)
    clustering.curator, clustering.location = body["entry"]["curator"], body["location"]
    clustering.notes = body["entry"].get("notes")
    for session in body["instead_of"]:
        state.clustering_sessions.remove((clustering.id, session))
    for session in body["sessions"]:
        state.clustering_sessions.add(ClusteringSession(clustering.id, session))


def clustering_superseded(state: State, event: StoredEvent, body: Payload) -> None:
    _clustering(state, event).replaced_by = body["by"]


def clustering_amended(state: State, event: StoredEvent, body: Payload) -> None:
    _clustering(state, event).curator = body["curator"]


def clustering_moved(state: State, event: StoredEvent, body: Payload) -> None:
    _clustering(state, event).location = body["location"]


def clustering_subject_renamed(state: State, event: StoredEvent, _body: Payload) -> None:
    clustering = _clustering(state, event)
    clustering.subject = event.subject
    held = None if clustering.group_name is None else state.groups.get(clustering.group_name)
    if held is not None and held.clustering == clustering.id:
        state.groups.change(held.group_name).subject = event.subject


def clustering_withdrawn(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    set_status(state, clustering, event, body)
    _free_group(state, clustering)


def clustering_deleted(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    clustering.replaced_by = body["replaced_by"]
    if clustering.session is None:
        set_status(state, clustering, event, body)
        _free_group(state, clustering)
    else:
        clustering.status, clustering.status_position = "deleted", event.position


def _free_group(state: State, clustering: Clustering) -> None:
    if clustering.group_name is None:
        return
    held = state.groups.get(clustering.group_name)
    if held is not None and held.clustering == clustering.id:
        state.groups.remove(clustering.group_name)


def clustering_restored(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    clustering.replaced_by = None
    if clustering.session is None:
        set_status(state, clustering, event, body)
        _hold(state, clustering)
    else:
        clustering.status, clustering.status_position = body["status"], event.position


def clustering_carried_over(state: State, event: StoredEvent, body: Payload) -> None:
    clustering = _clustering(state, event)
    for old, new in body["sessions"]:
        state.clustering_sessions.remove((clustering.id, old))
        state.clustering_sessions.add(ClusteringSession(clustering.id, new))
