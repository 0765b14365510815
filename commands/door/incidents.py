"""Keep what is needed to mend a fault of the program: a redacted traceback under an incident id.

An incident file holds program lines and names of exceptions, the command and those before it. It never holds values of
locals, contents of files or passwords: the message of an exception is kept only where its type says that it quotes no
data.
"""

import contextlib
import os
import platform
import re
import sys
import tempfile
import traceback
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from commands.door.recent import state_folder
from ledger import __version__
from ledger.addresses import without_secrets

if TYPE_CHECKING:
    from ledger.database import Database

_QUOTES_NO_DATA = (
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
    TypeError,
)
_NAME = re.compile(r"[0-9a-f]{12}\.txt")
_LONGEST = 100_000  # characters of one that is shown
_CHAIN = 10
_FRAMES = 60


@dataclass(frozen=True, slots=True)
class Around:
    """What somebody was doing: the command, those before it, and whom to ask."""

    command: str | None = None
    before: Sequence[str] = ()
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One that was kept. ``at`` is in UTC; ``verb`` what failed."""

    incident: str
    at: str
    verb: str
    file: str


def record(
    error: BaseException, *, verb: str, beside: Path | None, around: Around = Around()
) -> tuple[str, Path | None]:
    """Write the incident file; returns its id and where it is, or None where no place could be written.

    ``verb`` is the command that failed, ``beside`` the SQLite database's folder, if there is one.
    """
    incident = uuid.uuid4().hex[:12]
    text = "\n".join([*_head(incident, verb), *_around(around), *_lines(error)]) + "\n"
    for folder in _folders(beside):
        path = folder / f"{incident}.txt"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(without_secrets(text))
        except OSError:  # the disk is full
            with contextlib.suppress(OSError):
                path.unlink()
            continue
        return incident, path
    return incident, None


def record_beside(error: BaseException, *, verb: str, database: "Database | None") -> str:
    """Of a fault in one of several, where the others go on; returns the id. Kept beside a SQLite ledger."""
    return record(error, verb=verb, beside=None if database is None else folder_beside(database))[0]


def folder_beside(database: "Database") -> Path | None:
    """That of a SQLite ledger."""
    address = database.address
    return Path(address.database).absolute().parent if address.backend == "sqlite" else None


def kept(beside: Path | None) -> list[Incident]:
    """Those that can be read here, the newest last."""
    found = []
    for folder in _folders(beside):
        with contextlib.suppress(OSError):
            found += [_read(file) for file in sorted(folder.iterdir()) if _NAME.fullmatch(file.name)]
    return sorted((each for each in found if each is not None), key=lambda each: (each.at, each.incident))


def text_of(incident: Incident) -> str:
    """What is kept of it. Raises OSError."""
    return Path(incident.file).read_text(encoding="utf-8", errors="replace")[:_LONGEST]


def _read(file: Path) -> Incident | None:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            head = dict(line.strip().partition(" ")[::2] for line in islice(stream, 3))
    except OSError:
        return None
    verb = head.get("daybook", "").partition(", ")[2]
    return Incident(incident=file.stem, at=head.get("at", "").strip(), verb=verb, file=str(file))


def _around(around: Around) -> Iterator[str]:
    if around.command is not None:
        yield f"command  {around.command}"
    if around.contact is not None:
        yield f"contact  {around.contact}"
    yield from (f"before   {each}" for each in around.before)
    if around != Around():
        yield ""


def _folders(beside: Path | None) -> Iterator[Path]:
    if beside is not None and beside.is_dir():
        yield beside / "daybook-incidents"
    state = state_folder()
    if state is not None:
        yield state / "incidents"
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
