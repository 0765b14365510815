"""List the files of a session directory and read the small ones, within bounds. The only reader module that
touches the disk.

What is read is what was looked at. A directory is walked through open folders, each opened from the one above it
and never through a symbolic link; a file is opened from its folder, and is looked at through the open file before
a byte is read. A linked file is resolved once: its target must lie inside ``within``, and is opened from there name
by name. Named pipes and devices are not opened. Hidden names and the housekeeping folders of file servers are not
looked at, nor are folders that hold only curated output (``SKIPPED``). Everything else that cannot be listed is an
error: a folder that is left out silently could be a probe that is left out silently.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from commands.recordings import opening
from commands.recordings.disk_problems import (
    OF_THE_SYSTEM,
    check_name,
    not_a_file,
    shown,
    too_deep,
    too_large,
    too_many,
    unlistable,
    unreadable,
)
from commands.recordings.opening import Folder
from commands.recordings.session import UnreadableSession

__all__ = ["OF_THE_SYSTEM", "check_name", "list_files", "read_file", "shown", "unreadable"]

MAX_ENTRIES = 200_000
"""Entries looked at under one directory. A session has hundreds, a logger's raw folder thousands."""

MAX_DEPTH = 24

HOUSEKEEPING = frozenset(["$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle"])
SKIPPED = HOUSEKEEPING | {"curations", "klusta"}

_KEPT_FOLDERS = 8
"""Of one listing, kept open so that a file costs one call; files in further folders are opened from the top."""

_READ = 1 << 16


