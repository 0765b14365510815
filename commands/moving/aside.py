"""A new ledger waits beside its name until it is whole: its SQLite file, and its signing key. The only module that puts
these into place, or removes them.

Nothing that exists is ever overwritten, and only what this process made is removed. Wherever it is killed, there is
either no ledger or a whole one; the ledger finds a key that still waits then.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from itertools import groupby
from pathlib import Path

from ledger import signing_keys
from ledger.addresses import address_of
from ledger.database import Database
from ledger.errors import LedgerUnavailable
from ledger.folders import sync_folder
from ledger.signing_keys import CheckpointError
from ledger.urls import checked

_SIDE_FILES = ("-wal", "-shm", "-journal")
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger is made: at ``url``. A SQLite file that is not there yet is ``waiting`` first, beside ``path``."""

    url: str
    path: Path | None = None
    waiting: Path | None = None

    def arrive(self) -> None:
        """The ledger is whole, and closed. Raises FileExistsError where somebody else has made one meanwhile."""
        if self.path is None or self.waiting is None:
            return
        Database(self.url, role=None).empty_journal()
        sync_folder(self.waiting)
        _put(self.waiting, self.path)


@contextmanager
def place_for(url: str) -> Iterator[Place]:
    """Raises LedgerUnavailable where no file can be made."""
    address = checked(url)
    path = Path(os.path.realpath(address.database)) if address.backend == "sqlite" else None
    if path is None or os.path.lexists(path):
        if path is not None and not path.is_file() and not path.is_dir():
            raise LedgerUnavailable("not-a-database", f"{path} is no file.", "Choose another ledger.")
        yield Place(url)
        return
    waiting = waiting_name(path)
    try:
        os.close(os.open(waiting, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LedgerUnavailable(
            "no-folder",
            f"There is no folder {path.parent} to make the ledger in.",
            "Create it, or choose another ledger.",
        ) from error
    except (OSError, ValueError) as error:
        raise LedgerUnavailable(
            "folder-not-writable",
            f"The ledger cannot be made in {path.parent}: {getattr(error, 'strerror', None) or error}.",
            "Make the folder writable for you, or choose another ledger.",
        ) from error
    try:
        yield Place(address_of(str(waiting)), path, waiting)
    finally:
        for name in (waiting.name, *(f"{waiting.name}{ending}" for ending in _SIDE_FILES)):
            waiting.with_name(name).unlink(missing_ok=True)


def waiting_name(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")


def left_behind(path: Path) -> list[list[Path]]:
    """What waits beside a ledger or a key: left by processes that were killed, or theirs who are still at it, which
    nobody can tell. Each with the files that SQLite keeps beside it."""
    files = sorted(path.parent.glob(f"{escape(path.name)}.????????.new*"))
    own = len(f"{path.name}.01234567.new")
    return [list(group) for _, group in groupby(files, key=lambda each: each.name[:own])]


@contextmanager
def key_for(path: Path, is_needed: Callable[[Path], bool]) -> Iterator[Path]:
    """The name under which a new key waits for its ledger. It is removed where there is none that ``is_needed`` by."""
    waiting = waiting_name(path)
    try:
        yield waiting
    except BaseException:
        if waiting.exists() and not is_needed(waiting):
            waiting.unlink(missing_ok=True)
        raise


def find_key(path: Path, public_key: str) -> bool:
    """Put the private half of this public key into place, if it still waits for that. Returns whether it is there."""
    for waiting in sorted(path.parent.glob(f"{escape(path.name)}.*.new")):
        if not path.exists() and is_key(waiting, public_key):
            with suppress(FileExistsError):  # another process was faster
                _put(waiting, path)
    return is_key(path, public_key)


def remove_second_names(path: Path) -> None:
    """Remove the name that a file waited under, where a kill came just after it was put into place."""
    for waiting in path.parent.glob(f"{escape(path.name)}.*.new"):
        with suppress(OSError):
            if waiting.samefile(path):
                waiting.unlink()


def is_key(path: Path, public_key: str) -> bool:
    """Whether the file is the signing key that belongs to this public one."""
    try:
        return signing_keys.public_key_text(signing_keys.read_key(path)) == public_key
    except (CheckpointError, OSError):
        return False


def _put(waiting: Path, path: Path) -> None:
    """Raises FileExistsError where something stands there."""
    try:
        os.link(waiting, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # a disk without hard links: a kill behind the next line leaves an empty file, which any database is made in
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        waiting.replace(path)
    else:
        waiting.unlink()
    sync_folder(path.parent)
