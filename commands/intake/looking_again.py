"""Look again at inserted sessions of which something is open: sorting that comes later, data that were missing.

What is found goes in as an addition where it is as certain as at an insertion; where the disk differs from the
record, a remark stays with the session. The disk is read outside any lock; the append checks what can have changed.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel, ConfigDict

from commands.door.command import Command
from commands.door.incidents import record_beside
from commands.door.permission import require_settler
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.canonical import session_entry_from_json
from commands.inputfile.entries import ClusteringEntry
from commands.intake.association import Association
from commands.intake.inherited_tasks import Opened
from commands.intake.insertion import Looked, Present, open_of, open_session, remark, sorting_of
from commands.intake.moved import follows
from commands.intake.outcomes import requested_and_waiting
from commands.intake.plain_records import plain_record
from commands.intake.settled import SettledClustering
from commands.intake.settling import NOT_OF_AN_ENTRY, left_open, present_for
from commands.intake.sortings import Find, Sorted, Sorting, WaitingClustering
from commands.intake.standing import Plain, Standing, data_now
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots
from commands.recordings.search import Search
from commands.recordings.session import SessionDirectoryError
from commands.stored import current_entries, standing_session, taken_at
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.events import ClusteringInserted, ClusteringMoved, ClusteringWaiting, DiskLookedAt, MoreFound
from ledger.ranges import ranges
from projections.records import Clustering, Session

MOST_OF_AN_UPLOAD = 100
_BATCH = 100
FAULT = "incident"  # the remark of a session at which the program stumbled; the next look that succeeds takes it away


class LookedAgain(BaseModel):
    """What was found at a session, decided on it as it was at ``version``. ``clusterings`` are new, or settle one that
    waited, by its number and version; ``waiting`` have to wait, ``told`` wait for another reason now."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    session: int
    version: int
    more: MoreFound | None = None
    clusterings: list[tuple[int | None, int, ClusteringInserted]] = []
    waiting: list[SettledClustering] = []
    told: list[tuple[int, int, ClusteringWaiting]] = []
    moved: list[tuple[int, int, ClusteringMoved]] = []


class AddFound(Command[Result]):
    """``looked`` are the sessions whose time to be looked at it was."""

    sessions: list[LookedAgain]
    looked: list[tuple[int, int]] = []

    def authorise(self, world: World) -> None:
        rows = [world.state.sessions.get(one.session) for one in self.sessions]
        require_settler(world, "process sessions", [row for row in rows if row is not None])

    def decide(self, world: World) -> Decision[Result]:
        world.state.sessions.prefetch(one.session for one in self.sessions)
        events: list[NewEvent] = []
        for one in self.sessions:
            row = world.state.sessions.get(one.session)
            if row is not None and row.status == "inserted" and row.version == one.version:
                events += _events(world, row, one, world.next_position + len(events))
        if self.looked:
            stream = f"look/{world.next_position + len(events)}"
            events.append(NewEvent(stream, DiskLookedAt(sessions=self.looked), 0, "", world.actor))
        return Decision(events, Result())


def _events(world: World, row: Session, one: LookedAgain, position: int) -> list[NewEvent]:
    owned: Plain = {"subject": row.subject, "username": row.username, "correlation": f"u{row.upload}"}
    events: list[NewEvent] = []
    if one.more is not None:
        names = {probe["name"] for probe in one.more.probes}
        if names and names & _others_probes(world, row):
            return []  # another session has taken it meanwhile
        events.append(
            NewEvent(f"session/{row.id}", one.more, row.version, **owned, causation=row.status_position)
        )
    for number, version, inserted in one.clusterings:
        if number is not None and not _waits(world, number, version):
            continue
        stream = f"clustering/{position + len(events) if number is None else number}"
        events.append(NewEvent(stream, inserted, version, **owned, causation=row.status_position))
    for waiting in one.waiting:
        events += requested_and_waiting(waiting, row, position + len(events), row.status_position)
    for number, version, event in one.told:
        if _waits(world, number, version):
            events.append(
                NewEvent(f"clustering/{number}", event, version, **owned, causation=row.status_position)
            )
    for number, version, moved in one.moved:
        clustering = world.state.clusterings.get(number)
        if clustering is not None and clustering.version == version and clustering.status == "inserted":
            events.append(
                NewEvent(f"clustering/{number}", moved, version, **owned, causation=row.status_position)
            )
    return events


def _waits(world: World, number: int, version: int) -> bool:
    row = world.state.clusterings.get(number)
    return row is not None and row.version == version and row.status in ("pending", "waiting")


def _others_probes(world: World, row: Session) -> set[str]:
    return set(taken_at(world, [row])[row.id])


