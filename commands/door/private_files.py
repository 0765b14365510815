"""Files that are for their owner alone: keys, tokens. What the system says of who may read them."""

import os
import stat
from pathlib import Path

OWN, OF_GROUP = 0o600, 0o640


def has_modes() -> bool:
    """Whether the system says of a file who may read it; Windows does not in this way."""
    return os.name != "nt"


def mode_of(file: Path) -> int:
    """Raises OSError."""
    return stat.S_IMODE(file.stat().st_mode)
