"""The verb that checks the ledger, a receipt or a bundle: ``verify``. It appends no event."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import NOT_INTACT
from commands.cli.invocation import Invocation, clock_ahead, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.progress import shown_progress
from commands.cli.proofs_given import kind_of, proof_in, read_checkpoint, witness_key_given
from commands.cli.sources import regular_file
from commands.cli.times import shown
from commands.cli.verbs import Verb
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.verified import SignatureLine, Verified, VerifiedFile


@click.command(cls=Verb)
@click.option(
    "--checkpoint",
    "files",
    metavar="FILE",
    multiple=True,
    help="A checkpoint that was kept elsewhere; may be repeated.",
)
@click.option(
    "--lists/--no-lists",
    "lists",
    default=None,
    help="Fold the events, and compare the lists with that. Done unless there are more than 100,000 events.",
)
@click.option("--receipt", metavar="FILE", help="Check this receipt or proof instead of the whole ledger.")
@click.option("--bundle", "file", metavar="FILE", help="Check this bundle; no ledger is needed.")
@click.option(
    "--trust", metavar="KEY", multiple=True, help="A witness's public key, which must have cosigned."
)
@pass_invocation
def verify(
    invocation: Invocation,
    files: tuple[str, ...],
    lists: bool | None,
    receipt: str | None,
    file: str | None,
    trust: tuple[str, ...],
) -> int:
    """Recompute the ledger and say what does not hold.

    Every payload against its hash, the tree against the head and against every stored checkpoint, every
    uploaded file against its name, every removal against the two admins who agreed on it, every list
    against the events. Exit code 5 where anything does not hold, and where what a receipt or a bundle says could
    not be checked.
    """
    if receipt is not None and file is not None:
        raise click.UsageError("Give either --receipt or --bundle.")
    if lists is not None and (receipt or file):
        raise click.UsageError("--lists is for the whole ledger; a receipt or a bundle has none.")
    if trust and not (files or receipt or file):
        raise click.UsageError(
            "--trust KEY needs what the witness has signed: --checkpoint, --receipt or --bundle."
        )
    for text in trust:
        witness_key_given(text)
    kept = {name: read_checkpoint(name) for name in files}
    if receipt is not None:
        return _verify_receipt(invocation, receipt, kept, trust)
    if file is not None:
        return _verify_bundle(invocation, file, tuple(kept.values()), trust)
    return _verify_ledger(invocation, kept, trust, lists)


def _verify_ledger(
    invocation: Invocation, kept: dict[str, str], trust: tuple[str, ...], lists: bool | None
) -> int:
    report = _ledger_verified(invocation, kept, trust, lists)

    def human() -> None:
        for problem in report.problems:
            where = "" if problem.position is None else f"position {problem.position}: "
            label = output.coloured("problem:", "red", bold=True)
            output.say(f"{label} {where}{printable(problem.message)} [{problem.code}]")
        for signature in report.signatures:
            output.say(printable(_signature_line(signature)))
        if report.ok:
            output.say(
                f"{output.coloured('Intact', 'green')}: {plural(report.events, 'event')}, root {report.root}."
            )
        else:
            output.say(
                f"{plural(len(report.problems), 'problem')} in {plural(report.events, 'event')}: not intact."
            )
        if report.ahead is not None:
            invocation.warn(clock_ahead(report.ahead))
        if report.lists == "not-compared":
            output.say("The lists were not compared with the events; to do that too: daybook verify --lists")

    invocation.answer(report, human)
    if sys.stdout is not None:
        sys.stdout.flush()
    return 0 if report.ok else NOT_INTACT


def _ledger_verified(
    invocation: Invocation, kept: dict[str, str], trust: tuple[str, ...], lists: bool | None
) -> "Verified":
    if invocation.settings.server is not None:
        given: dict[str, Any] = {
            "checkpoints": list(kept.values()),
            "names": list(kept),
            "trust": list(trust),
            "lists": lists,
        }
        found: Verified = invocation.ask("verification", **given)
        return found
    from commands.answers.verified import kept_elsewhere, public_keys, verified

    try:
        for name, text in kept_elsewhere(invocation.address, invocation.settings.checkpoints).items():
            kept.setdefault(name, text)
            if not trust:
                invocation.note(f"compared with {name}, which was kept by itself.")
    except Refusal as refusal:
        invocation.warn(f"{refusal.message} {refusal.hint}")
    with shown_progress("verifying") as progress, shown_progress("comparing the lists") as comparing:
        return verified(
            invocation.address, kept=kept, trust=public_keys(trust), lists=lists, progress=progress,
            comparing=comparing,
        )  # fmt: skip


def _signature_line(signature: "SignatureLine") -> str:
    what = f"{signature.checkpoint} ({plural(signature.size, 'event')})"
    who = f"{signature.name}+{signature.key_id}"
    if signature.by == "unknown":
        return f"{what} has a signature by {who}, which was not checked: its key is not known (--trust KEY)."
    at = f" at {shown(signature.cosigned_at)}" if signature.cosigned_at else ""
    return f"{what} is signed by the {signature.by} {who}{at}."


def _verify_receipt(invocation: Invocation, file: str, kept: dict[str, str], trust: tuple[str, ...]) -> int:
    data = proof_in(file)
    with _refused_if_malformed(file, "--receipt"):
        report = _proof_verified(invocation, data, kept, trust)
    if not report.ledger:
        invocation.note(
            f"there is no ledger at {invocation.place_of_ledger}: the file was checked by itself."
        )
    return _answer(invocation, report)


def _proof_verified(
    invocation: Invocation, data: bytes, kept: dict[str, str], trust: tuple[str, ...]
) -> "VerifiedFile":
    if invocation.settings.server is not None:
        given: dict[str, Any] = {
            "content": data,
            "checkpoints": list(kept.values()),
            "names": list(kept),
            "trust": list(trust),
        }
        found: VerifiedFile = invocation.ask("verification-of-proof", **given)
        return found
    from commands.answers.verified import public_keys, verified_proof

    text = data.decode("utf-8", "replace")
    return verified_proof(invocation.address, text, kept=kept, trust=public_keys(trust))


def _verify_bundle(invocation: Invocation, file: str, kept: tuple[str, ...], trust: tuple[str, ...]) -> int:
    from commands.answers.verified import verified_bundle

    path = Path(file) if os.path.isdir(file) else regular_file(file)  # noqa: PTH112 - an unpacked one is a folder
    with _refused_if_malformed(file, "--bundle"), shown_progress("verifying") as progress:
        report = verified_bundle(path, kept=kept, trust=trust, progress=progress)
    return _answer(invocation, report)


@contextmanager
def _refused_if_malformed(file: str, given: str) -> Iterator[None]:
    from commands.proving.bundle_verifier import Malformed

    try:
        yield
    except Malformed as error:
        raise _malformed(file, given, f"{error}.") from None
    except Refusal as refusal:
        if refusal.code != "malformed":
            raise
        raise _malformed(file, given, refusal.message) from None


def _malformed(file: str | None, given: str, message: str) -> Refusal:
    """Of a whole file of another kind it is said which one it is."""
    kind = None if file is None else kind_of(file)
    if kind is None or kind[1] == given:
        return Refusal("malformed", f"{printable(file)}: {message}", "Get it again from where it was kept.")
    what, option = kind
    hint = f"Check it by: daybook verify {quote(option)} {quote(printable(file))}"
    return Refusal("malformed", f"{printable(file)} is {what}.", hint)


def _answer(invocation: Invocation, report: "VerifiedFile") -> int:
    def human() -> None:
        for line in _lines(report):
            output.say(printable(line))
        if report.public_key:
            output.say(f"Key: {printable(report.public_key)}")
            output.say(f"Fingerprint: sha256 {report.fingerprint}")
        output.say(_verdict(report))

    invocation.answer(report, human)
    return 0 if report.ok else NOT_INTACT


def _verdict(report: "VerifiedFile") -> str:
    if report.problems:
        return f"{plural(len(report.problems), 'problem')}: not intact."
    if report.unchecked:
        return "What was checked holds; that it is intact was not shown."
    return f"{output.coloured('Intact', 'green')}."


def _lines(report: "VerifiedFile") -> Iterator[str]:
    events = plural(report.events, "event")
    if report.kind == "bundle":
        yield f"Ledger {report.origin}: {report.events:,} of {plural(report.size, 'event')}, root {report.root}"
        yield f"  redacted payloads: {report.redacted:,}; input files: {report.files:,}"
    elif report.size:
        what = f"{events} of the first {report.size:,}" if report.events else "a checkpoint"
        yield f"Ledger {report.origin}: {what}, root {report.root}."
    else:
        yield f"Ledger {report.origin}: {events}, without a checkpoint."
    for each in report.actors:
        yield f"  acted: {each.user}, authenticated by {each.authenticated}: {plural(each.events, 'event')}"
    yield from (f"  checked: {text}" for text in report.checked)
    yield from (f"  NOT CHECKED: {text}" for text in report.unchecked)
    for problem in report.problems:
        where = f"position {problem.position}: " if problem.position else ""
        yield f"  PROBLEM: {where}{problem.message} [{problem.code}]"
