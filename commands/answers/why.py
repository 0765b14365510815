"""Say why a record is what it is, and what would move it on. Reads the ledger; appends nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from commands.answers.record import (
    ClusteringRecord,
    FoundProbe,
    RemarkLine,
    SessionRecord,
    UploadRecord,
    record,
)
from commands.answers.request import Request, request, told_growth
from commands.answers.rows import DeletedBy, RecordKind
from commands.answers.sentences import listed, shown
from commands.inputfile.findings import Finding
from commands.requests.fallen import fallen_by
from commands.requests.impact import STANDING
from commands.requests.naming import name_of, some_of
from commands.requests.policy import own_requests_approved
from ledger import log
from ledger.bodies import body_of
from ledger.errors import NextStep
from ledger.plurals import plural
from projections.lines import ClusteringLine, RedactionLine, SessionLine
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World

_LISTED = 10
_WORK = NextStep("work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another record that the answer speaks of."""

    ref: str
    status: str
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """``reason`` is the code of what the record waits for or failed by, null where all is well. ``message`` says so in
    a sentence, with further lines below it. ``next_steps`` would move it on."""

    ref: str
    kind: RecordKind
    position: int
    status: str
    reason: str | None
    message: str
    related: list[Related]
    next_steps: list[NextStep]


@dataclass(slots=True)
class _Told:
    message: str
    steps: Sequence[NextStep] = ()
    related: list[Related] = field(default_factory=list)
    reason: str | None = None


def why(world: "World", reference: Reference) -> Why:
    if reference.kind == "deletion":
        asked = request(world, reference.id)
        told = _request(world, reference, asked)
        return _answer(world, reference, "request", asked.status, told, asked.redactions)
    found = record(world, reference)
    if isinstance(found, UploadRecord):
        told = _upload(found)
    else:
        told = _entry(world, reference, found)
        told.reason = found.reason
        if found.replaces is not None:
            _tell_what_it_replaces(world, reference, found.replaces, told)
    return _answer(world, reference, found.kind, found.status, told, found.redactions)


def _tell_what_it_replaces(world: "World", reference: Reference, ref: str, told: _Told) -> None:
    rows: Any = world.state.sessions if reference.kind == "session" else world.state.clusterings
    row = rows.get(int(ref[1:]))
    if row is not None and row.status in ("error", "withdrawn"):
        told.message += f"\nIts entry came before, and failed as {ref}: {row.message or row.status}"
        told.related.append(Related(ref=ref, status=row.status, message=row.message))
    else:
        told.message += f"\nIt replaces {ref}, by a correction."
        told.related.append(Related(ref=ref, status="deleted", message=None))


def _answer(
    world: "World",
    reference: Reference,
    kind: RecordKind,
    status: str,
    told: _Told,
    redactions: Sequence[RedactionLine],
) -> Why:
    return Why(
        ref=str(reference),
        kind=kind,
        position=world.head.size,
        status=status,
        reason=told.reason,
        message=listed(told.message, [_redacted(one) for one in redactions]),
        related=told.related,
        next_steps=list(told.steps),
    )


def _redacted(one: RedactionLine) -> str:
    return (
        f"Its {one.type}, position {one.position}, was redacted by {one.redacted_by} at {shown(one.redacted_at)}, as "
        f"{one.requested_by} requested: {one.reason}"
    )


# --- sessions and clusterings -----------------------------------------------------------------------------


def _entry(world: "World", reference: Reference, found: SessionRecord | ClusteringRecord) -> _Told:
    if found.status == "waiting":
        return _waiting(reference, found)
    if found.status == "error":
        return _failed(world, reference, found)
    if found.status == "pending":
        return _Told("It was accepted and is not processed yet.", [_WORK])
    if found.status == "inserted":
        return _inserted(reference, found)
    if found.status == "deleted" and found.deleted_by is not None:
        return _deleted(world, reference, found, found.deleted_by)
    return _withdrawn(world, reference, found)


