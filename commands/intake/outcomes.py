"""What stage 3 found of sessions, and the events that it becomes in the ledger, under the lock.

Only what can have changed since the disk was read is checked again. Reads the ledger; touches no disk.
"""

from collections.abc import Sequence
from typing import Any

from commands.door.memory import TIME, Memory, record_number
from commands.door.world import World
from commands.intake.nested import overlapping, shared
from commands.intake.same_time import Other, same_time, same_time_as_redacted
from commands.intake.settled import SettledClustering, SettledSession
from commands.stored import taken_at
from ledger.envelope import NewEvent
from ledger.events import (
    Body,
    ClusteringInsertRequested,
    SessionInserted,
    SessionInsertFailed,
    SessionWaiting,
)
from projections.lines import subject_key, subject_name
from projections.records import Redaction, Session, SessionLocation
from projections.renamed import every_name


class Settling:
    """Decides session after session, and remembers the keys that are taken on the way."""

    def __init__(self, world: World, todo: Sequence[tuple[SettledSession, Session]]) -> None:
        self._world, self._todo = world, todo
        rows = [row for _, row in todo]
        self._taken = taken_at(world, rows)  # and has the locations that they hold loaded
        world.state.locations.prefetch((row.subject, row.location) for row in rows)
        world.state.times.prefetch(
            (row.subject, settled.event.session_time)
            for settled, row in todo
            if isinstance(settled.event, SessionInserted)
        )
        self._around = overlapping(
            world, [text for row in rows for text in (row.location, row.leads_to) if text is not None]
        )
        self._times: dict[tuple[str, str], tuple[Session, SessionInserted]] = {}
        self._probes: set[tuple[str, str]] = set()
        self._events: list[NewEvent] = []
        self._memory: Memory | None = None

    def events(self) -> list[NewEvent]:
        for settled, session in self._todo:
            if isinstance(settled.event, SessionInserted):
                self._insert(settled, settled.event, session)
            elif isinstance(settled.event, SessionWaiting):
                self._wait(settled.event, session)
            else:
                self._append(session, settled.event)
        return self._events

    def _append(self, session: Session, event: Body) -> None:
        self._events.append(
            NewEvent(f"session/{session.id}", event, session.version, **_owned(session),
                     causation=session.status_position)
        )  # fmt: skip

    def _wait(self, event: SessionWaiting, session: Session) -> None:
        event = self._naming_its_holder(event)
        if (session.status, session.reason, session.message) != ("waiting", event.reason, event.message):
            self._append(session, event)

    def _naming_its_holder(self, event: SessionWaiting) -> SessionWaiting:
        """Where the subject with that serial number has this recording already, names that session."""
        starts = [one["start"] for one in event.starts[:1]]
        for subject in dict.fromkeys(str(one["subject"]) for one in event.belongs):
            for start in starts:
                held = self._world.state.times.get((subject_key(subject), start))
                if held is not None:
                    location = self._world.state.sessions[held.session].location
                    said = (
                        f" The same recording is session s{held.session} of subject {subject}, at {location}."
                    )
                    return event.model_copy(update={"message": event.message + said})
        return event

    def _insert(self, settled: SettledSession, event: SessionInserted, session: Session) -> None:
        names = {(session.location, str(probe["name"])) for probe in event.probes}
        taken = {(session.location, name) for name in self._taken.get(session.id, {})} | self._probes
        if names & taken or self._any_gone(event, session):
            return  # a probe was removed, or taken by another, while the disk was read: decided anew in the next round
        holder = self._world.state.locations.get((session.subject, session.location))
        if holder is not None and holder.session != session.id:
            self._append(session, _location_taken(holder.session, session))
            return
        nested = shared(self._around, session.location, session.leads_to)
        if nested:  # it held nothing while it waited
            self._append(session, _nested(nested[0], session))
            return
        key = (session.subject, event.session_time)
        other = self._holder_of(key)
        if other is not None:
            self._append(session, same_time(other, event, session))
            return
        redacted = self._redacted_at(key)
        if redacted is not None:
            self._append(session, same_time_as_redacted(*redacted))
            return
        self._times[key] = session, event
        self._probes |= names
        self._append(session, event)
        self._with_clusterings(settled, session)

    def _any_gone(self, event: SessionInserted, session: Session) -> bool:
        for probe in event.probes:
            insertion = self._world.state.insertions.get((session.subject, probe["probe"]))
            if insertion is None:
                return True
            if insertion.removal_time is not None and insertion.removal_time <= event.session_time:
                return True
        return False

    def _holder_of(self, key: tuple[str, str]) -> Other | None:
        if key in self._times:
            session, event = self._times[key]
            return Other(session.id, session.location, event.model_dump())
        held = self._world.state.times.get(key)
        return None if held is None else Other.of(self._world, held.session)

    def _redacted_at(self, key: tuple[str, str]) -> tuple[Session, Redaction] | None:
        """The inserted session of the subject whose session_time this was, and that was redacted."""
        if self._memory is None:
            self._memory = Memory.of(self._world)
        if not self._memory.has(TIME):
            return None
        subject, time = key
        for name in every_name(self._world.transaction, subject):
            for row in self._memory.all_of(TIME, name, time):
                session = self._world.state.sessions[record_number(row)]
                if session.status == "inserted":
                    return session, row
        return None

    def _with_clusterings(self, settled: SettledSession, session: Session) -> None:
        inserted = self._world.next_position + len(self._events) - 1
        owned = _owned(session)
        for clustering in settled.clusterings:
            number = self._world.next_position + len(self._events)
            self._events.append(NewEvent(f"clustering/{number}", clustering, 0, **owned, causation=inserted))
        for waiting in settled.waiting:
            number = self._world.next_position + len(self._events)
            self._events += requested_and_waiting(waiting, session, number, inserted)


def requested_and_waiting(
    waiting: SettledClustering, session: Session, number: int, causation: int
) -> list[NewEvent]:
    """A clustering of one session as a record of its own, at the position ``number``."""
    datasource, _, name = session.subject.partition("/")
    request = ClusteringInsertRequested(
        datasource_id=int(datasource),
        subject=name,
        location=waiting.location,
        entry_index=session.entry_index,
        sessions=[session.id],
        entry=waiting.entry,
        session=session.id,
    )
    stream, owned = f"clustering/{number}", _owned(session)
    return [
        NewEvent(stream, request, 0, **owned, causation=causation),
        NewEvent(stream, waiting.event, 1, **owned, causation=number),
    ]


def _owned(session: Session) -> dict[str, Any]:
    return {"subject": session.subject, "username": session.username, "correlation": f"u{session.upload}"}


def _nested(other: SessionLocation, session: Session) -> SessionInsertFailed:
    return SessionInsertFailed(
        code="nested-location",
        message=f"{session.location} lies around or inside {other.location} of session s{other.session}: "
        "its recordings would be in twice.",
        hint="Give the directory of each session alone.",
        taken_by=other.session,
    )


def _location_taken(holder: int, session: Session) -> SessionInsertFailed:
    return SessionInsertFailed(
        code="location-taken",
        message=f"Session s{holder} of {subject_name(session.subject)} has this location by now.",
        hint="It was free while this one waited: look at that one.",
        taken_by=holder,
    )
