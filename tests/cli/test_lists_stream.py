"""A list of everything takes no more memory of a ledger that is twice as long: none of its rows are kept."""

import io
import tracemalloc
from contextlib import redirect_stdout

import pytest

from benchmarks.history import fill
from commands.cli.main import cli
from commands.door.actor import Actor
from commands.door.submit import Daybook
from commands.moving.setup import initialise

EVENTS = 15_000  # so that a page of each list is full: of log 10,000, of sessions and clusterings less


class Counted(io.RawIOBase):
    """Takes what is printed, and keeps nothing of it."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        written = len(data)  # type: ignore[arg-type]
        self.size += written
        return written


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    urls = []
    for events in (EVENTS, 2 * EVENTS):
        folder = tmp_path_factory.mktemp("ledger")
        url = f"sqlite:///{folder / 'daybook.db'}"
        initialise(url, Actor("user_1"), key_directory=folder)
        daybook = Daybook.open(url, Actor("user_1"))
        fill(daybook.database, events)
        daybook.close()
        urls.append(url)
    return urls


def printed(url: str, *arguments: str) -> tuple[int, int]:
    """How many bytes were printed, and the most that Python's objects took meanwhile."""
    raw = Counted()
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")
    tracemalloc.start()
    try:
        with redirect_stdout(stream):
            assert not cli.main(["--db", url, *arguments], standalone_mode=False)
            stream.flush()
        return raw.size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("verb", ["log", "sessions", "clusterings"])
def test_everything_is_listed_in_the_memory_of_a_page(ledgers: list[str], verb: str) -> None:
    arguments = (verb, "--json", "--limit", "0")
    printed(ledgers[0], *arguments)  # what is imported stays

    (half, of_half), (whole, of_whole) = (printed(url, *arguments) for url in ledgers)

    assert whole > 1.9 * half
    assert of_whole < 1.3 * of_half
