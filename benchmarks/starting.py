"""Start-up: part of the feel of a command line."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measure, in_turn, slower


def measures() -> Iterator[Measure]:
    daybook = str(Path(sys.executable).with_name("daybook"))
    pair = in_turn(
        lambda: subprocess.run([daybook, "--help"], check=True, capture_output=True),
        lambda: subprocess.run([sys.executable, "-c", "import click"], check=True, capture_output=True),
        rounds=15,
    )
    yield slower("daybook --help", 'python -c "import click"', pair, 2.0)
