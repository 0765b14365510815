"""Verbs that make a ledger and its lists: ``init``, ``rebuild``."""

import os
from pathlib import Path

import click

from commands.cli import output
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import plural
from commands.cli.progress import shown_progress
from commands.cli.times import shown
from commands.cli.verbs import Verb
from ledger.addresses import sqlite_file


@click.command(cls=Verb)
@pass_invocation
def init(invocation: Invocation) -> None:
    """Create a ledger, or upgrade an older one in place.

    Makes the database (./daybook.db unless --db, DAYBOOK_DB or daybook.toml says otherwise) and the key
    that signs its checkpoints. Running it again is harmless.
    """
    from commands.door.private_files import has_modes
    from commands.moving.aside import left_behind
    from commands.moving.setup import initialise

    made = initialise(invocation.address, invocation.actor)
    note_unfinished_ledgers(invocation)
    for [waiting] in left_behind(Path(made.key)):
        invocation.note(
            f"{near(waiting)} is a signing key, and none of this ledger. It is of another that waits for it, which "
            "daybook init would finish, or of one that was never made: then remove it."
        )

    def human() -> None:
        if not made.created:
            by = f"It was created by {output.printable(made.created_by)}, {shown(made.created_at)}."
            if made.upgraded_from is not None:
                output.say(
                    f"Upgraded the ledger {invocation.shown_ledger}, which had schema {made.upgraded_from}."
                )
                output.say(f"{by} None of its events was changed.")
                return
            output.say(f"There is a ledger at {invocation.shown_ledger} already; it is up to date.")
            output.say(f"{by} Nothing was made now.")
            return
        output.say(f"Created the ledger {invocation.shown_ledger}.")
        output.say(f"Its signing key is {near(Path(made.key))}: keep a copy of it somewhere else.")
        if not has_modes():
            invocation.warn(f"this system does not say who may read {made.key}: see that nobody else can.")
        output.say(f"Next: {worded(made.next_steps[0])} (reference values, subjects, probes)")

    invocation.answer(made, human)


def note_unfinished_ledgers(invocation: Invocation) -> None:
    """What a killed ``init``, ``import`` or ``backup restore`` left beside this address."""
    from commands.moving.aside import left_behind

    file = sqlite_file(invocation.address)
    for [waiting, *beside] in left_behind(Path(os.path.realpath(file))) if file else ():
        and_what = f", with {', '.join(near(each) for each in beside)}," if beside else ""
        invocation.note(
            f"{near(waiting)}{and_what} is a ledger that was never finished. Remove it, unless somebody is making one "
            "there now."
        )


@click.command(cls=Verb)
@pass_invocation
def rebuild(invocation: Invocation) -> None:
    """Make all lists anew from the events.

    The lists are built beside the live ones and swapped in; readers and writers go on meanwhile. A damaged head
    row is made anew as well, where the events agree with each other.
    """
    from commands.door.freshness import repair
    from commands.moving.setup import rebuild_lists

    with shown_progress("verifying") as progress:
        repaired = repair(invocation.address, progress)
    with invocation.daybook() as daybook, shown_progress("rebuilding") as progress:
        rebuilt = rebuild_lists(daybook, repaired=repaired, progress=progress)

    def human() -> None:
        for sentence in rebuilt.repaired:
            output.say(output.printable(sentence))
        pause = f"writers waited {rebuilt.longest_pause_s:.2f} s at most"
        output.say(f"Rebuilt from {plural(rebuilt.events, 'event')} in {rebuilt.seconds:.1f} s; {pause}.")

    invocation.answer(rebuilt, human)
