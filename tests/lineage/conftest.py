import pytest

from tests.deletion.desk import Desk
from tests.intake.conftest import lab
from tests.intake.lab import Lab
from tests.projections.conftest import shared_database

__all__ = ["lab", "shared_database"]


@pytest.fixture
def desk(lab: Lab) -> Desk:  # noqa: F811
    return Desk(lab)
