"""Archives and queries take no more memory of a ledger that is four times as long: the peak of a process of its own.

On PostgreSQL, whose pages are not in this process: of SQLite there are 64 MB at most, which takes a larger ledger to fill.
"""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.history import fill
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.setup import initialise
from tests.conftest import ROOT, create_database, drop_database
from tests.patience import PATIENCE_S

EVENTS = 8_000
MOST_MORE = 1.25
"""Times as much; what is copied is four times as much, and would show if it was kept."""
ENGINE = "24MB"
"""What the engine may keep, so that what is copied of these ledgers does not fit, as what is copied of large ones."""

_CHILD = f"""
import re, sys
from pathlib import Path
from commands.analysis import engine
engine.MEMORY = "{ENGINE}"
from commands.analysis.checking import check_archive
from commands.analysis.creating import create_archive
from commands.answers.query.asking import query
from commands.door.actor import Actor
from commands.door.submit import Daybook

daybook, folder = Daybook.open(sys.argv[1], Actor("user_1")), Path(sys.argv[2])
made = create_archive(daybook, folder / "archive", events=2048, key_file=folder / "daybook.key")
checked = check_archive(folder / "archive", daybook)
counts = [made.archived_to, checked.events]
for sql, archive in (("FROM events", None), ("FROM events", folder / "archive"), ("FROM sessions", None)):
    with daybook.reading() as world:
        answer = query(world, sql, archive=archive)
    counts.append(sum(1 for _ in answer.rows))
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1], *counts)
"""


def taken(server: str, folder: Path, events: int) -> tuple[int, list[int]]:
    """The most memory that the process took, in kB, and how many rows there were in what it did."""
    folder.mkdir()
    url = create_database(server)
    try:
        initialise(url, Actor("user_1"), key_directory=folder)
        daybook = Daybook.open(url, Actor("user_1"))
        fill(daybook.database, events)
        daybook.close()
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, url, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        memory, *counts = map(int, done.stdout.split())
        return memory, counts
    finally:
        drop_database(server, url)


def test_no_more_memory_is_taken_of_a_ledger_that_is_four_times_as_long(
    postgresql_server: str, tmp_path: Path
) -> None:
    of_short, short = taken(postgresql_server, tmp_path / "short", EVENTS)
    of_long, long = taken(postgresql_server, tmp_path / "long", 4 * EVENTS)

    assert all(many > 2.5 * few > 0 for few, many in zip(short, long, strict=True)), (short, long)
    assert of_long < MOST_MORE * of_short, (of_short, of_long)
