"""Verbs that look records up: ``sessions``, ``clusterings``, ``uploads``, ``show``, ``why``."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from commands.cli import output
from commands.cli.finding_lines import write_findings
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.output import Column, plural, printable
from commands.cli.times import as_of_option, shown, utc_time
from commands.cli.verbs import Verb
from commands.inputfile.findings import Finding

LIMIT = 100
_STATUSES = ("pending", "waiting", "inserted", "error", "withdrawn", "deleted")
_SESSION_COLUMNS = [
    Column("session"),
    Column("status", is_status=True),
    Column("subject"),
    Column("session_time"),
    Column("location", "middle"),
    Column("username"),
    Column("reason", "end"),
]
_CLUSTERING_COLUMNS = [
    Column("clustering"),
    Column("status", is_status=True),
    Column("subject"),
    Column("group_name", "end"),
    Column("session"),
    Column("curator"),
    Column("curation_time"),
    Column("location", "middle"),
    Column("reason", "end"),
]
_UPLOAD_COLUMNS = [
    Column("upload"),
    Column("status", is_status=True),
    Column("subject"),
    Column("file", "middle"),
    Column("username"),
    Column("received (UTC)"),
    Column("outcome", "end"),
]

Command = Callable[..., Any]


def limit_option(function: Command) -> Command:
    return click.option(
        "--limit",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"The newest N; 0 for all. On a terminal {LIMIT} unless said, with --json all.",
    )(function)


def _filters(statuses: Sequence[str]) -> Callable[[Command], Command]:
    def decorate(function: Command) -> Command:
        for option in reversed(
            (
                click.option("--subject", metavar="NAME", help="Only this subject's."),
                click.option("--user", "owner", metavar="USER", help="Only this user's."),
                click.option("--status", type=click.Choice(statuses), help="Only with this status."),
                click.option(
                    "--since",
                    metavar="TIME",
                    callback=utc_time,
                    help="Requested at this date or time (UTC) or later.",
                ),
                limit_option,
                as_of_option,
            )
        ):
            function = option(function)
        return function

    return decorate


def older_left_out(more: bool, noun: str) -> None:
    if more:
        output.say(
            f"Older {plural(2, noun)[2:]} are not shown: --limit N for more of them, --limit 0 for all.",
            err=True,
        )


def _list(
    invocation: Invocation,
    what: str,
    filters: dict[str, Any],
    limit: int | None,
    as_of: int | str | None,
    human: Callable[[list[Any]], None],
    empty: str,
) -> None:
    from projections import listings
    from projections.records import Clustering, Session, Upload

    wanted = limit if limit is not None else (0 if invocation.json else LIMIT)
    kind = {"sessions": Session, "clusterings": Clustering, "uploads": Upload}[what]
    page = {**filters, "limit": wanted + 1 if wanted else None}
    with invocation.reading(as_of, lambda past: past.page(kind, **page)) as world:
        found = getattr(listings, what)(world.transaction, world.head.live_slot, **page)
        streams = {f"{what[:-1]}/{row[what[:-1]][1:]}" for row in found}
        redacted = listings.redactions(world.transaction, world.head.live_slot, streams)
    more = bool(wanted) and len(found) > wanted
    if more:
        del found[0]

    def write() -> None:
        if found:
            human(found)
            older_left_out(more, what[:-1])
            _write_redactions(redacted)
        elif any(value is not None for value in filters.values()):
            output.say(f"No {what} match. See them all: daybook {what}")
        else:
            output.say(empty)

    invocation.answer({"ok": True, what: found, "more": more, "redactions": redacted}, write)


def _write_redactions(found: Sequence[dict[str, Any]]) -> None:
    for row in found:
        by = f"by {row['redacted_by']} at {shown(row['redacted_at'])}, as {row['requested_by']} requested"
        where = f"{row['type']} of {row['stream']}, position {row['position']}"
        output.say(printable(f"(redacted) {where}: {by}: {row['reason']}"), err=True)


@click.command(cls=Verb)
@_filters(_STATUSES)
@pass_invocation
def sessions(
    invocation: Invocation,
    subject: str | None,
    owner: str | None,
    status: str | None,
    since: str | None,
    limit: int | None,
    as_of: int | str | None,
) -> None:
    """List sessions.

    Newest last.
    """
    filters = {"subject": subject, "user": owner, "status": status, "since": since}
    empty = "There are no sessions yet. Upload an input file: daybook upload FILE"
    _list(invocation, "sessions", filters, limit, as_of, write_sessions, empty)


def write_sessions(found: Sequence[dict[str, Any]]) -> None:
    rows = [
        [
            s["session"],
            s["status"],
            s["subject"],
            s["session_time"],
            s["location"],
            s["username"],
            s["message"],
        ]
        for s in found
    ]
    output.write_table(_SESSION_COLUMNS, rows)


@click.command(cls=Verb)
@_filters(_STATUSES)
@pass_invocation
def clusterings(
    invocation: Invocation,
    subject: str | None,
    owner: str | None,
    status: str | None,
    since: str | None,
    limit: int | None,
    as_of: int | str | None,
) -> None:
    """List clusterings.

    Those of one session and those over several (with a group_name). Newest last.
    """
    filters = {"subject": subject, "user": owner, "status": status, "since": since}
    empty = "There are no clusterings yet. They come with an input file: daybook upload FILE"
    _list(invocation, "clusterings", filters, limit, as_of, write_clusterings, empty)


def write_clusterings(found: Sequence[dict[str, Any]]) -> None:
    rows = [
        [
            c["clustering"],
            c["status"],
            c["subject"],
            c["group_name"],
            c["session"],
            c["curator"],
            c["curation_time"],
            c["location"],
            c["message"],
        ]
        for c in found
    ]
    output.write_table(_CLUSTERING_COLUMNS, rows)


@click.command(cls=Verb)
@_filters(("received", "validated", "rejected", "processed"))
@pass_invocation
def uploads(
    invocation: Invocation,
    subject: str | None,
    owner: str | None,
    status: str | None,
    since: str | None,
    limit: int | None,
    as_of: int | str | None,
) -> None:
    """List uploads.

    Newest last; the outcome counts how their entries stand now.
    """
    filters = {"subject": subject, "user": owner, "status": status, "since": since}
    empty = "Nothing was uploaded yet. Begin with: daybook upload FILE"
    _list(invocation, "uploads", filters, limit, as_of, _write_uploads, empty)


def _write_uploads(found: Sequence[dict[str, Any]]) -> None:
    rows = [
        [u["upload"], u["status"], u["subject"], u["filename"], u["username"], shown(u["received_at"]),
         _came_to(u)]
        for u in found
    ]  # fmt: skip
    output.write_table(_UPLOAD_COLUMNS, rows)


def _came_to(upload: dict[str, Any]) -> str:
    names = ("inserted", "duplicates", "pending", "waiting", "errors", "withdrawn", "deleted")
    return ", ".join(f"{upload[name]:,} {name}" for name in names if upload[name])


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@as_of_option
@pass_invocation
def show(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    """Show one upload, session or clustering, whole.

    REF is an id or its unique beginning (s12, c34, u56), a location, a session time or a group name; or a request
    to delete, correct or redact (d78).
    """
    from commands.answers.request import request
    from projections.listings import whole

    with invocation.reading(as_of, invocation.about(reference)) as world:
        found = invocation.find(world, reference)
        if found.kind == "deletion":
            record = request(world, found.id)
        else:
            record = whole(world.transaction, world.head.live_slot, found)
    if found.kind == "deletion":
        from commands.cli.request_lines import write_request

        invocation.answer({"ok": True, **record}, lambda: write_request(record))
        return
    invocation.answer({"ok": True, "kind": found.kind, **record}, lambda: _write_record(record))


def _write_record(record: dict[str, Any]) -> None:
    """Plain fields first, then every list as a table of its own. The entry as uploaded is left to --json."""
    plain = {
        key: value for key, value in record.items() if not isinstance(value, dict) and not _is_table(value)
    }
    width = max(map(len, plain), default=0)
    for key, value in plain.items():
        if value not in (None, "", []):
            text = printable(_cell(value))
            output.say(f"{key:<{width}}  {output.status(text) if key == 'status' else text}")
    if record.get("deleted_by"):
        from commands.answers.why import deleted_by

        output.say(f"{'deleted_by':<{width}}  {printable(deleted_by(record['deleted_by']))}")
    for key, value in record.items():
        if _is_table(value):
            output.say()
            output.say(output.coloured(f"{key}:", bold=True))
            _write_part(key, value, record)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _write_part(key: str, value: list[dict[str, Any]], record: dict[str, Any]) -> None:
    if key == "findings":
        write_findings([Finding(**finding) for finding in value], record["filename"], most_of_a_kind=None)
    elif key in ("sessions", "new_sessions"):
        write_sessions(value)
    elif "clusterings" in key:
        write_clusterings(value)
    else:
        names = list(dict.fromkeys(name for row in value for name in row))
        output.write_table(
            [Column(name, "end") for name in names],
            [[_cell(row.get(name)) for name in names] for row in value],
        )


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(str(_cell(item)) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_cell(item)}" for key, item in value.items())
    return value


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@as_of_option
@pass_invocation
def why(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    """Say what a record waits for, or why it failed.

    And the command that would resolve it. REF is an id or its unique beginning (s12, c34, u56), a location,
    a session time or a group name.
    """
    from commands.answers.why import why as explain

    with invocation.reading(as_of, invocation.about(reference)) as world:
        answer = explain(world, invocation.find(world, reference))

    def human() -> None:
        reason = f" ({answer['reason']})" if answer["reason"] not in (None, answer["status"]) else ""
        failed = answer["status"] == "error"
        state = output.coloured("failed", "red") if failed else f"is {output.status(answer['status'])}"
        output.say(f"{answer['ref']} {state}{reason}.")
        for line in answer["message"].splitlines():
            output.say(f"  {printable(line)}")
        for line in answer["resolve"]:
            output.say(f"  $ {printable(line)}")

    invocation.answer({"ok": True, **answer}, human)
