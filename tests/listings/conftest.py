"""Random histories, and the lab of the main job, to look back on."""

from tests.deletion.conftest import desk
from tests.intake.conftest import lab
from tests.projections.conftest import shared_database

__all__ = ["desk", "lab", "shared_database"]