def open_among(world: World, numbers: Iterable[int], *, before: int, owner: str) -> list[int]:
    """The newest of these sessions of the owner that have something open and were inserted before a position."""
    wanted = list(numbers)
    world.state.sessions.prefetch(wanted)
    rows = [world.state.sessions[number] for number in wanted]
    found = [
        row.id
        for row in rows
        if row.status == "inserted" and row.open and row.status_position < before and row.username == owner
    ]
    return sorted(found)[-MOST_OF_AN_UPLOAD:]


def due(world: World, owner: str | None, now: datetime) -> list[int]:
    """The sessions whose time to be looked at has come: of one owner where one is given."""
    rows = world.transaction.run(
        f"SELECT id, username FROM {world.state.sessions.table} "
        "WHERE look_next IS NOT NULL AND look_next <= ? ORDER BY id",
        (now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),),
    ).fetchall()
    return [number for number, user in rows if owner is None or user == owner]


def look_again(
    daybook: Daybook, roots: Roots, steps: Steps, numbers: Collection[int], *, scheduled: bool = False
) -> None:
    """Look at these inserted sessions; ``scheduled``: because it was time."""
    todo = sorted(numbers)
    for start in range(0, len(todo), _BATCH):
        batch = todo[start : start + _BATCH]
        found = _looked_at(daybook, roots, batch)
        if found or scheduled:
            _submit(daybook, steps, found, ranges(batch) if scheduled else [])


def _submit(daybook: Daybook, steps: Steps, found: list[LookedAgain], looked: list[tuple[int, int]]) -> None:
    """All of them at once; where that fails, one by one. What was found of one at fault is left out, and that stays
    with it."""
    try:
        steps.submit(AddFound(sessions=found, looked=looked))
    except NOT_OF_AN_ENTRY:
        raise
    except Exception as fault:
        if not found:
            raise
        if len(found) > 1:
            for one in found:
                _submit(daybook, steps, [one], [])
        else:
            with left_open(daybook):
                told = _at_fault(daybook, found[0].session, fault)
                steps.submit(AddFound(sessions=[] if told is None else [told]))
        if looked:
            steps.submit(AddFound(sessions=[], looked=looked))


def _looked_at(daybook: Daybook, roots: Roots, batch: Sequence[int]) -> list[LookedAgain]:
    """What is new at each; a fault of the program at one of them stays with that session, as a remark."""
    try:
        found = _look_at_batch(daybook, roots, batch)
    except NOT_OF_AN_ENTRY:
        raise
    except Exception as fault:  # noqa: BLE001 - each stands alone
        if len(batch) > 1:
            return [one for number in batch for one in _looked_at(daybook, roots, [number])]
        found = [_at_fault(daybook, batch[0], fault)]
    return [one for one in found if one is not None]


def _at_fault(daybook: Daybook, number: int, fault: Exception) -> LookedAgain | None:
    """A session that cannot be looked at; None where that is on record already."""
    incident = record_beside(fault, verb="look again", database=daybook.database)
    with daybook.reading() as world:
        row = world.state.sessions[number]
        _, before = standing_session(world, number)
    if any(each["code"] == FAULT for each in before):
        return None
    said = f"Looking at it again ended in a fault of daybook itself (incident {incident}). It is tried again."
    more = MoreFound(
        recordings=[],
        probes=[],
        remarks=[*before, remark(FAULT, incident, said)],
        open=orjson.loads(row.open or "[]"),
    )
    return LookedAgain(session=row.id, version=row.version, more=more)


def _look_at_batch(daybook: Daybook, roots: Roots, batch: Sequence[int]) -> list[LookedAgain | None]:
    with daybook.reading() as world:
        world.state.sessions.prefetch(batch)
        rows = [row for n in batch if (row := world.state.sessions[n]).status == "inserted"]
        presents = present_for(world, rows)
        entries = current_entries(world, rows)
        standing = [
            _standing(world, row, entry, presents[row.id]) for row, entry in zip(rows, entries, strict=True)
        ]
    find = Search(roots).directory
    return [_look(one, roots, find) for one in standing]


def _standing(world: World, row: Session, entry: str, present: Present) -> Standing:
    inserted, remarks = standing_session(world, row.id)
    clusterings = world.state.clusterings.where("session = ? AND status IN ('pending', 'waiting')", [row.id])
    requests = log.read_positions(world.transaction, [one.id for one in clusterings])
    probes = [
        {"name": p.name, "probe": p.probe, "matched_by": p.matched_by, "serial": p.serial}
        for p in world.state.probes.where("session = ?", [row.id])
    ]
    return Standing(
        row,
        session_entry_from_json(entry, row.entry_index),
        present,
        inserted,
        remarks,
        probes,
        [(one, body_of(requests[one.id])["entry"] | {"location": one.location}) for one in clusterings],
        _left_behind(world, row),
    )


def _left_behind(world: World, row: Session) -> list[Clustering]:
    """The clusterings that are on record where the session lay before it was moved."""
    places = orjson.loads(row.moved_from or "[]")
    rows = world.state.clusterings.where("session = ? AND status = 'inserted'", [row.id]) if places else []
    return [one for one in rows if any(f"{one.location}/".startswith(f"{place}/") for place in places)]


