"""The verb that uploads what is put into a folder: ``watch``. The only place of the command line that loads it."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.finding_lines import counted, line
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.sources import read_source
from commands.cli.verbs import Verb
from ledger.errors import LedgerUnavailable, NextStep, Refusal

if TYPE_CHECKING:
    from commands.answers.answering import Answering
    from commands.intake.upload_report import UploadReport
    from commands.workers.dropping import Outcome, Told


@click.command(cls=Verb)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--unchanged",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Seconds that a file must not have changed for.",
)
@click.option("--once", is_flag=True, help="Upload what is complete, and end.")
@pass_invocation
def watch(invocation: Invocation, folder: Path, unchanged: float, once: bool) -> None:
    """Upload each input file that is put into DIR, once, until Ctrl-C.

    A file is complete when it was renamed from a hidden or temporary name in DIR (.12345.yml, 12345.yml.part), or has
    not changed for a while. It is moved to done/ or rejected/ there, with its findings beside it. Killed at any time,
    the next one goes on, and nothing is uploaded twice. A token in DAYBOOK_TOKEN says who uploads.
    """
    from commands.workers.dropping import Dropped
    from commands.workers.stopping import Asked

    if invocation.json:
        raise click.UsageError("watch never ends, so it cannot answer with one JSON document.")
    with Asked() as asked, Dropped(
        folder, lambda file, command_id: _upload(invocation, file, command_id), lambda told: _tell(invocation, told),
        unchanged_s=unchanged,
    ) as dropped:  # fmt: skip
        if once:
            dropped.look()
            asked.wait(unchanged)
            dropped.look()
            return
        output.say(f"Watching {printable(folder)}. Ctrl-C ends it.", err=True)
        dropped.watch(asked.wait)
    output.say("Stopped.", err=True)


def _upload(invocation: Invocation, file: Path, command_id: str) -> "Outcome":
    from commands.intake.uploading import upload_too_large
    from commands.remote.faults import ServerFault, Unreachable
    from commands.workers.dropping import Outcome

    limits = invocation.settings.limits
    source = read_source(str(file), limits.input_file_bytes)
    report = upload_too_large(source.size_bytes, limits, filename=file.name)
    if report is None:
        try:
            with _ledger(invocation) as ledger:
                report = ledger.upload(source.data, filename=file.name, command_id=command_id)
        except (Unreachable, ServerFault) as lost:
            raise LedgerUnavailable(lost.code, lost.message, lost.hint) from lost
        except Refusal as refusal:
            if isinstance(refusal, LedgerUnavailable) or _stops(refusal):
                raise
            return Outcome(
                "rejected", f"{file.name}: error: {refusal.message} {refusal.hint} [{refusal.code}]\n"
            )
    return Outcome("done" if report.ok else "rejected", _text(report, file.name))


_OF_NO_FILE = (
    "token-refused",
    "token-reads-only",
    "not-authenticated",
    "second-factor-required",
    "user-name",
)


def _stops(refusal: Refusal) -> bool:
    """Whether every further file would fail the same way."""
    from commands.door.permission import NotPermitted
    from commands.remote.faults import NotSignedIn

    return isinstance(refusal, NotPermitted | NotSignedIn) or refusal.code in _OF_NO_FILE


@contextmanager
def _ledger(invocation: Invocation) -> "Iterator[Answering]":
    """The ledger, here or at a server. Here a token is checked as a server would."""
    from commands.remote.tokens import IN_ENVIRONMENT

    token = os.environ.get(IN_ENVIRONMENT, "").strip()
    if invocation.settings.server is not None or not token:
        with invocation.answering() as ledger:
            yield ledger
        return
    from commands.accounts.tokens import actor_by_token
    from commands.answers.here import Here
    from commands.door.ledger import Ledger
    from commands.door.submit import Daybook

    opened = Ledger.open(invocation.address)
    try:
        actor = actor_by_token(opened, token, interface="watch")
        if actor is None:
            raise Refusal(
                "token-refused",
                "The token lets nobody in: it has expired, was revoked, or is none.",
                "Have another made",
                NextStep("create-token", arguments={"name": None}),
            )
        daybook = Daybook(opened, actor)
        with closing(Here(daybook, invocation.settings)) as here:
            yield here
        invocation.keep_checkpoint(daybook)
    finally:
        opened.close()


def _text(report: "UploadReport", file: str) -> str:
    lines = [click.unstyle(line(finding, file)) for finding in report.findings]
    told = [(each.session, each.outcome, each.reason) for each in report.sessions]
    told += [(each.clustering, each.outcome, each.reason) for each in report.clusterings]
    for record, outcome, reason in told:
        why = f": {reason}" if reason and outcome in ("waiting", "error") else ""
        lines.append(printable(f"{record}: {outcome}{why}"))
    came = f"{report.upload}: {plural(len(report.sessions), 'session')}, " if report.ok else ""
    lines.append(f"{came}{counted(report.findings, report.more) or 'no findings'}")
    return "".join(f"{each}\n" for each in lines)


def _tell(invocation: Invocation, told: "Told") -> None:
    import sys

    if told.what == "moved":
        output.say(printable(told.file))
    elif told.what == "stays":
        invocation.warn(f"{printable(told.file)} stays where it is: {printable(told.message)}.")
    elif told.what == "lost":
        invocation.note(f"the ledger cannot be reached: {printable(told.message)}")
    else:
        invocation.note("the ledger can be reached again.")
    sys.stdout.flush()
