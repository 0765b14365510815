"""The verb that signs the ledger, or countersigns it as a witness: ``checkpoint``. It appends no event."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.proofs_given import public_key_given, read_checkpoint, read_proof
from commands.cli.targets import refuse_existing, write_new
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.proving.checkpoints import CheckpointMade
    from commands.proving.witness import CheckpointCosigned


@click.command(cls=Verb)
@click.option("-o", "--output", "target", metavar="FILE", help="Write it there instead of printing it.")
@click.option(
    "--cosign", "file", metavar="FILE", help="Countersign this checkpoint, as a witness; with --key."
)
@click.option("--key", "key_file", metavar="FILE", help="The witness's own key.")
@click.option(
    "--proof", metavar="FILE", help="That it continues what the witness cosigned last: of prove --since."
)
@click.option(
    "--log-key", metavar="KEY", help="The ledger's public key, when the witness first sees the ledger."
)
@click.option(
    "--new-witness-key", "keep", nargs=2, metavar="FILE NAME", help="Make a key for a witness of this name."
)
@click.option("--newest", is_flag=True, help="Show the newest one that was signed; sign nothing.")
@pass_invocation
def checkpoint(
    invocation: Invocation,
    newest: bool,
    target: str | None,
    file: str | None,
    key_file: str | None,
    proof: str | None,
    log_key: str | None,
    keep: tuple[str, str] | None,
) -> None:
    """Sign the ledger as it is now, to be kept elsewhere.

    The text says how many events there are and what they hash to. Kept where the owner of the database cannot
    change it, it shows later whether anything before it was rewritten: daybook verify --checkpoint FILE. A witness
    signs it too, with --cosign, and only what continues all that this witness has signed before.
    """
    if newest:
        if any((target, file, key_file, proof, log_key, keep)):
            raise click.UsageError("--newest goes alone: it signs and writes nothing.")
        _show_newest(invocation)
        return
    if keep is not None:
        _make_witness_key(invocation, *keep)
        return
    if (file is None) is not (key_file is None) or (
        file is None and (proof is not None or log_key is not None)
    ):
        raise click.UsageError(
            "--cosign FILE, --key FILE and, where needed, --proof and --log-key go together."
        )
    if target is not None:
        refuse_existing(target)
    if file is not None and key_file is not None:
        _cosign(invocation, read_checkpoint(file), Path(key_file), proof, log_key, target)
        return
    from commands.moving.setup import key_path
    from commands.proving.checkpoints import checkpoint_made, make_checkpoint

    own_key = key_path(invocation.address, Path())
    with invocation.daybook() as daybook:
        text = make_checkpoint(daybook, own_key)
    _write_checkpoint(invocation, checkpoint_made(text, target))


def _show_newest(invocation: Invocation) -> None:
    found = invocation.ask("checkpoint")

    def human() -> None:
        if found.checkpoint is None:
            output.say(
                f"Nothing was signed yet: {plural(found.since, 'event')}. Sign them: daybook checkpoint"
            )
            return
        output.say(found.checkpoint.rstrip("\n"))
        output.say(f"{plural(found.since, 'event')} since then.", err=True)
        if found.kept is not None:
            file, since = printable(found.kept.file), found.kept.since
            behind = (
                f"{plural(since, 'event')} since"
                if since >= 0
                else f"{plural(-since, 'event')} are gone since"
            )
            output.say(f"Kept by itself: {file} ({plural(found.kept.size, 'event')}); {behind}.", err=True)

    invocation.answer(found, human)


def _write_checkpoint(invocation: Invocation, made: "CheckpointMade | CheckpointCosigned") -> None:
    if made.file is not None:
        write_new(Path(made.file), made.checkpoint)
    invocation.answer(
        made,
        lambda: output.say(
            made.checkpoint.rstrip("\n") if made.file is None else f"Wrote {printable(made.file)}."
        ),
    )


def _make_witness_key(invocation: Invocation, file: str, name: str) -> None:
    from commands.proving.witness import WitnessKey, new_witness_key
    from ledger.signing_keys import public_key_text

    text = public_key_text(new_witness_key(Path(file), name))

    def human() -> None:
        output.say(
            f"Wrote the key of the witness {printable(name)} to {printable(file)}: only its owner may read it."
        )
        output.say(f"Its public key, for verify --trust: {text}")

    invocation.answer(WitnessKey(file=file, public_key=text), human)


def _cosign(
    invocation: Invocation,
    text: str,
    key_file: Path,
    proof: str | None,
    log_key: str | None,
    target: str | None,
) -> None:
    from commands.proving import witness
    from ledger.signing_keys import public_key_text

    consistency = None if proof is None else witness.consistency_in(read_proof(proof))
    if proof is not None and consistency is None:
        hint = "Make one: daybook prove --since CHECKPOINT -o FILE"
        raise click.UsageError(f"{printable(proof)} holds no consistency proof. {hint}")
    given = None if log_key is None else public_key_given(log_key)
    done = witness.cosign(key_file, text, ledger=given, consistency=consistency)
    if done.first:
        invocation.note(
            f"the witness's first checkpoint of this ledger; its key: {public_key_text(done.ledger)}"
        )
    elif done.size > done.since:
        invocation.note(
            f"it continues the checkpoint of {plural(done.since, 'event')} that the witness signed before."
        )
    _write_checkpoint(invocation, done.answer(target))
