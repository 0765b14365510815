"""Read a file that is small by its nature, whatever stands in its place: settings, a key, a checkpoint, a cache."""

import errno
from pathlib import Path

SMALL_BYTES = 1 << 20


def read_small(file: Path, *, limit: int = SMALL_BYTES) -> bytes:
    """Raises OSError, also where the file is larger than ``limit`` bytes: of those no more is read."""
    with file.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise OSError(
            errno.EFBIG, f"it is larger than {limit:,} bytes, which such a file never is", str(file)
        )
    return data
