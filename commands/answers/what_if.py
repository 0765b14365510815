"""How the ledger would stand had something never happened: the events are folded again, without it and without
whatever could not have happened otherwise. Reads the ledger; appends nothing.

It leaves out one event, what that led to (by causation), what belongs to a record that is left out (by stream), and
from there on each event that no longer fits, such as the insertion of a session whose location would not be free.
What would have come in addition is named, not made up: nobody knows what the disk would have held.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import orjson

from commands.answers.differences import DifferenceLine, difference_line
from commands.answers.what_if_fitting import Fitting, Misfit, in_its_place, name, number
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file
from commands.intake.duplicates import place
from commands.recordings.roots import Roots
from commands.requests.impact import STANDING
from commands.stored import stored_bytes
from ledger import log
from ledger.bodies import body_of
from ledger.collector import without_garbage_collection
from ledger.envelope import StoredEvent
from ledger.errors import NextStep, Refusal
from ledger.events import ClusteringDeleted, SessionDeleted
from ledger.ranges import expanded, ranges
from projections.concerned import bound_up, lab_streams, subjects_of, with_needed
from projections.differences import Folding, compare
from projections.portions import marks, portions
from projections.records import Clustering, Session, Upload
from projections.uses import USES, holds

if TYPE_CHECKING:
    from commands.door.world import World

Plain = dict[str, Any]
_REFERENCE = re.compile(r"([uscd]?)([1-9][0-9]{0,17})")
_STREAMS = {"u": "upload", "s": "session", "c": "clustering", "d": "deletion"}
_ENTRY = re.compile(r"(sessions|clustering)\[([0-9]{1,9})\]")
_HELD = ("location-of-another-user", "group-name-of-another-subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The event that never happened."""

    position: int
    type: str
    stream: str
    actor: str
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A decision that would have gone otherwise: about which record, at which position, and how."""

    ref: str
    position: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """``left_out`` counts the events that would not be there. ``differences`` are from how records stand to how they
    would stand."""

    position: int
    without: LeftOut
    left_out: int
    differences: list[DifferenceLine]
    otherwise: list[Otherwise]


def what_if(world: "World", text: str, *, roots: Roots, limits: Limits) -> WhatIf:
    """``text`` is u34, d70, s12 or c34, which stand for the event that they are numbered by, or a position."""
    with without_garbage_collection():
        root = _root(world, text)
        events = list(log.read_streams(world.transaction, _streams(world, root), world.head.size))
        now = Folding()
        now.apply(events)
        course = _Course(root, events)
        course.run()
        _Repeated(world, now, course, roots, limits).look(events)
        differences = compare(now.described(), course.folding.described())
        return WhatIf(
            position=world.head.size,
            without=LeftOut(**{each.name: getattr(root, each.name) for each in fields(LeftOut)}),
            left_out=len(course.left_out),
            differences=[difference_line(one) for one in differences],
            otherwise=sorted(course.otherwise, key=lambda one: one.position),
        )


def _root(world: "World", text: str) -> StoredEvent:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise Refusal(
            "not-an-id",
            f'"{text}" is neither the id of a record nor a position.',
            "Give an exact id (u34, d70, s12, c34), or the position of an event",
            NextStep("log"),
        )
    position = int(match[2])
    event = log.read_positions(world.transaction, [position]).get(position)
    if event is None or (match[1] and event.stream != f"{_STREAMS[match[1]]}/{position}"):
        what = text if match[1] else f"event at position {position:,}; the last is {world.head.size:,}"
        raise Refusal("not-found", f"There is no {what}.", "", NextStep("log"))
    if event.type == "LedgerCreated":
        raise Refusal("no-ledger-left", "Without its first event there is no ledger.", "Name a later event.")
    return event


# --- which streams have to be folded --------------------------------------------------------------------------------


def _streams(world: "World", root: StoredEvent) -> set[str]:
    """The streams of every subject that can be concerned: those of other subjects come out the same either way."""
    transaction, slot = world.transaction, world.head.live_slot
    streams = {root.stream, "ledger"}
    subjects = {root.subject} if root.subject else set()
    if root.stream.startswith("deletion/"):
        subjects |= subjects_of(transaction, slot, "deletions", [number(root)])
    if root.type.startswith("ReferenceValue"):
        subjects |= _subjects_that_use(world, body_of(root))
    subjects = bound_up(transaction, slot, subjects)
    while more := _sharing_keys(world, subjects) - subjects:
        subjects = bound_up(transaction, slot, subjects | more)
    for some in portions(subjects):
        for kind, table in (("session", "sessions"), ("clustering", "clusterings"), ("upload", "uploads")):
            rows = transaction.run(f"SELECT id FROM {table}_{slot} WHERE subject IN ({marks(some)})", some)
            streams.update(f"{kind}/{row[0]}" for row in rows.fetchall())
        rows = transaction.run(
            f"SELECT id FROM deletions_{slot} WHERE subject = '' OR subject IN ({marks(some)})", some
        )
        streams.update(f"deletion/{row[0]}" for row in rows.fetchall())
        streams.update(f"subject/{subject}" for subject in some)
    streams.update(stream for stream in lab_streams(transaction, slot) if stream.startswith("reference/"))
    return with_needed(transaction, slot, streams)


def _subjects_that_use(world: "World", value: Plain) -> set[str]:
    found: set[str] = set()
    slot = world.head.live_slot
    for table, column in USES.get(value["table"], ()):
        condition, sought = holds(column, value["value"], of="r.")
        joined = f"sessions_{slot} s JOIN session_tasks_{slot} r ON r.session = s.id"
        source = joined if table == "session_tasks" else f"{table}_{slot} r"
        subject = "s.subject" if table == "session_tasks" else "r.subject"
        rows = world.transaction.run(f"SELECT DISTINCT {subject} FROM {source} WHERE {condition}", (sought,))
        found.update(row[0] for row in rows.fetchall())
    return found


def _sharing_keys(world: "World", subjects: Collection[str]) -> set[str]:
    """The subjects of other records that had, at one time or another, the key that one of these subjects' has."""
    found: set[str] = set()
    slot = world.head.live_slot
    for some in portions(subjects):
        for table, key in (("sessions", "location"), ("clusterings", "group_name")):
            rows = world.transaction.run(
                f"SELECT DISTINCT other.subject FROM {table}_{slot} own JOIN {table}_{slot} other "
                f"ON other.{key} = own.{key} AND other.subject <> own.subject WHERE own.subject IN ({marks(some)})",
                some,
            )
            found.update(row[0] for row in rows.fetchall())
    return found


