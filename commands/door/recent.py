"""The last commands of whoever works here: a few lines in a file of his or her own, for a report of a fault.

It may be lost, and fails nothing. A face says what may be kept of them.
"""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

KEPT = 20
_LARGEST = 64 << 10  # bytes, before the older half goes
_FILE = "commands"


def state_folder() -> Path | None:
    """Where this user's own files of Daybook are kept; None without a home."""
    state = os.environ.get("XDG_STATE_HOME")
    if state and Path(state).is_absolute():
        return Path(state) / "daybook"
    try:
        return Path.home() / ".local" / "state" / "daybook"
    except RuntimeError:
        return None


def note(command: str, code: int, *, user: str | None = None) -> None:
    """``user`` is who it claimed to be."""
    folder = state_folder()
    if folder is None:
        return
    line = f"{datetime.now(UTC).isoformat(timespec='seconds')}\t{user or ''}\t{code}\t{command}\n"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / _FILE
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(line)
            size = stream.tell()
        if size > _LARGEST:
            text = file.read_text(encoding="utf-8", errors="replace")
            aside = file.with_name(f".{_FILE}.{os.getpid()}")
            aside.write_text(text[len(text) // 2 :].partition("\n")[2], encoding="utf-8")
            aside.chmod(0o600)
            aside.replace(file)


def recent(user: str | None = None, *, limit: int = KEPT) -> list[str]:
    """The newest last; of those that claimed to be this user, or nobody else."""
    folder = state_folder()
    if folder is None:
        return []
    try:
        lines = (folder / _FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = [line.split("\t", 3) for line in lines]
    own = [parts for parts in found if len(parts) == 4 and parts[1] == (user or "")]
    return [f"{at} exit {code}: {command}" for at, _, code, command in own[-limit:]]