def _followed(one: Standing, roots: Roots, find: Find) -> list[tuple[int, int, ClusteringMoved]]:
    """Those of them that are found at the new place by now."""
    found = []
    for clustering in one.left:
        for before in orjson.loads(one.row.moved_from or "[]"):
            place = follows(clustering.location, before, one.row.location, roots)
            with suppress(LocationError):
                if place is not None and find(place):
                    event = ClusteringMoved(location=place, instead_of=clustering.location)
                    found.append((clustering.id, clustering.version, event))
                    break
    return found


def _look(one: Standing, roots: Roots, find: Find) -> LookedAgain | None:
    """What is new at a session; None: nothing, or its directory cannot be read now."""
    try:
        now = datetime.now(roots.zone).replace(tzinfo=None)
        opened = open_session(one.row.location, find, zone=roots.zone, now=now)
        if opened.found.acquiring and not one.present.decided.as_crashed:
            return None  # something is being written there: it is found when that is done
        added, remarks = data_now(one, opened)
        start = str(one.row.session_time)
        matches = [*one.probes, *added]
        looked = Looked(start, (), Association(matches=matches), remarks)
        sorting = sorting_of(
            one.entry, opened, roots, find, one.present, looked, uploader=one.row.username, session=one.row.id
        )
        return _put_together(one, opened, added, remarks, sorting, _followed(one, roots, find))
    except (SessionDirectoryError, LocationError) as problem:
        return _gone(one) if problem.code in _GONE else None


_GONE = ("location-not-found", "location-not-directory", "no-recordings")


def _gone(one: Standing) -> LookedAgain | None:
    """Its recordings lie no longer where they are on record, on a share that is there."""
    said = f"Its recordings do not lie at {one.row.location} any more."
    remarks = [remark("folder-gone", one.row.location, said)]
    remarks = [*(each for each in one.remarks if each["code"] != "folder-gone"), *remarks]
    names = sorted({*orjson.loads(one.row.open or "[]"), "data"})
    if _said(remarks) == _said(one.remarks):
        return None
    more = MoreFound(recordings=[], probes=[], remarks=remarks, open=names)
    return LookedAgain(session=one.row.id, version=one.row.version, more=more)


def _put_together(
    one: Standing,
    opened: Opened,
    added: list[Plain],
    remarks: list[Plain],
    sorting: Sorting,
    moved: list[tuple[int, int, ClusteringMoved]],
) -> LookedAgain | None:
    clusterings: list[tuple[int | None, int, ClusteringInserted]] = []
    told: list[tuple[int, int, ClusteringWaiting]] = []
    still = Sorted([], [])
    for row, entry in one.waiting:
        found = _again(row, entry, sorting, one.row.location)
        if isinstance(found, ClusteringInserted):
            clusterings.append((row.id, row.version, found))
        else:
            still.waiting.append(found)
            if (row.status, row.reason, row.message) != ("waiting", found.event.reason, found.event.message):
                told.append((row.id, row.version, found.event))
    new = Sorted([], [])
    if (
        one.entry.clustering is None
        and not one.waiting
        and not one.left
        and "clustering" in orjson.loads(one.row.open or "[]")
    ):
        new = sorting.of_entry(one.entry)
        clusterings += [(None, 0, inserted) for inserted in new.inserted]
    waiting = Sorted([], [*still.waiting, *new.waiting], is_open=new.is_open or len(moved) < len(one.left))
    names = open_of(remarks, waiting)
    more = None
    if added or _said(remarks) != _said(one.remarks) or names != sorted(orjson.loads(one.row.open or "[]")):
        files = {file for probe in opened.found.probes if probe.name in {a["name"] for a in added}
                 for file in probe.recordings}  # fmt: skip
        recordings = [plain_record(r) for r in opened.found.recordings if r.file in files]
        more = MoreFound(recordings=recordings, probes=added, remarks=remarks, open=names)
    if more is None and not clusterings and not new.waiting and not told and not moved:
        return None
    return LookedAgain(
        session=one.row.id,
        version=one.row.version,
        more=more,
        clusterings=clusterings,
        waiting=[SettledClustering(entry=w.entry, location=w.location, event=w.event) for w in new.waiting],
        told=told,
        moved=moved,
    )


def _again(
    row: Clustering, entry: Plain, sorting: Sorting, location: str
) -> ClusteringInserted | WaitingClustering:
    if row.location == location and entry.get("curator") == sorting.uploader:
        return sorting.inherited()
    [found] = sorting.listed(ClusteringEntry(**entry))
    return found


def _said(remarks: Iterable[Plain]) -> list[tuple[str, str, str]]:
    return sorted((str(r["code"]), str(r["name"]), str(r["message"])) for r in remarks)
