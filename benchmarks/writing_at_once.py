"""Many writers at once: threads of one process, as in a server, that submit the smallest command through the full door.

The curve for 1, 4, 16 and 64 of them. A ratio is of the same ledger with one writer, in the same run.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.databases import new_ledger
from benchmarks.history import check
from benchmarks.measure import Measure, seconds
from commands.door.ledger import Ledger
from commands.door.submit import Daybook

WRITERS = (1, 4, 16, 64)
CONNECTIONS = 16  # of a server
_ROUNDS = 3


def measures(place: Path, server: str | None, *, commands: int) -> Iterator[Measure]:
    """Each number of writers carries out as many ``commands``, in turn with one writer."""
    on = "SQLite" if server is None else "PostgreSQL"
    opened = new_ledger(place, server)
    ledger = Ledger.open(opened.database.address.text, connections=CONNECTIONS)
    numbers = iter(range(10**9))

    def rate(writers: int) -> float:
        return commands / seconds(lambda: _write(ledger, opened, writers, commands // writers, numbers))

    rate(4)  # caches, connections, statements
    rates: dict[int, list[float]] = {writers: [] for writers in WRITERS}
    for _ in range(_ROUNDS):
        for writers in WRITERS:
            rates[writers].append(rate(writers))
    ledger.close()
    opened.close()
    one = median(rates[1])
    for writers in WRITERS[1:]:
        found = median(rates[writers])
        aim = 2.0 if writers == 16 and server is not None else 1.0
        name = f"appends through the door, {writers} writers at once, {on}"
        yield Measure(name, "one writer", found / one, aim, False, f"{found:,.0f}/s", f"{one:,.0f}/s")


def _write(ledger: Ledger, opened: Daybook, writers: int, each: int, numbers: Iterator[int]) -> None:
    failures: list[BaseException] = []

    def write(mine: list[int]) -> None:
        daybook = Daybook(ledger, opened.actor)
        try:
            for number in mine:
                daybook.submit(check(number, 1))
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=([next(numbers) for _ in range(each)],)) for _ in range(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
