"""Verbs that list records: ``sessions``, ``clusterings``, ``uploads``; and what ``request list`` shares with them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import click

from commands.answers.document import json_text
from commands.cli import output
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import plural, printable
from commands.cli.records import write_clusterings, write_sessions, write_uploads
from commands.cli.times import as_of_option, shown, utc_time
from commands.cli.verbs import Verb
from ledger.errors import Refusal

if TYPE_CHECKING:
    from commands.answers.answering import Answering
    from commands.answers.lists import AnyList
    from projections.queries import Kind, Query

LIMIT = 100
MOST = 1_000_000
_MISSING = ("tasks", "clusterings", "room", "association", "data")
_STATUSES = ("pending", "waiting", "inserted", "error", "withdrawn", "deleted")
REQUEST_STATUSES = ("requested", "rejected", "cancelled", "executed", "restored")
Command = Callable[..., Any]
Rows = list[dict[str, Any]]


def limit_option(function: Command) -> Command:
    return click.option(
        "--limit",
        type=click.IntRange(0, MOST),
        metavar="N",
        help=f"The newest N; 0 for all. On a terminal {LIMIT} unless said; piped, and with --json, all.",
    )(function)


def _record_number(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    digits = (value or "").strip().lstrip("scud")
    if value is None:
        return None
    if not (digits.isascii() and digits.isdigit()):
        raise click.BadParameter(f'"{value}" is no record. Expected an id such as s123, or its number.')
    return int(digits[:18])


def _about_sessions(kind: str) -> list[Command]:
    """A list that cannot be asked about sessions takes these options to say which lists can."""
    of = {"sessions": "", "clusterings": "on a session ", "uploads": "with a session "}.get(kind, "")
    missing = "those that lack" if not of else f"those {of}that lacks"
    hidden = kind == "requests"
    return [
        click.option("--project", metavar="NAME", hidden=hidden, help=f"Only {of}of this project."),
        click.option("--task", metavar="TYPE", hidden=hidden, help=f"Only {of}with a task of this type."),
        click.option(
            "--probe", metavar="NAME", hidden=hidden, help=f"Only {of}recorded with this inserted probe."
        ),
        click.option(
            "--missing",
            type=click.Choice(_MISSING),
            multiple=True,
            hidden=hidden,
            help=f"Only {missing} this and should have it. Several: all of them.",
        ),
    ]


def filter_options(
    kind: str, statuses: Sequence[str], *more: Callable[[Command], Command]
) -> Callable[[Command], Command]:
    """The options of every list; the verb takes them as ``**asked``."""

    options: list[Command] = [
        click.option("--subject", metavar="NAME", help="Only this subject's."),
        click.option("--user", "owner", metavar="USER", help="Only this user's."),
        click.option("--status", type=click.Choice(statuses), help="Only with this status."),
        *more,
        *_about_sessions(kind),
        click.option("--text", metavar="TEXT", help="Only where this stands, in any case."),
        click.option("--since", metavar="TIME", callback=utc_time, help="Requested then or later."),
        click.option("--until", metavar="TIME", callback=utc_time, help="Requested before then."),
        click.option("--after", metavar="ID", callback=_record_number, help="The page behind this record."),
        click.option("--before", metavar="ID", callback=_record_number, help="The next newer ones."),
        limit_option,
        as_of_option,
    ]

    def decorate(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def older_left_out(more: bool, noun: str) -> None:
    if more:
        output.say(
            f"Older {plural(2, noun)[2:]} are not shown: --limit N for more of them, --limit 0 for all.",
            err=True,
        )


def page_size(invocation: Invocation) -> int:
    """How many records a person sees at once; 0 for all."""
    return invocation.settings.list_limit


def query_of(invocation: Invocation, kind: "Kind", asked: dict[str, Any]) -> "Query":
    """All, where ``limit`` is None: with --json, into a pipe or a file, or with --limit 0."""
    from projections.queries import Query, check

    limit = asked.get("limit")
    has_cursor = asked["after"] is not None or asked["before"] is not None
    is_read_along = output.is_terminal() and not invocation.json
    wanted = limit if limit is not None else page_size(invocation) if has_cursor or is_read_along else 0
    given = {name: value for name, value in asked.items() if name not in ("owner", "limit", "as_of")}
    query = Query(user=asked["owner"], limit=wanted or None, **given)
    try:
        check(kind, query)
    except Refusal as refusal:
        if refusal.code == "no-such-filter":
            raise click.UsageError(refusal.message) from None
        raise
    return query


def list_records(
    invocation: Invocation,
    kind: "Kind",
    query: "Query",
    as_of: int | str | None,
    human: Callable[[Rows], None],
    empty: str,
) -> None:
    """``empty`` is what to say where the list is empty without any filter."""
    with invocation.answering() as ledger:
        if query.limit is None and invocation.json:
            _stream_json(kind, ledger.pages(kind, query, as_of=as_of))
        elif query.limit is None:
            _write_all(ledger, kind, query, as_of, human, _none(kind, query, empty))
        else:
            found = ledger.page(kind, query, as_of=as_of)
            rows = getattr(found, kind)
            nothing = _none(kind, query, empty)
            document = {"ok": True, kind: rows, **plain(found)}
            invocation.answer(document, lambda: _write_page(kind, found, rows, query, human, nothing))


def plain(line: Any) -> dict[str, Any]:
    """A dataclass as a dictionary of its own fields."""
    return {field.name: getattr(line, field.name) for field in fields(line)}


# --- a page ---------------------------------------------------------------------------------------------------------


def _write_page(
    kind: str, found: "AnyList", rows: list[Any], query: "Query", human: Callable[[Rows], None], nothing: str
) -> None:
    if rows:
        human([plain(row) for row in reversed(rows)])
        _write_redactions(found)
    elif found.looked_back_to is None:
        output.say_instead(nothing)
    _say_how_to_go_on(kind, found, len(rows), query)


_ALL = {
    "sessions": "daybook sessions", "clusterings": "daybook clusterings", "uploads": "daybook uploads",
    "requests": "daybook request list --all",
}  # fmt: skip


def _none(kind: str, query: "Query", empty: str) -> str:
    asked = replace(query, status=None) if kind == "requests" else query
    is_asked = asked.is_filtered or query.after is not None or query.before is not None
    return f"No {kind} match. See them all: {_ALL[kind]}" if is_asked else empty


def _say_how_to_go_on(kind: str, found: "AnyList", number: int, query: "Query") -> None:
    letter = {"requests": "d"}.get(kind, kind[0])
    direction, side = ("--after", "Older") if query.before is None else ("--before", "Newer")
    if found.looked_back_to is not None:
        at = f"{letter}{found.looked_back_to}"
        output.say(
            f"Looked at {plural(found.looked_at, 'record')}, as far as {at}. To look further: {direction} {at}",
            err=True,
        )
    elif found.more:
        of = ""
        if found.count is not None:
            of = f" ({number:,} of {found.count:,}{'+' if found.count_or_more else ''})"
        cursor = found.last if query.before is None else found.first
        output.say(
            f"{side} {kind} are not shown{of}: {direction} {letter}{cursor} for the next page, --limit N for more of "
            "them, --limit 0 for all.",
            err=True,
        )


def _write_redactions(found: "AnyList") -> None:
    for row in found.redactions:
        by = f"by {row.redacted_by} at {shown(row.redacted_at)}, as {row.requested_by} requested"
        where = f"{row.type} of {row.stream}, position {row.position}"
        output.say(printable(f"(redacted) {where}: {by}: {row.reason}"), err=True)


# --- all of them, page by page --------------------------------------------------------------------------------------


def _write_all(
    ledger: "Answering", kind: "Kind", query: "Query", as_of: int | str | None, human: Callable[[Rows], None],
    nothing: str,
) -> None:  # fmt: skip
    """The oldest first, so that the newest stand last without all being held."""
    written = False
    oldest_first = query if query.before is not None else replace(query, before=0, after=None)
    for page in ledger.pages(kind, oldest_first, as_of=as_of):
        rows = [plain(row) for row in reversed(getattr(page, kind))]
        older = [row for row in rows if query.after is None or int(row[kind[:-1]][1:]) < query.after]
        if older:
            written = True
            human(older)
            _write_redactions(page)
        if len(older) < len(rows):
            break
    if not written:
        output.say_instead(nothing)


def _stream_json(kind: str, found: Iterable["AnyList"]) -> None:
    """One document, as ``write_json`` would write it, of as many pages as there are."""
    output.say(f'{{\n  "ok": true,\n  "{kind}": [', nl=False)
    first: int | None = None
    redactions: list[Any] = []
    looked_at = number = 0
    last: dict[str, Any] = {}
    for page in found:
        last = plain(page)
        rows = last.pop(kind)
        for line in rows:
            output.say(b"".join(_indented(line, is_first=not number)), nl=False)
            number += 1
        first = page.first if first is None else first
        redactions += page.redactions
        looked_at += page.looked_at
    end = "\n  ]" if number else "]"
    last |= {
        "first": first,
        "count": number,
        "count_or_more": False,
        "looked_at": looked_at,
        "redactions": redactions,
    }
    rest = json_text({key: last[key] for key in last}).decode()
    output.say(f"{end},{rest[1:]}".encode())


def _indented(line: Any, *, is_first: bool) -> Iterator[bytes]:
    yield b"\n" if is_first else b",\n"
    yield b"    " + json_text(line).replace(b"\n", b"\n    ")


# --- the verbs ------------------------------------------------------------------------------------------------------


@click.command(cls=Verb)
@filter_options("sessions", _STATUSES)
@pass_invocation
def sessions(invocation: Invocation, /, as_of: int | str | None, **asked: Any) -> None:
    """List sessions.

    Newest last; with --json newest first. Missing: tasks, clusterings of its own, a room, a probe association that
    somebody has to give, or recorded data.
    """
    empty = "There are no sessions yet. Upload an input file: daybook upload FILE"
    list_records(
        invocation, "sessions", query_of(invocation, "sessions", asked), as_of, write_sessions, empty
    )


@click.command(cls=Verb)
@filter_options("clusterings", _STATUSES)
@pass_invocation
def clusterings(invocation: Invocation, /, as_of: int | str | None, **asked: Any) -> None:
    """List clusterings.

    Those of one session and those over several (with a group_name). Newest last; with --json newest first. A filter
    about sessions asks for one session under it that is all of that.
    """
    empty = "There are no clusterings yet. They come with an input file: daybook upload FILE"
    list_records(
        invocation, "clusterings", query_of(invocation, "clusterings", asked), as_of, write_clusterings, empty
    )


@click.command(cls=Verb)
@filter_options("uploads", ("received", "validated", "rejected", "processed"))
@pass_invocation
def uploads(invocation: Invocation, /, as_of: int | str | None, **asked: Any) -> None:
    """List uploads.

    Newest last; with --json newest first. The outcome counts how their entries stand now. A filter about sessions
    asks for one session that it brought, and that is all of that.
    """
    empty = "Nothing was uploaded yet. Begin with: daybook upload FILE"
    list_records(invocation, "uploads", query_of(invocation, "uploads", asked), as_of, write_uploads, empty)
