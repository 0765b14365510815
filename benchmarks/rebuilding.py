"""A ledger of a million events: rebuilding every projection, and verifying the whole log."""

import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from benchmarks.databases import ACTOR, new_ledger
from benchmarks.history import fill
from benchmarks.measure import Measure, faster, seconds
from benchmarks.peer_ledger import Fold, Session, application
from commands.door.submit import Daybook
from commands.lab.catalogue import AddReferenceValue
from ledger.envelope import leaf_data
from ledger.log import COLUMNS
from ledger.merkle import CompactRange, leaf_hash
from ledger.verify import verify
from projections.rebuild import Rebuilt, rebuild

PEER_EVENTS = 50_000


def measures(place: Path, server: str | None, events: int) -> Iterator[Measure]:
    name = "SQLite" if server is None else "PostgreSQL"
    daybook = new_ledger(place, server)
    fill(daybook.database, events)
    raw, own, rebuilt = [], [], []
    for _ in range(3):
        raw.append(seconds(lambda: _read_raw(daybook)))
        result = rebuild(daybook.database)
        own.append(result.seconds)
        rebuilt.append(result)
    count = rebuilt[0].events
    pair = (median(own), median(raw))
    yield faster(
        f"rebuild of {count:,} events, all projections, written, {name}",
        "raw read of the same rows",
        pair,
        count,
        0.35,
    )
    yield _against_fold(place, name, count / median(own))
    print(f"  {name}: {_pauses(daybook, rebuilt)}", flush=True)
    yield _verify(daybook, name, count)
    daybook.close()


def _read_raw(daybook: Daybook) -> int:
    """Every column of every event, in keyset pages, through the bare driver."""
    after, count = 0, 0
    sql = f"SELECT {', '.join(COLUMNS)} FROM events WHERE position > ? ORDER BY position LIMIT 10000"
    with daybook.database.reading() as transaction:
        while rows := transaction.run(sql, (after,)).fetchall():
            count += len(rows)
            after = rows[-1][0]
    return count


def _against_fold(place: Path, name: str, rate: float) -> Measure:
    """The peer reads its own events back into a dictionary: on SQLite, its faster recorder."""
    peer = application(None, place)
    for start in range(0, PEER_EVENTS, 1000):
        peer.save(*(Session("0/12345", f"N:/project/{start + i}", {"tasks": []}) for i in range(1000)))
    theirs = median(seconds(lambda: Fold().run(peer)) for _ in range(3))
    peer.close()
    ours = PEER_EVENTS / rate
    return faster(f"rebuild, {name}", "eventsourcing's fold to a dict", (ours, theirs), PEER_EVENTS, 2.0)


def _pauses(daybook: Daybook, rebuilt: list[Rebuilt]) -> str:
    """The longest that a writer beside a rebuild had to wait, as the writer saw it."""
    longest, stop = [0.0], threading.Event()

    def write() -> None:
        writer = Daybook.open(daybook.database.address.text, ACTOR)
        number = 0
        while not stop.is_set():
            began = perf_counter()
            writer.submit(AddReferenceValue(table="reference.ArenaObject", value=f"object_{number}"))
            longest[0] = max(longest[0], perf_counter() - began)
            number += 1
            sleep(0.002)
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    rebuild(daybook.database)
    stop.set()
    thread.join()
    return (
        f"the longest pause of a writer beside a rebuild was {longest[0] * 1000:.0f} ms "
        f"(longest transaction of the rebuild alone: {max(r.longest_pause_s for r in rebuilt) * 1000:.0f} ms)"
    )


def _verify(daybook: Daybook, name: str, count: int) -> Measure:
    rows = _all_rows(daybook)
    bare = median(seconds(lambda: _hash_bare(rows)) for _ in range(3))
    url = daybook.database.address.text
    own = median(seconds(lambda: verify(url)) for _ in range(3))
    return faster(
        f"verify {count:,} events, {name}", "hashing the same bytes in a bare loop", (own, bare), count, 0.6
    )


def _all_rows(daybook: Daybook) -> list[tuple[bytes, bytes]]:
    """Payload and leaf bytes of every event, ready to hash."""
    found = []
    with daybook.database.reading() as transaction:
        for row in transaction.run(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position"):
            values: Any = (*row[:13], bytes(row[13]))
            found.append((row[14].encode(), leaf_data(values)))
    return found


def _hash_bare(rows: list[tuple[bytes, bytes]]) -> bytes:
    leaves = []
    for payload, leaf in rows:
        sha256(payload).digest()
        leaves.append(leaf_hash(leaf))
    return CompactRange().extend(leaves).root()
