"""Keep what is needed to mend a fault of the program: a redacted traceback under an incident id.

An incident file holds program lines and names of exceptions. It never holds values of locals, contents of
files or passwords: the message of an exception is kept only where its type says that it quotes no data.
"""

import contextlib
import os
import platform
import sys
import tempfile
import traceback
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ledger import __version__
from ledger.addresses import without_secrets

_QUOTES_NO_DATA = (
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
    TypeError,
)
_CHAIN = 10
_FRAMES = 60


def record(error: BaseException, *, verb: str, beside: Path | None) -> tuple[str, Path | None]:
    """Write the incident file; returns its id and where it is, or None where no place could be written.

    ``verb`` is the command that failed, ``beside`` the SQLite database's folder, if there is one.
    """
    incident = uuid.uuid4().hex[:12]
    text = "\n".join([*_head(incident, verb), *_lines(error)]) + "\n"
    for folder in _folders(beside):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"{incident}.txt"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(without_secrets(text))
            return incident, path
    return incident, None


def _folders(beside: Path | None) -> Iterator[Path]:
    if beside is not None and beside.is_dir():
        yield beside / "daybook-incidents"
    state = os.environ.get("XDG_STATE_HOME")
    if state and Path(state).is_absolute():
        yield Path(state) / "daybook" / "incidents"
    else:
        with contextlib.suppress(RuntimeError):  # a user without a home
            yield Path.home() / ".local" / "state" / "daybook" / "incidents"
    yield (
        Path(tempfile.gettempdir()) / f"daybook-incidents-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    )


def _head(incident: str, verb: str) -> list[str]:
    return [
        f"incident {incident}",
        f"at       {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"daybook  {__version__}, {verb}",
        f"python   {sys.version.split()[0]} on {platform.platform()}",
        "",
    ]


def _lines(error: BaseException) -> Iterator[str]:
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen and len(seen) < _CHAIN:
        if seen:
            yield "caused by"
        seen.append(link)
        yield f"{type(link).__module__}.{type(link).__qualname__}: {_message(link)}"
        frames = traceback.extract_tb(link.__traceback__)
        for frame in frames[-_FRAMES:]:
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
            yield f"    {frame.line}"
        link = link.__cause__ or link.__context__


def _message(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"errno {error.errno}: {error.strerror}"
    if isinstance(error, _QUOTES_NO_DATA):
        return " ".join(str(error).split())[:300]
    return "(its message is left out: it may quote data)"
