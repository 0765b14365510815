"""Verbs that compare two states of the ledger: ``diff``, ``what-if``. They append no event."""

from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.times import moment, shown
from commands.cli.verbs import Verb

if TYPE_CHECKING:
    from commands.answers.diff import Diff
    from commands.answers.differences import DifferenceLine
    from commands.answers.what_if import WhatIf

_AT_ONCE = 2_000  # differences in one table
_NAMED = 4  # records in one line
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_COLUMNS = [
    Column(""),
    Column("record"),
    Column("subject"),
    Column("what", "below"),
    Column("who"),
    Column("when (UTC)"),
]
_TITLES = {
    "subject": "subjects",
    "reference value": "reference values",
    "user": "users",
    "upload": "uploads",
    "session": "sessions",
    "clustering": "clusterings",
    "request": "requests",
}


@click.command(cls=Verb)
@click.argument("first", metavar="A", callback=moment)
@click.argument("second", metavar="[B]", required=False, callback=moment)
@click.option("--subject", metavar="NAME", help="Only by events about this subject.")
@click.option("--user", "owner", metavar="USER", help="Only by events about this user's records.")
@pass_invocation
def diff(
    invocation: Invocation,
    first: int | str | None,
    second: int | str | None,
    subject: str | None,
    owner: str | None,
) -> None:
    """What changed between two moments, and by whom.

    A and B are positions of the log or times, the earlier one first; 0 is the empty ledger. Without B, up to
    now. A record that is new has a +, one that has changed a ~ with what it was and what it is now. The counts of an
    upload that was there before are not told: its entries are.
    """
    start, end = ("now" if moment is None else str(moment) for moment in (first, second))
    with invocation.answering() as ledger:
        found = ledger.ask("diff", start=start, end=end, subject=subject, user=owner)
        invocation.answer(found, lambda: _write_diff(found))


def _write_diff(found: "Diff") -> None:
    start, end = (
        f"position {at.position:,}" + (f" ({shown(at.recorded_at)})" if at.recorded_at else "")
        for at in (found.start, found.end)
    )
    if not found.events:
        to = "".join(
            f" to {what} {printable(name)}"
            for what, name in (("subject", found.subject), ("records of", found.user))
            if name is not None
        )
        output.say(f"Nothing happened{to} from {start} to {end}.")
        return
    output.say(f"From {start} to {end}: {plural(found.events, 'event')}.")
    _write_differences(found.differences)
    others = list(found.others)
    if others:
        output.say()
        output.say("Events that changed no record:")
        columns = [Column("who"), Column("type"), Column("events", right=True)]
        output.write_table(columns, [[o.actor, o.type, f"{o.events:,}"] for o in others])


def _only_one(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str:
    if len(values) > 1:
        raise click.BadParameter(f"{len(values)} were given; leave out one at a time.")
    return values[0]


@click.command("what-if", cls=Verb)
@click.option(
    "--without",
    "reference",
    metavar="REF",
    required=True,
    multiple=True,
    callback=_only_one,
    help="What never happened: u34, d70, s12, c34, or the position of an event.",
)
@pass_invocation
def what_if(invocation: Invocation, reference: str) -> None:
    """How the ledger would stand had something never happened.

    An upload, a request to delete or correct, or any other event is left out, with all that it led to and all that
    could not have happened without it. The ledger itself is not touched. A record that would not be there has a -,
    one that would stand otherwise a ~ with what it is and what it would be. What would have been decided otherwise
    is named; what would have come of it nobody knows.
    """
    found = invocation.ask("what-if", without=reference)
    invocation.answer(found, lambda: _write_what_if(found))


def _write_what_if(found: "WhatIf") -> None:
    root, others = found.without, found.left_out - 1
    output.say(
        f"Without position {root.position:,} ({root.type} by {printable(root.actor)}, {shown(root.recorded_at)}) "
        + (
            f"there would not be {plural(others, 'event')} behind it either."
            if others
            else "all other events would be there."
        )
    )
    if not found.differences:
        output.say("No record would stand otherwise.")
    _write_differences(found.differences)
    if found.otherwise:
        output.say()
        output.say(output.coloured("would have gone otherwise:", bold=True))
        for one in found.otherwise:
            output.say(f"{one.ref} {printable(one.message)}")


# --- differences on the terminal ------------------------------------------------------------------------------------


def _write_differences(differences: Iterable["DifferenceLine"]) -> None:
    """A table for each kind of record, of many records several. Those to which the same happened share a line."""
    for kind, of_kind in groupby(differences, key=lambda one: one.kind):
        output.say()
        output.say(output.coloured(f"{_TITLES[kind]}:", bold=True))
        while some := list(islice(of_kind, _AT_ONCE)):
            lines: dict[tuple[str, ...], list[DifferenceLine]] = {}
            for one in some:
                lines.setdefault(_line(one), []).append(one)
            output.write_table(_COLUMNS, [_row(line, alike) for line, alike in lines.items()])


def _row(line: tuple[str, ...], some: Sequence["DifferenceLine"]) -> list[str]:
    sign, subject, what, who, when = line
    location = getattr(some[0].record, "location", None)
    if len(some) == 1 and some[0].change != "changed" and location:
        what = f"{what}, {location}"
    return [sign, _names(some), subject, what, who, when]


def _line(one: "DifferenceLine") -> tuple[str, ...]:
    """What is told of a difference beside its name."""
    actors = ", ".join(dict.fromkeys(event.actor for event in one.events))
    last = shown(one.events[-1].recorded_at) if one.events else ""
    subject = "" if one.kind == "subject" else getattr(one.record, "subject", "")
    return _SIGNS[one.change], subject, _what(one), actors, last


def _what(one: "DifferenceLine") -> str:
    if one.change == "changed":
        return "; ".join(
            f"{name}: {_value(field.before)} → {_value(field.after)}" for name, field in one.fields.items()
        )
    record: Any = one.record
    if one.kind == "upload":
        counts = {name: getattr(record, name) for name in ("inserted", "duplicates", "waiting", "errors")}
        nouns = {"duplicates": "duplicate", "errors": "error"}
        told = [
            plural(number, nouns[name]) if name in nouns else f"{number:,} {name}"
            for name, number in counts.items()
            if number
        ]
        return ", ".join([record.status, *told])
    if one.kind == "subject":
        return plural(len(record.probes), "probe")
    return str(getattr(record, "status", None) or getattr(record, "role", None) or "")


def _value(value: object) -> str:
    """A value of a field in a line: long lists are counted."""
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return printable(", ".join(value))
        return f"{len(value):,}"
    if isinstance(value, dict):
        return printable(", ".join(f"{key}={item}" for key, item in value.items()))
    return printable(value)


def _names(some: Sequence["DifferenceLine"]) -> str:
    names = [printable(one.name) for one in some]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
