"""Make what was written into a folder last through a power cut: the names in it, besides the files."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Returns when the disk has the names; where the system syncs no folders, at once."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
