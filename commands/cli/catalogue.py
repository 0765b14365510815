"""Verbs about reference values: ``catalogue load``, ``add``, ``propose``, ``rename``, ``take-back``, ``retire``,
``list``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.changes import change
from commands.cli.failures import REFUSED
from commands.cli.finding_lines import counted, write_findings
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.next_steps import worded
from commands.cli.output import Column, plural, printable
from commands.cli.sources import read_source
from commands.cli.times import as_of_option
from commands.cli.verbs import VerbGroup, WritingVerb
from ledger.errors import NextStep

if TYPE_CHECKING:
    from commands.lab.catalogue import ValueTold


@click.group(cls=VerbGroup)
def catalogue() -> None:
    """Reference values that input files are checked against."""


@catalogue.command(cls=WritingVerb)
@click.argument("file", metavar="FILE")
@pass_invocation
def load(invocation: Invocation, file: str) -> int:
    """Load reference values, subjects and probe insertions from a YAML file.

    Appends only what is new in it, so that it can be loaded again as it grows. FILE may be - for standard
    input.
    """
    source = read_source(file, invocation.settings.limits.input_file_bytes)
    report = invocation.do("load-catalogue", content=source.data)

    def human() -> None:
        write_findings(report.findings, source.shown, most_of_a_kind=None)
        if report.ok:
            output.say(f"{plural(report.added, 'fact')} added, {report.known:,} known already.")
            for one in report.told:
                output.say(_told(one))
        else:
            output.say(f"{counted(report.findings)}: nothing was loaded.")

    invocation.answer(report, human)
    return 0 if report.ok else REFUSED


def _told(one: "ValueTold") -> str:
    """What became of a value that the file and the ledger tell otherwise."""
    value = printable(f'"{one.value}" of {one.table}')
    if one.became == "retired":
        step = NextStep("restore-value", arguments={"reference": one.table, "value": one.value})
        return f"{value} is retired, and stays so. To bring it back: {worded(step)}"
    if one.became == "renamed":
        now = printable(f'"{one.now["name"]}"')
        return f"Subject {one.value} is called {now} now: write that. What the file says of it is left out."
    if one.became == "redacted":
        step = NextStep("propose-value", arguments={"reference": one.table, "value": None})
        return f"A value of {one.table} was redacted before, and stays out. To bring it back: {worded(step)}"
    if one.became == "kept":
        return f"{value} keeps what the file does not say of it: {_shown(one.before)}."
    return f"{value} was changed from ({_shown(one.before)}) to ({_shown(one.now)})."


def _attributes(_context: click.Context, _parameter: click.Parameter, pairs: Sequence[str]) -> dict[str, Any]:
    """``--attribute key=value``; true, false and numbers as such."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.BadParameter(f'"{pair}" is not of the form key=value.')
        found[key] = {"true": True, "false": False}.get(value.lower(), value)
    return found


_not_required_option = click.option(
    "--arena-not-required",
    is_flag=True,
    help="For behavior.TaskType: tasks of this type need no arena_apparatus.",
)
_attribute_option = click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_attributes,
    help="Anything else to keep of the value, such as probe_model. May be repeated.",
)


@catalogue.command(cls=WritingVerb)
@click.argument("table")
@click.argument("value")
@_not_required_option
@_attribute_option
@pass_invocation
def add(
    invocation: Invocation, table: str, value: str, arena_not_required: bool, attributes: dict[str, Any]
) -> None:
    """Add a value to a reference table."""
    _complete(table, value, arena_not_required, attributes)
    result = invocation.do("add-value", table=table, value=value, attributes=attributes)

    def human() -> None:
        output.say(f'Added "{value}" to {table}.' if result.added else f'"{value}" is in {table} already.')

    invocation.answer(result, human)


@catalogue.command(cls=WritingVerb)
@click.argument("table")
@click.argument("value")
@pass_invocation
def retire(invocation: Invocation, table: str, value: str) -> None:
    """Retire a value: new input files may not use it any more.

    What was ingested with it stays. Adding it again brings it back.
    """
    result = invocation.do("retire-value", table=table, value=value)

    def human() -> None:
        before = f'"{value}" was retired from {table} before.'
        output.say(f'Retired "{value}" from {table}.' if result.retired else before)

    invocation.answer(result, human)


def _complete(table: str, value: str, arena_not_required: bool, attributes: dict[str, Any]) -> None:
    """Raises click.UsageError."""
    if arena_not_required and table != "behavior.TaskType":
        raise click.UsageError("--arena-not-required is for behavior.TaskType only.")
    if arena_not_required:
        attributes["arena_required"] = False
    if not value.strip() or not value.isprintable():
        raise click.UsageError("A value needs text, without control characters.")


@catalogue.command(cls=WritingVerb)
@click.argument("table")
@click.argument("value")
@_not_required_option
@_attribute_option
@click.option(
    "--reason", default=None, metavar="TEXT", help="What it is needed for; whoever decides reads it."
)
@pass_invocation
def propose(
    invocation: Invocation,
    table: str,
    value: str,
    arena_not_required: bool,
    attributes: dict[str, Any],
    reason: str | None,
) -> None:
    """Propose a value for a reference table, which an admin adds or rejects.

    It is a request: daybook request list. Of an admin it is added at once.
    """
    _complete(table, value, arena_not_required, attributes)
    change(invocation, "propose-value", table=table, value=value, attributes=attributes, reason=reason)


_reason_option = click.option(
    "--reason", required=True, metavar="TEXT", help="What was wrong; kept for good."
)


@catalogue.command(cls=WritingVerb)
@click.argument("table")
@click.argument("value")
@click.argument("new_value", metavar="NEW")
@_reason_option
@pass_invocation
def rename(invocation: Invocation, table: str, value: str, new_value: str, reason: str) -> None:
    """Give a mistyped value its right name.

    At once where you added it and nothing uses it. Else it is a request; when it is approved, whatever uses the
    value says NEW, and keeps its number.
    """
    change(invocation, "rename-value", table=table, value=value, new_value=new_value, reason=reason)


@catalogue.command("take-back", cls=WritingVerb)
@click.argument("table")
@click.argument("value")
@_reason_option
@pass_invocation
def take_back(invocation: Invocation, table: str, value: str, reason: str) -> None:
    """Take back a value that was added by mistake; what names it goes with it, which an admin approves.

    What is only called otherwise is renamed; what is used no longer is retired.
    """
    change(invocation, "take-back-value", table=table, value=value, reason=reason)


@catalogue.command("list")
@click.argument("table", required=False)
@as_of_option
@pass_invocation
def list_values(invocation: Invocation, table: str | None, as_of: int | str | None) -> None:
    """List the values of one reference table, or of all."""
    found = invocation.ask("catalogue", as_of=as_of, table=table)

    def human() -> None:
        if not found.values:
            where = f"{table} has no values" if table is not None else "There are no reference values"
            output.say(
                f"{where} yet. Add some: daybook catalogue load FILE, or daybook catalogue add TABLE VALUE"
            )
            return
        columns = [Column("table"), Column("value"), Column("attributes", "below"), Column("")]
        rows = [
            [v.table, v.value, _shown(v.attributes), "retired" if v.retired else ""] for v in found.values
        ]
        output.write_table(columns, rows)

    invocation.answer(found, human)


def _shown(attributes: dict[str, Any]) -> str:
    return printable(
        ", ".join(
            f"{key}: {str(value).lower() if isinstance(value, bool) else value}"
            for key, value in attributes.items()
        )
    )
