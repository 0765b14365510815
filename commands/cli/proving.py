"""Verbs that make proofs for others: ``prove``, ``bundle``. They append no event."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from commands.answers.sentences import authenticated
from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.progress import shown_progress
from commands.cli.proofs_given import read_checkpoint
from commands.cli.targets import new_file, refuse_existing, write_new
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.answering import Answering
    from commands.answers.proof import Proof, ProvenEvent

_target = click.option(
    "-o", "--output", "target", metavar="FILE", help="Write it there instead of printing it."
)


@click.command(cls=Verb)
@click.argument("reference", metavar="[REF|POSITION]", required=False)
@click.option(
    "--checkpoint", "file", metavar="FILE", help="Prove it under this checkpoint, not under the newest."
)
@click.option("--since", metavar="FILE", help="Prove that nothing before this checkpoint was rewritten.")
@_target
@pass_invocation
def prove(
    invocation: Invocation, reference: str | None, file: str | None, since: str | None, target: str | None
) -> None:
    """Prove that a record is in the ledger, or that nothing was rewritten.

    REF is a record (s12, c34, u56, d78, a location) or a stream: all of its events; POSITION is one event. The
    proof is a file that is checked with or without the ledger: daybook verify --receipt FILE. Who has no Daybook
    gets the same as a bundle: daybook bundle FILE REF. Where the signing key is, a checkpoint is made for it.
    """
    if (reference is None) is (since is None):
        raise click.UsageError("Expected either REF (or a position), or --since FILE.")
    if since is not None and file is not None:
        raise click.UsageError("--checkpoint goes with REF; --since proves up to the newest checkpoint.")
    if target is not None:
        refuse_existing(target)
    given, old = (None if name is None else read_checkpoint(name) for name in (file, since))
    if old is not None:
        found = invocation.ask("proof-since", checkpoint=old)
    else:
        found = invocation.ask("proof", ref=str(reference), checkpoint=given)
    if target is not None:
        write_new(Path(target), found.text)

    def human() -> None:
        if target is None:
            output.say(found.text.encode(), nl=False)
            output.say(_sentence(found), err=True)
        else:
            output.say(_sentence(found))
            output.say(
                f"Wrote {printable(target)}. To check it: daybook verify --receipt {printable(quote(str(target)))}"
            )

    invocation.answer(found, human, file=target)


def write_receipt(invocation: Invocation, ledger: "Answering", upload: str, target: str) -> None:
    """What the ledger recorded of an upload: as a proof where the signing key is, else the events alone."""
    found = ledger.ask("proof", ref=upload, or_events=True)
    write_new(Path(target), found.text)
    invocation.note(f"receipt {target}: {_sentence(found)}")


def _sentence(found: "Proof") -> str:
    """What has been proven."""
    events = found.proof.events
    if found.signed is None:
        return f"{plural(len(events), 'event')}, without a proof: the signing key is not here."
    whole = f"the {plural(found.signed.size, 'event')} that {found.signed.origin} signed"
    if found.older is not None:
        older = f"the {found.older.size:,} of the older checkpoint"
        return f"Proven: {whole} begin with {older}; none of those was changed."
    named = ", ".join(_event(event) for event in events[:10])
    more = f" and {len(events) - 10:,} more" if len(events) > 10 else ""
    verb = "is" if len(events) == 1 else "are"
    return f"Proven: {plural(len(events), 'event')} {verb} among {whole}: {named}{more}."


def _event(event: "ProvenEvent") -> str:
    """``12 InputFileReceived by user_1 (claimed)``."""
    import json

    return f"{event.position} {event.type} by {event.actor} ({authenticated(json.loads(event.via))})"


@click.command(cls=Verb)
@click.argument("target", metavar="FILE")
@click.argument("references", metavar="[REF]...", nargs=-1)
@click.option("--checkpoint", "file", metavar="FILE", help="Up to this checkpoint, not the newest.")
@pass_invocation
def bundle(invocation: Invocation, target: str, references: tuple[str, ...], file: str | None) -> None:
    """Write a file that a stranger can verify offline.

    A zip file with the events, the input files, the checkpoint, and a script that recomputes it all: python
    verify.py. Without REF the whole ledger; with REF only those records, the uploads that they came from, and a
    proof of each event.
    """
    refuse_existing(target)
    given = None if file is None else read_checkpoint(file)
    with (
        invocation.answering() as ledger,
        new_file(target) as stream,
        shown_progress("bundling") as progress,
    ):
        count = ledger.take_bundle(stream, records=references, checkpoint=given, progress=progress)
    size = Path(target).stat().st_size

    def human() -> None:
        output.say(f"Wrote {printable(target)}: {plural(count, 'event')}, {size:,} bytes.")
        output.say("Whoever receives it unpacks it and runs: python verify.py")

    invocation.answer({"ok": True, "file": target, "events": count, "size_bytes": size}, human)
