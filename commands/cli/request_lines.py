"""Requests on the terminal: what they take with them in sentences and tables, and their history."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commands.answers.phrases import phrase
from commands.cli import output
from commands.cli.change_lines import told
from commands.cli.correcting import write_requested
from commands.cli.next_steps import worded
from commands.cli.output import Column, plural, printable
from commands.cli.times import shown
from ledger.errors import NextStep

if TYPE_CHECKING:
    from commands.answers.request import OwnerCounts, Renaming, Request, Takes
    from commands.requests.would_go import WouldGo
    from projections.lines import ClusteringLine, SessionLine

_LISTED = 10
_TEXTS = 20
_STAYS = ("proposal", "addition", "mending", "role")  # what stands on it is not taken
_REQUEST_COLUMNS = [
    Column("request"),
    Column("kind"),
    Column("status", is_status=True),
    Column("requested by"),
    Column("requested (UTC)"),
    Column("records", "below"),
    Column("sessions", right=True),
    Column("clusterings", right=True),
    Column("reason", "below"),
]
_OWNER_COLUMNS = [
    Column("owner"),
    Column("sessions", right=True),
    Column("clusterings of one session", right=True),
    Column("over several", right=True),
]
_RECORD_COLUMNS = [
    Column("record"),
    Column("status", is_status=True),
    Column("subject"),
    Column("owner"),
    Column("time"),
    Column("location", "middle"),
]
_HISTORY_COLUMNS = [
    Column("recorded (UTC)"),
    Column("actor"),
    Column("type"),
    Column("what it says", "below"),
]


def some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return printable(", ".join(names[:_LISTED]) + more)


def write_requests(found: Sequence[dict[str, Any]]) -> None:
    output.write_table(_REQUEST_COLUMNS, [_request_line(row) for row in found])


def _request_line(row: dict[str, Any]) -> list[object]:
    return [
        row["request"],
        row["kind"],
        row["status"],
        row["requested_by"],
        shown(row["requested_at"]),
        some(row["records"]),
        row["sessions"] or None,
        row["clusterings"] or None,
        row["reason"],
    ]


def write_request(found: "Request") -> None:
    what = f"the {found.kind} of {some(found.records)}"
    if found.kind == "correction":
        what = f"the correction of {some(found.records)} by the file of {found.upload}"
    elif found.kind == "redaction":
        what = f"the redaction of position {some(found.records)}"
    output.say(
        f"{found.request} is {output.status(found.status)}: {printable(found.requested_by)} asked for {what}."
    )
    output.say(f"Reason: {printable(found.reason)}")
    if found.kind == "correction":
        body = found.events[0].body or {}
        write_requested([*body["sessions"], *body["clusterings"]])
        output.say()
    if found.change is not None:
        output.say(printable(told(found.change)))
    if found.renames is not None:
        write_renames(found.renames)
    if found.would_go is not None:
        write_would_go(found.would_go)
    if found.takes is not None and found.takes.records:
        write_takes(found, found.takes)
    if found.grown is not None:
        from commands.answers.request import told_growth

        output.say()
        more = "More stands on it now" if found.kind in _STAYS else "It would take more now"
        output.say(f"{more} than was shown last: {printable(told_growth(found.grown))}.")
        output.say("The next approval is refused for that, and counts as showing it.")
    elif found.accept_impact:
        output.say()
        accept = NextStep("approve-request", found.request, {"accept_impact": "yes"})
        output.say(f"More than was requested, as shown: {worded(accept)}")
    output.say()
    rows: list[list[object]] = [
        [shown(event.recorded_at), event.actor, event.type, phrase(event.type, event.body)]
        for event in found.events
    ]
    output.write_table(_HISTORY_COLUMNS, rows)


def write_would_go(would_go: "WouldGo") -> None:
    """What a redaction takes: what the requester was told, and the texts."""
    what = f"{would_go.type} of {would_go.stream}, by {would_go.actor}, {shown(would_go.recorded_at)}"
    output.say(f"Of position {would_go.position}, {printable(what)}, these texts would go:")
    output.write_table(
        [Column("field"), Column("text", "end")],
        [list(each) for each in list(would_go.texts.items())[:_TEXTS]],
    )
    left = len(would_go.texts) - _TEXTS
    if left > 0:
        output.say(f"... and {left:,} more: with --json all of them.")
    if would_go.file_goes:
        output.say("The stored file goes with them.")
    if would_go.copies:
        named = ", ".join(map(str, would_go.copies))
        output.say(f"The same may stand at other positions, which are redacted one by one: {named}.")


def write_renames(renames: "Renaming") -> None:
    """What follows a subject to its new name besides its records, and whose files say the old one."""
    if renames.probes:
        output.say(f"{plural(len(renames.probes), 'probe insertion')} would follow: {some(renames.probes)}.")
    if renames.files:
        named = [f"{each.filename} of {each.username} ({each.upload})" for each in renames.files]
        they = "This file says" if len(named) == 1 else "These files say"
        output.say(f"{they} the old name, and would be told what to write: {some(named)}.")


def write_takes(found: "Request", takes: "Takes") -> None:
    """What a request takes with it, or took, in sentences and tables."""
    gone = found.status in ("executed", "restored")
    if found.kind in _STAYS:
        begins = "On it stood" if gone else "On it stands" if takes.records == 1 else "On it stand"
    else:
        begins = "It took" if gone else "It would take"
    write_impact(takes, printable(found.requested_by), begins, f"daybook request show {found.request} --json")


def write_impact(takes: "Takes", requester: str, begins: str, all_of_it: str) -> None:
    """``begins`` the first sentence; ``all_of_it`` is the command that has all ids."""
    output.say(f"{begins} {_taken(takes)}.")
    others = [owner for owner in takes.owners if not owner.own]
    if others:
        each = ", ".join(f"{sum(_counts(owner)):,} of {printable(owner.user)}" for owner in others)
        output.say(f"Not all of it is {requester}'s own: {each}.")
    else:
        output.say(f"All of it is {requester}'s own.")
    for clustering in takes.over_several[:_LISTED]:
        if clustering.stands_on:
            whose = f"{clustering.clustering} ({clustering.group_name}) of {clustering.username}"
            output.say(f"{printable(whose)} stands on {some(clustering.stands_on)}.")
    output.say()
    output.write_table(_OWNER_COLUMNS, [[owner.user, *_counts(owner)] for owner in takes.owners])
    output.say()
    output.write_table(_RECORD_COLUMNS, [_record(row) for row in takes.first])
    left = takes.records - len(takes.first)
    if left:
        output.say(f"... and {left:,} more: {all_of_it} has all ids.")


def _taken(takes: "Takes") -> str:
    """``2 sessions with 3 tasks and 2 probes, and 1 clustering over several sessions``."""
    sessions, clusterings, several = map(sum, zip(*map(_counts, takes.owners), strict=True))
    parts = []
    if sessions:
        with_them = f"{plural(takes.tasks, 'task')} and {plural(takes.probes, 'probe')}"
        parts.append(f"{plural(sessions, 'session')} with {with_them}")
    if clusterings:
        parts.append(f"{plural(clusterings, 'clustering')} of one session")
    if several:
        parts.append(f"{plural(several, 'clustering')} over several sessions")
    return ", and ".join(parts)


def _counts(owner: "OwnerCounts") -> list[int]:
    return [owner.sessions, owner.clusterings, owner.over_several]


def _record(row: "SessionLine | ClusteringLine") -> list[object]:
    from projections.lines import SessionLine

    if isinstance(row, SessionLine):
        return [row.session, row.status, row.subject, row.username, row.session_time, row.location]
    return [row.clustering, row.status, row.subject, row.username, row.curation_time, row.location]
