"""Read the FILE that a verb was given: a file, or standard input for ``-``."""

import difflib
import errno
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import IO

import click

from commands.cli import output
from commands.cli.output import file_name

STDIN = "-"
_UNREADABLE = {errno.EACCES: "you may not read it", errno.EIO: "the disk reports an error"}


@dataclass(frozen=True, slots=True)
class Source:
    """``name`` is the file's name as it can be stored, ``shown`` how findings begin.

    ``size_bytes`` may exceed what was read: no more than one byte beyond the limit is.
    """

    data: bytes
    name: str
    shown: str
    size_bytes: int


def read_source(file: str, limit: int, *, drafts: bool = False) -> Source:
    """Raises click.UsageError, in one line, for what is not there, is a folder, or may not be read. ``drafts``: an
    input file is wanted, and can be drafted from a folder."""
    if file == STDIN:
        return _read_stdin(limit)
    if not file or "\0" in file:
        raise click.UsageError(f"{file_name(file)} is not the name of a file.")
    path = Path(file)
    try:
        with _opened(file) as stream:
            data = stream.read(limit + 1)
            status = os.fstat(stream.fileno())
    except IsADirectoryError:
        draft = (
            f" To draft one from the recordings in it: daybook compose {quote(file_name(file))}."
            if drafts
            else ""
        )
        raise click.UsageError(f"{file_name(file)} is a folder; expected a file.{draft}") from None
    except FileNotFoundError:
        raise click.UsageError(f"There is no file {file_name(file)}.{_near(path)}") from None
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        why = (
            _UNREADABLE.get(number, getattr(error, "strerror", None) or str(error)) if number else str(error)
        )
        raise click.UsageError(f"{file_name(file)} cannot be read: {why}.") from None
    size = max(len(data), status.st_size if stat.S_ISREG(status.st_mode) else 0)
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")
    return Source(data, name, file_name(file), size)


_HANDED_OVER = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")  # by the shell, which has opened them already


def _opened(file: str) -> IO[bytes]:
    """A pipe that nobody writes to would be waited for, for ever. Raises click.UsageError for one."""
    if file.startswith(_HANDED_OVER):
        return Path(file).open("rb")
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    )
    descriptor = os.open(file, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor):
            what = "a terminal" if os.isatty(descriptor) else "a pipe"
            raise click.UsageError(
                f"{file_name(file)} is {what}; expected a file. What is piped goes in with -."
            )
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def regular_file(file: str) -> Path:
    """A file that can be read repeatedly, to its end. Raises click.UsageError for anything else."""
    path = Path(file)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise click.UsageError(f"There is no file {file_name(file)}.{_near(path)}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"{file_name(file)} cannot be read: {why}.") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise click.UsageError(f"{file_name(file)} is {what}; expected a file.")
    return path


def _read_stdin(limit: int) -> Source:
    if sys.stdin is None:
        raise click.UsageError("Standard input is closed; give a FILE.")
    if sys.stdin.isatty():
        output.say("Reading from the terminal; end with Ctrl-D.", err=True)
    data = sys.stdin.buffer.read(limit + 1)
    return Source(data, "stdin", "<stdin>", len(data))


def _near(path: Path) -> str:
    try:
        names = [entry.name for entry in os.scandir(path.parent)]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f' Did you mean "{file_name(path.with_name(near[0]))}"?' if near else ""
