"""Say why a record is what it is, and which command would move it on. Reads the ledger; appends nothing."""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from commands.answers.request import grown
from commands.door.world import World
from commands.requests.growth import impact_grown
from commands.requests.impact import STANDING
from commands.requests.naming import name_of, some_of
from commands.requests.policy import own_requests_approved
from commands.requests.restoration import fallen_by
from ledger import log
from ledger.events import body_of
from projections.listings import whole
from projections.references import Reference

Plain = dict[str, Any]
_LISTED = 10
_WORK = "daybook work"
_OPEN = "..."  # what only a person knows, in a command


def why(world: World, reference: Reference) -> Plain:
    """``{"ref", "status", "reason", "message", "resolve"}``.

    ``reason`` is the code of what it waits for or failed by, None where all is well. ``resolve`` are
    commands; one that holds ``...`` is to be completed.
    """
    record = whole(world.transaction, world.head.live_slot, reference)
    if reference.kind == "deletion":
        message, resolve = _request(world, reference, record)
        reason = "approval" if record["status"] == "requested" else None
    elif reference.kind == "upload":
        message, resolve = _upload(record)
        reason = {"rejected": "rejected", "validated": "unfinished"}.get(record["status"])
    else:
        message, resolve = _entry(world, reference, record)
        if record["replaces"] is not None:
            message += f"\nIt replaces {record['replaces']}, by a correction."
        reason = record["reason"]
    return {
        "ref": str(reference),
        "status": record["status"],
        "reason": reason,
        "message": _lines(message, [_redacted(redaction) for redaction in record["redactions"]]),
        "resolve": resolve,
    }


def _redacted(redaction: Plain) -> str:
    return (
        f"Its {redaction['type']}, position {redaction['position']}, was redacted by {redaction['redacted_by']} at "
        f"{_time(redaction['redacted_at'])}, as {redaction['requested_by']} requested: {redaction['reason']}"
    )


# --- sessions and clusterings -----------------------------------------------------------------------------


def _entry(world: World, reference: Reference, record: Plain) -> tuple[str, list[str]]:
    status = record["status"]
    if status == "waiting":
        return _waiting(reference, record)
    if status == "error":
        return _failed(world, reference, record)
    if status == "pending":
        return "It was accepted and is not processed yet.", [_WORK]
    if status == "inserted":
        at = record.get("session_time") or record.get("curation_time")
        return f"All is well: it is inserted ({at}), and nothing is to be done.", []
    if status == "deleted":
        return _deleted(world, reference, record)
    return _withdrawn(world, reference, record)


def _withdrawn(world: World, reference: Reference, record: Plain) -> tuple[str, list[str]]:
    taken_back = [
        event
        for event in log.read_stream(world.transaction, reference.stream)
        if event.type.endswith("Withdrawn")
    ]
    by = f" by {taken_back[-1].actor} at {_time(taken_back[-1].recorded_at)}" if taken_back else ""
    message = f"It was taken back{by}; it had never been inserted. Its file can be uploaded again."
    return message, [f"daybook upload {_file_of(world, record)}"]


def _time(recorded_at: str) -> str:
    return recorded_at[:19].replace("T", " ") + "Z"


def _deleted(world: World, reference: Reference, record: Plain) -> tuple[str, list[str]]:
    """What replaced it has to be looked at first: while that stands, nothing can be restored."""
    deletion = record["deleted_by"]
    message = f"It was deleted by {deleted_by(deletion)}."
    if record["replaced_by"] is not None:
        message += f"\nIt was replaced by {record['replaced_by']}."
    rows: Any = world.state.sessions if reference.kind == "session" else world.state.clusterings
    looked_at = f"daybook delete show {deletion['deletion']}"
    standing = _standing_in_place(rows, reference.id)
    if standing is not None:
        return message, [f"daybook show {standing}", looked_at]
    return message, [looked_at, f"daybook restore {deletion['deletion']}"]


def _standing_in_place(rows: Any, number: int) -> str | None:
    """The record that stands where this one was, over as many corrections as there were."""
    row = rows.get(number)
    while row is not None and row.replaced_by is not None:
        row = rows.get(row.replaced_by)
        if row is not None and row.status in STANDING:
            return name_of(row)
    return None


def deleted_by(deletion: Plain) -> str:
    """``d70 (requested by user_1: wrong animal; approved by user_2)``."""
    asked, approved = f"requested by {deletion['requested_by']}", f"approved by {deletion['approved_by']}"
    return f"{deletion['deletion']} ({asked}: {deletion['reason']}; {approved})"