class Found(NamedTuple):
    """One file that was asked for. ``folder`` is relative to the directory listed (``""``: that itself)."""

    folder: str
    name: str

    @property
    def file(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


class Folders:
    """Open folders of one listing, by their path in it. They are closed once nobody holds the listing."""

    def __init__(self) -> None:
        self._open: dict[str, Folder] = {}

    def __del__(self, close: Callable[[Folder], None] = opening.close) -> None:
        for opened in self._open.values():
            close(opened)

    def keep(self, folder: str, descriptor: Folder) -> bool:
        """Take over an open folder; False where there are enough, and the caller closes it."""
        if folder and len(self._open) >= _KEPT_FOLDERS:
            return False
        self._open[folder] = descriptor
        return True

    def get(self, folder: str) -> Folder | None:
        return self._open.get(folder)


@dataclass(frozen=True, slots=True)
class Listing:
    """``folders`` are those entered, ``linked`` links to others; ``seen`` counts the entries looked at.

    Of the files found, ``links`` are symbolic links, ``special`` neither files nor links. ``within`` is where links
    may lead.
    """

    found: list[Found]
    folders: list[str]
    linked: list[str]
    seen: int
    links: frozenset[str]
    special: frozenset[str]
    within: str
    opened: Folders


def list_files(
    directory: str | Path,
    endings: tuple[str, ...],
    *,
    within: str | Path | None = None,
    skipped: frozenset[str] = SKIPPED,
) -> Listing:
    """Find the files under ``directory`` whose names end, in lower case, with one of ``endings``; sorted.

    ``within`` (default: the directory itself) is where the targets of linked files must lie; links are found
    here, and followed by ``read_file``.
    Raises NotASession (no directory there, too many or too deep folders), UnreadableSession.
    """
    root = os.fspath(directory)
    walk = _Walk(root, endings, skipped)
    try:
        descriptor = opening.open_folder(root)
    except (OSError, ValueError) as error:
        raise unlistable(root, "", error) from error
    walk.opened.keep("", descriptor)
    walk.enter("", descriptor)
    walk.found.sort()
    return Listing(
        walk.found,
        walk.folders,
        walk.linked,
        walk.seen,
        frozenset(walk.links),
        frozenset(walk.special),
        os.fspath(within or root),
        walk.opened,
    )


class _Walk:
    """One walk through a directory. A folder is opened from the one above it, which is still open then."""

    def __init__(self, root: str, endings: tuple[str, ...], skipped: frozenset[str]) -> None:
        self.root, self.endings, self.skipped = root, endings, skipped
        self.found: list[Found] = []
        self.folders: list[str] = []
        self.linked: list[str] = []
        self.links: list[str] = []
        self.special: list[str] = []
        self.seen = 0
        self.opened = Folders()

    def enter(self, folder: str, descriptor: Folder) -> None:
        if folder.count("/") >= MAX_DEPTH:
            raise too_deep(self.root, folder, MAX_DEPTH)
        try:
            inner = self._entries(folder, descriptor)
        except OSError as error:
            raise unlistable(self.root, folder, error) from error
        for name in sorted(inner):
            path = f"{folder}/{name}" if folder else name
            self.folders.append(path)
            before = len(self.found)
            try:
                below = opening.folder_in(descriptor, name)
            except OSError as error:
                raise unlistable(self.root, path, error) from error
            kept = False
            try:
                self.enter(path, below)
                holds_files = any(found.folder == path for found in self.found[before:])
                kept = holds_files and self.opened.keep(path, below)
            finally:
                if not kept:
                    opening.close(below)

    def _entries(self, folder: str, descriptor: Folder) -> list[str]:
        """Note what is in a folder; the names of the folders in it."""
        inner = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name
                self.seen += 1
                if self.seen > MAX_ENTRIES:
                    raise too_many(self.root, MAX_ENTRIES)
                if name[0] == ".":
                    continue
                lowered = name.lower()
                if entry.is_dir(follow_symlinks=False):
                    if lowered not in self.skipped:
                        inner.append(name)
                elif lowered.endswith(self.endings):
                    found = Found(folder, name)
                    self.found.append(found)
                    if not entry.is_file(follow_symlinks=False):
                        (self.links if entry.is_symlink() else self.special).append(found.file)
                elif entry.is_symlink() and _is_directory(entry):
                    self.linked.append(f"{folder}/{name}" if folder else name)
        return inner


def names_in(directory: str | Path) -> list[str]:
    """The names directly in a directory; none where it cannot be listed."""
    try:
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []


def file_times(directory: str | Path, folder: str, names: Iterable[str] | None = None) -> dict[str, float]:
    """When files directly in a folder were last modified, in seconds since 1970: of ``names`` those that are there,
    or all but the hidden ones."""
    place = f"{os.fspath(directory)}/{folder}" if folder else os.fspath(directory)
    times: dict[str, float] = {}
    try:
        if names is None:
            with os.scandir(place) as entries:
                names = [entry.name for entry in entries if entry.name[0] != "." and entry.is_file()]
        for name in names:
            try:
                times[name] = Path(f"{place}/{name}").stat().st_mtime
            except FileNotFoundError:
                continue
    except OSError as error:
        raise unreadable(folder or os.fspath(directory), error) from error
    return times


def read_file(
    directory: str | Path,
    file: str,
    *,
    limit: int,
    head: bool = False,
    within: str | Path | None = None,
    listing: Listing | None = None,
) -> bytes:
    """Read a small file whole, or with ``head`` at most its first ``limit`` bytes. In memory that ``limit`` bounds.

    ``listing`` of the directory saves opening its folders again, and says where links may lead; without one
    ``within`` says it (default: the directory itself).
    Raises UnreadableSession where it is longer than ``limit``, empty, gone, no regular file, or not readable.
    """
    root = os.fspath(directory)
    if listing is not None:
        within = listing.within
        check_kind(file, listing)
    try:
        descriptor = _open(root, file, within or root, listing)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise not_a_file(file)
            if status.st_size > limit and not head:
                raise too_large(file, limit)
            data = _read(descriptor, limit if head else limit + 1, status.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(file, error) from error
    if not data:
        raise UnreadableSession(
            "empty-file",
            f"{shown(file)} is empty.",
            "Copy it again; where it was written so, the acquisition did not end as it should.",
        )
    if len(data) > limit:
        raise too_large(file, limit)
    return data


def check_kind(file: str, listing: Listing) -> None:
    """Raise where a listed file is a named pipe or a device: these are not even opened."""
    if file in listing.special:
        raise not_a_file(file)


def _read(descriptor: int, most: int, size: int) -> bytes:
    """At most ``most`` bytes of a file that has ``size``, or meanwhile more: then it is read on to its end."""
    data = os.read(descriptor, min(most, size + 1))
    if not data or len(data) == most or len(data) == size:
        return data
    parts = [data]
    length = len(data)
    while length < most and (data := os.read(descriptor, min(most - length, _READ))):
        parts.append(data)
        length += len(data)
    return b"".join(parts) if len(parts) > 1 else parts[0]


def _open(root: str, file: str, within: str | Path, listing: Listing | None) -> int:
    """A descriptor of a file, through no link but its own, and not that if it was listed as a file.

    Raises OSError, UnreadableSession.
    """
    folder, _, name = file.rpartition("/")
    above = listing.opened.get(folder) if listing is not None else None
    try:
        if above is not None:
            return opening.file_in(above, name)
        return _open_below(root, file.split("/"))
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK) or (listing and file not in listing.links):
            raise
    return _open_link(root, file, within)


def _open_below(directory: str, names: Sequence[str]) -> int:
    """Open a file name by name: none of them may be a link, and what was opened stays what it is."""
    if len(names) == 1:
        return opening.file_at(f"{directory}/{names[0]}")
    folder = opening.first_folder(f"{directory}/{names[0]}")
    try:
        for name in names[1:-1]:
            below = opening.folder_in(folder, name)
            opening.close(folder)
            folder = below
        return opening.file_in(folder, names[-1])
    finally:
        opening.close(folder)


def _open_link(root: str, file: str, within: str | Path) -> int:
    """Follow a link once, to a regular file inside ``within``. Raises OSError, UnreadableSession."""
    try:
        target = os.path.realpath(f"{root}/{file}", strict=True)
    except OSError as error:
        raise UnreadableSession(
            "broken-link",
            f"{shown(file)} is a symbolic link that leads nowhere.",
            "Get the file that it stands for (datalad get, git annex get), or copy the file itself.",
        ) from error
    allowed = os.path.realpath(within)
    if os.path.commonpath([target, allowed]) != allowed or target == allowed:
        raise UnreadableSession(
            "link-leaves-directory",
            f"{shown(file)} is a symbolic link that leads out of {shown(allowed)}.",
            "Copy the file itself into the session directory.",
        )
    if not stat.S_ISREG(os.lstat(target).st_mode):
        raise not_a_file(file)
    return _open_below(allowed.rstrip("/"), os.path.relpath(target, allowed).replace(os.sep, "/").split("/"))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads nowhere, or round in a circle
