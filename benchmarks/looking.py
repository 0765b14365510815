"""Looking at one record, at a page of the past, and at a proof, in a ledger of a million events and in a small one."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import looking_back
from benchmarks.databases import new_ledger
from benchmarks.history import add_a_lab, fill
from benchmarks.measure import Measure, seconds, slower
from commands.cli.main import cli
from commands.door.submit import Daybook
from ledger import log
from ledger.merkle import verify_inclusion
from ledger.proofs import StoredTree, prove_inclusion

SMALL = 10_000
VERBS = ("show", "why", "history", "trace")
_ROUNDS = 15


def measures(place: Path, server: str | None, events: int) -> Iterator[Measure]:
    name = "SQLite" if server is None else "PostgreSQL"
    small, large = new_ledger(place, server), new_ledger(place, server)
    fill(small.database, min(SMALL, events))
    requests_open = add_a_lab(large.database)
    fill(large.database, events)
    yield from _one_record(small, large, name)
    yield from _the_past(large, name, events)
    yield from looking_back.measures(large, name, requests_open)
    yield from _proofs(large, name)
    small.close()
    large.close()


def run(daybook: Daybook, *arguments: str) -> None:
    """A verb in this process: all that it does but the start of Python and its imports. Opening the ledger counts."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    url = daybook.database.address.text
    with redirect_stdout(stream):
        code = cli.main(["--db", url, *arguments], standalone_mode=False)
        stream.flush()
    if code:
        raise AssertionError(f"daybook {' '.join(arguments)} ended with {code}")


def _one_record(small: Daybook, large: Daybook, name: str) -> Iterator[Measure]:
    slowest = 0.0
    for verb in VERBS:
        ours, theirs = [], []
        for round_ in range(_ROUNDS + 1):
            # another record every time, far apart: not what was read a moment ago
            pair = [
                seconds(partial(run, daybook, verb, _session(daybook, round_))) for daybook in (large, small)
            ]
            if round_:  # the first one imports
                ours.append(pair[0])
                theirs.append(pair[1])
        slowest = max(slowest, median(ours))
        yield slower(
            f"{verb} of one session among {_size(large):,} events, {name}",
            f"the same among {_size(small):,}",
            (median(ours), median(theirs)),
            2.0,
        )
    yield slower(f"the slowest of these four, {name}", "the limit", (slowest, 0.05), 1.0)


def _session(daybook: Daybook, number: int) -> str:
    with daybook.reading() as world:
        table, spread = world.state.sessions.table, world.head.size * (number + 1) // (_ROUNDS + 2)
        row = world.transaction.run(f"SELECT min(id) FROM {table} WHERE id > ?", (spread,)).fetchone()
    return f"s{row[0]}"


def _the_past(large: Daybook, name: str, events: int) -> Iterator[Measure]:
    moment = str(events // 2)
    page = ("sessions", "--as-of", moment, "--limit", "100", "--json")
    for title, filters in (
        ("of a subject", ("--subject", "10001")),
        ("of a user, waiting", ("--user", "user_3", "--status", "waiting")),
    ):
        times = [seconds(partial(run, large, *page, *filters)) for _ in range(5)]
        yield slower(
            f"sessions --as-of the middle, 100 {title}, {name}", "the limit", (median(times), 2.0), 1.0
        )


def _proofs(large: Daybook, name: str) -> Iterator[Measure]:
    """In an open ledger: making a proof, and checking it."""
    making, checking = [], []
    for round_ in range(_ROUNDS):
        with large.reading() as world:
            size, root = world.head.size, world.head.compact_range.root()
            position = 1 + size * round_ // _ROUNDS
            leaf = bytes(
                world.transaction.run(
                    "SELECT leaf_sha256 FROM events WHERE position = ?", (position,)
                ).fetchone()[0]
            )
            proof: list[bytes] = []

            def prove() -> None:
                tree = StoredTree(world.transaction)
                proof[:] = prove_inclusion(tree, position=position, leaf=leaf, size=size, root=root)  # noqa: B023

            making.append(seconds(prove))
        checking.append(
            seconds(
                lambda: verify_inclusion(leaf=leaf, index=position - 1, size=size, proof=proof, root=root)  # noqa: B023
            )
        )
    yield slower(f"an inclusion proof, {name}", "the limit", (median(making), 0.01), 1.0)
    if name == "SQLite":
        yield slower("checking an inclusion proof", "the limit", (median(checking), 0.001), 1.0)


def _size(daybook: Daybook) -> int:
    with daybook.database.reading() as transaction:
        return log.read_head(transaction).size
