import pytest

from tests.deletion.desk import Desk
from tests.intake.conftest import lab
from tests.intake.lab import Lab

__all__ = ["lab"]


@pytest.fixture
def desk(lab: Lab) -> Desk:
    return Desk(lab)
