"""Run a fuzz target for some time: ``python -m tests.fuzz inputfile --seconds 600 [--seed 1]``; ``all`` shares the time.

Ends with 1 and the seed of the case at the first one that fails.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from tests.fuzz import commandlines, described, http, inputfile, recordings

TARGETS: Mapping[str, Callable[[int], None]] = {
    "inputfile": inputfile.one_case,
    "recordings": recordings.one_case,
    "commandlines": commandlines.one_case,
    "http": http.one_case,
    "described": described.one_case,
}


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz")
    arguments.add_argument("target", choices=[*TARGETS, "all"])
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=0, help="of the first case")
    given = arguments.parse_args()
    targets = list(TARGETS) if given.target == "all" else [given.target]
    return max(_fuzz(target, given.seed, given.seconds / len(targets)) for target in targets)


def _fuzz(target: str, first: int, seconds: float) -> int:
    seed, end = first, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            TARGETS[target](seed)
        except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
            traceback.print_exc()
            print(
                f"{target}: case {seed} failed; again: python -m tests.fuzz {target} --seed {seed} --seconds 0.001"
            )
            return 1
        seed += 1
    print(f"{target}: {seed - first:,} cases, from seed {first}: nothing found")
    return 0


sys.exit(main())
