"""Verbs that take a ledger elsewhere: ``export``, ``import``."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import click

from commands.cli import output
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.output import file_name, plural, printable
from commands.cli.progress import shown_progress
from commands.cli.setting_up import note_unfinished_ledgers
from commands.cli.sources import STDIN, regular_file
from commands.cli.targets import new_file
from commands.cli.times import as_of_option
from commands.cli.verbs import Verb
from ledger.errors import Refusal

_LONGEST_LINE = 1 << 28
_LONGEST_FIRST = 1 << 20  # it tells of the ledger, and holds nothing that is large
_GZIP = b"\x1f\x8b"


@click.command(cls=Verb)
@click.argument("file", metavar="FILE")
@click.option("--damaged", is_flag=True, help="Write what can be read of a ledger that is not intact.")
@as_of_option
@pass_invocation
def export(invocation: Invocation, file: str, damaged: bool, as_of: int | str | None) -> None:
    """Write the whole log as JSON Lines.

    One CloudEvent (version 1.0) a line: every event, and with it the input files, receipts of commands and
    checkpoints. daybook import makes the same ledger of it in any database. FILE may be - for standard output; one
    that ends in .gz is compressed. A ledger that is not intact is not exported: exit code 5, and no file. With
    --damaged what can be read of it is written, for people to read; no import takes that.
    """
    to_stdout = file == STDIN
    if to_stdout and invocation.json:
        raise click.UsageError("With - the lines go to standard output, where --json answers. Give a FILE.")
    if damaged:
        if as_of is not None:
            raise click.UsageError("--damaged writes what there is now. Leave --as-of out.")
        _export_damaged(invocation, file, to_stdout=to_stdout)
        return
    with (
        invocation.answering() as ledger,
        _target(file) as stream,
        shown_progress("exporting") as progress,
    ):
        moved = ledger.take_log(stream.write, as_of=as_of, progress=progress)

    def human() -> None:
        what = f"{plural(moved.events, 'event')}, {plural(moved.input_files, 'input file')}"
        where = "" if to_stdout else f" to {printable(file)}"
        output.say(f"Exported {what}{where}; root {moved.root}.", err=to_stdout)
        if moved.accounts:
            output.say(
                f"The events of {plural(moved.accounts, 'account')} are in it, but no password, token or "
                "address of mail. After an import, invite everybody again: daybook user invite USER",
                err=True,
            )

    invocation.answer(replace(moved, file=file), human)


def _export_damaged(invocation: Invocation, file: str, *, to_stdout: bool) -> None:
    from commands.moving.exporting import export_damaged

    with _target(file) as stream, shown_progress("exporting") as progress:
        moved = export_damaged(invocation.address, stream.write, progress)

    def human() -> None:
        what = f"{plural(moved.events, 'event')}, {plural(moved.input_files, 'input file')}"
        where = "" if to_stdout else f" to {printable(file)}"
        output.say(f"Wrote what can be read{where}: {what}.", err=to_stdout)
        output.say(
            f"{plural(moved.left_out, 'row')} could not be written, and verify finds "
            f"{plural(moved.damaged, 'problem')}: this makes no other ledger.",
            err=to_stdout,
        )

    invocation.answer(replace(moved, file=file), human)


@contextmanager
def _target(file: str) -> Iterator[IO[bytes]]:
    if file == STDIN:
        try:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        except OSError as error:
            raise output.unwritable(error) from error
        return
    with new_file(file) as stream:
        if not file.endswith(".gz"):
            yield stream
            return
        # neither name nor time: one ledger gives one file
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=stream, mtime=0) as packed:
            yield packed  # type: ignore[misc]  # typeshed: a GzipFile is not quite an IO[bytes]


@click.command("import", cls=Verb)
@click.argument("file", metavar="FILE")
@pass_invocation
def import_(invocation: Invocation, file: str) -> None:
    """Make a ledger from an exported log.

    The database (--db) must be empty. Positions, hashes and times are those of the export, and so is the root:
    checkpoints that were kept elsewhere still hold. FILE may be - for standard input.
    """
    from commands.moving.importing import import_ledger, imported
    from commands.moving.setup import key_path

    note_unfinished_ledgers(invocation)
    with _source(file) as lines, shown_progress("importing") as progress:
        moved = import_ledger(invocation.address, lines, progress)
    key = key_path(invocation.address, Path())

    def human() -> None:
        what = f"{plural(moved.events, 'event')} and {plural(moved.input_files, 'input file')}"
        output.say(f"Imported {what} of {printable(moved.origin)} into {invocation.shown_ledger}.")
        output.say(f"The root is {moved.root}, as in the export. The lists were made anew.")
        if not key.exists():
            output.say(f"The signing key is not in an export: copy it from the old ledger to {near(key)}.")
        output.say("Names and addresses of people are not in it either; see: daybook person")
        if moved.accounts:
            output.say(
                f"Nor are passwords and tokens of {plural(moved.accounts, 'account')}: nobody can sign in here yet. "
                "Invite everybody again: daybook user invite USER"
            )
        if moved.forgotten:
            output.say(
                f"Nor is the key of redactions: what was redacted before ({plural(moved.forgotten, 'payload')}) is "
                "not known here when a file brings it again. Tell whoever has such a file."
            )

    invocation.answer(imported(moved, db=invocation.address, key=key, file=file), human)


@contextmanager
def _source(file: str) -> Iterator[Iterator[bytes]]:
    if file == STDIN:
        yield _lines(sys.stdin.buffer, "standard input")
        return
    path = regular_file(file)
    try:
        stream = path.open("rb")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise click.UsageError(f"{file_name(file)} cannot be read: {why}.") from None
    with stream:
        packed = stream.read(2) == _GZIP
        stream.seek(0)
        if not packed:
            yield _lines(stream, file_name(file))
            return
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield _lines(unpacked, file_name(file))


def _lines(stream: IO[bytes] | gzip.GzipFile, name: str) -> Iterator[bytes]:
    longest = _LONGEST_FIRST
    try:
        while line := stream.readline(longest):
            if len(line) == longest:
                raise Refusal(
                    "bad-line", f"{name} has a line of more than {longest:,} bytes: it is no export."
                )
            yield line
            longest = _LONGEST_LINE
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refusal(
            "unreadable", f"{name} is damaged, or cannot be read: {why}.", "Nothing was imported."
        ) from error
