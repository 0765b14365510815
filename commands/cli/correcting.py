"""Verbs that set right what an input file said: ``correct``, ``replay``."""

import re
from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import REFUSED
from commands.cli.finding_lines import counted, told_at_once, write_findings
from commands.cli.input_files import (
    answer_upload,
    difference_line,
    most_of_a_kind,
)
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import Column, file_name, plural, printable
from commands.cli.progress import shown_progress
from commands.cli.sources import read_source
from commands.cli.verbs import WritingVerb

if TYPE_CHECKING:
    from commands.answers.correction import (
        CorrectedClustering,
        CorrectedSession,
        CorrectionReport,
        TouchedClustering,
    )
    from commands.requests.correction.events import CorrectionDone

    Replaced = CorrectedSession | CorrectedClustering

_LISTED = 10
_ROWS = 30
_DEPENDENT_COLUMNS = [
    Column("clustering"),
    Column("what"),
    Column("username"),
    Column("becomes"),
    Column("because", "below"),
]
_FATES = {
    "replaced": "replaced",
    "inserted-anew": "inserted anew",
    "carried-over": "carried over",
    "deleted": "deleted",
}


@click.command(cls=WritingVerb)
@click.argument("file", metavar="FILE")
@click.option("--apply", is_flag=True, help="Request the correction; an admin has to approve it.")
@click.option("--reason", metavar="TEXT", help="With --apply: what was wrong; kept for good.")
@pass_invocation
def correct(invocation: Invocation, file: str, apply: bool, reason: str | None) -> int:
    """Compare a corrected file with what is stored; replace it.

    Says field by field what differs, which records would be deleted and inserted again, and what becomes of all
    that stands on them. Nothing changes without --apply, nor then before an admin approves. FILE may be -.
    """
    if apply != (reason is not None):
        missing = "--reason TEXT says what was wrong" if apply else "--reason is for --apply"
        raise click.UsageError(f"{missing}: daybook correct FILE --apply --reason TEXT.")
    settings = invocation.settings
    source = read_source(file, settings.limits.input_file_bytes)
    from commands.answers.correction import correction_too_large

    actor, found = "", correction_too_large(source.size_bytes, settings.limits)
    if found is None:
        with invocation.answering() as ledger:
            given: dict[str, Any] = {"content": source.data, "filename": source.name, "reason": reason}
            found = ledger.do("correct", command_id=invocation.command_id, **given).answer
            actor = ledger.user
    report: CorrectionReport = found
    invocation.answer(report, lambda: _write(report, source.shown, actor))
    return 0 if report.ok else REFUSED


def _write(report: "CorrectionReport", file: str, actor: str) -> None:
    replaced: list[Replaced] = [*report.sessions, *report.clusterings]
    grave = told_at_once(report.findings)
    if not report.ok:
        write_replaced(replaced, actor=actor)
        write_findings(grave, file, most_of_a_kind=most_of_a_kind())
        output.say(f"{counted(grave)}: nothing can be corrected by this file as it is.")
        return
    write_findings(grave, file, most_of_a_kind=most_of_a_kind())
    write_replaced(replaced, actor=actor)
    if report.dependents:
        output.say()
        output.say("What stands on them:")
        _write_dependents(report.dependents)
    _write_rest(report)
    if not replaced:
        known = _numbers({"sessions": report.unchanged.sessions, "clusterings": report.unchanged.clusterings})
        output.say(f"{file}: nothing to correct{f', {known} unchanged' if known else ''}.")
        return
    output.say()
    sessions, clusterings = len(report.sessions), len(report.clusterings)
    what = _numbers({"sessions": sessions, "clusterings": clusterings})
    if report.request is None:
        output.say(f"{file}: {what} would be deleted and inserted again. Nothing is requested yet.")
        output.say(f"To request it: daybook correct {quote(file)} --apply --reason TEXT")
    else:
        approve, cancel = map(worded, report.next_steps)
        output.say(
            f"{report.request} asks that {what} {'is' if sessions + clusterings == 1 else 'are'} deleted and "
            f"inserted again from this file, which is kept as {report.upload}. Nothing is changed yet."
        )
        output.say(f"An admin decides: {approve}")
        output.say(f"To take it back: {cancel}")


