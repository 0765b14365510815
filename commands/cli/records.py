"""Records on the terminal: tables of them, and the verbs that look one up, ``show`` and ``why``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from commands.cli import output
from commands.cli.failures import asks
from commands.cli.finding_lines import write_findings
from commands.cli.invocation import Invocation, pass_invocation
from commands.cli.jobs import looks_in_words
from commands.cli.next_steps import worded
from commands.cli.output import Column, plural, printable
from commands.cli.times import as_of_option, shown
from commands.cli.verbs import Verb
from commands.inputfile.findings import finding_of

if TYPE_CHECKING:
    from commands.answers.record import Record

_NOT_SHOWN = ("ref", "kind", "position")  # with which one has found it
_SHRINKS = {"message": "below", "file": "middle", "start_source": "middle"}
_WHOLE = ("serial", "part_number", "probe", "name", "ref", "session", "clustering", "probe_name", "number")
_SESSION_COLUMNS = [
    Column("session"),
    Column("status", is_status=True),
    Column("subject"),
    Column("session_time"),
    Column("location", "middle"),
    Column("username"),
    Column("reason", "below"),
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
    Column("reason", "below"),
]
_UPLOAD_COLUMNS = [
    Column("upload"),
    Column("status", is_status=True),
    Column("subject"),
    Column("file", "middle"),
    Column("username"),
    Column("received (UTC)"),
    Column("outcome", "below"),
]


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


def write_uploads(found: Sequence[dict[str, Any]]) -> None:
    rows = [
        [u["upload"], u["status"], u["subject"], u["filename"], u["username"], shown(u["received_at"]),
         _came_to(u)]
        for u in found
    ]  # fmt: skip
    output.write_table(_UPLOAD_COLUMNS, rows)


def _came_to(upload: dict[str, Any]) -> str:
    names = ("inserted", "duplicates", "pending", "waiting", "errors", "withdrawn", "deleted")
    return ", ".join(_counted(upload[name], name) for name in names if upload[name])


def _counted(number: int, name: str) -> str:
    return plural(number, name[:-1]) if name.endswith("s") else f"{number:,} {name}"


@click.command(cls=Verb)
@click.argument("reference", metavar="REF")
@as_of_option
@pass_invocation
def show(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    """Show one upload, session or clustering, whole.

    REF is an id (s12, c34, u56), a location, a session time or a group name; a request
    (d78); or subject:NAME, probe:NAME, user:NAME.
    """
    if reference.startswith(("subject:", "probe:", "user:")):
        _show_named(invocation, reference, as_of)
        return
    found = invocation.ask("record", as_of=as_of, ref=reference)
    if hasattr(found, "request"):
        from commands.cli.request_lines import write_request

        invocation.answer(found, lambda: write_request(found))
        return
    invocation.answer(found, lambda: _write_record(found))


def _show_named(invocation: Invocation, reference: str, as_of: int | str | None) -> None:
    from commands.answers.document import plain

    found = invocation.ask("record", as_of=as_of, ref=reference)

    def human() -> None:
        apart = ("ref", "kind", "position")
        told = {key: value for key, value in plain(found).items() if key not in apart and value != []}
        width = max(map(len, told))
        for key, value in told.items():
            lines = [_cells(each) for each in value] if isinstance(value, list) else [_told(value)]
            for line in lines or [""]:
                output.say(f"{key:<{width}}  {printable(line)}".rstrip())

    invocation.answer(found, human)


def _cells(row: dict[str, Any]) -> str:
    return ", ".join(f"{key}: {_told(value)}" for key, value in row.items() if value is not None)


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items()) or "none"
    return (
        {None: "", True: "yes", False: "no"}.get(value, str(value))
        if isinstance(value, bool | None)
        else str(value)
    )


def _write_record(answer: "Record") -> None:
    """Plain fields first, then every list as a table of its own. The entry as uploaded is shown by --json only."""
    from commands.answers.document import plain
    from commands.answers.why import deleted_by

    record = {key: value for key, value in plain(answer).items() if key not in _NOT_SHOWN}
    told = {
        key: value for key, value in record.items() if not isinstance(value, dict) and not _is_table(value)
    }
    width = max(map(len, told), default=0)
    for key, value in told.items():
        if value not in (None, "", []):
            text = printable(shown(str(value)) if key.endswith("_at") else _cell(value))
            output.say(f"{key:<{width}}  {output.status(text) if key == 'status' else text}")
    looks = getattr(answer, "looked", None)
    if looks is not None and record["status"] in ("pending", "waiting"):
        output.say(f"{'looked':<{width}}  {printable(looks_in_words(looks))}")
    deletion = getattr(answer, "deleted_by", None)
    if deletion is not None:
        output.say(f"{'deleted_by':<{width}}  {printable(deleted_by(deletion))}")
    for key, value in record.items():
        if _is_table(value):
            output.say()
            output.say(output.coloured(f"{key}:", bold=True))
            _write_part(key, value, record)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _write_part(key: str, value: list[dict[str, Any]], record: dict[str, Any]) -> None:
    if key == "findings":
        write_findings([finding_of(finding) for finding in value], record["filename"], most_of_a_kind=None)
    elif key in ("sessions", "new_sessions"):
        write_sessions(value)
    elif "clusterings" in key:
        write_clusterings(value)
    else:
        names = [name for name in value[0] if any(row[name] is not None for row in value)]
        output.write_table(
            [Column(name, "" if name in _WHOLE else _SHRINKS.get(name, "end")) for name in names],
            [[_cell(row[name]) for name in names] for row in value],
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

    And the command that would resolve it. REF is an id (s12, c34, u56), a location,
    a session time or a group name.
    """
    found = invocation.ask("why", as_of=as_of, ref=reference)

    def human() -> None:
        reason = f" ({found.reason})" if found.reason not in (None, found.status) else ""
        failed = found.status == "error"
        state = output.coloured("failed", "red") if failed else f"is {output.status(found.status)}"
        output.say(f"{found.ref} {state}{reason}.")
        for line in found.message.splitlines():
            output.say(f"  {printable(line)}")
        if found.looked is not None and found.status in ("pending", "waiting"):
            output.say(f"  {printable(looks_in_words(found.looked))}")
        if found.nobody:
            output.say("  No worker is running.")
        for step in found.next_steps:
            output.say(f"  $ {printable(worded(step))}")
        contact = invocation.contact()
        if contact is not None and asks(found.message):
            output.say(f"  Contact: {printable(contact)}")

    invocation.answer(found, human)
