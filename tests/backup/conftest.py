"""Backups of a ledger on either database, and places to restore them to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import folder, run, run_here, sample, stocked
from tests.conftest import create_database, drop_database

__all__ = ["folder", "run", "run_here", "sample", "stocked"]


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, ledger_url: str, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Addresses of places on the same kind of database where there is no ledger."""
    made: list[str] = []

    def place() -> str:
        if ledger_url.startswith("sqlite"):
            url = f"sqlite:///{tmp_path / f'elsewhere-{len(made)}.db'}"
        else:
            url = create_database(request.getfixturevalue("postgresql_server"))
        made.append(url)
        return url

    yield place
    if not ledger_url.startswith("sqlite"):
        for url in made:
            drop_database(request.getfixturevalue("postgresql_server"), url)
