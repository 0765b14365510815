from tests.deletion.conftest import desk, lab

__all__ = ["desk", "lab"]
