"""What of the lab a restoration puts back on record, and whether what it restores still has its place there."""

from collections.abc import Collection, Iterator, Sequence

from commands.door.world import World
from commands.intake.registering import THE_SUBJECTS
from commands.intake.spellings import forget_spellings
from commands.requests.fallen import TAKEN_BACK
from commands.requests.impact import parts
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent, StoredEvent
from ledger.events import Body, ProbeInserted, ProbeRemoved, ReferenceValueAdded, SubjectRegistered
from projections.records import Clustering, Session
from projections.renamed import called_now


def put_back(world: World, taken_back: Sequence[StoredEvent], *, causation: int) -> list[NewEvent]:
    """The events that record once more what was taken back: values, then subjects before their probes; of a subject
    that was renamed since, under its name of now."""
    for event in taken_back:
        kind, _, where = event.stream.partition("/")
        forget_spellings(world, where if kind == "reference" else THE_SUBJECTS)
    events: list[NewEvent] = []
    for event in sorted(taken_back, key=lambda each: TAKEN_BACK.index(each.type)):
        subject = _now(world, event)
        stream = f"subject/{subject}" if subject else event.stream
        events += (
            NewEvent(stream, body, None, subject=subject, causation=causation)
            for body in _recorded_again(world, event)
        )
    return events


def _now(world: World, event: StoredEvent) -> str:
    """The key of the subject that the event is about, as it is called now; empty where it is about none."""
    return called_now(world.transaction, event.subject) if event.subject else ""


def _recorded_again(world: World, event: StoredEvent) -> Iterator[Body]:
    body = body_of(event)
    if event.type == "ReferenceValueTakenBack":
        if world.state.reference.get((body["table"], body["value"])) is None:
            yield _added_again(world, event)
        return
    if event.type == "SubjectTakenBack":
        datasource, _, name = _now(world, event).partition("/")
        if world.state.subjects.get(f"{datasource}/{name}") is None:
            yield SubjectRegistered(datasource_id=int(datasource), name=name)
        return
    yield ProbeInserted(probe=body["probe"], insertion_time=body["insertion_time"])
    if body["removal_time"] is not None:
        yield ProbeRemoved(probe=body["probe"], removal_time=body["removal_time"])


def _added_again(world: World, event: StoredEvent) -> ReferenceValueAdded:
    """The value with what was known of it when it was taken back."""
    table, value = body_of(event)["table"], body_of(event)["value"]
    before = [
        each for each in log.read_stream(world.transaction, event.stream) if each.position < event.position
    ]
    added = [body_of(each) for each in before if each.type == "ReferenceValueAdded"]
    known = [each["attributes"] for each in added if each["value"] == value]
    return ReferenceValueAdded(table=table, value=value, attributes=known[-1] if known else {})


def without_their_place(
    world: World,
    sessions: Collection[Session],
    clusterings: Collection[Clustering],
    taken_back: Sequence[StoredEvent],
) -> Iterator[str]:
    """What stands in the way of putting back, and what records would stand on that is not on record any more."""
    rows: list[Session | Clustering] = [*sessions, *clusterings]
    subjects = {_now(world, event) for event in taken_back if event.type == "SubjectTakenBack"}
    insertions = {
        (_now(world, event), body_of(event)["probe"]): body_of(event)
        for event in taken_back
        if event.type == "ProbeInsertionTakenBack"
    }
    for (subject, probe), body in insertions.items():
        yield from _taken_place(world, subject, probe, body)
    for subject in sorted({row.subject for row in rows} - subjects):
        if world.state.subjects.get(subject) is None:
            yield f"subject {subject.partition('/')[2]} is not registered any more"
    of = {row.id: row.subject for row in sessions}
    for some, marks in parts(sorted(of)):
        table = world.state.probes.table
        sql = f"SELECT session, probe FROM {table} WHERE session IN ({marks}) ORDER BY session, probe"
        for session, probe in world.transaction.run(sql, some).fetchall():
            key = (of[session], probe)
            if key not in insertions and world.state.insertions.get(key) is None:
                yield f'probe "{probe}" of s{session} is not inserted in its subject any more'


def _taken_place(world: World, subject: str, probe: str, body: dict[str, object]) -> Iterator[str]:
    name, earlier = subject.partition("/")[2], body["earlier"]
    there = world.state.insertions.get((subject, probe))
    expected = earlier["insertion_time"] if isinstance(earlier, dict) else None
    if there is not None and there.insertion_time != expected:
        yield f'probe "{probe}" is on record as inserted in subject {name} at {there.insertion_time}'
    if body["removal_time"] is None:
        for other in world.state.insertions.where(
            "probe = ? AND subject <> ? AND removal_time IS NULL", [probe, subject]
        ):
            yield f'probe "{probe}" is in subject {other.subject.partition("/")[2]} now'