def _waiting(reference: Reference, record: Plain) -> tuple[str, list[str]]:
    message = str(record["message"])
    reason = record["reason"]
    if reason == "probe-association":
        return _association(reference, record)
    if reason == "sessions-txt":
        return (
            f"{message}\nIt goes on by itself when the file is there: put it there, then run the command.",
            [_WORK],
        )
    if reason == "acquiring":
        return f"{message}\nIt goes on when the recording is finished and its headers are complete.", [_WORK]
    if reason == "clustering-sessions":
        open_sessions = [session for session in record["sessions"] if session["status"] != "inserted"]
        listed = [
            f"{s['session']} is {s['status']}: {s['message'] or 'not processed yet'}" for s in open_sessions
        ]
        return _lines(message, listed), [f"daybook why {s['session']}" for s in open_sessions[:_LISTED]] + [
            _WORK
        ]
    return message, [_WORK]


def _association(reference: Reference, record: Plain) -> tuple[str, list[str]]:
    found: list[Plain] = record["waiting_for"].get("found", [])
    inserted: list[str] = record["waiting_for"].get("inserted", [])
    given: dict[str, str] = record["entry"].get("probe_association") or {}
    on_disk = ", ".join(
        probe["name"] + (f" (serial {probe['serial']})" if probe.get("serial") else "") for probe in found
    )
    message = _lines(
        str(record["message"]),
        [
            f"on disk: {on_disk or 'none'}",
            f"inserted in subject {record['subject']}: {', '.join(inserted) or 'none'}",
        ],
    )
    if len(inserted) < len(found):
        subject = shlex.quote(record["subject"])
        missing = len(found) - len(inserted)
        message += f"\n{missing} more on disk than inserted: put the insertion on record first."
        return message, [f"daybook probe insert {subject} {_OPEN} --at {_OPEN}", _WORK]
    pairs = [f"{shlex.quote(name)}={probe}" for name, probe in _proposed(found, inserted, given).items()]
    return message, [f"daybook associate {reference} {' '.join(pairs)}"]


def _proposed(found: Sequence[Plain], inserted: Sequence[str], given: dict[str, str]) -> dict[str, str]:
    """Each probe on disk and the one of the subject that it must be; ``...`` where more than one is left.

    What serial numbers or the file itself decide is filled in. Nothing is guessed: a wrong association
    would be stored.
    """
    sure = {name: probe for name, probe in given.items() if probe in inserted}
    for probe in found:
        serial = probe.get("serial")
        named = [
            name for name in inserted if serial and re.search(rf"(?<!\d){re.escape(serial)}(?!\d)", name)
        ]
        if probe["name"] not in sure and len(named) == 1:
            sure[probe["name"]] = named[0]
    left = [name for name in inserted if name not in sure.values()]
    open_names = [probe["name"] for probe in found if probe["name"] not in sure]
    if len(left) == len(open_names) == 1:
        sure[open_names[0]] = left[0]
    return {
        probe["name"]: shlex.quote(sure[probe["name"]]) if probe["name"] in sure else _OPEN for probe in found
    }


def _failed(world: World, reference: Reference, record: Plain) -> tuple[str, list[str]]:
    hint = _failure_hint(world, reference)
    message = _lines(str(record["message"]), [hint] if hint else [])
    resolve = [f"daybook why {number}" for number in _named_sessions(record["message"])]
    return message, [*resolve, f"daybook upload {_file_of(world, record)}"]


def _failure_hint(world: World, reference: Reference) -> str:
    """The hint of the newest failure in the record's stream."""
    stream = log.read_stream(world.transaction, reference.stream)
    failures = [event for event in stream if event.type.endswith("InsertFailed")]
    return str(body_of(failures[-1]).get("hint", "")) if failures else ""


def _named_sessions(message: str | None) -> list[str]:
    """The other sessions that a failure names: they tell more."""
    return list(dict.fromkeys(re.findall(r"\bs\d+\b", message or "")))[:_LISTED]


def _file_of(world: World, record: Plain) -> str:
    upload = whole(world.transaction, world.head.live_slot, Reference("upload", int(record["upload"][1:])))
    return shlex.quote(upload["filename"])


# --- requests ---------------------------------------------------------------------------------------------


