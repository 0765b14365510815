"""What a deletion that was carried out had deleted. Reads; appends nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from commands.door.world import World
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from projections.records import Clustering, Deletion, Session

TAKEN_BACK = ("ReferenceValueTakenBack", "SubjectTakenBack", "ProbeInsertionTakenBack")
_EXECUTED = ("DeletionExecuted", "CorrectionExecuted")


@dataclass(frozen=True, slots=True)
class Fallen:
    """What a deletion deleted, by id; the streams of what was inserted then, and did not wait; and what of the lab was
    taken back with it."""

    sessions: dict[int, Session]
    clusterings: dict[int, Clustering]
    inserted: frozenset[str]
    taken_back: Sequence[StoredEvent] = ()

    def all(self) -> Iterator[Session | Clustering]:
        yield from self.sessions.values()
        yield from self.clusterings.values()


def fallen_by(world: World, row: Deletion) -> tuple[int, Fallen]:
    """What just this deletion deleted, not an earlier one; and the position that says that it was carried out."""
    stream = {
        event.type: event.position for event in log.read_stream(world.transaction, f"deletion/{row.id}")
    }
    executed = next(stream[kind] for kind in _EXECUTED if kind in stream)
    numbers: dict[str, list[int]] = {"SessionDeleted": [], "ClusteringDeleted": []}
    inserted, taken_back = set(), []
    for page in log.pages(world.transaction, stream["DeletionApproved"], executed - 1):
        for event in page:
            if event.type in TAKEN_BACK and event.correlation == f"d{row.id}":
                taken_back.append(event)
            if event.type in numbers:
                numbers[event.type].append(int(event.stream.partition("/")[2]))
                if body_of(event)["was"] == "inserted":
                    inserted.add(event.stream)
    world.state.sessions.prefetch(numbers["SessionDeleted"])
    world.state.clusterings.prefetch(numbers["ClusteringDeleted"])
    return executed, Fallen(
        {number: world.state.sessions[number] for number in numbers["SessionDeleted"]},
        {number: world.state.clusterings[number] for number in numbers["ClusteringDeleted"]},
        frozenset(inserted),
        taken_back,
    )
