"""A process beside this one that looks at session directories, so that a large upload has two cores.

It gets a batch, says what it found, and knows no ledger. It is no fork, which a server's threads or an open SQLite file
would not survive, nor does it begin with the caller's own program, as those of ``multiprocessing`` do: it imports this
module and nothing else. Whatever becomes of it, the batches that it had are looked at here.
"""

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

from pydantic import TypeAdapter

from commands.intake.looking import Batch, look_at
from commands.intake.settled import SettledSession
from commands.recordings.roots import Roots
from ledger.errors import Refusal

WORTH_IT = 1_500  # sessions: this process has looked at as many before the other is there
_GIVEN = 2  # batches at a time: one that it looks at, and the next
_AHEAD = 5  # batches that are kept until it is their turn
_PROGRAM = "import sys; sys.path[:] = {path!r}; from commands.intake.second_reader import serve; serve()"
_ENDS_WITHIN_S = 1.0
_LENGTH = 8  # bytes of the number that says how long an answer is
_FOUND = TypeAdapter(list[SettledSession])


class Gone(Exception):
    """It ended without an answer."""


class SecondReader:
    """A process that looks at batches, one after the other."""

    def __init__(self, roots: Roots, incidents: Path | None) -> None:
        """Raises OSError where the system starts none."""
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and this very program
            [sys.executable, "-c", _PROGRAM.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # nobody sees a traceback
        )
        self._given: SimpleQueue[tuple[object, Future[bytes]] | None] = SimpleQueue()
        self._unanswered: list[Future[bytes]] = []
        self._give((replace(roots, known={}), incidents))
        self._thread = Thread(target=self._ask, name="daybook-second-reader", daemon=True)
        self._thread.start()

    @property
    def is_free(self) -> bool:
        """Whether it should be given a batch."""
        self._unanswered = [each for each in self._unanswered if not each.done()]
        return len(self._unanswered) < _GIVEN and self._process.poll() is None

    def look_at(self, batch: Batch) -> "Future[bytes]":
        """What it finds, as JSON; or Gone."""
        return self._give(batch)

    def _give(self, what: object) -> "Future[bytes]":
        answer: Future[bytes] = Future()
        self._unanswered.append(answer)
        self._given.put((what, answer))
        return answer

    def _ask(self) -> None:
        sent, received = self._process.stdin, self._process.stdout
        assert sent is not None and received is not None  # noqa: S101 - both are pipes
        while (given := self._given.get()) is not None:
            what, answer = given
            try:
                pickle.dump(what, sent, pickle.HIGHEST_PROTOCOL)
                sent.flush()
                length = int.from_bytes(received.read(_LENGTH))
                found = received.read(length)
                if not length or len(found) < length:
                    raise Gone
                answer.set_result(found)
            except Exception as error:  # noqa: BLE001 - whatever it is, this process goes on without it
                answer.set_exception(Gone(str(error)))
        received.close()
        with suppress(OSError):
            sent.close()

    def close(self) -> None:
        """At once: one that hangs in a share ends when the system lets it, and is not waited for."""
        self._given.put(None)
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_WITHIN_S)
            self._thread.join(_ENDS_WITHIN_S)


@contextmanager
def second_reader(sessions: int, roots: Roots, incidents: Path | None) -> Iterator[SecondReader | None]:
    """None where it would not be worth it, or none can be started."""
    reader = None
    if sessions >= WORTH_IT and _cores() > 1 and sys.executable:
        with suppress(OSError):
            reader = SecondReader(roots, incidents)
    try:
        yield reader
    finally:
        if reader is not None:
            reader.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Numbers = list[int]
Here = Callable[[Numbers], list[SettledSession]]


@dataclass(slots=True)
class _Turn:
    """A batch that waits for its turn: with what was found, or with an ``answer`` that is to come, or to be looked at
    then."""

    sessions: Numbers
    answer: "Future[bytes] | None" = None
    found: list[SettledSession] | None = None

    @property
    def is_awaited(self) -> bool:
        return self.answer is not None and not self.answer.done()

    def by(self, here: Here) -> list[SettledSession]:
        if self.answer is not None:
            with suppress(Gone):
                self.found = _FOUND.validate_json(self.answer.result())
        return here(self.sessions) if self.found is None else self.found


def looked_at_in_turn(
    batches: Iterable[Numbers], reader: SecondReader | None, prepare: Callable[[Numbers], Batch], here: Here
) -> Iterator[tuple[Numbers, list[SettledSession]]]:
    """Each batch with what was found, in order. While the second reader is busy with the next one, those behind are
    looked at ``here``; so is what cannot be prepared for it."""
    rest, turns = deque(batches), deque[_Turn]()
    while rest or turns:
        if not turns:
            turns.append(_Turn(rest.popleft()))
        while rest and reader is not None and len(turns) < _AHEAD:
            if reader.is_free:
                turns.append(_handed_over(rest.popleft(), reader, prepare))
            elif turns[0].is_awaited:
                turns.append(_Turn(rest[0], found=here(rest.popleft())))
            else:
                break
        turn = turns.popleft()
        yield turn.sessions, turn.by(here)


def _handed_over(sessions: Numbers, reader: SecondReader, prepare: Callable[[Numbers], Batch]) -> _Turn:
    try:
        return _Turn(sessions, reader.look_at(prepare(sessions)))
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 - what is wrong with one of them is found here
        return _Turn(sessions)


def serve() -> None:
    """What the process does, until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for its parent, which ends it
    received, sent = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    gc.disable()
    gc.freeze()
    with suppress(EOFError, OSError):
        roots, incidents = pickle.load(received)  # noqa: S301 - from its parent alone
        _send(sent, b"[]")
        while True:
            batch = pickle.load(received)  # noqa: S301 - as above
            _send(sent, _FOUND.dump_json(look_at(batch, roots, incidents)))
            gc.collect()
    os._exit(0)


def _send(sent: BinaryIO, found: bytes) -> None:
    sent.write(len(found).to_bytes(_LENGTH) + found)
    sent.flush()
