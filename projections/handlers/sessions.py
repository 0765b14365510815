"""The sessions, with their tasks, probes and dedup keys."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import lru_cache

import orjson

from ledger.envelope import StoredEvent
from projections.handlers.record_status import Payload, changed, set_status, stream_id
from projections.records import Session, SessionLocation, SessionProbe, SessionTask, SessionTime, compact_json
from projections.rows import State


def session_requested(state: State, event: StoredEvent, body: Payload) -> None:
    entry = body["entry"]
    session = state.sessions.add(
        Session(
            id=stream_id(event),
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
            decided=None,
            remarks=None,
            open=None,
            open_since=None,
            look_next=None,
            leads_to=body["leads_to"],
            moved_from=None,
        )
    )
    changed(state, session, event)
    _hold(state, session)


def _session(state: State, event: StoredEvent) -> Session:
    session = state.sessions.change(stream_id(event))
    session.version = event.stream_version
    changed(state, session, event)
    return session


def _hold(state: State, session: Session) -> None:
    """Hold its location, and where that leads, unless another session of the subject came first."""
    for key in _places(session):
        if state.locations.get(key) is None:
            state.locations.add(SessionLocation(*key, session.username, session.id))


def _places(session: Session) -> list[tuple[str, str]]:
    subject, location, leads_to = session.subject, session.location, session.leads_to
    if leads_to is None or leads_to == location:
        return [(subject, location)]
    return [(subject, location), (subject, leads_to)]


def session_waiting(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    if not body["holds"]:
        _free_location(state, session)


def session_inserted(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    session.session_time = body["session_time"]
    session.system = body["system"]
    _hold(state, session)
    _stays_with(session, event, body)
    state.times.add(SessionTime(session.subject, session.session_time, session.id))
    _add_probes(state, session, body["probes"])
    _add_tasks(state, session.id, body["tasks"])


def _stays_with(session: Session, event: StoredEvent, body: Payload) -> None:
    session.remarks = _codes(remark["code"] for remark in body["remarks"])
    open_for(session, event, body["open"])


def _codes(names: Iterable[str]) -> str | None:
    found = tuple(names)
    return _sorted_once(found) if found else None


@lru_cache(maxsize=1024)  # most sessions have the same
def _sorted_once(names: tuple[str, ...]) -> str:
    return compact_json(sorted(set(names)))


_LOOKS = [
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=7),
    *(timedelta(days=30 * n) for n in range(1, 13)),
]
"""After it was inserted, when what is open of a session is looked for again; then no more."""


def open_for(session: Session, event: StoredEvent, names: Iterable[str]) -> None:
    """What is looked for later, and when that begins."""
    session.open = _codes(names)
    session.open_since = None if session.open is None else event.recorded_at
    session.look_next = _next_look(session, event.recorded_at)


def closed(session: Session, name: str) -> None:
    """Something is not looked for any more."""
    session.open = _codes(one for one in orjson.loads(session.open or "[]") if one != name)
    if session.open is None:
        session.look_next = None


def disk_looked_at(state: State, event: StoredEvent, body: Payload) -> None:
    for session in state.sessions.within(body["sessions"], "look_next IS NOT NULL"):
        if session.look_next is not None:
            state.sessions.change(session.id).look_next = _next_look(session, event.recorded_at)


def _next_look(session: Session, looked_at: str) -> str | None:
    """The next of its times."""
    if session.open is None or session.open_since is None:
        return None
    return _next_after(session.open_since, looked_at)


@lru_cache(maxsize=1024)  # the events of one command have one time
def _next_after(open_since: str, looked_at: str) -> str | None:
    since = datetime.fromisoformat(open_since)
    times = ((since + after).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for after in _LOOKS)
    return next((time for time in times if time > looked_at), None)


def _add_probes(state: State, session: Session, probes: list[Payload]) -> None:
    for probe in probes:
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


def _add_tasks(state: State, session: int, tasks: list[Payload]) -> None:
    for row in _task_rows(session, tasks):
        state.tasks.add(row)


def _task_rows(session: int, tasks: list[Payload]) -> Iterator[SessionTask]:
    for number, task in enumerate(tasks, start=1):
        detail = {key: task[key] for key in ("objects", "cue_cards", "curtains") if task.get(key)}
        yield SessionTask(
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


def session_failed(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    _free_location(state, session)


def _complete(session: Session, completed: Payload | None) -> None:
    if completed is not None:
        session.entry = compact_json(completed)
        session.room = completed.get("room")
        session.project = compact_json(completed.get("project", []))


def probes_associated(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    _hold(state, session)
    _complete(session, body["completed"])
    if body["despite_serial"]:
        session.decided = compact_json(_decided(session) | {"despite_serial": True})


def session_settled(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    _hold(state, session)
    decided = _decided(session)
    for name in ("despite_dates", "as_crashed", "start"):
        if body[name]:
            decided[name] = body[name]
    if body["without"]:
        decided["without"] = sorted({*decided.get("without", ()), *body["without"]})
    session.decided = compact_json(decided)


def _decided(session: Session) -> Payload:
    decided: Payload = orjson.loads(session.decided or "{}")
    return decided


def more_found(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _add_probes(state, session, body["probes"])
    session.remarks = _codes(remark["code"] for remark in body["remarks"])
    session.open = _codes(body["open"])
    if session.open is None:
        session.look_next = None


def tasks_added(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _complete(session, body["completed"])
    if body["tasks"] is not None:
        _add_tasks(state, session.id, body["tasks"])


def session_annotated(state: State, event: StoredEvent, body: Payload) -> None:
    _complete(_session(state, event), body["completed"])


def session_entry_renewed(state: State, event: StoredEvent, body: Payload) -> None:
    session, entry = _session(state, event), body["completed"]
    set_status(state, session, event, body)
    _hold(state, session)
    _complete(session, entry)
    session.name = entry.get("name")
    session.experimenter = compact_json(entry["experimenter"])


def session_superseded(state: State, event: StoredEvent, body: Payload) -> None:
    _session(state, event).replaced_by = body["by"]


def session_amended(state: State, event: StoredEvent, body: Payload) -> None:
    session, completed = _session(state, event), body["completed"]
    _complete(session, completed)
    session.experimenter = compact_json(completed.get("experimenter", []))
    for task in _task_rows(session.id, body["tasks"] or []):
        key = (task.session, task.number)
        if state.tasks.get(key) is None:
            state.tasks.add(task)
        else:
            there = state.tasks.change(key)
            for field in fields(SessionTask):
                setattr(there, field.name, getattr(task, field.name))
    for probe in body["probes"] or ():
        key = (session.id, probe["name"])
        if state.probes.get(key) is not None:  # else a redaction has blanked its name
            changed = state.probes.change(key)
            changed.probe, changed.matched_by = probe["probe"], probe["matched_by"]
    if body["start"] is not None:
        session.decided = compact_json(_decided(session) | {"start": body["start"]})
    if body["session_time"] is not None:
        _free_time(state, session)
        session.session_time = body["session_time"]
        state.times.add(SessionTime(session.subject, session.session_time, session.id))


def session_moved(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    _free_location(state, session)
    earlier = [place for place in orjson.loads(session.moved_from or "[]") if place != body["location"]]
    session.moved_from = compact_json([*earlier, session.location])
    session.location, session.leads_to = body["location"], body["leads_to"]
    _hold(state, session)
    _complete(session, body["completed"])
    if body["left"]:
        open_for(session, event, [*orjson.loads(session.open or "[]"), "clustering"])
    gone = [(each["new_name"], state.probes.get((session.id, each["name"]))) for each in body["renamed"]]
    for _, probe in gone:
        if probe is not None:  # else a redaction has blanked its name
            state.probes.remove((session.id, probe.name))
    for name, probe in gone:
        if probe is not None:
            state.probes.add(replace(probe, name=name))


def session_subject_renamed(state: State, event: StoredEvent, _body: Payload) -> None:
    """Whatever it holds it goes on to hold, under the new name."""
    session = _session(state, event)
    held = [
        key
        for key in _places(session)
        if (holder := state.locations.get(key)) is not None and holder.session == session.id
    ]
    time = None if session.session_time is None else state.times.get((session.subject, session.session_time))
    if time is not None and time.session == session.id:
        state.times.remove((session.subject, time.session_time))
        state.times.add(replace(time, subject=event.subject))
    for key in held:
        state.locations.remove(key)
        state.locations.add(SessionLocation(event.subject, key[1], session.username, session.id))
    session.subject = event.subject


def session_withdrawn(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    _free_session_keys(state, session)


def session_deleted(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    session.replaced_by = body["replaced_by"]
    _free_session_keys(state, session)


def _free_session_keys(state: State, session: Session) -> None:
    """Tasks and probes stay beside the session, which is still shown; its keys are free for another one."""
    _free_location(state, session)
    session.look_next = None
    _free_time(state, session)


def _free_time(state: State, session: Session) -> None:
    if session.session_time is not None:
        key = (session.subject, session.session_time)
        time = state.times.get(key)
        if time is not None and time.session == session.id:
            state.times.remove(key)


def _free_location(state: State, session: Session) -> None:
    for key in _places(session):
        held = state.locations.get(key)
        if held is not None and held.session == session.id:
            state.locations.remove(key)


def session_restored(state: State, event: StoredEvent, body: Payload) -> None:
    session = _session(state, event)
    set_status(state, session, event, body)
    session.replaced_by = None
    _hold(state, session)
    if session.status == "inserted":
        session.look_next = _next_look(session, event.recorded_at)
    if session.session_time is not None:
        state.times.add(SessionTime(session.subject, session.session_time, session.id))
