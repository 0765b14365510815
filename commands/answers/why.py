"""Say why a record is what it is, and what would move it on. Reads the ledger; appends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from commands.answers.jobs import Looked, somebody_works
from commands.answers.record import (
    ClusteringRecord,
    RemarkLine,
    SessionRecord,
    UploadRecord,
    record,
)
from commands.answers.request import request
from commands.answers.rows import DeletedBy, RecordKind
from commands.answers.sentences import listed, shown
from commands.answers.why_requests import of_request
from commands.answers.why_told import LISTED, WORK, Related, Told, related_to, standing_in_place
from commands.answers.why_waiting import waiting
from commands.inputfile.findings import Finding
from commands.requests.naming import name_of
from ledger import log
from ledger.bodies import body_of
from ledger.errors import NextStep
from ledger.plurals import plural
from projections.asked_for import proposed_values
from projections.lines import ClusteringLine, RedactionLine, SessionLine, in_words, subject_key
from projections.references import Reference

if TYPE_CHECKING:
    from commands.door.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """``reason`` is the code of what the record waits for or failed by, null where all is well. ``message`` says so in
    a sentence, with further lines below it. ``next_steps`` would move it on. ``looked`` tells of the looks at it;
    ``nobody``: it is pending, and no worker is running."""

    ref: str
    kind: RecordKind
    position: int
    status: str
    reason: str | None
    message: str
    related: list[Related]
    next_steps: list[NextStep]
    looked: Looked | None
    nobody: bool


def why(world: "World", reference: Reference) -> Why:
    if reference.kind == "deletion":
        asked = request(world, reference.id)
        told = of_request(world, reference, asked)
        return _answer(world, reference, "request", asked.status, told, asked.redactions)
    found = record(world, reference)
    if isinstance(found, UploadRecord):
        told = _upload(world, found)
    else:
        told = _entry(world, reference, found)
        told.reason = found.reason
        if isinstance(found, SessionRecord) and found.moved_from:
            told.message += f"\nIt was moved: it lay at {', then at '.join(found.moved_from)} before."
        if found.replaces is not None:
            _tell_what_it_replaces(world, reference, found.replaces, told)
    looks = None if isinstance(found, UploadRecord) else found.looked
    return _answer(world, reference, found.kind, found.status, told, found.redactions, looks)


def _tell_what_it_replaces(world: "World", reference: Reference, ref: str, told: Told) -> None:
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
    told: Told,
    redactions: Sequence[RedactionLine],
    looks: Looked | None = None,
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
        looked=looks,
        nobody=status in ("pending", "validated")
        and world.transaction.past is None
        and not somebody_works(world),
    )


def _redacted(one: RedactionLine) -> str:
    return (
        f"Its {one.type}, position {one.position}, was redacted by {one.redacted_by} at {shown(one.redacted_at)}, as "
        f"{one.requested_by} requested: {one.reason}"
    )


# --- sessions and clusterings -----------------------------------------------------------------------------


def _entry(world: "World", reference: Reference, found: SessionRecord | ClusteringRecord) -> Told:
    if found.status == "waiting":
        return waiting(reference, found, proposed_values(world.state), _inserted_now(world, found))
    if found.status == "error":
        return _failed(world, reference, found)
    if found.status == "pending":
        return Told("It was accepted and is not processed yet.", [WORK])
    if found.status == "inserted":
        return _inserted(reference, found)
    if found.status == "deleted" and found.deleted_by is not None:
        return _deleted(world, reference, found, found.deleted_by)
    return _withdrawn(world, reference, found)


def _inserted_now(world: "World", found: SessionRecord | ClusteringRecord) -> list[str]:
    """The probes that are in its subject by now."""
    rows = world.state.insertions.where("subject = ? AND removal_time IS NULL", [subject_key(found.subject)])
    return sorted(row.probe for row in rows)


def _inserted(reference: Reference, found: SessionRecord | ClusteringRecord) -> Told:
    """Tells what stays with it and what is looked for later: only where there is neither, there is nothing to do."""
    if isinstance(found, ClusteringRecord):
        message = f"Its curation time is {found.curation_time}."
        return Told(listed(message if found.remarks else f"{message} Nothing to do.", _said(found.remarks)))
    lines = _said(found.remarks)
    unsettled = [one for one in found.clusterings if one.status == "waiting"]
    lines += [f"{one.clustering} waits: {one.message}" for one in unsettled]
    left = [one for one in found.clusterings if one.status == "inserted" and _lay_there(one, found)]
    lines += [f"{one.clustering} lay at {one.location}, and was not found at the new place." for one in left]
    if "clustering" in found.looked_for and not unsettled and not left:
        lines.append("No sorted output was found yet.")
    if found.looked_for:
        lines.append(
            "It is looked for again with the next upload of its file, and by work: at once where it is named."
        )
    steps = [NextStep("why", one.clustering) for one in unsettled[:LISTED]]
    if any(one.code == "folder-gone" for one in found.remarks):
        lines.append("If they were moved, upload the file with the new location: they are known again.")
    steps += [NextStep("work", str(reference))] if found.looked_for else []
    if any(one.code in _MENDED_ON_DISK for one in found.remarks):
        other_start = any(one.code == "start-differs" for one in found.remarks)
        doubt = "; if its clock is wrong, say when it began" if other_start else ""
        lines.append(f"If the disk is right, take it in{doubt}.")
        steps.append(NextStep("amend", str(reference), {"from_disk": "yes"}))
        if other_start:
            steps.append(NextStep("amend", str(reference), {"start": None, "reason": None}))
    message = f"Its session time is {found.session_time}."
    return Told(
        listed(message if lines else f"{message} Nothing to do.", lines),
        steps,
        [related_to(one) for one in unsettled],
    )


_MENDED_ON_DISK = ("start-differs", "sessions-txt-differs")


def _lay_there(line: ClusteringLine, found: SessionRecord) -> bool:
    """Whether a clustering is on record where its session lay before it was moved."""
    return any(line.location == place or line.location.startswith(f"{place}/") for place in found.moved_from)


def _said(remarks: Sequence[RemarkLine]) -> list[str]:
    return [one.message for one in remarks]


def _withdrawn(world: "World", reference: Reference, found: SessionRecord | ClusteringRecord) -> Told:
    taken_back = [
        event
        for event in log.read_stream(world.transaction, reference.stream)
        if event.type.endswith("Withdrawn")
    ]
    by = f" by {taken_back[-1].actor} at {shown(taken_back[-1].recorded_at)}" if taken_back else ""
    message = f"It was taken back{by}; it had never been inserted. Its file can be uploaded again."
    return Told(message, [_upload_again(world, found)])


def _deleted(
    world: "World", reference: Reference, found: SessionRecord | ClusteringRecord, deletion: DeletedBy
) -> Told:
    """What replaced it has to be looked at first: while that stands, nothing can be restored."""
    told = Told(f"It was deleted by {deleted_by(deletion)}.")
    if found.replaced_by is not None:
        told.message += f"\nIt was replaced by {found.replaced_by}."
    rows: Any = world.state.sessions if reference.kind == "session" else world.state.clusterings
    look = NextStep("show-request", deletion.deletion)
    standing = standing_in_place(rows, reference.id)
    if standing is not None:
        told.related.append(standing)
        told.steps = [NextStep("show", standing.ref), look]
    else:
        told.message += "\nAn admin can bring it back, with all that went with it."
        told.steps = [look, NextStep("restore", deletion.deletion)]
    return told


def deleted_by(deletion: DeletedBy) -> str:
    """``d70 (requested by user_1: wrong animal; approved by user_2)``."""
    asked, approved = f"requested by {deletion.requested_by}", f"approved by {deletion.approved_by}"
    return f"{deletion.deletion} ({asked}: {deletion.reason}; {approved})"


def _failed(world: "World", reference: Reference, found: SessionRecord | ClusteringRecord) -> Told:
    """Includes the hint of its newest failure, and the records that it failed by: they tell more."""
    stream = log.read_stream(world.transaction, reference.stream)
    failures = [event for event in stream if event.type.endswith("InsertFailed")]
    failure = body_of(failures[-1]) if failures else {}
    hint = str(failure.get("hint") or "")
    related = []
    if isinstance(found, ClusteringRecord):
        related = [related_to(session) for session in found.sessions if session.status != "inserted"]
    elif failure.get("taken_by") is not None:
        row = world.state.sessions.get(failure["taken_by"])
        if row is not None:
            related = [Related(ref=name_of(row), status=row.status, message=row.message)]
    looked_at = [NextStep("why", one.ref) for one in related[:LISTED]]
    message = listed(str(found.message), [hint] if hint else [])
    if found.replaced_by is not None:
        rows: Any = world.state.sessions if reference.kind == "session" else world.state.clusterings
        row = rows.get(int(found.replaced_by[1:]))
        status = row.status if row is not None else "there"
        later = Related(ref=found.replaced_by, status=status, message=None if row is None else row.message)
        message = f"{found.message}\nIts entry came again, as {found.replaced_by}, which is {status}: look at that one."
        return Told(message, [NextStep("why", found.replaced_by)], [later])
    return Told(message, [*looked_at, _upload_again(world, found)], related)


def _upload_again(world: "World", found: SessionRecord | ClusteringRecord) -> NextStep:
    filename = world.state.uploads[int(found.upload[1:])].filename
    return NextStep("upload", arguments={"file": filename})


# --- uploads ----------------------------------------------------------------------------------------------


def _upload(world: "World", found: UploadRecord) -> Told:
    again = NextStep("upload", arguments={"file": found.filename})
    if found.status == "rejected":
        errors = [_finding(one) for one in found.findings if one.severity == "error"]
        first = f"It was rejected whole, and nothing of it was ingested: {plural(len(errors), 'error')}."
        return Told(listed(first, errors), [again], reason="rejected")
    if found.status in ("received", "validated"):
        reason = "unfinished" if found.status == "validated" else None
        return Told("It was accepted; not all of its entries are processed yet.", [WORK], reason=reason)
    entries: list[SessionLine | ClusteringLine] = [*found.new_sessions, *found.new_clusterings]
    known = f", {found.duplicates:,} known before" if found.duplicates else ""
    still = [entry for entry in entries if entry.status != "inserted"]
    if not still:
        return Told(f"{plural(len(entries), 'new entry')} inserted{known}. Nothing to do.")
    again_as = [(related_to(entry).ref, _came_again(world, entry)) for entry in still if entry.replaced_by]
    open_ = [related_to(entry) for entry in still if not entry.replaced_by]
    lines = [
        f"{one.ref} {in_words(one.status)}" + (f": {one.message}" if one.message else "") for one in open_
    ]
    lines += [f"{ref} came again as {later.ref}, which {in_words(later.status)}." for ref, later in again_as]
    open_ += [later for _, later in again_as if later.status != "inserted"]
    verb = "was" if len(still) == 1 else "were"
    of_them = (
        "its one new entry was not inserted"
        if len(entries) == 1
        else f"of {len(entries):,} new entries {len(still):,} {verb} not inserted"
    )
    ending = "" if open_ else "\nNothing to do."
    steps = [NextStep("why", one.ref) for one in open_[:LISTED]]
    return Told(listed(f"It was accepted; {of_them}.", lines) + ending, steps, open_)


def _came_again(world: "World", entry: SessionLine | ClusteringLine) -> Related:
    """The last of the records that its entry became since."""
    rows: Any = world.state.sessions if isinstance(entry, SessionLine) else world.state.clusterings
    row = rows[int(str(entry.replaced_by)[1:])]
    while row.replaced_by is not None and row.replaced_by > row.id:
        row = rows[row.replaced_by]
    return Related(ref=name_of(row), status=row.status, message=row.message)


def _finding(found: Finding) -> str:
    where = "" if found.line is None else f"line {found.line}, column {found.column}: "
    hint = f" {found.hint}" if found.hint else ""
    return f"{where}{found.message}{hint} [{found.code}]"
