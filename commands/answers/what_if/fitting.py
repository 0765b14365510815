"""Whether an event can still have happened in a ledger that took another course, and what would have come instead.

Pure: looks at the rows of a state into which the events before have been folded. The rules are those of the commands
that append the events, as far as they follow from the ledger and not from the disk.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from commands.answers.what_if.values import used_values
from commands.inputfile.text_fields import DATE_TIME
from commands.requests.impact import STANDING
from ledger.envelope import StoredEvent
from ledger.events import Body, InputFileRejected, SessionInsertFailed
from projections.rows import State

Plain = dict[str, Any]
_OPEN = ("pending", "waiting")


@dataclass(frozen=True, slots=True)
class Misfit:
    """``record`` and ``why`` are for people; why is empty where it goes without saying. ``instead`` is the body of the
    event that would stand in its place, ``duplicate`` the record that an entry would have been a duplicate of."""

    record: str
    why: str
    instead: Body | None = None
    duplicate: str = ""


def number(event: StoredEvent) -> int:
    return int(event.stream.rpartition("/")[2])


def name(event: StoredEvent) -> str:
    return f"{event.stream[0]}{event.stream.rpartition('/')[2]}"


class Fitting:
    """``missing`` are the records (s12, u34) that are left out, ``catalogue`` says whether reference values, subjects
    and probes can be missing too."""

    def __init__(self, state: State, missing: set[str], *, catalogue: bool) -> None:
        self._state = state
        self._missing = missing
        self._catalogue = catalogue

    def misfit(self, event: StoredEvent, body: Plain) -> Misfit | None:
        """Why an event cannot have happened; None where it can. Whether its record is there was checked before."""
        judge = _JUDGES.get(event.type)
        why = None if judge is None else judge(self, event, body)
        if why is None:
            return None
        return why if isinstance(why, Misfit) else Misfit(name(event), why)

    def _held(self, location: str) -> Any:
        """The session at a location, whatever its subject."""
        keys = ((subject.subject, location) for subject in self._state.subjects.every())
        return next((held for key in keys if (held := self._state.locations.get(key)) is not None), None)

    # --- uploads

    def rejection(
        self, received: StoredEvent, requests: Iterable[tuple[StoredEvent, Plain]]
    ) -> Misfit | None:
        """Why the file of an upload would have been rejected: for one entry, all of it is."""
        errors = list(dict.fromkeys(why for event, body in requests for why in self._errors(event, body)))
        if not errors:
            return None
        findings = [{"severity": "error", "code": "what-if", "message": why} for why in errors]
        more = f"; and {len(errors) - 1:,} more" if len(errors) > 1 else ""
        return Misfit(
            name(received),
            f"would have been rejected: {errors[0]}{more}",
            InputFileRejected(stage=2, findings=findings),
        )

    def _errors(self, event: StoredEvent, body: Plain) -> Iterator[str]:
        if not event.type.endswith("InsertRequested"):
            return
        state, entry = self._state, body["entry"]
        if event.type == "ClusteringInsertRequested":
            group = state.groups.get(entry["group_name"])
            if group is not None and group.subject != event.subject:
                yield f"the group_name of c{event.position} would be that of c{group.clustering} of another subject"
            for text in entry["sessions"]:
                if DATE_TIME.fullmatch(text) and state.times.get((event.subject, text)) is None:
                    yield f"no session of its subject would have the time {text}, which c{event.position} names"
        if self._catalogue:
            yield from self._not_in_catalogue(event, entry)

    def _not_in_catalogue(self, event: StoredEvent, entry: Plain) -> Iterator[str]:
        state = self._state
        inserted = {row.probe for row in state.insertions.every() if row.subject == event.subject}
        if state.subjects.get(event.subject) is None:
            yield "its subject would not be registered"
        elif not inserted:
            yield "its subject would have no probe inserted"
        for probe in (entry.get("probe_association") or {}).values():
            if inserted and probe not in inserted:
                yield f'probe "{probe}" would not be inserted in its subject'
        for table, value in used_values(entry):
            known = state.reference.get((table, value))
            if known is None or known.retired:
                yield f'"{value}" would not be in {table}'

    def received(self, _event: StoredEvent, body: Plain) -> str | None:
        if body["replays"] is not None and f"u{body['replays']}" in self._missing:
            return f"would not have been: it took the bytes of u{body['replays']} again, which would not be there"
        return None

    def processed(self, event: StoredEvent, _body: Plain) -> str | None:
        return None if self._state.uploads[number(event)].status == "validated" else ""

    # --- sessions

    def session_requested(self, event: StoredEvent, body: Plain) -> Misfit | None:
        held = self._held(body["location"])
        if held is None:
            return None
        why = f"would have been a duplicate of s{held.session}, which would stand at {body['location']}"
        return Misfit(name(event), why, duplicate=f"s{held.session}")

    def session_inserted(self, event: StoredEvent, body: Plain) -> Misfit | str | None:
        row = self._state.sessions[number(event)]
        if row.status not in _OPEN:
            return f"would be {row.status} already"
        taken = self._state.times.get((event.subject, body["session_time"]))
        if taken is not None:
            message = (
                f"Session s{taken.session} of this subject has the same session_time, {body['session_time']}."
            )
            failed = SessionInsertFailed(
                code="session-time-taken",
                message=message,
                hint="One of the two locations is a copy, or belongs to another subject.",
                taken_by=taken.session,
            )
            return Misfit(
                name(event), f"would have failed: s{taken.session} would have its session_time", failed
            )
        for probe in body["probes"] if self._catalogue else ():
            if self._state.insertions.get((event.subject, probe["probe"])) is None:
                return f'would not have been inserted: probe "{probe["probe"]}" would not be in its subject'
        return None

    def session_failed(self, event: StoredEvent, body: Plain) -> str | None:
        if self._state.sessions[number(event)].status not in _OPEN:
            return ""
        if body["taken_by"] is not None:
            holder = f"s{body['taken_by']}"
            if holder in self._missing:
                return (
                    f"would not have failed by the session_time of {holder}: what became of it is not known"
                )
        return None

    def superseded(self, event: StoredEvent, body: Plain) -> str | None:
        return "" if f"{event.stream[0]}{body['by']}" in self._missing else None

    def open_session(self, event: StoredEvent, _body: Plain) -> str | None:
        return None if self._state.sessions[number(event)].status in _OPEN else ""

    def standing_session(self, event: StoredEvent, body: Plain) -> str | None:
        row = self._state.sessions[number(event)]
        if row.status not in STANDING:
            return f"would be {row.status}"
        if body.get("tasks") is not None and row.status != "inserted":
            return "would not be inserted when its tasks were added"
        return None

    def session_amended(self, event: StoredEvent, body: Plain) -> str | None:
        taken = self._state.times.get((event.subject, body["session_time"] or ""))
        if taken is not None and taken.session != number(event):
            return f"could not have been: s{taken.session} would have its session_time"
        return self.standing_session(event, body)

    def session_moved(self, event: StoredEvent, body: Plain) -> str | None:
        if self._state.sessions[number(event)].status != "inserted":
            return "would not be inserted, so nobody would have known its recordings again"
        held = self._held(body["location"])
        return (
            None if held is None else f"could not have moved: s{held.session} would stand at its new location"
        )

    def session_restored(self, event: StoredEvent, _body: Plain) -> str | None:
        row = self._state.sessions[number(event)]
        if row.status != "deleted":
            return ""
        held = self._held(row.location)
        if held is None and row.session_time is not None:
            time = self._state.times.get((row.subject, row.session_time))
            if time is not None:
                return f"could not have been restored: s{time.session} would have its session_time"
        return (
            None if held is None else f"could not have been restored: s{held.session} would have its location"
        )

    # --- clusterings

    def clustering_requested(self, event: StoredEvent, body: Plain) -> Misfit | str | None:
        if body["session"] is not None:
            return self._on_session(body["session"])
        group = self._state.groups.get(body["entry"]["group_name"])
        if group is not None:
            of = f"c{group.clustering}"
            return Misfit(name(event), f"would have been a duplicate of {of}", duplicate=of)
        gone = [f"s{session}" for session in body["sessions"] if self._state.sessions.get(session) is None]
        return f"stands on {', '.join(gone)}, which would not be there" if gone else None

    def _on_session(self, session: int) -> str | None:
        found = self._state.sessions.get(session)
        return (
            None if found is not None and found.status == "inserted" else f"s{session} would not be inserted"
        )

    def clustering_renewed(self, event: StoredEvent, body: Plain) -> str | None:
        if self._state.clusterings[number(event)].status not in _OPEN:
            return ""
        gone = [f"s{session}" for session in body["sessions"] if self._state.sessions.get(session) is None]
        return f"would stand on {', '.join(gone)}, which would not be there" if gone else None

    def clustering_inserted(self, event: StoredEvent, body: Plain) -> str | None:
        sessions = [body["session"]]
        if body["session"] is None:
            row = self._state.clusterings[number(event)]
            if row.status not in _OPEN:
                return f"would be {row.status} already"
            sessions = [link.session for link in self._stands_on(row.id)]
        for session in sessions:
            found = self._state.sessions.get(session)
            if found is None or found.status != "inserted":
                return f"would not have been inserted: s{session} would not be inserted"
        return None

    def _stands_on(self, clustering: int) -> Iterator[Any]:
        return (row for row in self._state.clustering_sessions.every() if row.clustering == clustering)

    def open_clustering(self, event: StoredEvent, _body: Plain) -> str | None:
        return None if self._state.clusterings[number(event)].status in _OPEN else ""

    def standing_clustering(self, event: StoredEvent, _body: Plain) -> str | None:
        status = self._state.clusterings[number(event)].status
        return None if status in STANDING else f"would be {status}"

    def clustering_restored(self, event: StoredEvent, _body: Plain) -> str | None:
        row = self._state.clusterings[number(event)]
        if row.status != "deleted":
            return ""
        group = None if row.group_name is None else self._state.groups.get(row.group_name)
        return (
            None
            if group is None
            else f"could not have been restored: c{group.clustering} would have its group_name"
        )

    def carried_over(self, event: StoredEvent, body: Plain) -> str | None:
        on = {link.session for link in self._stands_on(number(event))}
        for old, new in body["sessions"]:
            if old not in on or self._state.sessions.get(new) is None:
                return f"would not have been carried over from s{old} to s{new}"
        return self.standing_clustering(event, body)

    # --- requests, and the lab

    def deletion_requested(self, _event: StoredEvent, body: Plain) -> str | None:
        return None if self._any_stands(body["records"]) else "asks for what would not stand"

    def _any_stands(self, records: list[str]) -> bool:
        """Of the named records, or of those of a named upload."""
        state = self._state
        for record in records:
            of = int(record[1:])
            rows: list[Any] = [(state.sessions if record[0] == "s" else state.clusterings).get(of)]
            if record[0] == "u":
                everything: list[Any] = [*state.sessions.every(), *state.clusterings.every()]
                rows = [row for row in everything if row.upload == of]
            if any(row is not None and row.status in STANDING for row in rows):
                return True
        return False

    def approved(self, event: StoredEvent, body: Plain) -> str | None:
        row = self._state.deletions[number(event)]
        if (
            row.status == "requested"
            and row.kind == "deletion"
            and not self._any_stands(orjson.loads(row.records))
        ):
            return "could not have been approved: nothing of it would stand"
        return self.decided(event, body)

    def correction_requested(self, _event: StoredEvent, body: Plain) -> str | None:
        upload = f"u{body['upload']}"
        return f"rests on the file of {upload}, which would not be there" if upload in self._missing else None

    def restored(self, event: StoredEvent, _body: Plain) -> str | None:
        return None if self._state.deletions[number(event)].status == "executed" else ""

    def decided(self, event: StoredEvent, _body: Plain) -> str | None:
        return None if self._state.deletions[number(event)].status == "requested" else ""

    def probe_changed(self, event: StoredEvent, body: Plain) -> str | None:
        subject = event.subject
        if self._state.subjects.get(subject) is None:
            return f'probe "{body["probe"]}": its subject would not be registered'
        if event.type == "ProbeRemoved" and self._state.insertions.get((subject, body["probe"])) is None:
            return f'probe "{body["probe"]}" would not have been there to be removed'
        return None

    def insertion_changed(self, event: StoredEvent, body: Plain) -> str | None:
        if self._state.insertions.get((event.subject, body["probe"])) is None:
            return f'probe "{body["probe"]}" would not have been inserted'
        return None

    def subject_is_there(self, event: StoredEvent, _body: Plain) -> str | None:
        return None if self._state.subjects.get(event.subject) is not None else "would not be registered"

    def value_taken_back(self, _event: StoredEvent, body: Plain) -> str | None:
        known = self._state.reference.get((body["table"], body["value"]))
        return f'"{body["value"]}" would not have been there to be taken back' if known is None else None

    def value_retired(self, _event: StoredEvent, body: Plain) -> str | None:
        known = self._state.reference.get((body["table"], body["value"]))
        return f'"{body["value"]}" would not have been there to be retired' if known is None else None


_JUDGES: dict[str, Callable[[Fitting, StoredEvent, Plain], Misfit | str | None]] = {
    "InputFileReceived": Fitting.received,
    "InputFileProcessed": Fitting.processed,
    "SessionInsertRequested": Fitting.session_requested,
    "SessionInserted": Fitting.session_inserted,
    "SessionInsertFailed": Fitting.session_failed,
    "SessionWaiting": Fitting.open_session,
    "ProbesAssociated": Fitting.open_session,
    "SessionSettled": Fitting.open_session,
    "MoreFound": Fitting.standing_session,
    "SessionEntryRenewed": Fitting.open_session,
    "ClusteringEntryRenewed": Fitting.clustering_renewed,
    "SessionSuperseded": Fitting.superseded,
    "ClusteringSuperseded": Fitting.superseded,
    "TasksAdded": Fitting.standing_session,
    "SessionAnnotated": Fitting.standing_session,
    "SessionDeleted": Fitting.standing_session,
    "SessionRestored": Fitting.session_restored,
    "ClusteringInsertRequested": Fitting.clustering_requested,
    "ClusteringInserted": Fitting.clustering_inserted,
    "ClusteringInsertFailed": Fitting.open_clustering,
    "ClusteringWaiting": Fitting.open_clustering,
    "ClusteringDeleted": Fitting.standing_clustering,
    "ClusteringRestored": Fitting.clustering_restored,
    "ClusteringCarriedOver": Fitting.carried_over,
    "DeletionRequested": Fitting.deletion_requested,
    "CorrectionRequested": Fitting.correction_requested,
    "DeletionApproved": Fitting.approved,
    "DeletionRejected": Fitting.decided,
    "DeletionCancelled": Fitting.decided,
    "DeletionRestored": Fitting.restored,
    "ProbeInserted": Fitting.probe_changed,
    "ProbeRemoved": Fitting.probe_changed,
    "ReferenceValueRetired": Fitting.value_retired,
    "SessionAmended": Fitting.session_amended,
    "ClusteringAmended": Fitting.standing_clustering,
    "SessionMoved": Fitting.session_moved,
    "ClusteringMoved": Fitting.standing_clustering,
    "ProbeInsertionMended": Fitting.insertion_changed,
    "ProbeInsertionTakenBack": Fitting.insertion_changed,
    "SubjectTakenBack": Fitting.subject_is_there,
    "SubjectRenamed": Fitting.subject_is_there,
    "ReferenceValueTakenBack": Fitting.value_taken_back,
}


def in_its_place(event: StoredEvent, body: Body) -> StoredEvent:
    """The event that would stand at the position of another."""
    return event._replace(type=type(body).__name__, schema=body.SCHEMA, payload=body.payload())
