import pytest

from tests.cli.conftest import folder, run, run_here
from tests.deletion.desk import Desk
from tests.intake.conftest import lab
from tests.intake.lab import Lab
from tests.projections.conftest import shared_database

__all__ = ["folder", "lab", "run", "run_here", "shared_database"]


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)