def _inserted(reference: Reference, found: SessionRecord | ClusteringRecord) -> _Told:
    """Tells what stays with it and what is looked for later: only where there is neither, there is nothing to do."""
    if isinstance(found, ClusteringRecord):
        message = f"Inserted ({found.curation_time})."
        return _Told(listed(message if found.remarks else f"{message} Nothing to do.", _said(found.remarks)))
    lines = _said(found.remarks)
    waiting = [one for one in found.clusterings if one.status == "waiting"]
    lines += [f"{one.clustering} waits: {one.message}" for one in waiting]
    if "clustering" in found.looked_for and not waiting:
        lines.append("No sorted output was found yet.")
    if found.looked_for:
        lines.append(
            "It is looked for again with the next upload of its file, and by work: at once where it is named."
        )
    steps = [NextStep("why", one.clustering) for one in waiting[:_LISTED]]
    steps += [NextStep("work", str(reference))] if found.looked_for else []
    message = f"Inserted ({found.session_time})."
    return _Told(
        listed(message if lines else f"{message} Nothing to do.", lines),
        steps,
        [_related(one) for one in waiting],
    )


def _said(remarks: Sequence[RemarkLine]) -> list[str]:
    return [one.message for one in remarks]


def _withdrawn(world: "World", reference: Reference, found: SessionRecord | ClusteringRecord) -> _Told:
    taken_back = [
        event
        for event in log.read_stream(world.transaction, reference.stream)
        if event.type.endswith("Withdrawn")
    ]
    by = f" by {taken_back[-1].actor} at {shown(taken_back[-1].recorded_at)}" if taken_back else ""
    message = f"It was taken back{by}; it had never been inserted. Its file can be uploaded again."
    return _Told(message, [_upload_again(world, found)])


def _deleted(
    world: "World", reference: Reference, found: SessionRecord | ClusteringRecord, deletion: DeletedBy
) -> _Told:
    """What replaced it has to be looked at first: while that stands, nothing can be restored."""
    told = _Told(f"It was deleted by {deleted_by(deletion)}.")
    if found.replaced_by is not None:
        told.message += f"\nIt was replaced by {found.replaced_by}."
    rows: Any = world.state.sessions if reference.kind == "session" else world.state.clusterings
    look = NextStep("show-request", deletion.deletion)
    standing = _standing_in_place(rows, reference.id)
    if standing is not None:
        told.related.append(standing)
        told.steps = [NextStep("show", standing.ref), look]
    else:
        told.steps = [look, NextStep("restore", deletion.deletion)]
    return told


def _standing_in_place(rows: Any, number: int) -> Related | None:
    """The record that stands where this one was, over as many corrections as there were."""
    row = rows.get(number)
    while row is not None and row.replaced_by is not None and row.replaced_by > row.id:
        row = rows.get(row.replaced_by)
        if row is not None and row.status in STANDING:
            return Related(ref=name_of(row), status=row.status, message=row.message)
    return None


def deleted_by(deletion: DeletedBy) -> str:
    """``d70 (requested by user_1: wrong animal; approved by user_2)``."""
    asked, approved = f"requested by {deletion.requested_by}", f"approved by {deletion.approved_by}"
    return f"{deletion.deletion} ({asked}: {deletion.reason}; {approved})"


def _waiting(reference: Reference, found: SessionRecord | ClusteringRecord) -> _Told:
    message = str(found.message)
    if isinstance(found, SessionRecord):
        told = _waiting_session(reference, found)
        if told is not None:
            return told
    elif found.session is not None:
        return _waiting_clustering(found)
    if found.reason == "sessions-txt":
        return _Told(f"{message}\nIt goes on by itself once the file is there.", [_WORK])
    if isinstance(found, ClusteringRecord) and found.reason == "clustering-sessions":
        related = [_related(session) for session in found.sessions if session.status != "inserted"]
        lines = [f"{one.ref} is {one.status}: {one.message or 'not processed yet'}" for one in related]
        steps = [NextStep("why", one.ref) for one in related[:_LISTED]]
        return _Told(listed(message, lines), [*steps, _WORK], related)
    return _Told(message, [_WORK])