def _request(world: World, reference: Reference, record: Plain) -> tuple[str, list[str]]:
    status = record["status"]
    if status == "requested":
        return _open_request(world, reference, record)
    by = f"{record['decided_by']} at {_time(record['decided_at'])}"
    if status == "rejected":
        return f"It was rejected by {by}: {record['decision']}", []
    if status == "cancelled":
        return f"It was taken back by {by}.", []
    if status == "restored":
        return f"It was approved by {by}; what it had deleted stands again.", []
    if record["kind"] == "redaction":
        return f"It was approved by {by}; the payload is gone.", []
    return _carried_out(world, reference, by)


def _carried_out(world: World, reference: Reference, by: str) -> tuple[str, list[str]]:
    """A correction cannot be undone while a record that it put there stands."""
    fallen = fallen_by(world, world.state.deletions[reference.id])[1]
    kinds = ((world.state.sessions, fallen.sessions), (world.state.clusterings, fallen.clusterings))
    found = [_standing_in_place(rows, number) for rows, numbers in kinds for number in numbers]
    standing = [name for name in found if name is not None]
    if not standing:
        return f"It was approved by {by}. It can be undone, whole.", [f"daybook restore {reference}"]
    stand = "stands" if len(standing) == 1 else "stand"
    message = f"It was approved by {by}. What it put in place of the old {stand}: {some_of(standing)}."
    return message, [f"daybook show {name}" for name in standing[:_LISTED]]


def _open_request(world: World, reference: Reference, record: Plain) -> tuple[str, list[str]]:
    requester = record["requested_by"]
    is_redaction = record["kind"] == "redaction"
    other = "" if not is_redaction and own_requests_approved(world) else f" other than {requester}"
    message = f"It waits for an admin{other}, who approves or rejects it; {requester} can take it back."
    approve = [f"daybook delete approve {reference}"]
    row = world.state.deletions[reference.id]
    if row.shown_position != row.id:
        message += "\nIts impact had grown when it was to be approved, and was shown again."
        approve = [f"daybook delete approve {reference} --accept-impact"]
    more = grown(world, reference.id)
    if more is not None:
        message += f"\n{impact_grown(reference.id, more).message}"
        approve = [
            f"daybook delete approve {reference}",
            f"daybook delete approve {reference} --accept-impact",
        ]
    return message, [
        f"daybook delete show {reference}",
        *approve,
        f"daybook delete reject {reference} --reason {_OPEN}",
        f"daybook delete cancel {reference}",
    ]


# --- uploads ----------------------------------------------------------------------------------------------


def _upload(record: Plain) -> tuple[str, list[str]]:
    again = f"daybook upload {shlex.quote(record['filename'])}"
    if record["status"] == "rejected":
        errors = [_finding(finding) for finding in record["findings"] if finding["severity"] == "error"]
        number = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        return _lines(f"It was rejected whole, and nothing of it was ingested: {number}.", errors), [again]
    if record["status"] in ("received", "validated"):
        return "It was accepted; not all of its entries are processed yet.", [_WORK]
    entries = [*record["new_sessions"], *record["new_clusterings"]]
    still = [entry for entry in entries if entry["status"] != "inserted"]
    if not still:
        known = f", {record['duplicates']} known before" if record["duplicates"] else ""
        return f"All is well: {len(entries)} of {len(entries)} new entries inserted{known}.", []
    names = [_name(entry) for entry in still]
    listed = [
        f"{name} is {entry['status']}" + (f": {entry['message']}" if entry["message"] else "")
        for name, entry in zip(names, still, strict=True)
    ]
    of_them = (
        "its one new entry is not inserted"
        if len(entries) == 1
        else f"of {len(entries)} new entries {len(still)} {'is' if len(still) == 1 else 'are'} not inserted"
    )
    message = _lines(f"It was accepted; {of_them}.", listed)
    return message, [f"daybook why {name}" for name in names[:_LISTED]]


def _name(entry: Plain) -> str:
    return str(entry["clustering"] if "clustering" in entry else entry["session"])


def _finding(finding: Plain) -> str:
    where = "" if finding["line"] is None else f"line {finding['line']}, column {finding['column']}: "
    hint = f" {finding['hint']}" if finding["hint"] else ""
    return f"{where}{finding['message']}{hint} [{finding['code']}]"


def _lines(first: str, further: Sequence[str]) -> str:
    more = [f"... and {len(further) - _LISTED} more"] if len(further) > _LISTED else []
    return "\n".join([first, *further[:_LISTED], *more])
