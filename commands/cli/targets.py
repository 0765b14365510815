"""Write the FILE that a verb was given: a new one, which is complete or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from commands.cli.output import file_name


def refuse_existing(file: str) -> None:
    """Before long work whose result would have no place."""
    if os.path.lexists(file):
        raise click.UsageError(f"{file_name(file)} is there already. Remove it, or choose another name.")


@contextmanager
def new_file(file: str) -> Iterator[IO[bytes]]:
    """A new file to write and read again; it is removed where the block fails. Raises click.UsageError."""
    path = Path(file)
    try:
        stream = path.open("x+b")
    except FileExistsError:
        refuse_existing(file)
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"{file_name(file)} cannot be written: {why}.") from None
    try:
        with stream:
            yield stream
    except BaseException:
        path.unlink(missing_ok=True)
        raise
