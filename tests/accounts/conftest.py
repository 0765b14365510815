"""The command line on a fresh ledger, as in tests/cli."""

from tests.cli.conftest import folder, run, run_here

__all__ = ["folder", "run", "run_here"]
