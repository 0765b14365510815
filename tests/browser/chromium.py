"""Find a Chromium to play pages in: an installed one, else Playwright's own, else the system's package.

Where there is none, a run of the checks fails; anywhere else these tests are skipped, loudly.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_LONGEST_S = 300  # for a download


def chromium(own: str) -> Path:
    """``own`` is where Playwright would keep one. Fails under CI, and skips elsewhere, where there is none."""
    with (Path(tempfile.gettempdir()) / f"daybook-chromium-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes of a suite look for it at once
        found = _installed() or _playwrights(Path(own)) or _from_the_system()
    if found is None:
        said = "there is no Chromium here, and none could be installed, so no page is played in a browser"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(f"LOUD: {said}")
    return found


def _installed() -> Path | None:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return None if found is None else Path(found)


def _playwrights(own: Path) -> Path | None:
    if not own.exists():
        _try(sys.executable, "-m", "playwright", "install", "chromium")
    return own if own.exists() else None


def _from_the_system() -> Path | None:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return None
    if not _try(apt, "install", "-y", "--no-install-recommends", "chromium"):
        _try(apt, "update")
        _try(apt, "install", "-y", "--no-install-recommends", "chromium")
    return _installed()


def _try(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=_LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
