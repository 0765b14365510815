"""Follow the log: what its events let go on is queued, and the cursor moved, in one transaction of the queue.

Nothing is queued under the append lock: the log is read when it stands there. Killed anywhere, the transaction is
gone whole, and the next follower reads the same events once more.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from commands.workers.planning import after_events, by_time, everything, without
from commands.workers.queue import Queue

NAME = "work"
AT_ONCE, IN_TIME = 10, 0  # priorities
REFILL_S = 600
_MOST_EVENTS = 20_000  # of one step

_CURSOR = (
    "SELECT position, refilled_at IS NULL OR refilled_at < now() - make_interval(secs => %s) FROM followers "
    "WHERE name = %s FOR UPDATE SKIP LOCKED"
)


def follow(
    daybook: Daybook, queue: Queue, roots: Roots, *, refill_s: float = REFILL_S, timed: bool = True,
    deferred: Callable[[], None] = lambda: None,
) -> int | None:  # fmt: skip
    """One step; returns how many jobs it queued. None where another follower is at it. ``timed``: what waits is
    asked, too, whether it is time. ``deferred`` is called before the commit."""
    connection = queue.connect()
    with connection.transaction():
        connection.execute("INSERT INTO followers VALUES (%s, -1, NULL) ON CONFLICT DO NOTHING", (NAME,))
        row = connection.execute(_CURSOR, (refill_s, NAME)).fetchone()
        if row is None:
            return None
        cursor, refill = int(row[0]), bool(row[1])
        now = datetime.now(UTC)
        with daybook.reading() as world:
            last = min(world.head.size, cursor + _MOST_EVENTS)
            refill = (
                refill or cursor < 0 or cursor > world.head.size
            )  # the second: of a ledger that was put back
            if refill:
                last = world.head.size
            at_once = [] if refill or last == cursor else after_events(world, roots, cursor + 1, last)
            in_time = everything(world, roots, now) if refill else by_time(world, roots, now) if timed else []
        number = 0
        if at_once or in_time:
            waiting, running = queue.queued("todo"), queue.queued("doing")
            both = (waiting[0] | running[0], waiting[1] | running[1])
            number += queue.defer(without(at_once, waiting), priority=AT_ONCE)
            number += queue.defer(without(in_time, both), priority=IN_TIME)
        deferred()
        if last != cursor or refill:
            connection.execute(
                "UPDATE followers SET position = %s, refilled_at = CASE WHEN %s THEN now() ELSE refilled_at END "
                "WHERE name = %s",
                (last, refill, NAME),
            )
    return number


def forget(queue: Queue) -> None:
    """Have the next step queue everything anew that is not queued."""
    connection = queue.connect()
    with connection.transaction():
        connection.execute("UPDATE followers SET refilled_at = NULL WHERE name = %s", (NAME,))
