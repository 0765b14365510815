"""A ledger that the examples of a property test share: each of them goes on where the one before ended."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.verify import verify


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
