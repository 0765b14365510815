"""Verbs that make a ledger and its lists: ``init``, ``rebuild``."""

from pathlib import Path

import click

from commands.cli import output
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.output import plural
from commands.cli.progress import shown_progress
from commands.cli.verbs import Verb
from ledger.errors import LedgerUnavailable


@click.command(cls=Verb)
@pass_invocation
def init(invocation: Invocation) -> None:
    """Create a ledger, or upgrade an older one in place.

    Makes the database (./daybook.db unless --db, DAYBOOK_DB or daybook.toml says otherwise) and the key
    that signs its checkpoints. Running it again is harmless.
    """
    from commands.moving.setup import initialise, key_path

    file = invocation.sqlite_file
    if file is not None and not file.absolute().parent.is_dir():
        raise LedgerUnavailable(
            "no-folder",
            f"There is no folder {file.absolute().parent} to make the ledger in.",
            "Make it, then run this again.",
        )
    created = initialise(invocation.settings.db, invocation.actor)
    key = key_path(invocation.settings.db, Path())

    def human() -> None:
        if not created:
            output.say(f"There is a ledger at {invocation.shown_ledger} already; it is up to date.")
            return
        output.say(f"Created the ledger {invocation.shown_ledger}.")
        output.say(f"Its signing key is {near(key)}: keep a copy of it somewhere else.")
        output.say("Next: daybook catalogue load FILE (reference values, subjects, probes)")

    document = {"ok": True, "created": created, "db": invocation.shown_db, "key": str(key)}
    invocation.answer(document, human)


@click.command(cls=Verb)
@pass_invocation
def rebuild(invocation: Invocation) -> None:
    """Make all lists anew from the events.

    The lists are built beside the live ones and swapped in; readers and writers go on meanwhile.
    """
    from projections.rebuild import rebuild as rebuild_projections

    with invocation.daybook() as daybook, shown_progress("rebuilding") as progress:
        rebuilt = rebuild_projections(daybook.database, progress=progress)

    def human() -> None:
        pause = f"writers waited {rebuilt.longest_pause_s:.2f} s at most"
        output.say(f"Rebuilt from {plural(rebuilt.events, 'event')} in {rebuilt.seconds:.1f} s; {pause}.")

    document = {
        "ok": True,
        "events": rebuilt.events,
        "seconds": rebuilt.seconds,
        "longest_pause_s": rebuilt.longest_pause_s,
    }
    invocation.answer(document, human)