def _waiting_session(reference: Reference, found: SessionRecord) -> _Told | None:
    """What a person can decide; None: it goes on by itself."""
    ref, message, waits = str(reference), str(found.message), found.waiting_for
    on_disk = (waits.found if waits else None) or []
    if found.reason == "probe-association":
        return _association(reference, found)
    if found.reason == "probe-of-another-subject":
        meant: dict[str, str | None] = dict.fromkeys(probe.name for probe in on_disk)
        message += "\nIt holds nothing: the location is free for the session of the right subject."
        steps = [
            NextStep("withdraw", ref),
            NextStep("associate", ref, meant | {"despite_serial": "yes", "reason": None}),
        ]
        return _Told(message, steps)
    if found.reason == "serial-contradicts":
        given = found.entry.get("probe_association") or {}
        inserted = (waits.inserted if waits else None) or []
        right = _proposed(on_disk, inserted, {})
        meant = {probe.name: given.get(probe.name) or right[probe.name] for probe in on_disk}
        steps = [NextStep("associate", ref, meant | {"despite_serial": "yes", "reason": None})]
        if all(right.values()) and right != meant:
            steps.insert(0, NextStep("associate", ref, right))
        return _Told(message, steps)
    if found.reason == "data-missing":
        names = [one.name for one in (waits.missing if waits else None) or []]
        steps = [NextStep("settle", ref, {"without": name, "reason": None}) for name in names[:_LISTED]]
        return _Told(f"{message}\nIt goes on when that is mended, or without it.", [_WORK, *steps])
    if found.reason == "starts-apart":
        message += "\nIt holds nothing: each of the sessions in it can be entered by its own directory."
        steps = [NextStep("withdraw", ref), NextStep("settle", ref, {"despite_dates": "yes", "reason": None})]
        return _Told(message, steps)
    if found.reason == "no-start":
        return _Told(
            f"{message}\nA person who knows it can say it.",
            [NextStep("settle", ref, {"start": None, "reason": None})],
        )
    if found.reason == "acquiring":
        message += "\nIt goes on when the recording is finished and its headers are complete; or, if the acquisition "
        message += "crashed, when a person says so."
        return _Told(message, [_WORK, NextStep("settle", ref, {"as_crashed": "yes", "reason": None})])
    return None


def _waiting_clustering(found: ClusteringRecord) -> _Told:
    """Of one session: it goes on when its output is there, or when one is chosen."""
    message = f"{found.message}\nIts session is inserted all the same. It goes on by itself when the output is there."
    curator = None if found.reason == "curator" else found.curator
    location = found.location if found.reason == "curator" else None
    choose = NextStep("add-clustering", found.session, {"location": location, "curator": curator})
    return _Told(message, [NextStep("work", found.session), choose])


def _related(line: SessionLine | ClusteringLine) -> Related:
    ref = line.session if isinstance(line, SessionLine) else line.clustering
    return Related(ref=ref, status=line.status, message=line.message)


def _association(reference: Reference, found: SessionRecord) -> _Told:
    on_disk = (found.waiting_for.found if found.waiting_for else None) or []
    inserted = (found.waiting_for.inserted if found.waiting_for else None) or []
    given: dict[str, str] = found.entry.get("probe_association") or {}
    names = ", ".join(probe.name + _serial_of(probe) for probe in on_disk)
    message = listed(
        str(found.message),
        [
            f"on disk: {names or 'none'}",
            f"inserted in subject {found.subject}: {', '.join(inserted) or 'none'}",
        ],
    )
    missing = len(on_disk) - len(inserted)
    if missing > 0:
        message += f"\n{missing} more on disk than inserted: if it is this subject's, its insertion has to be recorded."
        insert = NextStep("insert-probe", arguments={"subject": found.subject, "probe": None, "at": None})
        return _Told(message, [insert, _WORK])
    return _Told(message, [NextStep("associate", str(reference), _proposed(on_disk, inserted, given))])


