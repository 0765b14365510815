"""Processes that share a long computation over the log. The only module that starts any."""

import gc
import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor


def process_pool(workers: int, *modules: str) -> ProcessPoolExecutor:
    """A pool whose processes open the database anew, make no cycles, and leave a Ctrl-C to their parent.

    They are not forked from this process: SQLite's locks do not survive that, and it may have an open connection. Where
    they can be, the ``modules`` are imported once for all of them.
    """
    available = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in available else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(list(modules))
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
