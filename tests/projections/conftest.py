"""A ledger that several tests share, each of which goes on where the one before ended; and a new one for each example."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.verify import verify
from tests.conftest import drop_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    url = ledger_templates(request.param, tmp_path_factory.mktemp("shared"))
    opened = Database(url)
    yield opened
    opened.close()
    ahead = getattr(request.module, "CLOCK_RUNS_AHEAD", False)
    assert [each for each in verify(url).problems if not (ahead and each.code == "time-ahead")] == []


@pytest.fixture
def new_databases(
    request: pytest.FixtureRequest,
    ledger_templates: Callable[[str, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], AbstractContextManager[Database]]:
    @contextmanager
    def new(kind: str) -> Iterator[Database]:
        url = ledger_templates(kind, tmp_path_factory.mktemp("example"))
        opened = Database(url)
        try:
            yield opened
        finally:
            opened.close()
        assert verify(url).problems == []
        if kind == "postgresql":
            drop_database(request.getfixturevalue("postgresql_server"), url)

    return new
