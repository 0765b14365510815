"""Random histories, and the lab of the main job, to look back on."""

from tests.intake.conftest import lab as lab
from tests.projections.conftest import shared_database as shared_database
