"""Verbs about the log as Parquet files: ``archive create``, ``archive check``."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.backing_up import size_of
from commands.cli.failures import NOT_INTACT
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import plural, printable
from commands.cli.progress import shown_progress
from commands.cli.verbs import Verb, VerbGroup
from ledger.errors import LedgerUnavailable, NextStep

if TYPE_CHECKING:
    from commands.analysis.checking import ArchiveChecked
    from commands.analysis.creating import ArchivedFile, ArchiveMade

_BECAME = {
    "written": "Wrote", "redacted": "Wrote anew, without what was redacted since:", "mended": "Wrote anew:",
}  # fmt: skip


@click.group(cls=VerbGroup)
def archive() -> None:
    """Closed ranges of the log as Parquet files, each with its proof.

    \b
    daybook archive create archive
    daybook archive check archive
    """


@archive.command(cls=Verb)
@click.argument("directory", metavar="DIR")
@click.option(
    "--events",
    type=int,
    metavar="N",
    help="In each file: a power of two, 65,536 unless said. An archive keeps it.",
)
@pass_invocation
def create(invocation: Invocation, directory: str, events: int | None) -> None:
    """Copy the closed ranges of the log to Parquet files in DIR.

    Nothing leaves the database. A range is closed when it has all of its events; beside its file lies a companion with
    the checkpoint that covers it, and the proof that leads there. Files that are there and hold are kept. What was
    redacted is in none of them: a file that still has it is written anew.

    \b
    daybook archive create archive
    daybook archive create /mnt/elsewhere/archive --events 4096
    """
    from commands.analysis.creating import create_archive
    from commands.moving.setup import key_path

    address = invocation.address
    settings = invocation.settings.checkpoints
    key = (None if settings is None else settings.key) or key_path(address, Path())
    with invocation.daybook() as daybook, shown_progress("archiving") as progress:
        made = create_archive(daybook, Path(directory), events=events, key_file=key, progress=progress)
    invocation.answer(made, lambda: _say_made(made))


def _say_made(made: "ArchiveMade") -> None:
    for file in made.files:
        if file.became != "kept":
            output.say(printable(f"{_BECAME[file.became]} {_line(file)}"))
    if kept := sum(file.became == "kept" for file in made.files):
        output.say(f"{plural(kept, 'file')} kept as they are." if kept > 1 else "1 file kept as it is.")
    if made.unsigned:
        output.say(
            f"Left out, as no checkpoint covers them: {plural(made.unsigned, 'event')}. Whoever has the key can sign: "
            f"{worded(NextStep('make-checkpoint'))}"
        )
    if not made.known:
        output.say(
            "The ledger cannot be written to, and does not know of this archive: after a redaction, run this again."
        )
    left = made.position - made.archived_to - made.unsigned
    if left:
        output.say(f"In no file yet: {plural(left, 'event')} of a range that needs {made.events_in_file:,}.")


def _line(file: "ArchivedFile") -> str:
    without = f", {plural(file.redacted, 'payload')} redacted" if file.redacted else ""
    return f"{file.file} ({size_of(file.bytes)}{without})"


@archive.command(cls=Verb)
@click.argument("directory", metavar="DIR")
@pass_invocation
def check(invocation: Invocation, directory: str) -> int:
    """Whether an archive holds what the ledger signed.

    Hashes every file and every row, recomputes the tree over each range, and follows its proof to the checkpoint that
    was signed. It needs no ledger; where its ledger is, it also says what was redacted there and is still in a file.

    \b
    daybook archive check archive
    daybook archive check archive --json
    """
    from commands.analysis.checking import check_archive

    with ExitStack() as opened, shown_progress("checking") as progress:
        daybook = None
        if invocation.settings.server is None:
            try:
                daybook = opened.enter_context(invocation.daybook())
            except LedgerUnavailable as refusal:
                if refusal.code != "no-ledger":
                    raise
        checked = check_archive(Path(directory), daybook, progress)
    if checked.ledger is None:
        invocation.note(
            f"there is no ledger at {invocation.place_of_ledger}: the files were checked by themselves."
        )
    elif not checked.compared and checked.origin:
        invocation.note(
            f"the ledger here is another one, {checked.ledger}: the files were checked by themselves."
        )
    invocation.answer(checked, lambda: _say_checked(checked))
    return 0 if checked.ok else NOT_INTACT


def _say_checked(checked: "ArchiveChecked") -> None:
    for problem in checked.problems:
        label = output.coloured("problem:", "red", bold=True)
        output.say(f"{label} {printable(f'{problem.file}: {problem.message}')} [{problem.code}]")
    if any(problem.code == "still-there" for problem in checked.problems):
        output.say(
            f"To write these files anew: {worded(NextStep('create-archive', arguments={'directory': checked.folder}))}"
        )
    what = (
        f"{plural(checked.events, 'event')} of {printable(checked.origin)} in {plural(checked.files, 'file')}"
    )
    if not checked.ok:
        output.say(f"{plural(len(checked.problems), 'problem')}: not intact.")
        return
    without = f"; {plural(checked.redacted, 'payload')} redacted" if checked.redacted else ""
    output.say(f"{output.coloured('Intact', 'green')}: {what}{without}.")
    output.say(f"Key: {printable(checked.public_key)}")
    output.say(f"Fingerprint: sha256 {checked.fingerprint}")
