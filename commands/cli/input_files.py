"""Verbs that take an input file: ``validate``, ``upload``."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import ENTRY_FAILED, REFUSED
from commands.cli.finding_lines import MOST_OF_A_KIND, counted, plain, write_findings
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.progress import shown_progress
from commands.cli.proving import write_receipt
from commands.cli.sources import Source, read_source
from commands.cli.targets import refuse_existing
from commands.cli.verbs import Verb
from commands.inputfile.findings import Finding
from ledger.errors import LedgerUnavailable

if TYPE_CHECKING:
    from commands.inputfile.check import Checked
    from commands.intake.accepting import UploadReport

_ROWS = 30


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What ``validate`` found; ``checked`` where stage 2 was reached."""

    stage: int
    findings: Sequence[Finding]
    checked: "Checked | None" = None
    ledger: bool = True

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


@click.command(cls=Verb)
@click.argument("file", metavar="FILE")
@click.option("--no-record", is_flag=True, help="Append no event that says the file was checked.")
@pass_invocation
def validate(invocation: Invocation, file: str, no_record: bool) -> int:
    """Check an input file; ingest nothing.

    Stages 0 to 2: can it be loaded, are keywords and types right, do values match the ledger and paths the
    disk. Without a ledger, stages 0 and 1. FILE may be - for standard input.
    """
    limits = invocation.settings.limits
    source = read_source(file, limits.input_file_bytes)
    verdict = too_large_verdict(source, limits.input_file_bytes) or _verdict(
        invocation, source, record=not no_record
    )
    if not verdict.ledger and verdict.ok:
        invocation.note(
            f"there is no ledger at {invocation.shown_db}: stage 2 (values and paths) was not checked."
        )
    document = {"ok": verdict.ok, "stage": verdict.stage, "findings": plain(verdict.findings)}
    invocation.answer(document, lambda: _write_verdict(verdict, source.shown))
    return 0 if verdict.ok else REFUSED


def _verdict(invocation: Invocation, source: Source, *, record: bool) -> _Verdict:
    file = invocation.sqlite_file
    if file is not None and not file.exists():
        return _without_ledger(invocation, source)
    from commands.intake.validation import validate as check_file

    settings = invocation.settings
    try:
        with invocation.daybook() as daybook:
            found = check_file(
                daybook,
                source.data,
                filename=source.name,
                roots=settings.roots,
                limits=settings.limits,
                record=record,
            )
    except LedgerUnavailable as refusal:
        if refusal.code == "no-ledger":
            return _without_ledger(invocation, source)
        if refusal.code == "read-only" and record:
            verdict = _verdict(invocation, source, record=False)
            invocation.note("the ledger is read-only: that the file was checked is not on record.")
            return verdict
        raise
    return _Verdict(found.stage, found.findings, found.checked)


def _without_ledger(invocation: Invocation, source: Source) -> _Verdict:
    """Stages 0 and 1: quick enough for an editor, and without a word to any database."""
    from commands.inputfile.read import read_input_file

    found = read_input_file(source.data, filename=source.name, limits=invocation.settings.limits)
    return _Verdict(found.stage, found.findings, ledger=False)


def too_large_verdict(source: Source, limit: int) -> _Verdict | None:
    """A file beyond the limit is not read to its end, so neither are its bytes kept."""
    if source.size_bytes <= limit:
        return None
    size = f"{source.size_bytes:,} bytes" if source.size_bytes > limit + 1 else f"more than {limit:,} bytes"
    hint = "Split it, or raise limits.input_file_bytes in daybook.toml."
    message = f"The file has {size}; at most {limit:,} are read."
    return _Verdict(0, [Finding(0, "error", "file-too-large", "", None, None, message, hint)])


def _write_verdict(verdict: _Verdict, file: str) -> None:
    write_findings(verdict.findings, file, most_of_a_kind=most_of_a_kind())
    counts = counted(verdict.findings)
    if not verdict.ok:
        output.say(f"{counts}: it cannot be uploaded as it is.")
        return
    apart = f" ({counts})" if counts else ""
    if verdict.checked is None:
        output.say(f"{file}: stages 0 and 1 passed{apart}.")
        return
    entries = _entries("session", [s.duplicate_of for s in verdict.checked.sessions])
    entries += _entries("clustering", [c.duplicate_of for c in verdict.checked.clusterings])
    output.say(f"{file}: {output.status('valid')}{apart}: {'; '.join(entries) or 'no entries'}.")


def _entries(noun: str, duplicates: Sequence[int | None]) -> list[str]:
    if not duplicates:
        return []
    known = sum(duplicate is not None for duplicate in duplicates)
    new = len(duplicates) - known
    return [
        f"{plural(len(duplicates), noun)}, {new:,} new"
        + (f" and {known:,} in the ledger already" if known else "")
    ]


def most_of_a_kind() -> int | None:
    return MOST_OF_A_KIND if sys.stdout is not None and sys.stdout.isatty() else None


