from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.door.submit import Daybook
from commands.recordings.roots import Roots
from tests.intake.lab import CATALOGUE, Lab, load_catalogue


@pytest.fixture
def lab(ledger_url: str, daybook: Daybook, tmp_path: Path) -> Iterator[Lab]:
    """A ledger of user_1 with a filled catalogue, and the share N: with the folders rec and joint."""
    share = tmp_path / "N"
    (share / "rec").mkdir(parents=True)
    (share / "joint").mkdir()
    load_catalogue(daybook, CATALOGUE)
    found = Lab(ledger_url, daybook, share / "rec", Roots.of({"N:": [str(share)]}))
    yield found
    found.close()
