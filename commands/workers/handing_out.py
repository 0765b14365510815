"""Take jobs of the queue, beside a follower that fills it: what a worker does on PostgreSQL."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from commands.door.logs import LOG
from commands.workers.following import follow, forget
from commands.workers.hearing import hear_libraries, hear_tasks, note
from commands.workers.planning import Work
from commands.workers.queue import LOST, LostLease, Queue, Running, arguments_of
from commands.workers.running import TIMED_EVERY_S, Told, Working
from ledger.errors import LedgerUnavailable

_AGAIN_S = 2.0


def hand_out(working: Working) -> None:
    """Until a signal to stop, or nothing can be done any more. Raises what ``run`` raises."""
    arguments = arguments_of(working.ledger.database)
    queue = Queue(arguments)
    hear_libraries()
    asked, refill = 0.0, working.options.refill

    def step() -> None:
        nonlocal asked, refill
        timed = time.monotonic() - asked >= TIMED_EVERY_S
        try:
            if refill:
                forget(queue)
                refill = False
            if follow(working.daybook(), queue, working.roots, timed=timed) is not None and timed:
                asked = time.monotonic()
        except LOST:
            queue.close()
            raise

    threads = [
        threading.Thread(target=working.keep_seen, daemon=True),
        threading.Thread(target=working.step_each, args=(step, LOST), daemon=True),
    ]
    try:
        asyncio.run(_take(working, arguments, threads))
    finally:
        try:
            working.close()
        finally:
            for thread in threads:
                if thread.is_alive():
                    thread.join(5)
            queue.close()


async def _take(working: Working, arguments: dict[str, Any], threads: list[threading.Thread]) -> None:
    loop = asyncio.get_running_loop()
    hear_tasks(loop, (*LOST, LostLease, LedgerUnavailable))
    running: list[Running] = []

    async def do(work: Work) -> None:
        await loop.run_in_executor(working.pool, working.do, work)

    def stop() -> None:
        working.stopping.set()
        for one in running:
            one.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    watching = asyncio.create_task(_stop_with(working, stop))
    for thread in threads:
        thread.start()
    working.tell(Told("begun"))
    while not working.stopping.is_set():
        running[:] = [
            Running(
                arguments, do, working.host.takeable, concurrency=working.options.concurrency,
                lease_s=working.options.lease_s,
            )
        ]  # fmt: skip
        try:
            await running[0].run()
        except (*LOST, LostLease, LedgerUnavailable) as lost:
            LOG.warning("the queue was lost: %s", type(lost).__name__)
        except Exception as error:  # noqa: BLE001 - a fault of the program: it is noted, and it begins anew
            note(error, "work: the queue")
        if not working.stopping.is_set():  # the server went away, or others took this worker for dead
            await asyncio.sleep(_AGAIN_S)
    watching.cancel()


async def _stop_with(working: Working, stop: Callable[[], None]) -> None:
    """What a thread found can end the worker, too. It is said again: one that just begins forgets that it was said."""
    while True:
        await asyncio.sleep(0.2)
        if working.stopping.is_set():
            stop()