@click.command(cls=Verb)
@click.argument("file", metavar="FILE")
@click.option(
    "--receipt", metavar="FILE", help="Write a receipt there, to be checked later: verify --receipt."
)
@pass_invocation
def upload(invocation: Invocation, file: str, receipt: str | None) -> int:
    """Check an input file and ingest what is new in it.

    Uploading the same file again, as it grows, is how it is meant: what is known already is skipped, and
    reported where it differs. FILE may be - for standard input.
    """
    settings = invocation.settings
    if receipt is not None:
        refuse_existing(receipt)
    source = read_source(file, settings.limits.input_file_bytes)
    too_large = too_large_verdict(source, settings.limits.input_file_bytes)
    if too_large is not None:
        findings = too_large.findings
        nothing: dict[str, Any] = {"sessions": [], "clusterings": []}
        refused = {"ok": False, "upload": None, "findings": plain(findings), **nothing}
        invocation.answer(refused, lambda: write_rejected(findings, source.shown, None))
        return REFUSED
    from commands.intake.accepting import upload as take_in

    with invocation.daybook() as daybook, shown_progress("processing") as progress:
        report = take_in(
            daybook,
            source.data,
            filename=source.name,
            roots=settings.roots,
            limits=settings.limits,
            progress=progress,
        )
        if receipt is not None:
            write_receipt(invocation, daybook, report.upload, receipt)
    return answer_upload(invocation, report, source.shown)


def answer_upload(invocation: Invocation, report: "UploadReport", file: str) -> int:
    """Say what became of an input file; the exit code."""
    document = {
        "ok": report.ok,
        "upload": report.upload,
        "findings": plain(report.findings),
        "sessions": report.sessions,
        "clusterings": report.clusterings,
    }
    invocation.answer(document, lambda: _write_upload(report, file))
    if not report.ok:
        return REFUSED
    return (
        ENTRY_FAILED if any(e["outcome"] == "error" for e in (*report.sessions, *report.clusterings)) else 0
    )


def write_rejected(findings: Sequence[Finding], file: str, upload: str | None) -> None:
    grave = [finding for finding in findings if finding.severity != "notice"]
    write_findings(grave, file, most_of_a_kind=most_of_a_kind())
    kept = f" (The file is kept as {upload}.)" if upload else ""
    output.say(f"{counted(grave)}: nothing was ingested.{kept}")


def _write_upload(report: "UploadReport", file: str) -> None:
    if not report.ok:
        write_rejected(report.findings, file, report.upload)
        return
    findings = [finding for finding in report.findings if finding.severity != "notice"]
    write_findings(findings, file, most_of_a_kind=most_of_a_kind())
    _write_moved(report.sessions, report.clusterings)
    for entry in (*report.sessions, *report.clusterings):
        _write_differences(entry)
    output.say(f"{report.upload}: {_outcomes(report)}.")
    notices = len(report.findings) - len(findings)
    if notices:
        output.say(f"{plural(notices, 'notice')}: daybook show {report.upload}", err=True)
    still = [e for e in (*report.sessions, *report.clusterings) if e["outcome"] in ("waiting", "error")]
    if still:
        output.say(f"What to do{' about each' if still[1:] else ''}: daybook why {_id(still[0])}")


def _id(entry: dict[str, Any]) -> str:
    return str(entry.get("session") or entry.get("clustering"))


def _write_moved(sessions: Sequence[dict[str, Any]], clusterings: Sequence[dict[str, Any]]) -> None:
    """Every entry that is not a mere duplicate; of many inserted ones only the first."""
    moved = [entry for entry in (*sessions, *clusterings) if entry["outcome"] != "duplicate"]
    urgent = [entry for entry in moved if entry["outcome"] != "inserted"]
    room = max(0, _ROWS - len(urgent))
    kept = [entry for entry in moved if entry["outcome"] == "inserted"][:room]
    left_out = len(moved) - len(urgent) - len(kept)
    shown = [entry for entry in moved if entry in kept or entry in urgent] if left_out else moved
    if not shown:
        return
    columns = [
        Column("ref"),
        Column("outcome", is_status=True),
        Column("session_time"),
        Column("entry", "middle"),
        Column("reason", "end"),
    ]
    rows = [
        [_id(e), e["outcome"], e.get("session_time"), e.get("location") or e.get("group_name"), e["reason"]]
        for e in shown
    ]
    output.write_table(columns, rows)
    if left_out:
        output.say(f"... and {left_out:,} more inserted.")


def _write_differences(entry: dict[str, Any]) -> None:
    if entry.get("differences"):
        output.say(f"{_id(entry)} is in the ledger already and stays as it is, but this file says otherwise:")
    for difference in entry.get("differences", ()):
        output.say(f"  {difference_line(difference)}")


def difference_line(difference: Any) -> str:
    """``notes: what is stored -> what is given``."""
    if not isinstance(difference, dict):
        return printable(difference)
    field = difference.get("field") or difference.get("path")
    values = [value for key, value in difference.items() if key not in ("field", "path")]
    return printable(f"{field}: " + " -> ".join(_value(value) for value in values))


def _value(value: object) -> str:
    if value is None:
        return "(none)"
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _outcomes(report: "UploadReport") -> str:
    parts = []
    for noun, entries in (("session", report.sessions), ("clustering", report.clusterings)):
        counts = Counter(entry["outcome"] for entry in entries)
        if entries:
            parts.append(
                f"{plural(len(entries), noun)}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items())
            )
    return "; ".join(parts) or "the file has no entries"
