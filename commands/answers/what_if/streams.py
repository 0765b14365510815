"""Which streams have to be folded to tell what would have been."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from commands.answers.what_if.fitting import Plain, number
from ledger.bodies import body_of
from ledger.envelope import StoredEvent
from projections.concerned import bound_up, lab_streams, subjects_of, with_needed
from projections.portions import marks, portions
from projections.uses import USES, holds

if TYPE_CHECKING:
    from commands.door.world import World


def streams_to_fold(world: "World", root: StoredEvent) -> set[str]:
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
