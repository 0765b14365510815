"""One opened ledger, for as long as the application lives. Threads, event loops and all users share it.

It keeps what outlives a request: the connections, what is known of the database's versions, and the rows that the
last append left in memory. It does not know who acts: see ``submit.Daybook``.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, TypeVar

from commands.door.freshness import bring_up_to_date, check_schema, to_be_made_anew
from commands.door.logs import LOG
from commands.door.together import Together
from ledger import log
from ledger.connections import CONNECTIONS
from ledger.database import Database, PastTransaction, Transaction
from ledger.errors import LedgerUnavailable
from ledger.forks import renewed_when_forked
from ledger.log import Head
from ledger.merkle import CompactRange
from projections.rows import State
from projections.versions import versions

T = TypeVar("T", bound=Transaction)

BEING_MADE_ANEW = "redacted-meanwhile"  # the code of the refusal
_ROWS_KEPT = 10_000  # of each table, between two appends of one process
_FORGET_EVERY = 50  # events: how often it is seen to
_WAIT_FOR_LISTS_S = 60.0
_ATTEMPTS = 3


class _Kept(NamedTuple):
    """The rows as they stand when the log has this tree. No other log has the same tree, so they fit this log or
    none.
    """

    tree: CompactRange
    state: State


class Ledger:
    def __init__(self, database: Database) -> None:
        self.database = database
        self._kept: deque[_Kept] = deque(maxlen=1)  # any thread takes it, or puts it back, in one step
        self._forgot_at = 0
        self.ahead: str | None = None
        """The time of the last event, where the last append found that it lies ahead."""
        self.renew_in_child()
        renewed_when_forked(self)

    def notice(self, head: Head) -> None:
        """Under the append lock: whether the log holds a time that lies ahead. Whatever follows will get that time
        too.
        """
        self.ahead = head.recorded_at if log.lies_ahead(head.recorded_at) else None

    def renew_in_child(self) -> None:
        self._mending = threading.Lock()
        self.together = Together()

    @classmethod
    def open(cls, url: str, *, connections: int = CONNECTIONS) -> "Ledger":
        """Raises LedgerUnavailable where there is no ledger, or one of another schema. Rebuilds projections that
        another version of the program made. ``connections`` is the most that all threads together may hold.
        """
        ledger = cls(Database(url, connections=connections))
        try:
            with ledger.database.reading() as transaction:
                check_schema(transaction)
                head = log.read_head(transaction)
            if head.projections != versions() or head.rebuild == log.EMPTYING:
                bring_up_to_date(ledger.database)
        except BaseException:
            ledger.close()
            raise
        LOG.info("opened", extra={"position": head.size})
        return ledger

    def reading(self) -> AbstractContextManager[tuple[Transaction, Head]]:
        """One moment of the ledger, with lists that fit its log."""
        return self._up_to_date(self.database.reading)

    def past(self) -> AbstractContextManager[tuple[PastTransaction, Head]]:
        """As ``reading``, where the past may be put before the present."""
        return self._up_to_date(self.database.past)

    @contextmanager
    def _up_to_date(self, begin: Callable[[], AbstractContextManager[T]]) -> Iterator[tuple[T, Head]]:
        for _ in range(_ATTEMPTS):
            with begin() as transaction:
                head = log.read_head(transaction)
                if not to_be_made_anew(head):
                    yield transaction, head
                    return
            self.mend()
        raise being_made_anew()

    def mend(self) -> None:
        """Rebuild lists that no longer fit the log because a payload was redacted. One thread does it, the others
        wait. Never call it inside a transaction. Raises LedgerUnavailable where that takes too long.
        """
        if not self._mending.acquire(timeout=_WAIT_FOR_LISTS_S):
            raise being_made_anew()
        try:
            with self.database.reading() as transaction:
                head = log.read_head(transaction)
            if to_be_made_anew(head):
                began = time.perf_counter()
                bring_up_to_date(self.database)
                LOG.info(
                    "lists made anew",
                    extra={"position": head.size, "duration_s": time.perf_counter() - began},
                )
        finally:
            self._mending.release()

    def rows(self, transaction: Transaction, head: Head) -> State:
        """For an append: the rows that the last append left in memory, if nobody has appended since; else none."""
        try:
            kept = self._kept.pop()  # if anything fails from here on, half-changed rows are not used again
        except IndexError:
            return State(head.live_slot, transaction)
        state = kept.state
        if kept.tree != head.compact_range or state.slot != head.live_slot:
            return State(head.live_slot, transaction)
        if head.size - self._forgot_at > _FORGET_EVERY:
            self._forgot_at = head.size
            state.forget(beyond=_ROWS_KEPT)
        state.attach(transaction)
        return state

    def keep(self, head: Head, state: State) -> None:
        """Called before the commit: if that fails, no log will ever have the tree that these rows fit."""
        self._kept.append(_Kept(head.compact_range, state))

    def close(self) -> None:
        """End every connection, whatever thread opened it. Work that is still going on gets a moment to finish."""
        self._kept.clear()
        self.database.close()


def being_made_anew() -> LedgerUnavailable:
    return LedgerUnavailable(
        BEING_MADE_ANEW,
        "A payload of this ledger was redacted a moment ago, and the lists that held it are being made anew.",
        "Try again in a minute.",
    )
