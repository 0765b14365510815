"""Small session trees from the field, laid out where a test can change them."""

import re
import shutil
from pathlib import Path

_LINK = re.compile(r"a symbolic link from (\S+) to (\S+)")


def lay(cases: Path, name: str, place: Path) -> Path:
    """A copy of one case: with its own path for ``CASE`` in its input files, and with the links that it describes."""
    case = place / name
    shutil.copytree(cases / name, case, symlinks=True)
    for file in case.glob("*.yml"):
        file.write_text(file.read_text(encoding="utf-8").replace("CASE", str(case)), encoding="utf-8")
    for file in case.rglob("*.link.txt"):
        described = _LINK.match(file.read_text(encoding="utf-8"))
        assert described, file
        (file.parent / described[1]).symlink_to(described[2], target_is_directory=True)
        file.unlink()
    return case
