"""Followers of a ledger."""

from tests.cli.conftest import folder, run, run_here, sample, stocked

__all__ = ["folder", "run", "run_here", "sample", "stocked"]
