"""A ledger to look at, and the command line."""

from tests.cli.conftest import folder, run, sample, stocked

__all__ = ["folder", "run", "sample", "stocked"]
