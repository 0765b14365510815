from tests.intake.conftest import lab

__all__ = ["lab"]
