"""Open folders and files name by name, none of them through a link. The only module that knows whether the system has
folders that can be opened and opened from.

Where it has none (Windows), a folder goes by its path. Then a name is looked at before it is opened, and the open file
is compared with what was looked at: what was exchanged in between is refused, not read.
"""

import errno
import os
import stat
from pathlib import Path

HAS_OPEN_FOLDERS = (
    os.open in os.supports_dir_fd
    and os.scandir in os.supports_fd
    and hasattr(os, "O_DIRECTORY")
    and hasattr(os, "O_NOFOLLOW")
)
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_OPEN |= getattr(os, "O_NONBLOCK", 0)  # a named pipe must not be waited for
_FILE = _OPEN | getattr(os, "O_NOFOLLOW", 0)
_FOLDER = _OPEN | getattr(os, "O_DIRECTORY", 0)

Folder = int | str
"""An open folder, or its path."""


def open_folder(path: str) -> Folder:
    """A directory by its path, which may lead through links. Raises OSError."""
    if HAS_OPEN_FOLDERS:
        return os.open(path, _FOLDER)
    if not stat.S_ISDIR(Path(path).stat().st_mode):
        raise _error(errno.ENOTDIR, path)
    return path


def folder_in(folder: Folder, name: str) -> Folder:
    """A folder in an open one. Raises OSError, with ELOOP for a link."""
    if isinstance(folder, int):
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    path = f"{folder}/{name}"
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise _error(errno.ELOOP, path)
    if not stat.S_ISDIR(mode):
        raise _error(errno.ENOTDIR, path)
    return path


def first_folder(path: str) -> Folder:
    """The folder of this path, whose last name is no link. Raises OSError."""
    if HAS_OPEN_FOLDERS:
        return os.open(path, _FOLDER | os.O_NOFOLLOW)
    above, _, name = path.rpartition("/")
    return folder_in(above, name)


def file_in(folder: Folder, name: str) -> int:
    """A file in an open folder. Raises OSError, with ELOOP for a link."""
    if isinstance(folder, int):
        return os.open(name, _FILE, dir_fd=folder)
    return file_at(f"{folder}/{name}")


def file_at(path: str) -> int:
    """A file by a path whose last name is no link. Raises OSError."""
    if HAS_OPEN_FOLDERS:
        return os.open(path, _FILE)
    before = os.lstat(path)
    if stat.S_ISLNK(before.st_mode):
        raise _error(errno.ELOOP, path)
    descriptor = os.open(path, _FILE)
    if not os.path.samestat(before, os.fstat(descriptor)):
        os.close(descriptor)
        raise _error(errno.ESTALE, path)
    return descriptor


def close(folder: Folder) -> None:
    if isinstance(folder, int):
        os.close(folder)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