def _serial_of(probe: FoundProbe) -> str:
    if probe.serial:
        return f" (serial {probe.serial})"
    if probe.suggested_serial:
        return f" (serial not stated; the neighbouring session has {probe.suggested_serial})"
    return ""


def _proposed(
    found: Sequence[FoundProbe], inserted: Sequence[str], given: dict[str, str]
) -> dict[str, str | None]:
    """Each probe on disk, and the subject's probe that it must be; None where more than one is possible.

    What serial numbers or the file itself decide is filled in. Nothing is guessed: a wrong association
    would be stored.
    """
    sure = {name: probe for name, probe in given.items() if probe in inserted}
    for probe in found:
        serial = probe.serial or probe.suggested_serial
        named = [name for name in inserted if serial and _names_serial(name, serial)]
        if probe.name not in sure and len(named) == 1:
            sure[probe.name] = named[0]
    left = [name for name in inserted if name not in sure.values()]
    open_names = [probe.name for probe in found if probe.name not in sure]
    if len(left) == len(open_names) == 1:
        sure[open_names[0]] = left[0]
    return {probe.name: sure.get(probe.name) for probe in found}


def _names_serial(name: str, serial: str) -> bool:
    return re.search(rf"(?<!\d){re.escape(serial)}(?!\d)", name) is not None


def _failed(world: "World", reference: Reference, found: SessionRecord | ClusteringRecord) -> _Told:
    """Includes the hint of its newest failure, and the records that it failed by: they tell more."""
    stream = log.read_stream(world.transaction, reference.stream)
    failures = [event for event in stream if event.type.endswith("InsertFailed")]
    failure = body_of(failures[-1]) if failures else {}
    hint = str(failure.get("hint") or "")
    related = []
    if isinstance(found, ClusteringRecord):
        related = [_related(session) for session in found.sessions if session.status != "inserted"]
    elif failure.get("taken_by") is not None:
        row = world.state.sessions.get(failure["taken_by"])
        if row is not None:
            related = [Related(ref=name_of(row), status=row.status, message=row.message)]
    looked_at = [NextStep("why", one.ref) for one in related[:_LISTED]]
    message = listed(str(found.message), [hint] if hint else [])
    if found.replaced_by is not None:
        rows: Any = world.state.sessions if reference.kind == "session" else world.state.clusterings
        row = rows.get(int(found.replaced_by[1:]))
        status = row.status if row is not None else "there"
        later = Related(ref=found.replaced_by, status=status, message=None if row is None else row.message)
        message = f"{found.message}\nIts entry came again, as {found.replaced_by}, which is {status}: look at that one."
        return _Told(message, [NextStep("why", found.replaced_by)], [later])
    return _Told(message, [*looked_at, _upload_again(world, found)], related)


def _upload_again(world: "World", found: SessionRecord | ClusteringRecord) -> NextStep:
    filename = world.state.uploads[int(found.upload[1:])].filename
    return NextStep("upload", arguments={"file": filename})


# --- requests ---------------------------------------------------------------------------------------------


def _request(world: "World", reference: Reference, asked: Request) -> _Told:
    if asked.status == "requested":
        return _open_request(world, reference, asked)
    by = f"{asked.decided_by} at {shown(asked.decided_at)}"
    if asked.status == "rejected":
        return _Told(f"It was rejected by {by}: {asked.decision}")
    if asked.status == "cancelled":
        return _Told(f"It was taken back by {by}.")
    if asked.status == "restored":
        return _Told(f"It was approved by {by}; what it had deleted stands again.")
    if asked.kind == "redaction":
        return _Told(f"It was approved by {by}; the payload is gone.")
    if asked.kind in ("proposal", "addition", "mending", "role"):
        return _Told(
            f"It was approved by {by}, and is on record.", [NextStep("show-request", str(reference))]
        )
    return _carried_out(world, reference, by)


