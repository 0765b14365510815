"""Verbs for every day: ``status``, where one stands, and ``cat``, an uploaded file back."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from commands.cli import output
from commands.cli.finding_lines import about_blanked
from commands.cli.invocation import Invocation, clock_ahead, pass_invocation, user_name
from commands.cli.next_steps import worded
from commands.cli.output import Column, plural, printable
from commands.cli.request_lines import write_requests
from commands.cli.targets import new_file, refuse_existing
from commands.cli.times import shown
from commands.cli.verbs import Verb
from ledger.errors import NextStep, Refusal

if TYPE_CHECKING:
    from commands.answers.status import OpenRecord, Status

_COLUMNS = [
    Column("record"),
    Column("status", is_status=True),
    Column("subject"),
    Column("username"),
    Column("for"),
    Column("what", "middle"),
    Column("reason", "below"),
]


@click.command(cls=Verb)
@click.option(
    "--user", "of", metavar="USER", callback=user_name, help="Only what waits and failed of this user's."
)
@pass_invocation
def status(invocation: Invocation, of: str | None) -> None:
    """Where am I, who am I, what waits, what failed, what is open for me.

    What has waited longest stands first.
    """
    now = datetime.now(UTC)
    with invocation.answering() as ledger:
        try:
            found = ledger.ask("status", of=of)
        except Refusal as refusal:
            if refusal.code != "checkpoints-unreadable":
                raise
            invocation.warn(f"{refusal.message} {refusal.hint}")
            found = ledger.ask("status", of=of, kept=False)
    file = invocation.settings.file
    own = {"ledger": invocation.place_of_ledger, "settings": None if file is None else str(file)}
    invocation.answer(found, lambda: _write_status(invocation, found, now), **own)


def _write_status(invocation: Invocation, found: "Status", now: datetime) -> None:
    role = f"role {found.role}" if found.role else "no role: see daybook role list"
    output.say(f"Ledger    {invocation.place_of_ledger}, position {found.position:,}")
    if invocation.settings.file is not None:
        output.say(f"Settings  {printable(invocation.settings.file)}")
    output.say(f"You       {printable(found.user)}, {role}")
    output.say(f"Signed    {_checkpoint(found, now)}")
    if (kept := found.kept) is not None:
        gone = f"{plural(-kept.since, 'event')} are gone since: daybook verify"
        since = gone if kept.since < 0 else f"{plural(kept.since, 'event')} since"
        how_old = f" ({age(kept.signed_until, now)} ago)" if kept.signed_until else ""
        output.say(f"Kept      {printable(kept.file)}, of {plural(kept.size, 'event')}{how_old}; {since}")
    for one in found.failed_sign_ins:
        of = f"for {printable(one.user)}" if one.user else "from one address, or for a name that nobody has,"
        times = "" if one.times == 1 else f" {one.times} times"
        invocation.warn(
            f"Too many attempts to sign in {of} failed within an hour{times}, last at {shown(one.last_at)}."
        )
    if found.ahead is not None:
        invocation.warn(clock_ahead(found.ahead))
    whose = f" of {printable(found.of)}" if found.of else ""
    if not found.waiting_count:
        output.say(f"Nothing{whose} waits.")
    else:
        long = f", {found.waiting_long:,} of them for more than a week" if found.waiting_long else ""
        _write_records(f"Waiting{whose}: {found.waiting_count:,}{long}", found.waiting, now)
        _say_more(found.waiting_count - len(found.waiting), "daybook sessions --status waiting")
    if found.failed_count:
        _write_records(f"Failed{whose}: {found.failed_count:,}", found.failed, now)
        _say_more(found.failed_count - len(found.failed), "daybook sessions --status error")
    if first := [*found.waiting, *found.failed][:1]:
        output.say(f"Why, and what helps: {worded(NextStep('why', first[0].ref))}")
    if found.decisions_count:
        _head(f"Open for your decision: {found.decisions_count:,}")
        write_requests([asdict(line) for line in found.decisions])
        output.say(f"See the first: {worded(NextStep('show-request', found.decisions[0].request))}")
    if found.asked_count:
        _head(f"Asked for by you, and not decided yet: {found.asked_count:,}")
        write_requests([asdict(line) for line in found.asked])


def _head(text: str) -> None:
    output.say()
    output.say(output.coloured(text, bold=True))


def _write_records(title: str, records: "Sequence[OpenRecord]", now: datetime) -> None:
    _head(title)
    rows = [
        [one.ref, one.status, one.subject, one.username, age(one.since, now), one.name, one.message]
        for one in records
    ]
    output.write_table(_COLUMNS, rows)


def _say_more(number: int, verb: str) -> None:
    if number:
        output.say(f"... and {number:,} more: {verb}")


def _checkpoint(found: "Status", now: datetime) -> str:
    last = found.checkpoint
    if last is None:
        return "no checkpoint yet: daybook checkpoint -o FILE"
    at = last.covers_until
    how_old = f", to {shown(at)} ({age(at, now)} ago)" if at else ""
    since = f"; {plural(last.since, 'event')} since" if last.since else "; nothing since"
    return f"{plural(last.size, 'event')}{how_old}{since}"


def age(time: str, now: datetime) -> str:
    """How long ago a time of the log is: ``3 days``, ``2 hours``, ``5 minutes``."""
    seconds = max(0, int((now - datetime.fromisoformat(time)).total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            number = seconds // length
            return f"{number:,} {unit}{'s' * (number > 1)}"
    return "a moment"


@click.command(cls=Verb)
@click.argument("upload")
@click.option(
    "-o", "--output", "target", metavar="FILE", help="Write it to a new file instead of standard output."
)
@pass_invocation
def cat(invocation: Invocation, upload: str, target: str | None) -> None:
    """Give an uploaded file back, byte for byte.

    On a terminal, signs that could steer it are spelled out. What a redaction removed is gone, and said to be; so are
    lines that the file brought although what stands there had been redacted before.
    """
    if target is not None:
        refuse_existing(target)
    found = invocation.ask("stored-file", ref=upload)
    if target is not None:
        with new_file(target) as file:
            file.write(found.data)

    def human() -> None:
        if target is not None:
            brought = "as they are kept" if found.blanked else f"as {found.upload} brought them"
            output.say(f"Wrote {printable(target)}: {found.size_bytes:,} bytes, {brought}.")
        elif output.is_terminal():
            for line in found.data.decode("utf-8", "backslashreplace").splitlines():
                output.say("\t".join(map(printable, line.split("\t"))))
        else:
            sys.stdout.flush()
            output.say(found.data, nl=False)
        for sentence in about_blanked(found.blanked, "blank"):
            invocation.note(sentence)

    invocation.answer(found, human, file=target)
