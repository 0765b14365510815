"""Write the FILE that a verb was given: a new file that is complete or not there, written aside and put into place."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from commands.cli.output import file_name
from ledger.errors import NO_ROOM


def refuse_existing(file: str) -> None:
    """Called before long work, whose result would otherwise have no place."""
    try:
        is_there = os.path.lexists(file)
    except ValueError:  # a NUL, which no name has
        is_there = False
    if is_there:
        raise click.UsageError(f"{file_name(file)} is there already. Remove it, or choose another name.")


@contextmanager
def new_file(file: str) -> Iterator[IO[bytes]]:
    """A new file to write and read again, which is there once the block has ended well. Raises click.UsageError, and
    OSError where the disk is full."""
    refuse_existing(file)
    path = Path(file)
    aside = path.with_name(f".{os.urandom(6).hex()}.part") if path.name else path
    try:
        stream = aside.open("x+b")
    except (OSError, ValueError) as error:
        raise _refused(file, error) from None
    try:
        with stream:
            yield stream
        _put(aside, path, file)
    finally:
        aside.unlink(missing_ok=True)


def write_new(path: Path, text: str) -> None:
    """A new text file in UTF-8."""
    with new_file(str(path)) as stream:
        stream.write(text.encode())


def _put(aside: Path, path: Path, file: str) -> None:
    """Never in the place of a file that somebody else made meanwhile."""
    try:
        os.link(aside, path)
    except FileExistsError:
        refuse_existing(file)
        raise
    except OSError as error:
        if error.errno in NO_ROOM or error.errno == errno.ENAMETOOLONG:
            raise _refused(file, error) from None
        refuse_existing(file)  # a disk without hard links
        aside.rename(path)


def _refused(file: str, error: OSError | ValueError) -> Exception:
    """What to raise: a full disk is no usage error."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return error
    why = getattr(error, "strerror", None) or str(error)
    return click.UsageError(f"{file_name(file)} cannot be written: {why}.")
