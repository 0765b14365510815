"""Verbs that read the log: ``history``, ``log``. They append no event."""

from collections.abc import Sequence
from typing import Any

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column
from commands.cli.phrases import phrase
from commands.cli.records import LIMIT, limit_option, older_left_out
from commands.cli.times import as_of_option, shown, utc_time
from commands.cli.verbs import Verb
from ledger.errors import Refusal

_ALL = 2**62


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@as_of_option
@pass_invocation
def history(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    """The events of one record, oldest first.

    REF is an id or its unique beginning (s12, c34, u56), a location, a session time, a group name, or a
    stream as the log names it (subject/0/12345, reference/behavior.TaskType).
    """
    from ledger import log as event_log
    from projections.listings import event_line

    with invocation.reading(as_of, invocation.about(reference)) as world:
        stream = event_log.read_stream(world.transaction, reference) if "/" in reference else []
        name = reference
        if not stream:
            found = invocation.find(world, reference)
            name, stream = str(found), event_log.read_stream(world.transaction, found.stream)
        events = [event_line(event) for event in stream]
    invocation.answer(
        {"ok": True, "ref": name, "events": events}, lambda: _write_events(events, with_stream=False)
    )


def _write_events(events: Sequence[dict[str, Any]], *, with_stream: bool) -> None:
    columns = [
        Column("position", right=True),
        Column("recorded (UTC)"),
        Column("actor"),
        Column("type"),
        Column("stream", "middle"),
        Column("what it says", "end"),
    ]
    rows = [
        [
            e["position"],
            shown(e["recorded_at"]),
            e["actor"],
            e["type"],
            e["stream"] if with_stream else "",
            phrase(e["type"], e["body"]),
        ]
        for e in events
    ]
    output.write_table(columns, rows)


@click.command(cls=Verb)
@click.option("--actor", metavar="USER", help="Only what this user did.")
@click.option("--type", "kind", metavar="TYPE", help="Only events of this type, such as SessionInserted.")
@click.option("--subject", metavar="NAME", help="Only events about this subject.")
@click.option("--since", metavar="TIME", callback=utc_time, help="From this date or time on (UTC).")
@click.option("--until", metavar="TIME", callback=utc_time, help="Before this date or time (UTC).")
@limit_option
@as_of_option
@pass_invocation
def log(
    invocation: Invocation,
    actor: str | None,
    kind: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    as_of: int | str | None,
) -> None:
    """The newest events of the whole ledger.

    The oldest of them first.
    """
    from ledger import log as event_log
    from projections.listings import event_line, subject_key
    from projections.past import Past

    _refuse_unknown_type(kind)
    wanted = limit if limit is not None else (0 if invocation.json else LIMIT)
    with invocation.reading(as_of, Past.nothing) as world:
        stored = event_log.select_events(
            world.transaction,
            actor=actor,
            type=kind,
            since=since,
            until=until,
            limit=wanted + 1 if wanted else _ALL,
            subject=None if subject is None else subject_key(subject),
        )
        more = bool(wanted) and len(stored) > wanted
        events = [event_line(event) for event in (stored[1:] if more else stored)]

    def human() -> None:
        if not events:
            output.say("No event matches. See them all: daybook log")
            return
        _write_events(events, with_stream=True)
        older_left_out(more, "event")

    invocation.answer({"ok": True, "events": events, "more": more}, human)


def _refuse_unknown_type(kind: str | None) -> None:
    from commands.inputfile.nearest import did_you_mean
    from ledger.events import TYPES

    if kind is not None and kind not in TYPES:
        hint = did_you_mean(kind, TYPES) or f"The types are: {', '.join(TYPES)}."
        raise Refusal("unknown-type", f'There is no event type "{kind}".', hint)