def _carried_out(world: "World", reference: Reference, by: str) -> _Told:
    """A correction cannot be undone while a record that it put there stands."""
    fallen = fallen_by(world, world.state.deletions[reference.id])[1]
    kinds = ((world.state.sessions, fallen.sessions), (world.state.clusterings, fallen.clusterings))
    found = [_standing_in_place(rows, number) for rows, numbers in kinds for number in numbers]
    standing = [one for one in found if one is not None]
    if not standing:
        return _Told(
            f"It was approved by {by}. It can be undone, whole.", [NextStep("restore", str(reference))]
        )
    stand = "stands" if len(standing) == 1 else "stand"
    names = some_of([one.ref for one in standing])
    return _Told(
        f"It was approved by {by}. What it put in place of the old {stand}: {names}.",
        [NextStep("show", one.ref) for one in standing[:_LISTED]],
        standing,
    )


def _open_request(world: "World", reference: Reference, asked: Request) -> _Told:
    name, requester = str(reference), asked.requested_by
    own_allowed = asked.kind != "redaction" and own_requests_approved(world)
    other = "" if own_allowed else f" other than {requester}"
    message = f"It waits for an admin{other}, who approves or rejects it; {requester} can take it back."
    accept = NextStep("approve-request", name, {"accept_impact": "yes"})
    approve = [NextStep("approve-request", name)]
    if asked.accept_impact:
        message += "\nIts impact had grown when it was to be approved, and was shown again."
        approve = [accept]
    if asked.grown is not None:
        message += f"\n{name} would take more now than was shown: {told_growth(asked.grown)}."
        approve = [NextStep("approve-request", name), accept]
    steps = [
        NextStep("show-request", name),
        *approve,
        NextStep("reject-request", name, {"reason": None}),
        NextStep("cancel-request", name),
    ]
    return _Told(message, steps, reason="approval")


# --- uploads ----------------------------------------------------------------------------------------------


def _upload(found: UploadRecord) -> _Told:
    again = NextStep("upload", arguments={"file": found.filename})
    if found.status == "rejected":
        errors = [_finding(one) for one in found.findings if one.severity == "error"]
        first = f"It was rejected whole, and nothing of it was ingested: {plural(len(errors), 'error')}."
        return _Told(listed(first, errors), [again], reason="rejected")
    if found.status in ("received", "validated"):
        reason = "unfinished" if found.status == "validated" else None
        return _Told("It was accepted; not all of its entries are processed yet.", [_WORK], reason=reason)
    entries: list[SessionLine | ClusteringLine] = [*found.new_sessions, *found.new_clusterings]
    still = [_related(entry) for entry in entries if entry.status != "inserted"]
    if not still:
        known = f", {found.duplicates:,} known before" if found.duplicates else ""
        return _Told(f"{plural(len(entries), 'new entry')} inserted{known}. Nothing to do.")
    lines = [f"{one.ref} is {one.status}" + (f": {one.message}" if one.message else "") for one in still]
    verb = "is" if len(still) == 1 else "are"
    of_them = (
        "its one new entry is not inserted"
        if len(entries) == 1
        else f"of {len(entries):,} new entries {len(still):,} {verb} not inserted"
    )
    steps = [NextStep("why", one.ref) for one in still[:_LISTED]]
    return _Told(listed(f"It was accepted; {of_them}.", lines), steps, still)


def _finding(found: Finding) -> str:
    where = "" if found.line is None else f"line {found.line}, column {found.column}: "
    hint = f" {found.hint}" if found.hint else ""
    return f"{where}{found.message}{hint} [{found.code}]"
