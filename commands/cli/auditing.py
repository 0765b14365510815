"""Verbs of the auditor: ``history``, ``log``, ``verify``, ``checkpoint``. They append no event."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from commands.cli import output
from commands.cli.drafts import write_new
from commands.cli.failures import NOT_INTACT
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.phrases import phrase
from commands.cli.progress import shown_progress
from commands.cli.records import LIMIT, limit_option, older_left_out
from commands.cli.sources import read_source
from commands.cli.times import shown, utc_time
from commands.cli.verbs import Verb
from ledger.errors import Refusal

_ALL = 2**62


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@pass_invocation
def history(invocation: Invocation, reference: str) -> None:
    """The events of one record, oldest first.

    REF is an id or its unique beginning (s12, c34, u56), a location, a session time, a group name, or a
    stream as the log names it (subject/0/12345, reference/behavior.TaskType).
    """
    from ledger import log as event_log
    from projections.listings import event_line

    with invocation.reading() as world:
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
@pass_invocation
def log(
    invocation: Invocation,
    actor: str | None,
    kind: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
) -> None:
    """The newest events of the whole ledger.

    The oldest of them first.
    """
    from ledger import log as event_log
    from projections.listings import event_line, subject_key

    _refuse_unknown_type(kind)
    wanted = limit if limit is not None else (0 if invocation.json else LIMIT)
    with invocation.reading() as world:
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
