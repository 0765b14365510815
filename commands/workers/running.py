"""Work until it is stopped: follow the log, take what this host can reach, and say who is there.

On PostgreSQL the work is handed out by a queue, to any number of hosts. A SQLite ledger has one host: there it is done
as it is found.
"""

import os
import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from commands.door.ledger import Ledger
from commands.door.permission import require_settling_all
from commands.door.submit import Daybook
from commands.intake import looks
from commands.recordings.roots import Roots
from commands.workers.hearing import note
from commands.workers.hosting import Host
from commands.workers.planning import Work, after_events, everything, without
from commands.workers.reading import Died, Hung, Outcome, Readers, Setting, Who, outcome_of
from commands.workers.stopping import Asked
from ledger.connection_errors import PASSING
from ledger.errors import LedgerUnavailable, Refusal

TIMED_EVERY_S = 5.0
"""How often what waits is asked whether it is time: there may be much of it."""
_STEP_S = 0.5
_FIRST_REST, _LONGEST_REST = timedelta(seconds=15), timedelta(hours=6)
_MOST_DEATHS = 5
_AGAIN_S = (1.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``folders`` are the only ones that work is taken of; empty: all that can be reached. A read of a batch is given
    up after ``patience_s``; a worker of which nothing is heard for ``lease_s`` is taken for dead. ``refill``: queue
    anew whatever is not queued."""

    concurrency: int = 2
    folders: tuple[str, ...] = ()
    refill: bool = False
    patience_s: float = 300.0
    lease_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a worker says: it has ``begun``, a batch is ``done``, ``hung``, ``died`` or was ``refused``, or the ledger
    is ``lost`` and ``found`` again."""

    what: str
    folder: str = ""
    outcome: Outcome = field(default_factory=Outcome)


Tell = Callable[[Told], None]


def run(
    db: str, roots: Roots, who: Who, options: Options, tell: Tell, each_minute: Callable[[Daybook], None]
) -> None:
    """Until a signal to stop. Raises Refusal where nothing can be done under this name, or no longer. ``each_minute``
    is called on a thread of its own, for what is due by time, such as checkpoints.
    """
    ledger = Ledger.open(db)
    try:
        working = Working(ledger, db, roots, who, options, tell)
        working.each_minute = each_minute
        working.daybook().require(lambda world: require_settling_all(world, "process anybody's entries"))
        if ledger.database.dialect == "postgresql":
            from commands.workers.handing_out import hand_out

            hand_out(working)
        else:
            _alone(working)
    finally:
        ledger.close()


class Working:
    """What this process does, whoever hands it out."""

    def __init__(self, ledger: Ledger, db: str, roots: Roots, who: Who, options: Options, tell: Tell) -> None:
        self.ledger, self.roots, self.who, self.options, self.tell = ledger, roots, who, options, tell
        self.name = f"{platform.node()}:{os.getpid()}"
        self.host = Host(roots, options.folders, most=max(1, options.concurrency - 1))
        self.readers = Readers(Setting(db, roots, who, self.name))
        self.stopping = threading.Event()
        self.refusal: Refusal | None = None
        self.each_minute: Callable[[Daybook], None] = lambda daybook: None
        self.pool = ThreadPoolExecutor(options.concurrency, thread_name_prefix="daybook-job")

    def daybook(self) -> Daybook:
        return Daybook(self.ledger, self.who.at(self.ledger))

    def do(self, work: Work) -> None:
        """Take one batch, and note what came of it. Raises nothing: a fault of the program is kept."""
        try:
            self._do(work)
        except Exception as error:  # noqa: BLE001 - whatever it was, others go on
            note(error, "work: a batch")
            self.stopping.wait(_AGAIN_S[0])

    def _do(self, work: Work) -> None:
        self.host.begin(work.folder)
        try:
            outcome, what = self.readers.read(work, self.options.patience_s), "done"
        except Hung:
            self.host.hung(work.folder)
            message = f"It did not answer within {self.options.patience_s:g} s."
            outcome, what = Outcome(code="hung", message=message, passes=True), "hung"
        except Died:
            outcome = Outcome(code="died", message="The process that read it died.", passes=True)
            what = "died"
        finally:
            self.host.end(work.folder)
        if self.stopping.is_set() and what == "died":
            return  # it was ended: others will take it
        if not outcome.code:
            self.host.answered(work.folder)
        elif what == "done":
            what = "refused"
        if outcome.code and not outcome.stops:
            with suppress(Refusal):
                self._rest(work, outcome)
        self.tell(Told(what, work.folder, outcome))
        if outcome.stops:
            self.refusal = Refusal(outcome.code, outcome.message, outcome.hint)
            self.stopping.set()

    def _rest(self, work: Work, outcome: Outcome) -> None:
        """Not now: twice as long each time. What passes never, or kills who reads it again and again, is left; of
        several, one may be at fault: what rests is tried alone."""
        database, now = self.ledger.database, datetime.now(UTC)
        with database.reading() as transaction:
            known = looks.looks_at(transaction, work.records)
        if unknown := [record for record in work.records if record not in known]:
            looks.begin(database, dict.fromkeys(unknown, work.folder), self.name)
            with database.reading() as transaction:
                known = looks.looks_at(transaction, work.records)
        ended: dict[str, tuple[str, str | None, str]] = {}
        for name, look in known.items():
            if look.status == looks.DONE:
                continue
            for_good = not outcome.passes and len(known) == 1
            if for_good or (outcome.code == "died" and look.attempts >= _MOST_DEATHS):
                ended[name] = looks.FAILED, None, outcome.message
            else:
                rest = min(_FIRST_REST * 2 ** min(look.attempts, 20), _LONGEST_REST)
                ended[name] = looks.RESTING, looks.written(now + rest), outcome.message
        looks.end(database, ended, self.name)

    def keep_seen(self) -> None:
        """Until it stops: others see that somebody works here; and what is due by time is done."""
        minute = time.monotonic()
        while True:
            if time.monotonic() >= minute:
                minute = time.monotonic() + 60
                self._try(lambda: self.each_minute(self.daybook()))
            self._try(self._be_seen)
            if self.stopping.wait(looks.SEEN_EVERY.total_seconds()):
                break
        self._try(lambda: looks.be_gone(self.ledger.database, self.name))

    def _be_seen(self) -> None:
        folders = self.host.folders or self.host.reached()
        looks.be_seen(self.ledger.database, self.name, platform.node(), self.who.actor.user, folders)

    @staticmethod
    def _try(do: Callable[[], object]) -> None:
        """What does not go now goes the next time: no fault ends the thread."""
        try:
            do()
        except Refusal:
            return
        except Exception as error:  # noqa: BLE001 - a fault of the program: it is noted, and others go on
            note(error, "work: what is due by time")

    def step_each(self, step: Callable[[], object], lost: tuple[type[Exception], ...] = ()) -> None:
        """Until it stops; where the ledger cannot be reached, less and less often."""
        passing: tuple[type[Exception], ...] = (LedgerUnavailable, *lost)
        again = _AGAIN_S[0]
        while not self.stopping.is_set():
            try:
                step()
            except passing as error:
                outcome = (
                    outcome_of(error) if isinstance(error, Refusal) else Outcome(code="lost", passes=True)
                )
                if isinstance(error, LedgerUnavailable) and error.code not in PASSING and not outcome.passes:
                    self._stop(error)
                    return
                self.tell(Told("lost", outcome=outcome))
                self.stopping.wait(again)
                again = min(2 * again, _AGAIN_S[1])
            except Refusal as refusal:
                self._stop(refusal)
                return
            except Exception as error:  # noqa: BLE001 - a fault of the program: it is noted, and others go on
                note(error, "work: follow the log")
                self.stopping.wait(again)
                again = min(2 * again, _AGAIN_S[1])
            else:
                if again > _AGAIN_S[0]:
                    self.tell(Told("found"))
                again = _AGAIN_S[0]
                self.stopping.wait(_STEP_S)

    def _stop(self, refusal: Refusal) -> None:
        self.refusal = self.refusal or refusal
        self.stopping.set()

    def close(self) -> None:
        self.stopping.set()
        self.readers.close()
        self.pool.shutdown(wait=True, cancel_futures=True)
        if self.refusal is not None:
            raise self.refusal


def _alone(working: Working) -> None:
    """On one host: the work is done as it is found."""
    threads = [
        threading.Thread(target=working.keep_seen, daemon=True),
        threading.Thread(target=working.step_each, args=(_Alone(working).step,), daemon=True),
    ]
    with Asked() as asked:
        for thread in threads:
            thread.start()
        working.tell(Told("begun"))
        while not working.stopping.is_set():
            if asked.wait(_STEP_S / 5):
                working.stopping.set()
        threads[1].join(30)  # it gives work out, which ends first
        try:
            working.close()
        finally:
            threads[0].join(5)


class _Alone:
    """What is under way, and how far the log was read."""

    def __init__(self, working: Working) -> None:
        self._working = working
        self._running: dict[Future[None], Work] = {}
        self._let_go_on: list[Work] = []
        self._cursor = -1
        self._asked = 0.0

    def step(self) -> None:
        working, roots = self._working, self._working.roots
        with working.daybook().reading() as world:
            last = world.head.size
            if 0 <= self._cursor < last:
                self._let_go_on += after_events(world, roots, self._cursor + 1, last)
            timed = time.monotonic() - self._asked >= TIMED_EVERY_S
            found: list[Work] = []
            if timed or last != self._cursor or self._running:
                found = everything(world, roots, datetime.now(UTC))
                self._asked = time.monotonic()
        self._cursor = last
        self._begin(found, time.monotonic() + _STEP_S)

    def _begin(self, found: list[Work], until: float) -> None:
        """As many at once as was said, of those that can be taken; what is left is found again."""
        working = self._working
        while not working.stopping.is_set() and time.monotonic() < until:
            self._running = {one: work for one, work in self._running.items() if not one.done()}
            under_way = list(self._running.values())
            busy = (
                {n for work in under_way for n in work.sessions},
                {n for work in under_way for n in work.clusterings},
            )
            left = without([*self._let_go_on, *found], busy)
            if not left:
                return
            for work in left:
                if len(self._running) < working.options.concurrency and working.host.takeable([work.folder]):
                    self._running[working.pool.submit(self._do, work)] = work
                    self._let_go_on = without(self._let_go_on, (work.sessions, work.clusterings))
                    found = without(found, (work.sessions, work.clusterings))
                    if not work.records:
                        found = [one for one in found if one.records]
            wait(self._running, timeout=0.05, return_when=FIRST_COMPLETED) if self._running else time.sleep(
                0.05
            )

    def _do(self, work: Work) -> None:
        self._working.do(work)
