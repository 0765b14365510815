"""Stage 3 of what came in through the server: threads that read session directories, and stop between two steps."""

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import orjson

from commands.door.actor import Actor
from commands.door.incidents import record
from commands.door.logs import LOG
from commands.intake.uploading import go_on
from commands.web.serving import INTERFACE, Serving
from ledger import log
from ledger.envelope import AUTHENTICATIONS
from ledger.errors import Refusal

THREADS = 2
_HERE = (INTERFACE, "web")
"""What came in by one of these came through a server."""


class Stopping(Exception):
    """The server ends: what is open goes on when it is started again."""


class Working:
    """The ledger is the queue: what is in memory only says what to look at next."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="daybook-work")
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._under_way: set[int] = set()

    def put(self, actor: Actor, upload: int) -> None:
        with self._changed:
            if self._stopping.is_set() or upload in self._under_way:
                return
            self._under_way.add(upload)
        self._threads.submit(self._go_on, actor, upload).add_done_callback(
            lambda done: self._done(upload, done)
        )

    @property
    def under_way(self) -> int:
        """How many uploads are processed, or wait for it."""
        return len(self._under_way)

    def waited_for(self, upload: int, seconds: float) -> bool:
        """Whether work on an upload has ended, waiting for it that long."""
        with self._changed:
            return self._changed.wait_for(
                lambda: upload not in self._under_way or self._stopping.is_set(), timeout=seconds
            )

    def take_up(self) -> None:
        """Goes on with what was left open when a server ended. Each upload goes on under the user who brought it."""
        with self._serving.ledger.reading() as (transaction, head):
            rows = transaction.run(
                f"SELECT id FROM uploads_{head.live_slot} WHERE status = 'validated' ORDER BY id"
            ).fetchall()
            events = [
                event for (number,) in rows for event in log.read_stream(transaction, f"upload/{number}")[:1]
            ]
        for event in events:
            via = orjson.loads(event.via)
            if via.get("interface") in _HERE and via.get("authentication") in AUTHENTICATIONS[2:]:
                actor = Actor(
                    event.actor,
                    INTERFACE,
                    authentication=via["authentication"],
                    token=via.get("token"),
                    on_behalf_of=via.get("on_behalf_of"),
                )
                self.put(actor, event.position)

    def stop(self) -> None:
        """What is being written is written; the rest stays open until the next start."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _go_on(self, actor: Actor, upload: int) -> None:
        def progress(_done: int, _total: int) -> None:
            if self._stopping.is_set():
                raise Stopping

        go_on(self._serving.daybook(actor), upload, roots=self._serving.settings.roots, progress=progress)

    def _done(self, upload: int, done: "Future[None]") -> None:
        with self._changed:
            self._under_way.discard(upload)
            self._changed.notify_all()
        with contextlib.suppress(Exception):
            error = None if done.cancelled() else done.exception()
            if error is None or isinstance(error, Stopping):
                return
            if isinstance(error, Refusal):  # a disk that is full, a role that was revoked: it stays open
                LOG.warning("work refused", extra={"refusal": error.code})
            else:
                incident, _ = record(error, verb="serve: stage 3", beside=self._serving.folder)
                LOG.error("incident", extra={"refusal": incident})
