"""Processes that share a long computation over the log. The only module that starts any."""

import gc
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def process_pool(workers: int) -> ProcessPoolExecutor:
    """A pool whose processes open the database anew, make no cycles, and leave a Ctrl-C to their parent.

    They are forked where that is safe, which spares them half a second of imports: on Linux, from a process
    without other threads.
    """
    method = "fork" if sys.platform == "linux" and threading.active_count() == 1 else "forkserver"
    return ProcessPoolExecutor(workers, mp_context=get_context(method), initializer=_begin)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
