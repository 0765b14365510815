"""An opened database for tests that go below the door."""

import multiprocessing
from collections.abc import Iterator

import pytest

from ledger.database import Database

multiprocessing.set_forkserver_preload(
    ["tests.ledger.writing", "tests.ledger.killing"]
)  # a child then starts in milliseconds


@pytest.fixture
def database(ledger_url: str) -> Iterator[Database]:
    opened = Database(ledger_url)
    yield opened
    opened.close()
