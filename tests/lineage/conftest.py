import pytest

from tests.cli.conftest import folder, run, sample, stocked
from tests.deletion.desk import Desk
from tests.intake.conftest import lab
from tests.intake.lab import Lab
from tests.projections.conftest import shared_database

__all__ = ["folder", "lab", "run", "sample", "shared_database", "stocked"]


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)
