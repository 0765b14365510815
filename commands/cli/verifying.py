"""Verbs that check and sign the ledger: ``verify``, ``checkpoint``. They append no event."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from commands.cli import output
from commands.cli.drafts import write_new
from commands.cli.failures import NOT_INTACT
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.progress import shown_progress
from commands.cli.sources import read_source
from commands.cli.verbs import Verb


@click.command(cls=Verb)
@click.option("-o", "--output", "target", metavar="FILE", help="Write it there instead of printing it.")
@pass_invocation
def checkpoint(invocation: Invocation, target: str | None) -> None:
    """Sign the ledger as it is now, to be kept elsewhere.

    The text says how many events there are and what they hash to. Kept where the owner of the database cannot
    change it, it shows later whether anything before it was rewritten: daybook verify --checkpoint FILE
    """
    from commands.checkpoints import make_checkpoint
    from commands.setup import key_path

    key_file = key_path(invocation.settings.db, Path())
    with invocation.daybook() as daybook:
        text = make_checkpoint(daybook, key_file)
    if target is not None:
        write_new(Path(target), text)
    invocation.answer(
        {"ok": True, "checkpoint": text, "file": target},
        lambda: output.say(text.rstrip("\n") if target is None else f"Wrote {printable(target)}."),
    )


def _read_checkpoint(file: str) -> str:
    from ledger.checkpoint import CheckpointError, parse

    data = read_source(file, 1 << 20).data
    try:
        parse(data)
    except CheckpointError as error:
        raise click.UsageError(f"{printable(file)} is no checkpoint: {error}") from None
    return data.decode()


@click.command(cls=Verb)
@click.option(
    "--checkpoint",
    "files",
    metavar="FILE",
    multiple=True,
    help="A checkpoint that was kept elsewhere; may be repeated.",
)
@pass_invocation
def verify(invocation: Invocation, files: tuple[str, ...]) -> int:
    """Recompute the ledger and say what does not hold.

    Every payload against its hash, the tree against the head and against every stored checkpoint, every
    uploaded file against its name. Exit code 5 where anything does not hold.
    """
    from ledger.verify import verify as verify_ledger

    kept = [_read_checkpoint(file) for file in files]
    with shown_progress("verifying") as progress:
        report = verify_ledger(invocation.settings.db, kept=kept, progress=progress)
    document = {
        "ok": report.ok,
        "events": report.events,
        "root": report.root,
        "problems": [asdict(problem) for problem in report.problems],
    }

    def human() -> None:
        for problem in report.problems:
            where = "" if problem.position is None else f"position {problem.position}: "
            label = output.coloured("problem:", "red", bold=True)
            output.say(f"{label} {where}{printable(problem.message)} [{problem.code}]")
        if report.ok:
            output.say(
                f"{output.coloured('Intact', 'green')}: {plural(report.events, 'event')}, root {report.root}."
            )
        else:
            output.say(
                f"{plural(len(report.problems), 'problem')} in {plural(report.events, 'event')}: not intact."
            )

    invocation.answer(document, human)
    if sys.stdout is not None:
        sys.stdout.flush()
    return 0 if report.ok else NOT_INTACT
