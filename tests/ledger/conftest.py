"""An opened database for tests that go below the door."""

from collections.abc import Iterator

import pytest

from ledger.database import Database


@pytest.fixture
def database(ledger_url: str) -> Iterator[Database]:
    opened = Database(ledger_url)
    yield opened
    opened.close()
