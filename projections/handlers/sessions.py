"""The sessions, with their tasks, probes and dedup keys."""

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload, set_status, stream_id
from projections.records import Session, SessionLocation, SessionProbe, SessionTask, SessionTime, compact_json
from projections.rows import State


def session_requested(state: State, event: StoredEvent, body: Payload) -> None:
    entry, session = body["entry"], stream_id(event)
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
            replaces=body["replaces"],
            replaced_by=None,
        )
    )
    state.locations.add(SessionLocation(body["location"], event.username, session))


def _session(state: State, event: StoredEvent) -> Session:
    session = state.sessions.change(stream_id(event))
    session.changed_at = event.recorded_at
    session.version = event.stream_version
    return session


def session_waiting(state: State, event: StoredEvent, body: Payload) -> None:
    set_status(state, _session(state, event), event, "waiting", body)


def session_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, "inserted", {})
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


def session_failed(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, "error", body)
    state.locations.remove(session.location)


def _complete(session: Session, completed: Payload | None) -> None:
    if completed is not None:
        session.entry = compact_json(completed)
        session.room = completed.get("room")
        session.project = compact_json(completed.get("project", []))


def probes_associated(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, "pending", {})
    _complete(session, body["completed"])


def tasks_added(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _complete(session, body["completed"])
    if body["tasks"] is not None:
        _add_tasks(state, session.id, body["tasks"])


def session_annotated(state: State, event: StoredEvent, body: Payload) -> None:
    _complete(_session(state, event), body["completed"])


def session_withdrawn(state: State, event: StoredEvent, _body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, "withdrawn", {})
    _free_session_keys(state, session)


def session_deleted(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, "deleted", {})
    session.replaced_by = body["replaced_by"]
    _free_session_keys(state, session)


def _free_session_keys(state: State, session: Session) -> None:
    """Tasks and probes stay beside the session, which is still shown; the keys are free for another one."""
    held = state.locations.get(session.location)
    if held is not None and held.session == session.id:
        state.locations.remove(session.location)
    if session.session_time is not None:
        key = (session.subject, session.session_time)
        time = state.times.get(key)
        if time is not None and time.session == session.id:
            state.times.remove(key)


def session_restored(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body["status"], {})
    session.replaced_by = None
    state.locations.add(SessionLocation(session.location, session.username, session.id))
    if session.session_time is not None:
        state.times.add(SessionTime(session.subject, session.session_time, session.id))
