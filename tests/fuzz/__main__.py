"""Run a fuzz target for some time: ``python -m tests.fuzz inputfile --seconds 600 [--seed 1]``.

Ends with 1 and the seed of the case at the first one that fails.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from tests.fuzz import inputfile

TARGETS: Mapping[str, Callable[[int], None]] = {"inputfile": inputfile.one_case}


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz")
    arguments.add_argument("target", choices=TARGETS)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=0, help="of the first case")
    given = arguments.parse_args()
    seed, end = given.seed, time.monotonic() + given.seconds
    while time.monotonic() < end:
        try:
            TARGETS[given.target](seed)
        except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
            traceback.print_exc()
            print(f"{given.target}: case {seed} failed; again: --seed {seed} --seconds 0.001")
            return 1
        seed += 1
    print(f"{given.target}: {seed - given.seed:,} cases, from seed {given.seed}: nothing found")
    return 0


sys.exit(main())
