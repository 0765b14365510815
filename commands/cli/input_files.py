"""Verbs that take an input file: ``validate``, ``upload``."""

import os
from collections import Counter
from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import ENTRY_FAILED, REFUSED
from commands.cli.finding_lines import MOST_OF_A_KIND, counted, told_at_once, write_findings
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.many_files import OneFile, each_file
from commands.cli.next_steps import worded
from commands.cli.output import Column, plural, printable
from commands.cli.progress import shown_progress
from commands.cli.proving import write_receipt
from commands.cli.sources import STDIN, Source, read_source
from commands.cli.targets import refuse_existing
from commands.cli.verbs import WritingVerb
from commands.inputfile.findings import Finding
from commands.inputfile.kept_findings import MoreFindings
from ledger.errors import LedgerUnavailable, NextStep

if TYPE_CHECKING:
    from commands.intake.checking import CheckedFile, Difference, EntryCounts
    from commands.intake.upload_report import UploadedClustering, UploadedSession, UploadReport

    Entry = UploadedSession | UploadedClustering

_ROWS = 30
_REFS = 6


@click.command(cls=WritingVerb)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--no-record", is_flag=True, help="Append no event that says the file was checked.")
@pass_invocation
def validate(invocation: Invocation, files: tuple[str, ...], no_record: bool) -> int:
    """Check an input file; ingest nothing.

    Stages 0 to 2: can it be loaded, are keywords and types right, do values match the ledger and paths the
    disk. Without a ledger, stages 0 and 1. FILE may be - for standard input. Of several files each is checked
    on its own; the exit code is that of the worst.
    """
    _refuse_for_several(invocation, files)
    return each_file(invocation, files, lambda file: _validated(invocation, file, no_record), validated=True)


def _refuse_for_several(invocation: Invocation, files: Sequence[str], receipt: str | None = None) -> None:
    if len(files) < 2:
        return
    for option, given in (("--command-id", invocation.command_id), ("--receipt", receipt)):
        if given is not None:
            raise click.UsageError(f"{option} is for one file, and {len(files)} were given.")
    if list(files).count(STDIN) > 1:
        raise click.UsageError("Standard input can be read once; - is given several times.")


def _validated(invocation: Invocation, file: str, no_record: bool) -> OneFile:
    from commands.intake.checking import checked_too_large

    limits = invocation.settings.limits
    source = read_source(file, limits.input_file_bytes, drafts=True)
    checked = checked_too_large(source.size_bytes, limits) or _checked(invocation, source, not no_record)
    if checked.unrecorded == "no-ledger" and checked.ok:
        invocation.note(
            f"there is no ledger at {invocation.place_of_ledger}: stage 2 (values and paths) was not checked."
        )
    if checked.unrecorded == "read-only":
        invocation.note("the ledger is read-only: that the file was checked is not on record.")
    gist = counted(checked.findings) or "; ".join(_all_entries(checked)) or "no entries"
    return OneFile(0 if checked.ok else REFUSED, checked, lambda: _write_checked(checked, source.shown), gist)


def _checked(invocation: Invocation, source: Source, record: bool) -> "CheckedFile":
    file = invocation.sqlite_file
    if file is not None and not os.path.exists(file):  # noqa: PTH110 - of a name that is too long, no error
        return _without_ledger(invocation, source)
    try:
        with invocation.answering() as ledger:
            return ledger.validate(
                source.data, filename=source.name, record=record, command_id=invocation.command_id
            )
    except LedgerUnavailable as refusal:
        if refusal.code == "no-ledger":
            return _without_ledger(invocation, source)
        raise


def _without_ledger(invocation: Invocation, source: Source) -> "CheckedFile":
    """Stages 0 and 1: quick enough for an editor, without asking any database."""
    from commands.intake.checking import check_alone

    return check_alone(source.data, filename=source.name, limits=invocation.settings.limits)


def _write_checked(checked: "CheckedFile", file: str) -> None:
    write_findings(checked.findings, file, most_of_a_kind=most_of_a_kind())
    counts = counted(checked.findings, checked.more)
    if not checked.ok:
        output.say(f"{counts}: it cannot be uploaded as it is.")
        return
    apart = f" ({counts})" if counts else ""
    if checked.sessions is None or checked.clusterings is None:
        output.say(f"{file}: stages 0 and 1 passed{apart}.")
        return
    for known in checked.differing:
        if known.moved_from is not None:
            output.say(printable(f"{known.record} was moved from {known.moved_from}: an upload says so."))
        if not known.differences:
            continue
        if known.renewed:
            output.say(f"{known.record} was never inserted, and would take what this file says:")
        else:
            output.say(
                f"{known.record} of {printable(known.username)} is in the ledger already and would stay as it is, "
                "but this file says otherwise:"
            )
        _write_lines(known.differences)
    entries = _all_entries(checked)
    output.say(f"{file}: {output.status('valid')}{apart}: {'; '.join(entries) or 'no entries'}.")


