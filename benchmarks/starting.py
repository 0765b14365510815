"""Start-up: part of the feel of a command line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.databases import new_ledger
from benchmarks.measure import Measure, in_turn, slower

VERBS = ("sessions", "why u1", "history u1", "log")
_ROUNDS = 9


def measures(place: Path) -> Iterator[Measure]:
    daybook = str(Path(sys.executable).with_name("daybook"))
    pair = in_turn(
        lambda: subprocess.run([daybook, "--help"], check=True, capture_output=True),
        lambda: subprocess.run([sys.executable, "-c", "import click"], check=True, capture_output=True),
        rounds=15,
    )
    yield slower("daybook --help", 'python -c "import click"', pair, 2.0)
    daybook_db = new_ledger(place, None)
    address = daybook_db.database.address.text
    daybook_db.close()
    for verb in VERBS:
        own = [sys.executable, "-m", "commands.cli", "--db", address, *verb.split()]
        bare = [sys.executable, "-c", "import sqlalchemy, click"]
        pairs = [(_cpu(own), _cpu(bare)) for _ in range(_ROUNDS)]
        both = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        yield slower(
            f"CPU of {verb} on an empty ledger, SQLite", 'python -c "import sqlalchemy, click"', both, 1.3
        )


def _cpu(command: list[str]) -> float:
    """Of a whole process, whatever else the machine does."""
    before = os.times()
    subprocess.run(command, check=False, capture_output=True)
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)
