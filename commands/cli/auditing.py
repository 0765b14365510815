"""Verbs that read the log: ``history``, ``blame``, ``log``. They append no event."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

import click

from commands.answers.phrases import phrase
from commands.answers.sentences import authenticated, said
from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.lists import page_size
from commands.cli.output import Column
from commands.cli.times import as_of_option, shown, utc_time
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.blame import BlamedField
    from commands.answers.log import Log
    from commands.answers.rows import EventLine

PAGE = 100
MOST = 10_000
POSITION = click.IntRange(0, 2**63 - 1)
_ROWS = 2_000  # of a table, whose columns are as wide as its widest value


def _some_text(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("expected some text.")
    return value


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@as_of_option
@pass_invocation
def history(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    """The events of one record, oldest first.

    REF is an id (s12, c34, u56), a location, a session time, a group name, subject:NAME,
    probe:NAME, user:NAME, or a stream as the log names it (reference/behavior.TaskType).
    """
    found = invocation.ask("history", as_of=as_of, ref=reference)

    def human() -> None:
        _write_events(found.events, with_stream=False)

    invocation.answer(found, human)


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@as_of_option
@pass_invocation
def blame(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    """For each thing that a record says: which event, and which line of which file.

    Lines are those of the stored bytes of the upload. Values that were read from the recordings
    name the event that read them.
    REF is an id (s12, c34, u56), a location, a session time or a group name.
    """
    found = invocation.ask("blame", as_of=as_of, ref=reference)

    def human() -> None:
        columns = [
            Column("field"), Column("event", right=True), Column("recorded (UTC)"), Column("actor"), Column("type"),
            Column("from"), Column("value", "below"),
        ]  # fmt: skip
        output.write_table(columns, [_blamed(field) for field in found.fields])

    invocation.answer(found, human)


def _blamed(field: "BlamedField") -> list[object]:
    event = field.event
    line = "" if field.line is None else f", line {field.line}"
    place = field.recorded_in or "" if field.upload is None else f"{field.upload}{line}"
    was = "" if field.was is None else f" (was {said(field.was)})"
    return [
        field.field, event.position, shown(event.recorded_at), event.actor, event.type, place,
        f"{said(field.value)}{was}",
    ]  # fmt: skip


def _write_events(events: Iterable["EventLine"], *, with_stream: bool) -> int:
    """So many at a time as a table; how many there were."""
    columns = [
        Column("position", right=True),
        Column("recorded (UTC)"),
        Column("actor"),
        Column("authenticated"),
        Column("type"),
        Column("stream", "middle"),
        Column("what it says", "below"),
    ]
    count, rows = 0, iter(events)
    while some := list(islice(rows, _ROWS)):
        if count:
            output.say()
        count += len(some)
        output.write_table(columns, [_row(event, with_stream=with_stream) for event in some])
    return count


def _row(event: "EventLine", *, with_stream: bool) -> list[object]:
    return [
        event.position,
        shown(event.recorded_at),
        event.actor,
        authenticated(event.via),
        event.type,
        event.stream if with_stream else "",
        phrase(event.type, event.body),
    ]


@click.command(cls=Verb)
@click.option("--actor", metavar="USER", help="Only what this user did.")
@click.option("--type", "kind", metavar="TYPE", help="Only events of this type, such as SessionInserted.")
@click.option("--subject", metavar="NAME", help="Only events about this subject.")
@click.option("--since", metavar="TIME", callback=utc_time, help="From this date or time on.")
@click.option("--until", metavar="TIME", callback=utc_time, help="Before this date or time.")
@click.option("--text", metavar="TEXT", callback=_some_text, help="Only events that say this, in any case.")
@click.option(
    "--authentication",
    type=click.Choice(("os", "claimed", "password", "second-factor", "token", "oidc")),
    help="Only by whoever came in so.",
)
@click.option("--before", metavar="POSITION", type=POSITION, help="Only events before this position.")
@click.option("--after", metavar="POSITION", type=POSITION, help="Only events behind this position.")
@click.option(
    "--limit",
    type=click.IntRange(0, MOST),
    metavar="N",
    help=f"The newest N; 0 for all. On a terminal {PAGE} unless said; piped, and with --json, all.",
)
@as_of_option
@pass_invocation
def log(
    invocation: Invocation,
    limit: int | None,
    as_of: int | str | None,
    before: int | None,
    after: int | None,
    actor: str | None,
    kind: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    authentication: str | None,
) -> None:
    """The newest events of the whole ledger.

    The oldest of them first. With --after alone, the oldest behind that position. A text is looked for newest first,
    through 10,000 positions; the answer says how to look further back.
    """
    everything = (invocation.json or not output.is_terminal()) and text is None and authentication is None
    wanted = limit if limit is not None else (0 if everything else page_size(invocation))
    with invocation.answering() as ledger:
        found = ledger.ask(
            "log", as_of=as_of, actor=actor, type=kind, subject=subject, since=since, until=until, text=text,
            authentication=authentication, after=after, before=before, limit=wanted or None,
        )  # fmt: skip
        invocation.answer(found, lambda: _write_log(found, looked_for=bool(text or authentication)))


def _write_log(found: "Log", *, looked_for: bool) -> None:
    count = _write_events(found.events, with_stream=True)
    if not count and found.older is None:
        output.say_instead("No event matches. See them all: daybook log")
    elif not count:
        output.say_instead(f"No event matches from position {found.older:,} on.")
    if found.older is not None and (looked_for or not count):
        output.say(f"To look further back: --before {found.older}", err=True)
    elif found.older is not None:
        output.say(
            f"Older events are not shown: --before {found.older} for those before, --limit N for more of them, "
            "--limit 0 for all.",
            err=True,
        )
    if found.newer is not None:
        output.say(f"Newer events are not shown: --after {found.newer}", err=True)
