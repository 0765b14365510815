"""The verb ``audit``: who did how much, as a table or a file. It appends no event."""

import csv
import io
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.drafts import WrittenFile
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, printable
from commands.cli.targets import new_file, write_new
from commands.cli.times import as_of_option, time_in_utc
from commands.cli.verbs import Verb
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.audit import Audit, Counts
    from projections.audit import By

_TITLES = {
    "uploads": "uploads", "rejected": "rejected", "sessions_inserted": "sessions",
    "clusterings_inserted": "clusterings",
    "failures": "failed", "completions": "completed", "withdrawals": "withdrawn", "requests": "requests",
    "deletions": "deleted", "corrections": "corrections", "restores": "restored", "redactions": "redactions",
    "refusals": "refused",
}  # fmt: skip
_BY_PROJECT = (
    "A session with several projects counts for each of them; the total counts it once. Uploads, clusterings and "
    "requests have no project of their own."
)


@click.command(cls=Verb)
@click.option(
    "--by",
    type=click.Choice(("user", "subject", "project", "week", "month", "authentication")),
    help="A line for each; without it, only the totals.",
)
@click.option("--since", metavar="DATE", callback=time_in_utc, help="From this day on (UTC).")
@click.option("--until", metavar="DATE", callback=time_in_utc, help="Before this day (UTC).")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json", "parquet")),
    help="table, unless said; parquet goes to a FILE only.",
)
@click.option(
    "-o", "--output", "target", metavar="FILE", help="Write it to a new file instead of printing it."
)
@as_of_option
@pass_invocation
def audit(
    invocation: Invocation,
    by: "By | None",
    since: str | None,
    until: str | None,
    form: str | None,
    target: str | None,
    as_of: int | str | None,
) -> None:
    """Uploads, inserts, deletions and refusals, counted.

    Sessions and clusterings are counted singly: a deletion that takes three sessions counts three. By user, inserts and
    failures stand under the owner of the record; everything else under who did it: uploaded, completed, withdrew,
    requested, approved (deletions, corrections, restores, redactions) or was refused. What a correction deletes and
    inserts is in those columns too. Days are counted whole, in UTC.

    In CSV (RFC 4180), a text that begins with = + - @, a tab or an apostrophe has an apostrophe put before it: a
    spreadsheet then takes it for text, not for a formula. Parquet needs: pip install "daybook-ledger[parquet]"
    """
    from datetime import date

    if invocation.json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} exclude each other.")
    form = form or ("json" if invocation.json else "table")
    if form == "parquet" and target is None:
        raise click.UsageError("Parquet is not for the terminal: give a file, -o FILE.")
    if form == "table" and target is not None:
        raise click.UsageError(
            "A table is for the terminal: give --format csv, json or parquet with -o FILE."
        )
    first, before = _day(since), _next_day(until)
    _say_days(invocation, since, until, first, before)
    days = (date.fromisoformat(day) if day else None for day in (first, before))
    found = invocation.ask("audit", as_of=as_of, by=by, **dict(zip(("since", "until"), days, strict=True)))
    if form == "parquet":
        _write_parquet(Path(str(target)), found)
    elif target is not None:
        write_new(Path(target), _text(found, form))
    elif form == "table":
        _write_table(found)
    elif form == "json":
        output.write_answer(found, {})
    else:
        output.say(_text(found, form).encode(), nl=False)
    if target is not None:
        invocation.answer(WrittenFile(file=target), lambda: output.say(f"Wrote {printable(target)}."))


# --- days ---------------------------------------------------------------------------------------------------


def _day(time: str | None) -> str:
    return (time or "")[:10]


def _next_day(time: str | None) -> str:
    """The first day that is left out: a time within a day leaves that day in."""
    if time is None or _is_midnight(time):
        return _day(time)
    from datetime import date, timedelta

    try:
        return (date.fromisoformat(_day(time)) + timedelta(days=1)).isoformat()
    except OverflowError:  # the last day of the year 9999
        return ""


def _is_midnight(time: str) -> bool:
    return time[10:] == "T00:00:00.000000Z"


def _say_days(invocation: Invocation, since: str | None, until: str | None, first: str, before: str) -> None:
    if any(time is not None and not _is_midnight(time) for time in (since, until)):
        parts = [f"from {first} on" if first else "", f"before {before}" if before else ""]
        invocation.note(f"days are counted whole, in UTC: {', '.join(part for part in parts if part)}.")


# --- formats ------------------------------------------------------------------------------------------------


def _text(found: "Audit", form: str) -> str:
    if form == "json":
        from commands.answers.document import json_pieces

        return b"".join(json_pieces(found, {"ok": True})).decode()
    return _csv(found)


def _csv(found: "Audit") -> str:
    """Lines as in RFC 4180, under a line of names; without --by, the one line of totals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    total = _counts(found.total)
    writer.writerow([found.by, *total] if found.by else total)
    if found.by is None:
        writer.writerow(total.values())
    for row in found.rows:
        writer.writerow([output.safe_cell(row.key or ""), *_counts(row).values()])
    return text.getvalue()


def _counts(row: "Counts") -> dict[str, int]:
    from dataclasses import asdict

    return {name: number for name, number in asdict(row).items() if name != "key"}


def _table(found: "Audit") -> tuple[list[Column], list[list[object]]]:
    """A count of zero stays blank, and a column without any count is left out."""
    total = _counts(found.total)
    columns = [Column(found.by or "", "end"), *(Column(_TITLES[name], right=True) for name in total)]
    lines = [[row.key or f"(no {found.by})", *_shown(_counts(row))] for row in found.rows]
    return columns, [*lines, ["total", *_shown(total)]]


def _shown(counts: dict[str, int]) -> list[object]:
    return [f"{number:,}" if number else "" for number in counts.values()]


def _write_table(found: "Audit") -> None:
    if not any(_counts(found.total).values()):
        output.say("Nothing is counted in these days. See them all: daybook audit")
        return
    output.write_table(*_table(found))
    if found.by == "project":
        output.say(_BY_PROJECT)


def _write_parquet(path: Path, found: "Audit") -> None:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise Refusal(
            "no-parquet",
            "Parquet files are written by pyarrow, which is not installed.",
            'Install it: pip install "daybook-ledger[parquet]". Or choose --format csv.',
        ) from None
    counts = [_counts(row) for row in found.rows] if found.by else [_counts(found.total)]
    columns: dict[str, Any] = {}
    if found.by is not None:
        columns[found.by] = pyarrow.array([row.key for row in found.rows], pyarrow.string())
    for name in counts[0] if counts else _counts(found.total):
        columns[name] = pyarrow.array([count[name] for count in counts], pyarrow.int64())
    with new_file(str(path)) as file:
        parquet.write_table(pyarrow.table(columns), file)
