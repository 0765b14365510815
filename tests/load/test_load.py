"""The short form of ``make load``: five seconds each."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MEMORY
from tests.load.running import of_the_database, of_the_server

pytestmark = pytest.mark.filterwarnings("ignore")  # of the server's package, where there is no login session


@pytest.fixture
def database() -> Iterator[Path]:
    """A short path, because Unix sockets need one."""
    folder = (MEMORY or Path("/tmp")) / f"daybook-load-{uuid.uuid4().hex[:8]}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_nothing_is_lost_when_postgresql_is_restarted_under_many_clients(
    tmp_path: Path, database: Path
) -> None:
    found = of_the_database(tmp_path, database, seconds=5)

    assert len(found.acknowledged) >= 8


def test_nothing_is_lost_when_the_server_is_killed_under_uploads(tmp_path: Path) -> None:
    found = of_the_server(tmp_path, seconds=5)

    assert len(found.acknowledged) >= 8 and sum(found.lost.values()) > 0
