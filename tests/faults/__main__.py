"""Every fault so many times: ``python -m tests.faults [--seed 0] [--count 20] [--write docs/reliability.md]``.

Ends with 1 at the first that does not hold, and says what repeats it.
"""

import argparse
import sys
import traceback
from multiprocessing import set_forkserver_preload
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.server import own_server
from tests.faults.suite import rows, table, written_into


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.faults")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--count", type=int, default=20, help="of each fault on each database")
    arguments.add_argument("--write", type=Path, help="write the table into this page")
    given = arguments.parse_args()
    found = []
    set_forkserver_preload(["tests.faults.children"])
    with TemporaryDirectory(prefix="daybook-faults-") as folder, own_server() as server:
        try:
            for row in rows(Path(folder), server, seed=given.seed, count=given.count):
                found.append(row)
                print(row.line(), flush=True)
        except AssertionError:
            traceback.print_exc()
            return 1
    if given.write:
        page = given.write.read_text(encoding="utf-8")
        given.write.write_text(written_into(page, table(found, seed=given.seed)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
