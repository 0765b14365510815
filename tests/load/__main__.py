"""The long form: ``python -m tests.load --seconds 60``."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.load.running import of_the_database, of_the_server


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.load")
    arguments.add_argument("--seconds", type=float, default=60)
    seconds = arguments.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="daybook-load-") as folder:
        here = Path(folder)
        here.chmod(0o755)
        for name in ("a", "b"):
            (here / name).mkdir()
        for what, found in (
            ("PostgreSQL restarted", lambda: of_the_database(here / "a", here / "pg", seconds=seconds)),
            ("the server killed", lambda: of_the_server(here / "b", seconds=seconds)),
        ):
            ended = found()
            answers = ", ".join(f"{number:,} x {status}" for status, number in sorted(ended.answers.items()))
            print(
                f"{what}: {len(ended.acknowledged):,} uploads acknowledged, none lost, none twice; {answers}"
            )
    return 0


sys.exit(main())
