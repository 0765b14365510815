"""The command line on a fresh ledger, as in tests/cli; and passwords that are checked in no time."""

import pytest

from commands.accounts import passwords
from tests.accounts.people import QUICK
from tests.cli.conftest import folder, run, run_here

__all__ = ["folder", "run", "run_here"]


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they cost is tested by itself."""
    monkeypatch.setattr(passwords, "HASHER", QUICK)
