"""A server of each test's ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts.conftest import quick_passwords
from tests.cli.conftest import folder, sample
from tests.serving import Server

__all__ = ["Server", "folder", "quick_passwords", "sample", "server"]


@pytest.fixture
def server(ledger_url: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(ledger_url, tmp_path)
    yield made
    made.close()