def _all_entries(checked: "CheckedFile") -> list[str]:
    if checked.sessions is None or checked.clusterings is None:
        return []
    return [*_entries("session", checked.sessions), *_entries("clustering", checked.clusterings)]


def _entries(noun: str, counts: "EntryCounts") -> list[str]:
    if not counts.entries:
        return []
    known = f" and {counts.known:,} in the ledger already" if counts.known else ""
    return [f"{plural(counts.entries, noun)}, {counts.new:,} new{known}"]


def most_of_a_kind() -> int | None:
    return MOST_OF_A_KIND if output.is_terminal() else None


@click.command(cls=WritingVerb)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--receipt", metavar="FILE", help="Write a receipt there, to be checked later: verify --receipt."
)
@pass_invocation
def upload(invocation: Invocation, files: tuple[str, ...], receipt: str | None) -> int:
    """Check an input file and ingest what is new in it.

    Uploading the same file again, as it grows, is how it is meant: what is known already is skipped, and
    reported where it differs. FILE may be - for standard input. Of several files each is uploaded on its own;
    the exit code is that of the worst.
    """
    _refuse_for_several(invocation, files, receipt)
    if receipt is not None:
        refuse_existing(receipt)
    return each_file(invocation, files, lambda file: _uploaded(invocation, file, receipt), validated=False)


def _uploaded(invocation: Invocation, file: str, receipt: str | None) -> OneFile:
    from commands.intake.uploading import upload_too_large

    settings = invocation.settings
    source = read_source(file, settings.limits.input_file_bytes, drafts=True)
    refused = upload_too_large(source.size_bytes, settings.limits, filename=source.name)
    if refused is not None:
        return _one_upload(refused, source.shown)
    with invocation.answering() as ledger, shown_progress("processing") as progress:
        report = ledger.upload(
            source.data, filename=source.name, progress=progress, command_id=invocation.command_id
        )
        if receipt is not None:
            write_receipt(invocation, ledger, str(report.upload), receipt)
    return _one_upload(report, source.shown)


def _one_upload(report: "UploadReport", file: str) -> OneFile:
    code = REFUSED if not report.ok else ENTRY_FAILED if report.failed else 0
    gist = f"{report.upload}: {_outcomes(report)}" if report.ok else counted(report.findings)
    return OneFile(code, report, lambda: _write_upload(report, file), gist)


def answer_upload(invocation: Invocation, report: "UploadReport", file: str) -> int:
    """Say what became of an input file; the exit code."""
    found = _one_upload(report, file)
    invocation.answer(found.answer, found.write)
    return found.exit


def write_rejected(findings: Sequence[Finding], more: MoreFindings, file: str, upload: str | None) -> None:
    grave = told_at_once(findings)
    write_findings(grave, file, most_of_a_kind=most_of_a_kind())
    kept = f" (The file is kept as {upload}.)" if upload else ""
    output.say(f"{counted(grave, more)}: nothing was ingested.{kept}")


def _write_upload(report: "UploadReport", file: str) -> None:
    if not report.ok:
        write_rejected(report.findings, report.more, file, report.upload)
        return
    findings = told_at_once(report.findings)
    write_findings(findings, file, most_of_a_kind=most_of_a_kind())
    _write_moved(report.sessions, report.clusterings)
    entries: list[Entry] = [*report.sessions, *report.clusterings]
    for entry in entries:
        _write_differences(entry, report.username)
    _say_what_helps(entries, report.username, file)
    output.say(f"{report.upload}: {_outcomes(report)}.")
    _write_others(entries, report.username)
    notices = len(report.findings) - len(findings)
    if notices:
        output.say(f"{plural(notices, 'notice')}: daybook show {report.upload}", err=True)
    if report.next_steps:
        each = " about each" if report.next_steps[1:] else ""
        output.say(f"What to do{each}: {worded(report.next_steps[0])}")


