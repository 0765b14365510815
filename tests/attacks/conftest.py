from tests.cli.conftest import folder, run, sample, stocked

__all__ = ["folder", "run", "sample", "stocked"]
