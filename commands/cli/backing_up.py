"""Verbs about copies of whole ledgers: ``backup create``, ``list``, ``check``, ``restore``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.failures import NOT_INTACT
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.progress import shown_progress
from commands.cli.setting_up import note_unfinished_ledgers
from commands.cli.times import shown
from commands.cli.verbs import Verb, VerbGroup

if TYPE_CHECKING:
    from commands.moving.backups import BackupLine

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@click.group(cls=VerbGroup)
def backup() -> None:
    """Copies of the whole ledger, taken while it runs.

    \b
    daybook backup create backups
    daybook backup list backups
    """


@backup.command(cls=Verb)
@click.argument("directory", metavar="DIR")
@pass_invocation
def create(invocation: Invocation, directory: str) -> None:
    """Back the ledger up while it runs, and check what was written.

    A new folder in DIR holds one moment of the ledger: its events, the uploaded files, and the accounts. It is for its
    owner alone, as the digests of passwords and tokens are in it. The keys (daybook.key, server.key) are not in it.

    \b
    daybook backup create backups
    daybook backup create /mnt/elsewhere/daybook --json
    """
    from commands.door.private_files import has_modes
    from commands.moving.backups import create_backup

    _note_unfinished(invocation, directory)
    with shown_progress("checking") as progress:
        made = create_backup(invocation.address, Path(directory), progress)

    def human() -> None:
        output.say(
            f"Backed up {plural(made.position, 'event')} to {printable(made.backup)} ({size_of(made.bytes)})."
        )
        output.say(f"It holds the ledger as of {shown(made.recorded_at)}; root {made.root}.")
        output.say(
            "It holds secrets: digests of passwords and tokens. Only its owner can read it; keep it so."
        )
        if not has_modes():
            invocation.warn(f"this system does not say who may read {made.backup}: see that nobody else can.")

    invocation.answer(made, human)


@backup.command("list", cls=Verb)
@click.argument("directory", metavar="DIR")
@pass_invocation
def list_(invocation: Invocation, directory: str) -> None:
    """The backups in a folder, newest first.

    \b
    daybook backup list backups
    daybook backup list backups --json
    """
    from commands.moving.backups import list_backups

    found = list_backups(Path(directory))
    _note_unfinished(invocation, directory)

    def human() -> None:
        if not found.backups:
            output.say_instead("There is no backup. Take one: daybook backup create DIR")
            return
        columns = [
            Column("position", right=True), Column("as of (UTC)"), Column("made (UTC)"), Column("size", right=True),
            Column("database"), Column("backup", "middle"), Column("problem", "below"),
        ]  # fmt: skip
        output.write_table(columns, [_row(line) for line in found.backups])

    invocation.answer(found, human)


def _row(line: "BackupLine") -> list[object]:
    return [
        line.position, shown(line.recorded_at or ""), shown(line.made_at or ""),
        "" if line.bytes is None else size_of(line.bytes), line.database, line.backup, line.problem,
    ]  # fmt: skip


@backup.command(cls=Verb)
@click.argument("backup", metavar="BACKUP")
@pass_invocation
def check(invocation: Invocation, backup: str) -> int:
    """Whether a backup is as it was written, and its events are those of its tree.

    Hashes every file, and recomputes the tree over the events. It needs no ledger.

    \b
    daybook backup check backups/lab-1-1234
    daybook backup check backups/lab-1-1234 --json
    """
    from commands.moving.backups import check_backup

    with shown_progress("checking") as progress:
        checked = check_backup(Path(backup), progress)

    def human() -> None:
        for problem in checked.problems:
            output.say(printable(problem))
        if checked.ok:
            output.say(
                f"It is as it was written: {plural(checked.position, 'event')}, as of "
                f"{shown(checked.backup.recorded_at or '')}; root {checked.backup.root}."
            )

    invocation.answer(checked, human)
    return 0 if checked.ok else NOT_INTACT


@backup.command(cls=Verb)
@click.argument("backup", metavar="BACKUP")
@pass_invocation
def restore(invocation: Invocation, backup: str) -> None:
    """Make the ledger of a backup where there is none.

    At --db: a file that is not there yet, or an empty database of PostgreSQL. It is verified, also against the root
    that the backup names. (What undoes a deletion is daybook restore.)

    \b
    daybook --db restored.db backup restore backups/lab-1-1234
    daybook --db postgresql://user_1@localhost/restored backup restore backups/lab-1-1234
    """
    from commands.moving.backups import restore_backup
    from commands.moving.setup import key_path

    note_unfinished_ledgers(invocation)
    with shown_progress("checking") as progress:
        done = restore_backup(invocation.address, Path(backup), progress)
    key = key_path(invocation.address, Path())

    def human() -> None:
        output.say(
            f"Restored {plural(done.position, 'event')} of {printable(done.origin)} to {invocation.shown_ledger}."
        )
        output.say(f"It is the ledger as of {shown(done.recorded_at)}; root {done.root}. It verifies.")
        if done.upgraded_from is not None:
            output.say(f"It had schema {done.upgraded_from}, and was upgraded.")
        if not key.exists():
            output.say(f"The signing key is in no backup: copy it from the old ledger to {near(key)}.")
        output.say("Tokens, passwords and sign-ins are those of then: end again what was ended since.")

    invocation.answer(done, human)


def _note_unfinished(invocation: Invocation, directory: str) -> None:
    """What a killed ``backup create`` left in the folder."""
    from commands.moving.backups import unfinished

    for folder in unfinished(Path(directory)):
        invocation.note(
            f"{near(folder)} is a backup that was never finished, and may hold secrets. Remove it, unless somebody is "
            "making one there now."
        )


def size_of(number: int) -> str:
    size = float(number)
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"
