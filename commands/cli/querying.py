"""The verb that asks by SQL: ``query``."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.answers.document import json_text
from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import Column
from commands.cli.verbs import Verb
from ledger.errors import NextStep, Refusal

if TYPE_CHECKING:
    from commands.answers.query.asking import QueryAnswer, QueryColumn

_AT_ONCE = 1_000  # rows of a table on the terminal, whose columns are as wide as they need
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "UBIGINT")


@click.command(cls=Verb)
@click.argument("sql", metavar="SQL")
@click.option("--archive", metavar="DIR", help="Read the log from this archive, as far as it holds there.")
@click.option("--csv", "as_csv", is_flag=True, help="Lines of CSV (RFC 4180), under a line of names.")
@pass_invocation
def query(invocation: Invocation, sql: str, archive: str | None, as_csv: bool) -> None:
    """Ask by SQL, over named views of the ledger.

    SQL is one SELECT, in the words of DuckDB. The views are sessions, clusterings, uploads, requests, tasks,
    session_probes, clustering_sessions, subjects, probes, reference_values, users, redactions and events; their
    columns: daybook query "DESCRIBE sessions". It reads a copy of the ledger as it is now, and reaches nothing else:
    no file, no secret. Needs: pip install "daybook-ledger[query]"

    \b
    daybook query "SELECT subject, count(*) FROM sessions GROUP BY ALL"
    daybook query "SELECT type, count(*) AS n FROM events GROUP BY ALL ORDER BY n" --csv
    """
    from commands.answers.query.asking import query as ask

    if as_csv and invocation.json:
        raise click.UsageError("--csv and --json exclude each other.")
    if (server := invocation.settings.server) is not None:
        raise Refusal(
            "not-at-a-distance",
            f"A query reads the ledger itself, and this one is at {output.printable(server)}, which runs no SQL "
            "of others.",
            "Run daybook query at the machine of the ledger, or take a list from the server: daybook sessions --json",
        )
    with invocation.reading() as world:
        found = ask(world, sql, archive=None if archive is None else Path(archive))
    for file in found.unfit:
        step = NextStep("create-archive", arguments={"directory": archive})
        invocation.warn(
            f"{file} is not what the ledger holds, and was not read. Write it anew: {worded(step)}"
        )
    if as_csv:
        _write_csv(found)
    else:
        invocation.answer(found, lambda: _write_tables(found))


def _pages(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[list[Any]]]:
    left = iter(rows)
    while page := [list(row.values()) for row in islice(left, _AT_ONCE)]:
        yield page


def _write_tables(found: "QueryAnswer") -> None:
    columns = [
        Column(each.name, "" if _is_number(each) else "end", right=_is_number(each)) for each in found.columns
    ]
    pages = _pages(found.rows)
    first = next(pages, None)
    if first is None:
        output.say_instead("No rows.")
        return
    for page in chain([first], pages):
        cells = [list(map(_cell, row)) for row in page]
        if all(cell is None for row in cells for cell in row):
            cells = [["null", *row[1:]] for row in cells]
        output.write_table(columns, cells)


def _is_number(column: "QueryColumn") -> bool:
    return column.type.partition("(")[0] in _NUMBERS


def _cell(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json_text(value, indent=False).decode()


def _write_csv(found: "QueryAnswer") -> None:
    _write_lines([[column.name for column in found.columns]])
    for page in _pages(found.rows):
        _write_lines([[output.safe_cell(_cell(value) or "") for value in row] for row in page])


def _write_lines(lines: Iterable[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    output.say(text.getvalue().encode(), nl=False)
