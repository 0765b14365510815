"""The verb that asks for a redaction: ``redact``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.invocation import Invocation, near, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import printable
from commands.cli.verbs import WritingVerb
from ledger.errors import NextStep

if TYPE_CHECKING:
    from commands.requests.redaction import RedactionDone


def _position(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,17}", value):
        raise click.BadParameter(
            f'"{value}" is not the position of an event, such as 1234. Positions are shown by: daybook log.'
        )
    return int(value)


@click.command(cls=WritingVerb)
@click.argument("position", metavar="POSITION", callback=_position)
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    help="Why. It stays in the log: name nobody in it, and nothing of what is to go.",
)
@pass_invocation
def redact(invocation: Invocation, position: int, reason: str) -> None:
    """Request that one payload is removed for legal reasons.

    POSITION is an event's, as daybook log and daybook history show it. Two admins are needed: one requests it, another
    approves it, and it is gone at once. The event stays, with its place, its hash, who did it and when. The stored file
    goes with the receipt of an upload (InputFileReceived).
    """
    asked = invocation.do("request-redaction", position=position, reason=reason)

    def human() -> None:
        what = printable(f"{asked.type} of {asked.stream}, position {asked.redacts}")
        output.say(f"Requested {asked.request}: to redact {what}.")
        if asked.copies:
            named = ", ".join(map(str, asked.copies))
            output.say(f"The same may stand at other positions, which are redacted one by one: {named}.")
        output.say(f"Another admin approves it with: {worded(asked.next_steps[0])}")

    invocation.answer(asked, human)


def write_redacted(done: "RedactionDone") -> None:
    """What an approval has removed."""
    what = printable(f"{done.type} of {done.stream}, position {done.redacts}")
    with_it = ", and the stored file with it" if done.file_erased else ""
    output.say(f"{done.request} was carried out: {what}, is redacted{with_it}.")
    if done.type == "InputFileReceived" and not done.file_erased:
        output.say(
            "The stored file stays: other uploads received the same bytes. Redact their receipts, too."
        )
    if not done.clean:
        output.say(
            "Free space of the database may still hold what was removed. On SQLite it goes when the programs that are "
            "reading the ledger end; on PostgreSQL the owner runs VACUUM FULL."
        )
    for archive in done.archives:
        if archive.written:
            where = near(Path(archive.folder))
            output.say(f"{archive.file} in {where} held it, and was written anew without it.")
            continue
        step = NextStep("create-archive", arguments={"directory": archive.folder})
        what = f"{archive.file} in {archive.folder} on {archive.host} still holds it. {archive.problem}"
        output.say(printable(f"{what} Write it anew there: {worded(step)}"))
    output.say("Backups, exports and bundles that were made before, and copies of archives, are not changed.")
