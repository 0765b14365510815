"""List the files of a session directory and read the small ones, within bounds. The only reader module that
touches the disk.

Directories reached through a symbolic link are never entered. A linked file is read only where its target
stays inside ``within``. Hidden names and the housekeeping folders of file servers are not looked at, nor are
folders that hold only curated output (``SKIPPED``). Everything else that cannot be listed is an error: a
folder that is left out silently could be a probe that is left out silently.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from commands.recordings.session import NotASession, UnreadableSession

MAX_ENTRIES = 200_000
"""Entries looked at under one directory. A session has hundreds, a logger's raw folder thousands."""

MAX_DEPTH = 24

HOUSEKEEPING = frozenset(["$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle"])
SKIPPED = HOUSEKEEPING | {"curations", "klusta"}

_READ = 1 << 16
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # opening a named pipe must not wait for a writer
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Found(NamedTuple):
    """One file that was asked for. ``folder`` is relative to the directory listed (``""``: that itself)."""

    folder: str
    name: str

    @property
    def file(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True, slots=True)
class Listing:
    """``folders`` are those entered, ``linked`` links to others; ``seen`` counts the entries looked at."""

    found: list[Found]
    folders: list[str]
    linked: list[str]
    seen: int


def shown(name: str | os.PathLike[str]) -> str:
    """A file name as it can be printed and stored: undecodable bytes and control characters spelled out."""
    text = os.fspath(name)
    if text.isprintable() and text.isascii():
        return text
    if not text.isascii():
        text = text.encode("utf-8", "surrogateescape" if _escaped(text) else "backslashreplace").decode(
            "utf-8", "backslashreplace"
        )
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def list_files(
    directory: str | Path,
    endings: tuple[str, ...],
    *,
    within: str | Path | None = None,
    skipped: frozenset[str] = SKIPPED,
) -> Listing:
    """Find the files under ``directory`` whose names end, in lower case, with one of ``endings``; sorted.

    ``within`` (default: the directory itself) is where the targets of linked files must lie.
    Raises NotASession (no directory there, too many or too deep folders), UnreadableSession.
    """
    root = os.fspath(directory)
    found: list[Found] = []
    folders: list[str] = []
    linked: list[str] = []
    pending = [""]
    seen = 0
    while pending:
        folder = pending.pop()
        if folder.count("/") >= MAX_DEPTH:
            raise _too_deep(root, folder)
        try:
            with os.scandir(f"{root}/{folder}" if folder else root) as entries:
                for entry in entries:
                    name = entry.name
                    seen += 1
                    if name[0] == ".":
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if name.lower() not in skipped:
                            pending.append(f"{folder}/{name}" if folder else name)
                            folders.append(pending[-1])
                    elif name.lower().endswith(endings):
                        if not entry.is_file(follow_symlinks=False):
                            _check_special(entry, root, within)
                        found.append(Found(folder, name))
                    elif entry.is_symlink() and _is_directory(entry):
                        linked.append(f"{folder}/{name}" if folder else name)
                    if seen > MAX_ENTRIES:
                        raise _too_many(root)
        except (OSError, ValueError) as error:
            raise _unlistable(root, folder, error) from error
    found.sort()
    for each in found:
        if not (each.folder.isascii() and each.name.isascii()):
            _check_name(each.file)
    return Listing(found, folders, linked, seen)


def find_here(directory: str | Path, name: str, *, within: str | Path | None = None) -> str | None:
    """The file directly in ``directory`` whose name is ``name`` but for case, or None. Exact case wins."""
    matches = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.lower() == name:
                    if not entry.is_file(follow_symlinks=False):
                        _check_special(entry, os.fspath(directory), within)
                    matches.append(entry.name)
    except OSError as error:
        raise _unlistable(os.fspath(directory), "", error) from error
    return max(matches, key=lambda match: (match == name, match), default=None)


def file_times(directory: str | Path, folder: str) -> dict[str, float]:
    """When the files directly in a folder were last modified, in seconds since 1970. Not the hidden ones."""
    times: dict[str, float] = {}
    try:
        with os.scandir(f"{os.fspath(directory)}/{folder}" if folder else directory) as entries:
            for entry in entries:
                if entry.name[0] != "." and entry.is_file():
                    times[entry.name] = entry.stat().st_mtime
    except OSError as error:
        raise unreadable(folder or os.fspath(directory), error) from error
    return times


