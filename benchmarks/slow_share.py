"""Validating and uploading on a slow share: one where every call on a path takes some milliseconds more.

Slow are the calls of this process itself, which are counted: against them, one after the other.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.databases import new_ledger
from benchmarks.measure import Measure, seconds, slower
from benchmarks.reading import LIMITS, load_lab, write_lab
from commands.intake.uploading import upload
from commands.intake.validation import validate
from commands.recordings.roots import Roots

CALL_S = 0.02
_CALLS = ("open", "scandir", "listdir", "stat", "lstat", "access", "readlink")


def measures(place: Path, sessions: int) -> Iterator[Measure]:
    root = place / "N"
    data = write_lab(root, sessions)
    roots = Roots.of({"N:": [str(root)]})
    daybook = new_ledger(place, None)
    load_lab(daybook)
    given = {"filename": "a.yml", "roots": roots, "limits": LIMITS}
    for name, work in (
        ("validate", lambda: validate(daybook, data, **given)),
        ("upload", lambda: upload(daybook, data, **given)),
    ):
        with slow(root) as calls:
            took = seconds(work)
        yield slower(
            f"{name} {sessions} new sessions on a share where a call takes {CALL_S * 1000:.0f} ms",
            f"its {calls():,} calls one after the other",
            (took, calls() * CALL_S),
            0.12,
        )
    daybook.close()


@contextmanager
def slow(root: Path) -> Iterator[Callable[[], int]]:
    """As long, calls on paths under ``root`` take longer. Gives how many there were."""
    counted, lock, below = [0], threading.Lock(), str(root)
    real = {name: getattr(os, name) for name in _CALLS}

    def slowed(call: Callable[..., Any]) -> Callable[..., Any]:
        def slower_call(path: Any, *args: Any, **options: Any) -> Any:
            if not isinstance(path, int) and (options.get("dir_fd") or os.fspath(path).startswith(below)):
                with lock:
                    counted[0] += 1
                time.sleep(CALL_S)
            return call(path, *args, **options)

        return slower_call

    for name, call in real.items():
        setattr(os, name, slowed(call))
    try:
        yield lambda: counted[0]
    finally:
        for name, call in real.items():
            setattr(os, name, call)
