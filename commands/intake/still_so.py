"""Whether what a file was checked against still holds when it is accepted, under the lock. Reads the ledger alone."""

from commands.door.world import World
from commands.intake.nested import overlapping
from commands.intake.validation import Validation
from commands.stored import held
from ledger.errors import Conflict

# What can make a file wrong that was right a moment ago, or a duplicate new again. (A task type that is added
# once more may need an arena from then on.)
_UNSETTLING = (
    "ReferenceValueAdded", "ReferenceValueRetired", "ProbeRemoved", "SessionInsertFailed", "ClusteringInsertFailed",
    "SessionWithdrawn", "SessionDeleted", "ClusteringWithdrawn", "ClusteringDeleted", "ProbeInsertionMended",
    "ProbeInsertionTakenBack", "SubjectTakenBack", "ReferenceValueTakenBack",
    "SubjectRenamed",
)  # fmt: skip


def refuse_if_redacted(world: World, since: int) -> None:
    """Raises Conflict where something was redacted since a file was looked at for it: it would be kept again."""
    if world.head.size > since and world.state.redactions.where("event > ?", [since]):
        raise Conflict("ledger-moved", "The ledger changed while the file was checked.", "Upload it again.")


def refuse_if_moved(world: World, validation: Validation) -> None:
    """Raises Conflict where the check no longer holds: a key was taken or given up, a value was retired."""
    if world.head.size == validation.known_at:
        return
    assert validation.checked is not None  # noqa: S101 - an accepted file was checked
    marks = ", ".join("?" * len(_UNSETTLING))
    unsettled = world.transaction.run(
        f"SELECT 1 FROM events WHERE position > ? AND type IN ({marks}) AND subject IN (?, '') LIMIT 1",
        (validation.known_at, *_UNSETTLING, validation.subject),
    ).fetchone()
    moves = validation.moves
    going = {move.session.id for move in moves.by_index.values()}
    new = [session for session in validation.checked.sessions if session.duplicate_of is None]
    failed = {
        index for name, index in validation.faults if name == "sessions"
    }  # of these only the key counts
    places = [(s.location, s.leads_to) for s in new] + [
        (move.location, move.leads_to) for move in moves.by_index.values()
    ]
    fresh = [text for both in places for text in both if text is not None]
    names = [c.entry.group_name for c in validation.checked.clusterings if c.duplicate_of is None]
    known = {
        s.leads_to or s.location: s.duplicate_of
        for s in validation.checked.sessions
        if s.duplicate_of is not None and s.entry.index not in {*moves.by_index, *moves.old_places}
    }
    holders = held(world, validation.subject, [*fresh, *known])
    world.state.groups.prefetch(names)
    taken = any(  # two animals may share a run: the check of the file has looked at that
        location in holders
        and (
            holders[location].subject == validation.subject or holders[location].session > validation.known_at
        )
        for location in fresh
    )
    given_up = any(  # the events above don't touch what is of another subject
        location not in holders or holders[location].session != session for location, session in known.items()
    )
    around = [text for text in fresh if text not in {s.location for s in new if s.entry.index in failed}]
    overlaps = any(row.session not in going for rows in overlapping(world, around).values() for row in rows)
    moved = _any_changed(world, validation)
    if (
        unsettled
        or taken
        or given_up
        or overlaps
        or moved
        or any(world.state.groups.get(name) is not None for name in names)
    ):
        raise Conflict("ledger-moved", "The ledger changed while the file was checked.", "Upload it again.")


def _any_changed(world: World, validation: Validation) -> bool:
    """Whether something became of a record that takes new values, or follows its recordings."""
    assert validation.checked is not None  # noqa: S101 - an accepted file was checked
    renewed, moves = validation.renewals, validation.moves
    streams = [
        f"session/{s.duplicate_of}" for s in validation.checked.sessions if s.entry.index in renewed.sessions
    ]
    streams += [
        f"clustering/{c.duplicate_of}"
        for c in validation.checked.clusterings
        if c.entry.index in renewed.clusterings
    ]
    streams += [f"session/{number}" for number in moves.old_places.values()]
    for move in moves.by_index.values():
        streams += [f"session/{move.session.id}", *(f"clustering/{row.id}" for row, _ in move.clusterings)]
    for start in range(0, len(streams), 500):
        some = streams[start : start + 500]
        marks = ", ".join("?" * len(some))
        moved = world.transaction.run(
            f"SELECT 1 FROM events WHERE stream IN ({marks}) AND position > ? LIMIT 1",
            [*some, validation.known_at],
        ).fetchone()
        if moved:
            return True
    return False
