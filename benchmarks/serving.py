"""The server: a record over HTTP against the same in process, and its pages, alone and with readers and a writer.

The server is a process of its own, as `daybook serve` starts it; who asks is this one.
"""

import http.client
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count as count_from
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter, sleep
from urllib.parse import urlsplit

from benchmarks.databases import analyse, new_ledger
from benchmarks.history import add_a_lab, check, fill
from benchmarks.measure import Measure, in_turn, slower
from commands.accounts.sign_ins import Origin, begun
from commands.accounts.tokens import create_token
from commands.answers.document import json_text
from commands.answers.record import record
from commands.door.actor import Actor
from commands.door.submit import Daybook
from projections.references import find

SMALL = 10_000
READERS = 20
A_PAGE, THE_SLOWEST = 0.05, 0.15
_ADDED = 0.003
_ROUNDS = 41
_NUMBERS = count_from(1)
_LISTS = (
    "/",
    "/sessions",
    "/clusterings",
    "/uploads",
    "/requests",
    "/subjects",
    "/log",
    "/audit",
    "/people",
    "/lab",
)


def measures(place: Path, server: str | None, events: int, for_s: float) -> Iterator[Measure]:
    name = "SQLite" if server is None else "PostgreSQL"
    small, large = new_ledger(place, server), new_ledger(place, server)
    fill(small.database, min(SMALL, events))
    add_a_lab(large.database)
    fill(large.database, events)
    analyse(large)
    with serving(small, place) as of_small, serving(large, place) as of_large:
        yield _a_record(large, of_large, name)
        yield from _pages(of_small, of_large, name)
        yield from _in_company(large, of_large, name, for_s)
    small.close()
    large.close()


class Asking:
    """One client: by a ``token`` of the API, and by the cookie of a sign-in for pages."""

    def __init__(self, address: str, token: str, cookie: str, pages: tuple[str, ...]) -> None:
        self.host, self.token, self.cookie, self.pages = urlsplit(address).netloc, token, cookie, pages
        self._connection = http.client.HTTPConnection(self.host)

    def again(self) -> "Asking":
        """Another, with a connection of its own."""
        return Asking(f"http://{self.host}", self.token, self.cookie, self.pages)

    def get(self, path: str) -> bytes:
        headers = {"Cookie": f"daybook={self.cookie}"}
        if path.startswith("/api/"):
            headers = {"Authorization": f"Bearer {self.token}"}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status != 200:
            raise AssertionError(f"{path} was answered with {answer.status}")
        return read


def _environment() -> dict[str, str]:
    """The packages of this checkout, wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


@contextmanager
def serving(daybook: Daybook, place: Path) -> Iterator[Asking]:
    """A server of this ledger, which keeps its key in ``place``, and who has signed in there."""
    user = daybook.actor.user
    signed = Actor(user, "api", authentication="password")
    _, token = create_token(Daybook(daybook.ledger, signed), "a benchmark")
    with daybook.database.writing() as transaction:
        _, cookie = begun(transaction, user, "password", Origin("", "", "cookie", "web"))
    command = [
        sys.executable,
        "-m",
        "commands.cli",
        "--db",
        daybook.database.address.text,
        "serve",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=place, env=_environment(), text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert token is not None
            address = process.stdout.readline().strip()
            session = _a_session(daybook)
            pages = (*_LISTS, f"/sessions/{session}", f"/sessions/{session}?as_of={_size(daybook) // 2}")
            yield Asking(address, token, cookie, pages)
        finally:
            process.terminate()


def _a_session(daybook: Daybook) -> str:
    """One of the older half."""
    with daybook.reading() as world:
        rows = world.transaction.run(
            f"SELECT min(id) FROM {world.state.sessions.table} WHERE id > ?", (world.head.size // 4,)
        )
        return f"s{rows.fetchone()[0]}"


def _size(daybook: Daybook) -> int:
    with daybook.reading() as world:
        return world.head.size


def _a_record(daybook: Daybook, asking: Asking, name: str) -> Measure:
    session = _a_session(daybook)

    def here() -> None:
        with daybook.reading() as world:
            json_text(record(world, find(world.transaction, world.head.live_slot, session)), indent=False)

    over, alone = in_turn(partial(asking.get, f"/api/v1/records/{session}"), here, rounds=_ROUNDS)
    return slower(f"what HTTP adds to one record, {name}", "the limit", (over - alone, _ADDED), 1.0)


def _pages(of_small: Asking, of_large: Asking, name: str) -> Iterator[Measure]:
    for large, small in zip(of_large.pages, of_small.pages, strict=True):
        for asking, path in ((of_large, large), (of_small, small)):
            asking.get(path)
        pair = in_turn(partial(of_large.get, large), partial(of_small.get, small), rounds=_ROUNDS)
        title = _pattern(large)
        yield slower(f"the page {title}, {name}", "the limit", (pair[0], A_PAGE), 1.0)
        yield slower(f"the page {title}, {name}", f"the same of {SMALL:,} events", pair, 2.0)


def _pattern(path: str) -> str:
    plain, _, query = path.partition("?")
    named = f"{plain.rpartition('/')[0]}/…" if plain.count("/") > 1 else plain
    return f"{named} as of the middle" if query else named


def _in_company(daybook: Daybook, asking: Asking, name: str, for_s: float) -> Iterator[Measure]:
    """Each reader asks once a second; one writes as fast as it can."""
    alone = _written(daybook, for_s / 3, lambda: None)
    took: list[float] = []
    ending = monotonic() + for_s
    readers = [
        threading.Thread(target=_read, args=(asking.again(), number, ending, took))
        for number in range(READERS)
    ]

    def begin() -> None:
        for each in readers:
            each.start()

    beside = _written(daybook, for_s, begin)
    for each in readers:
        each.join()
    slowest = quantiles(took, n=100)[98]
    yield slower(
        f"a page with {READERS} readers and a writer, {name}", "the limit", (median(took), A_PAGE), 1.0
    )
    yield slower(f"the same, the 99th of 100, {name}", "the limit", (slowest, THE_SLOWEST), 1.0)
    yield Measure(
        f"a writer beside {READERS} readers, {name}", "alone", beside / alone, 0.7, False, f"{beside:,.0f}/s",
        f"{alone:,.0f}/s",
    )  # fmt: skip


def _read(asking: Asking, number: int, ending: float, took: list[float]) -> None:
    sleep(number / READERS)
    while (began := perf_counter()) and monotonic() < ending:
        asking.get(asking.pages[number % len(asking.pages)])
        took.append(perf_counter() - began)
        number += 1
        sleep(max(0.0, 1 - (perf_counter() - began)))


def _written(daybook: Daybook, for_s: float, begin: Callable[[], None]) -> float:
    """Commands a second, through the door."""
    begin()
    began, count = perf_counter(), 0
    while perf_counter() - began < for_s:
        daybook.submit(check(next(_NUMBERS), 1))
        count += 1
    return count / (perf_counter() - began)
