"""Verify the ledger on somebody's wish, in a thread beside what the server does: one at a time, and its last result."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from commands.answers.verified import Verified, verified
from commands.web.problems import Problem, problem_of
from ledger.log import now

if TYPE_CHECKING:
    from commands.door.ledger import Ledger


@dataclass
class Verification:
    """``done`` of ``total`` events were looked at. At its end it has ``found``, or a ``problem``."""

    ledger: "Ledger"
    by: str
    started_at: str
    done: int = 0
    total: int = 0
    ended_at: str | None = None
    found: Verified | None = None
    problem: Problem | None = None

    @property
    def is_running(self) -> bool:
        return self.ended_at is None


class Verifying:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Verification | None = None

    def last(self, ledger: "Ledger") -> Verification | None:
        """Of this ledger, running or ended; None where nobody has asked for one since the server started."""
        last = self._last
        return last if last is not None and last.ledger is ledger else None

    def start(self, ledger: "Ledger", url: str, by: str, beside: Path | None) -> None:
        """Unless one is running."""
        with self._lock:
            running = self.last(ledger)
            if running is not None and running.is_running:
                return
            begun = Verification(ledger, by, now())
            self._last = begun
        threading.Thread(target=_run, args=(begun, url, beside), name="verifying", daemon=True).start()


def _run(one: Verification, url: str, beside: Path | None) -> None:
    def progress(done: int, total: int) -> None:
        one.done, one.total = done, total

    try:
        one.found = verified(url, kept={}, progress=progress)
    except Exception as error:  # noqa: BLE001 - whoever looks at the page is told
        one.problem = problem_of(error, doing="verify", beside=beside)
    finally:
        one.ended_at = now()
