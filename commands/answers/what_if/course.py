"""The events folded once more, without those that could not have happened otherwise."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from commands.answers.what_if.fitting import Fitting, Misfit, Plain, in_its_place, name, number
from commands.requests.impact import STANDING
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from ledger.events import ClusteringDeleted, SessionDeleted
from ledger.ranges import expanded, ranges
from projections.differences import Folding
from projections.records import Clustering, Session

STREAMS = {"u": "upload", "s": "session", "c": "clustering", "d": "deletion"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A decision that would have gone otherwise: about which record, at which position, and how."""

    ref: str
    position: int
    message: str


class Course:
    """The events folded without the root and without what cannot have happened then."""

    def __init__(self, root: StoredEvent, events: Sequence[StoredEvent]) -> None:
        self.folding = Folding()
        self.left_out: set[int] = set()
        self.missing: set[str] = set()
        self.otherwise: list[Otherwise] = []
        self._root = root.position
        self._events = events
        self._streams: set[str] = set()
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._instead: dict[int, int] = {}  # the record that an entry would have been a duplicate of
        self._deleted: defaultdict[str, set[int]] = defaultdict(
            set
        )  # sessions, by the request that deletes them
        catalogue = root.stream.startswith(("subject/", "reference/"))
        self._fitting = Fitting(self.folding.state, self.missing, catalogue=catalogue)

    def run(self) -> None:
        first = bisect_left(self._events, self._root, key=lambda event: event.position)
        self.folding.apply(self._events[:first])
        for at in range(first, len(self._events)):
            event = self._events[at]
            if self._cannot_be(event):
                self._leave_out(event)
                continue
            body = body_of(event)
            if event.type == "ClusteringInsertRequested":
                body["sessions"] = [self._instead.get(session, session) for session in body["sessions"]]
            misfit = self._rejection(at) or self._fitting.misfit(event, body)
            if misfit is not None:
                self._take_otherwise(event, misfit)
                continue
            if event.type == "SessionDeleted":
                self._deleted[event.correlation].add(number(event))
            more = self._taken_too(event) if event.type == "DeletionExecuted" else []
            self.folding.apply([*more, self._adjusted(event, body)])

    def _cannot_be(self, event: StoredEvent) -> bool:
        """It is the root, was led to by what is left out, or belongs to a record that is."""
        return (
            event.position == self._root or event.causation in self.left_out or event.stream in self._streams
        )

    def _leave_out(self, event: StoredEvent) -> None:
        self.left_out.add(event.position)
        self._skipped[event.correlation, event.type] += 1
        kind = event.stream.partition("/")[0]
        if event.stream_version == 1 and kind in STREAMS.values():
            self._streams.add(event.stream)
            self.missing.add(name(event))

    def _rejection(self, at: int) -> Misfit | None:
        """Why an accepted file would have been rejected."""
        event = self._events[at]
        if event.type != "InputFileValidated":
            return None
        requests = []
        while (at := at + 1) < len(self._events) and self._events[at].command_id == event.command_id:
            if self._events[at].causation == event.position:
                requests.append(self._events[at])
        return self._fitting.rejection(event, ((each, body_of(each)) for each in requests))

    def _take_otherwise(self, event: StoredEvent, misfit: Misfit) -> None:
        self._leave_out(event)
        if misfit.why:
            self.otherwise.append(told_otherwise(misfit.record, event.position, misfit.why))
        if misfit.instead is not None:
            self.folding.apply([in_its_place(event, misfit.instead)])
        elif misfit.duplicate:
            self._instead[event.position] = int(misfit.duplicate[1:])
            self.folding.state.uploads.change(int(event.correlation[1:])).duplicates += 1

    def _taken_too(self, executed: StoredEvent) -> list[StoredEvent]:
        """What else a deletion would have deleted: what would stand of what it names, and on what it deletes."""
        state = self.folding.state
        named = set(orjson.loads(state.deletions[number(executed)].records))
        sessions = [
            row
            for row in state.sessions.every()
            if row.status in STANDING and not named.isdisjoint({f"s{row.id}", f"u{row.upload}"})
        ]
        going = {row.id for row in sessions} | self._deleted[executed.correlation]
        over = {link.clustering for link in state.clustering_sessions.every() if link.session in going}
        clusterings = [
            row
            for row in state.clusterings.every()
            if row.status in STANDING
            and (
                row.session in going
                or row.id in over
                or not named.isdisjoint({f"c{row.id}", f"u{row.upload}"})
            )
        ]
        taken = []
        rows: list[Session | Clustering] = [*sessions, *clusterings]
        for row in rows:
            body = (
                SessionDeleted(was=row.status)
                if isinstance(row, Session)
                else ClusteringDeleted(was=row.status)
            )
            stream = f"{type(row).__name__.lower()}/{row.id}"
            own = executed._replace(stream=stream, stream_version=row.version + 1, subject=row.subject)
            taken.append(in_its_place(own, body))
            self._skipped[executed.correlation, type(body).__name__] -= 1
        if taken:
            more = f" and {len(taken) - 1:,} more" if len(taken) > 1 else ""
            message = f"would have taken {name(taken[0])}{more} too"
            self.otherwise.append(told_otherwise(name(executed), executed.position, message))
        return taken

    def _adjusted(self, event: StoredEvent, body: Plain) -> StoredEvent:
        """The event as it would be, where it mentions records that are left out."""
        if event.type in ("SessionInsertRequested", "ClusteringInsertRequested"):
            if f"{event.stream[0]}{body.get('replaces')}" in self.missing:
                body["replaces"] = None
        elif event.type in ("DeletionExecuted", "DeletionRestored"):
            done = "Deleted" if event.type == "DeletionExecuted" else "Restored"
            body["sessions"] -= self._skipped[event.correlation, f"Session{done}"]
            body["clusterings"] -= self._skipped[event.correlation, f"Clustering{done}"]
        elif event.type in ("DeletionRequested", "DeletionImpactGrown", "ChangeRequested"):
            if "records" in body:
                body["records"] = [record for record in body["records"] if record not in self.missing]
            impact = body["impact"]
            for letter, kind in (("s", "sessions"), ("c", "clusterings")):
                impact[kind] = ranges(n for n in expanded(impact[kind]) if f"{letter}{n}" not in self.missing)
        else:
            return event
        return event._replace(payload=orjson.dumps(body).decode())


def told_otherwise(ref: str, position: int, message: str) -> Otherwise:
    return Otherwise(ref=ref, position=position, message=message)