# --- the other course -----------------------------------------------------------------------------------------------


class _Course:
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
        if event.stream_version == 1 and kind in _STREAMS.values():
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
            self.otherwise.append(_otherwise(misfit.record, event.position, misfit.why))
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
            self.otherwise.append(_otherwise(name(executed), executed.position, message))
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


def _otherwise(ref: str, position: int, message: str) -> Otherwise:
    return Otherwise(ref=ref, position=position, message=message)


# --- what would have been new ---------------------------------------------------------------------------------------


class _Repeated:
    """Later files that named a record which is left out: as a duplicate of it, or, in the words of older
    versions, as another user's."""

    def __init__(self, world: "World", now: Folding, course: _Course, roots: Roots, limits: Limits) -> None:
        self._world = world
        self._course = course
        self._roots = roots
        self._limits = limits
        there = course.folding.state
        gone = [row for row in now.state.sessions.every() if there.sessions.get(row.id) is None]
        groups = [
            row
            for row in now.state.clusterings.every()
            if row.group_name and not there.clusterings.get(row.id)
        ]
        self._sessions = {f"s{row.id}": row.location for row in gone}
        self._groups = {f"c{row.id}": str(row.group_name) for row in groups}

    def look(self, events: Sequence[StoredEvent]) -> None:
        for event in events:
            if not self._sessions and not self._groups:
                return
            upload = (
                self._course.folding.state.uploads.get(number(event))
                if event.stream[:7] == "upload/"
                else None
            )
            if upload is None:
                continue
            if event.type == "InputFileValidated" and upload.status != "rejected":
                self._duplicates(event, upload, body_of(event))
            elif event.type == "InputFileRejected":
                self._rejected(event, upload, body_of(event))

    def _duplicates(self, event: StoredEvent, upload: Upload, body: Plain) -> None:
        for what, wanted in (("session", self._sessions), ("clustering", self._groups)):
            for entry in body[f"changed_{what}s"]:
                self._would_be_new(event, upload, what, entry["index"], entry[what], wanted)
            held = {key: record for record, key in wanted.items()}
            if held and body[f"unchanged_{what}s"]:
                unchanged = set(expanded(body[f"unchanged_{what}s"]))
                for index, key in self._keys(upload, what):
                    if index in unchanged and key in held:
                        self._would_be_new(event, upload, what, index, held[key], wanted)

    def _keys(self, upload: Upload, what: str) -> Iterator[tuple[int, str]]:
        """The locations or group names of a file, by the index of the entry. None of one that was erased."""
        with suppress(Refusal):
            data = stored_bytes(self._world, upload)
            read = read_input_file(data, filename=upload.filename, limits=self._limits).input_file
            if read is not None and what == "session":
                yield from ((entry.index, place(entry.location, self._roots)) for entry in read.sessions)
            elif read is not None:
                yield from ((entry.index, entry.group_name) for entry in read.clustering)

    def _would_be_new(
        self, event: StoredEvent, upload: Upload, what: str, index: int, record: str, wanted: dict[str, Any]
    ) -> None:
        known = wanted.pop(record, None)
        if known is not None:
            self._course.folding.state.uploads.change(upload.id).duplicates -= 1
            at = f"{'sessions' if what == 'session' else 'clustering'}[{index}]"
            message = (
                f"{at} ({known}) was a duplicate of {record}; it would have been new, and inserted from there"
            )
            self._course.otherwise.append(_otherwise(f"u{upload.id}", event.position, message))

    def _rejected(self, event: StoredEvent, upload: Upload, body: Plain) -> None:
        """Which record a finding is against follows from its entry: the file is read for it."""
        held: dict[str, dict[int, str]] = {}
        for finding in body["findings"]:
            at = _ENTRY.match(str(finding.get("path")))
            if finding.get("code") not in _HELD or at is None:
                continue
            what, wanted = (
                ("session", self._sessions) if at[1] == "sessions" else ("clustering", self._groups)
            )
            if what not in held:
                held[what] = dict(self._keys(upload, what))
            key = held[what].get(int(at[2]))
            against = next((record for record, known in wanted.items() if known == key), None)
            if against is not None:
                message = (
                    f"was rejected for {against}, among others perhaps; that would not have been against it"
                )
                self._course.otherwise.append(_otherwise(name(event), event.position, message))
                return