def _say_what_helps(entries: Sequence["Entry"], owner: str | None, file: str) -> None:
    """Where a file says otherwise than what its owner has on record. Nothing is taken over by an upload."""
    own = [one for one in entries if one.differences and not one.renewed and one.username == owner]
    if not own or file.startswith("<"):
        return
    if all(each.given is None for one in own for each in one.differences):
        output.say("What this file does not say stays on record.")
        return
    look = f"daybook correct {quote(file)}"
    if getattr(own[0], "session", None) is None:
        output.say(f"To see what a correction would replace: {look}")
        return
    add = worded(NextStep("amend", _id(own[0]), {"file": file}))
    output.say(f"To add what is new: {add}; to see what a correction would replace: {look}")


def _id(entry: "Entry") -> str:
    return str(getattr(entry, "session", None) or getattr(entry, "clustering", None))


def _write_moved(sessions: Sequence["Entry"], clusterings: Sequence["Entry"]) -> None:
    """Every entry that is more than a duplicate; where many were inserted, only the first."""
    moved = [entry for entry in (*sessions, *clusterings) if entry.outcome != "duplicate"]
    urgent = [entry for entry in moved if entry.outcome != "inserted"]
    room = max(0, _ROWS - len(urgent))
    kept = [entry for entry in moved if entry.outcome == "inserted"][:room]
    left_out = len(moved) - len(urgent) - len(kept)
    chosen = {id(entry) for entry in (*kept, *urgent)}
    shown = [entry for entry in moved if id(entry) in chosen] if left_out else moved
    if not shown:
        return
    columns = [
        Column("ref"),
        Column("outcome", is_status=True),
        Column("session_time"),
        Column("entry", "middle"),
        Column("reason", "below"),
    ]
    rows = [
        [
            _id(entry),
            entry.outcome,
            getattr(entry, "session_time", None),
            getattr(entry, "location", None) or getattr(entry, "group_name", None),
            entry.reason,
        ]
        for entry in shown
    ]
    output.write_table(columns, rows)
    if left_out:
        output.say(f"... and {left_out:,} more inserted.")


def _write_others(entries: Sequence["Entry"], owner: str | None) -> None:
    """Whose entries the ledger already has from somebody else."""
    of: dict[str, list[str]] = {}
    for entry in entries:
        if entry.username != owner:
            of.setdefault(entry.username, []).append(_id(entry))
    for user, refs in of.items():
        more = f" and {len(refs) - _REFS:,} more" if len(refs) > _REFS else ""
        verb, them = ("is", "it") if len(refs) == 1 else ("are", "them")
        listed = f"{', '.join(refs[:_REFS])}{more}"
        output.say(printable(f"Of these, {listed} {verb} {user}'s: nothing was inserted for {them}."))


def _write_differences(entry: "Entry", owner: str | None) -> None:
    moved_from = getattr(entry, "moved_from", None)
    if moved_from is not None:
        output.say(printable(f"{_id(entry)} was moved from {moved_from}, and its record says so."))
    if entry.differences and entry.renewed:
        output.say(f"{_id(entry)} had not been inserted, and takes what this file says:")
    elif entry.differences:
        of = "" if entry.username == owner else f" of {printable(entry.username)}"
        output.say(
            f"{_id(entry)}{of} is in the ledger already and stays as it is, but this file says otherwise:"
        )
    _write_lines(entry.differences)


def _write_lines(differences: "Sequence[Difference]") -> None:
    for difference in differences:
        output.say(f"  {difference_line(difference)}")


def difference_line(difference: "Difference | dict[str, Any]") -> str:
    """``notes: what is stored -> what is given``."""
    if isinstance(difference, dict):  # as it stands in an event
        field, values = difference["field"], (difference["stored"], difference["given"])
    else:
        field, values = difference.field, (difference.stored, difference.given)
    return printable(f"{field}: " + " -> ".join(map(_value, values)))


def _value(value: object) -> str:
    if value is None:
        return "(none)"
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_NOUNS = ("duplicate", "error")  # among the outcomes; the others are adjectives


def _outcomes(report: "UploadReport") -> str:
    parts = []
    for noun, entries in (("session", report.sessions), ("clustering", report.clusterings)):
        counts = Counter(entry.outcome for entry in entries)
        if entries:
            found = (plural(n, what) if what in _NOUNS else f"{n:,} {what}" for what, n in counts.items())
            parts.append(f"{plural(len(entries), noun)}: {', '.join(found)}")
    return "; ".join(parts) or "the file has no entries"