def write_replaced(replaced: "Sequence[Replaced]", *, actor: str = "") -> None:
    """Each record with how it was matched and, field by field, what differs; of many the first ones."""
    for entry in replaced[:_ROWS]:
        name = getattr(entry, "session", None) or getattr(entry, "clustering", None)
        what = getattr(entry, "location", None) or getattr(entry, "group_name", None)
        where = f" {printable(what)}" if what else ""
        whose = "" if entry.username == actor else f"of {printable(entry.username)}, "
        output.say(f"{output.coloured(str(name), bold=True)}{where} ({whose}matched by {entry.matched_by}):")
        for difference in entry.differences:
            output.say(f"  {difference_line(difference)}")
        before, after = getattr(entry, "session_time", None), getattr(entry, "new_session_time", None)
        if after is not None and before != after:
            output.say(f"  its session_time: {before or '(none)'} -> {after}")
        if getattr(entry, "kept", ()):
            output.say(f"  added since, and kept: {', '.join(getattr(entry, 'kept', ()))}")
        if entry.outcome == "waiting":
            output.say(f"  it would be {output.status('waiting')}: {printable(entry.reason)}")
    if len(replaced) > _ROWS:
        output.say(f"... and {len(replaced) - _ROWS:,} more: --json has them all.")


def write_requested(replaced: Sequence[dict[str, Any]]) -> None:
    """The records that a request names, as its event holds them."""
    for entry in replaced[:_ROWS]:
        name = entry.get("session") or entry["clustering"]
        output.say(f"{output.coloured(name, bold=True)} (matched by {entry['matched_by']}):")
        for difference in entry["differences"]:
            output.say(f"  {difference_line(difference)}")
        before, after = entry.get("session_time"), entry.get("new_session_time")
        if after is not None and before != after:
            output.say(f"  its session_time: {printable(before or '(none)')} -> {printable(after)}")
    if len(replaced) > _ROWS:
        output.say(f"... and {len(replaced) - _ROWS:,} more: --json has them all.")


def write_corrected(done: "CorrectionDone") -> None:
    """What an approved correction came to."""
    pairs = [f"{pair.new} replaces {pair.old}" for pair in done.replaced]
    output.say(f"{done.request} was carried out, by the file of {done.upload}: {_some(pairs)}.")
    if done.carried_over:
        output.say(f"Carried over: {_some(done.carried_over)}.")
    if done.deleted:
        output.say(f"Deleted, because it could not follow: {_some(done.deleted)}.")


def _write_dependents(dependents: "Sequence[TouchedClustering]") -> None:
    # what is lost comes first
    order = list(reversed(_FATES))
    rows = [
        [
            dependent.clustering,
            dependent.group_name or f"of {dependent.stands_on[0]}",
            dependent.username,
            _FATES[dependent.becomes],
            dependent.reason,
        ]
        for dependent in sorted(dependents, key=lambda dependent: order.index(dependent.becomes))
    ]
    output.write_table(_DEPENDENT_COLUMNS, rows[:_ROWS])
    if len(rows) > _ROWS:
        output.say(f"... and {len(rows) - _ROWS:,} more: --json has them all.")


def _write_rest(report: "CorrectionReport") -> None:
    """What the correction leaves as it is."""
    for entry in report.left_out[:_ROWS]:
        output.say(f"{entry.record} is {printable(entry.username)}'s and is left out:")
        for difference in entry.differences:
            output.say(f"  {difference_line(difference)}")
    if len(report.left_out) > _ROWS:
        output.say(f"... and {len(report.left_out) - _ROWS:,} more of other people: --json has them all.")
    new = [f"sessions[{entry.index}] {entry.location}" for entry in report.new.sessions]
    new += [f"clustering[{entry.index}] {entry.group_name}" for entry in report.new.clusterings]
    if new:
        output.say(f"New, and left to daybook upload: {_some(new)}.")
    if report.absent:
        absent = [f"{entry.session} {entry.location}" for entry in report.absent]
        output.say(f"Not in the file, and left as they are: {_some(absent)}.")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return printable(", ".join(names[:_LISTED]) + more)


def _numbers(counts: dict[str, int]) -> str:
    parts = [plural(number, noun[:-1]) for noun, number in counts.items() if number]
    return " and ".join(parts)


def _upload_number(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    if not re.fullmatch(r"u[0-9]{1,18}", value):
        raise click.BadParameter(
            f'"{value}" is not the id of an upload, such as u34; they are told by: daybook uploads.'
        )
    return int(value[1:])


@click.command(cls=WritingVerb)
@click.argument("upload", metavar="UPLOAD", callback=_upload_number)
@pass_invocation
def replay(invocation: Invocation, upload: int) -> int:
    """Take the stored bytes of an earlier upload again.

    They go the whole way of a new upload, against the ledger and the disk as they are now: what is missing is
    inserted, the rest are duplicates. UPLOAD is an id such as u34.
    """
    with shown_progress("processing") as progress:
        report = invocation.do("replay", ref=f"u{upload}", progress=progress)
    return answer_upload(invocation, report, file_name(report.filename))