def read_file(directory: str | Path, file: str, *, limit: int, head: bool = False) -> bytes:
    """Read a small file whole, or with ``head`` at most its first ``limit`` bytes.

    Raises UnreadableSession where it is longer than ``limit``, empty, gone, or not readable.
    """
    try:
        fd = os.open(f"{os.fspath(directory)}/{file}", _FLAGS)
        try:
            data = os.read(fd, min(limit, _READ))
            if len(data) == limit and head:
                return data
            more = os.read(fd, _READ) if data else b""
            if more:
                parts = [data, more]
                length = len(data) + len(more)
                while more and length <= limit:
                    more = os.read(fd, _READ)
                    parts.append(more)
                    length += len(more)
                data = b"".join(parts)
        finally:
            os.close(fd)
    except OSError as error:
        raise unreadable(file, error) from error
    if not data:
        raise UnreadableSession(
            "empty-file", f"{shown(file)} is empty.", "Copy it again from the acquisition computer."
        )
    if len(data) > limit:
        if head:
            return data[:limit]
        raise UnreadableSession(
            "file-too-large",
            f"{shown(file)} is larger than {limit:,} bytes, far more than such a file has.",
            "Is it perhaps a data file with the wrong name?",
        )
    return data


def unreadable(file: str, error: OSError) -> UnreadableSession:
    """The problem that an operating system's error about ``file`` means."""
    name = shown(file)
    if isinstance(error, FileNotFoundError):
        return UnreadableSession(
            "session-changing",
            f"{name} disappeared while the session directory was being read.",
            "Somebody is moving or copying it. Try again when that is done.",
        )
    if isinstance(error, PermissionError):
        return UnreadableSession(
            "permission-denied",
            f"{name} may not be read: permission denied.",
            "Ask its owner to let this program's account read it.",
        )
    return UnreadableSession("unreadable", f"{name} cannot be read: {error.strerror or error}.")


def _unlistable(root: str, folder: str, error: OSError | ValueError) -> NotASession | UnreadableSession:
    if isinstance(error, ValueError) or (not folder and isinstance(error, FileNotFoundError)):
        return NotASession("not-found", f"{shown(root)} does not exist.", "Check the spelling and the mount.")
    if not folder and isinstance(error, NotADirectoryError):
        return NotASession(
            "not-a-directory", f"{shown(root)} is a file.", "Give the directory that holds the recordings."
        )
    return unreadable(folder or root, error)


def _too_many(root: str) -> NotASession:
    return NotASession(
        "too-many-files",
        f"{shown(root)} holds more than {MAX_ENTRIES:,} files and folders: too many for one session.",
        "Give the directory of one session, not of a subject or a share.",
    )


def _too_deep(root: str, folder: str) -> NotASession:
    return NotASession(
        "too-deep",
        f"{shown(root)} holds folders nested more than {MAX_DEPTH} deep: {shown(folder)[:200]}.",
        "Give the directory of one session.",
    )


def _escaped(text: str) -> bool:
    """Whether every surrogate in ``text`` stands for a byte of an undecodable file name."""
    return all(not "\ud800" <= c <= "\udfff" or "\udc80" <= c <= "\udcff" for c in text)


def _check_name(file: str) -> None:
    try:
        file.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableSession(
            "undecodable-name",
            f"The name of {shown(file)} is not valid UTF-8.",
            "Rename the file or its folder, with plain letters.",
        ) from error


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads nowhere, or round in a circle


def _check_special(entry: os.DirEntry[str], root: str, within: str | Path | None) -> None:
    """Let through what is a link to a regular file inside ``within``; raise for everything else."""
    name = shown(os.path.relpath(entry.path, root))
    if not entry.is_symlink():
        raise UnreadableSession(
            "not-a-file", f"{name} is not a regular file.", "Copy the recording's own file."
        )
    try:
        target = os.path.realpath(entry.path, strict=True)
    except OSError as error:
        raise UnreadableSession(
            "broken-link", f"{name} is a symbolic link that leads nowhere.", "Copy the file itself."
        ) from error
    allowed = os.path.realpath(within or root)
    if os.path.commonpath([target, allowed]) != allowed:
        raise UnreadableSession(
            "link-leaves-directory",
            f"{name} is a symbolic link that leads out of {shown(allowed)}.",
            "Copy the file itself into the session directory.",
        )
    if not Path(target).is_file():
        raise UnreadableSession(
            "not-a-file", f"{name} is not a link to a regular file.", "Copy the file itself."
        )
