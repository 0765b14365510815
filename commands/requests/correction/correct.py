"""Correct what an input file said wrongly: compare it, request the correction, and carry it out once it is approved.

A correction deletes the records that differ and inserts them again from the corrected file, in one transaction. What
stood on them follows where it still fits. The file is read again when it is approved, and the disk before any lock.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import Field

from commands.door.command import Command, checked_command_id
from commands.door.permission import RESEARCHER, require_owner, require_writer, role_of
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.entries import InputFile
from commands.inputfile.kept_findings import kept, plain_more
from commands.inputfile.read import Limits
from commands.intake.kept_file import Kept, carried_out_at, kept_of
from commands.intake.settling import settle
from commands.intake.still_so import refuse_if_redacted
from commands.recordings.disk import shown
from commands.recordings.roots import Roots
from commands.requests.correction.events import CorrectionDone, executed, refuse_if_moved
from commands.requests.correction.matching import Matches, find_matches, requested_matches
from commands.requests.correction.plan import Plan
from commands.requests.correction.planning import make_plan
from commands.requests.growth import ImpactGrown, refused_growth
from commands.requests.impact import STANDING, impact_of
from commands.requests.rules import checked_reason, open_request, require_approver, require_decider
from commands.stored import stored_bytes
from ledger import input_files, log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import Conflict, NextStep, Refusal
from ledger.events import (
    CorrectionRequested,
    InputFileProcessed,
    InputFileReceived,
    InputFileValidated,
)
from ledger.ranges import ranges
from projections.records import Clustering, Deletion, Session

T = TypeVar("T")

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a corrected file would change, and the request for it, where one was made (``d70``, of upload ``u66``), as
    the ledger was at ``position``."""

    plan: Plan
    position: int = 0
    request: str | None = None
    upload: str | None = None


def correct(
    daybook: Daybook,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    reason: str | None = None,
    command_id: str | None = None,
) -> Corrected:
    """Compare a corrected input file with what is stored; with a ``reason``, request that it is corrected.

    Nothing is requested where a finding is an error, or where nothing differs. Raises NotPermitted where it is
    requested by somebody who did not upload the records and is no admin. A command id that the request was made under
    before gives that request, with the comparison against the ledger as it was then.
    """
    filename, repeatable, command_id = shown(filename), command_id is not None, checked_command_id(command_id)
    if reason is not None:
        daybook.require(lambda world: require_writer(world, "correct records"))
        reason = checked_reason(reason)
    requester = daybook.actor.owner
    with daybook.reading() as world:
        own = requester if role_of(world, requester) == RESEARCHER else None

    def matches_in(world: World, input_file: InputFile) -> Matches:
        return find_matches(
            world, input_file, filename=filename, requester=requester, roots=roots, limits=limits
        )

    def kept(before: int | None = None) -> tuple[Kept, dict[str, Any]]:
        found = kept_of(daybook, data, filename=filename, roots=roots, limits=limits, before=before)
        command = {
            "command_id": command_id,
            "content": found.data,
            "filename": found.filename,
            "reason": reason,
        }
        blanked = [each.plain() for each in found.blanked]
        return found, command | {"looked_at": found.at, "blanked": blanked}

    if reason is not None and repeatable and (before := carried_out_at(daybook, command_id)) is not None:
        file, command = kept(before)
        earlier = daybook.earlier(RequestCorrection.model_construct(**command))
        if earlier is not None:
            at = earlier.result.at
            plan = make_plan(
                daybook, file.read, roots, matches_in, requester=own, reading=lambda: daybook.reading_past(at),
                notices=file.notices,
            )  # fmt: skip
            return _asked(plan, earlier.result)

    def attempt() -> Corrected:
        file, command = kept()
        plan = make_plan(daybook, file.read, roots, matches_in, requester=own, notices=file.notices)
        if reason is None or not plan.replaced:
            return Corrected(plan, plan.at)
        daybook.require(lambda world: require_owner(world, "correct", plan.replaced))
        if not plan.ok:
            return Corrected(plan, plan.at)
        return _asked(plan, daybook.submit(RequestCorrection(**command, plan=plan)).result)

    return _until_it_holds(attempt)


def _asked(plan: Plan, asked: "CorrectionAsked") -> Corrected:
    return Corrected(plan, asked.position, asked.request, asked.upload)


def _until_it_holds(attempt: Callable[[], T]) -> T:
    """The ledger may move while the disk is read: then all is planned anew, a bounded number of times."""
    for number in range(1, _ATTEMPTS + 1):
        try:
            return attempt()
        except Conflict as conflict:
            if conflict.code != "ledger-moved" or number == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


# --- request --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionAsked(Result):
    """``at`` is the position that the file was compared at."""

    request: str
    upload: str
    at: int


class RequestCorrection(Command[CorrectionAsked]):
    """``content``, ``looked_at`` and ``blanked`` are as of an upload. ``plan`` is what the decision rests on; it
    follows from the content, the ledger and the disk."""

    content: bytes
    filename: str
    looked_at: int
    blanked: list[dict[str, Any]] = []
    reason: str
    plan: Any = Field(exclude=True, repr=False)

    def fingerprint(self) -> bytes:
        what = f"{self.command_id} {sha256(self.content).hexdigest()} {self.filename} {self.reason}"
        return sha256(f"RequestCorrection {what}".encode()).digest()

    def authorise(self, world: World) -> None:
        require_writer(world, "correct records")
        require_owner(world, "correct", self.plan.replaced)

    def decide(self, world: World) -> Decision[CorrectionAsked]:
        plan: Plan = self.plan
        digest = sha256(self.content).hexdigest()
        _refuse_same_request(world, digest)
        refuse_if_redacted(world, self.looked_at)
        refuse_if_moved(world, plan)
        upload, request = world.next_position, world.next_position + 3
        owners = {row.username for row in plan.replaced}
        owner: dict[str, Any] = {
            "subject": plan.subject,
            "username": owners.pop() if len(owners) == 1 else world.owner,
        }
        input_files.keep(world.transaction, self.content)
        received = InputFileReceived(
            filename=self.filename, sha256=digest, size_bytes=len(self.content), blanked=self.blanked
        )
        stream = f"upload/{upload}"
        events = [
            NewEvent(stream, received, 0, **owner),
            NewEvent(stream, _validated(plan), 0, **owner, causation=upload),
            NewEvent(
                stream, InputFileProcessed(sessions=[], clusterings=[]), 0, **owner, causation=upload + 1
            ),
            NewEvent(
                f"deletion/{request}",
                _requested(plan, upload, self.reason),
                0,
                plan.subject,
                world.actor,
                causation=upload + 1,
                correlation=f"d{request}",
            ),
        ]
        result = CorrectionAsked(request=f"d{request}", upload=f"u{upload}", at=plan.at)
        return Decision(events, result, correlation=f"u{upload}")


def _refuse_same_request(world: World, digest: str) -> None:
    uploads, deletions = world.state.uploads.table, world.state.deletions.table
    row = world.transaction.run(
        f"SELECT d.id, d.requested_by FROM {deletions} d JOIN {uploads} u ON u.id = d.upload "
        "WHERE d.status = 'requested' AND d.kind = 'correction' AND u.sha256 = ? ORDER BY d.id",
        (digest,),
    ).fetchone()
    if row is not None:
        raise Refusal(
            "already-requested",
            f"{row[1]} has already requested a correction from this very file: d{row[0]}.",
            "",
            NextStep("show-request", f"d{row[0]}"),
        )


def _validated(plan: Plan) -> InputFileValidated:
    checked = plan.validation.checked
    assert checked is not None  # noqa: S101 - a plan that is carried out was checked
    findings, more = kept(plan.findings, [plan.validation.more])
    return InputFileValidated(
        sessions=len(checked.sessions),
        clusterings=len(checked.clusterings),
        findings=[asdict(finding) for finding in findings],
        more=plain_more(more),
        unchanged_sessions=ranges(plan.unchanged_sessions),
        unchanged_clusterings=ranges(plan.unchanged_groups),
        changed_sessions=[
            {"index": c.given.index, "session": f"s{c.old.id}", "differences": c.differences}
            for c in plan.sessions
        ],
        changed_clusterings=[
            {"index": c.given.index, "clustering": f"c{c.old.id}", "differences": c.differences}
            for c in plan.groups
        ],
    )


def _requested(plan: Plan, upload: int, reason: str) -> CorrectionRequested:
    assert plan.impact is not None  # noqa: S101 - as above
    return CorrectionRequested(
        upload=upload,
        reason=reason,
        impact=plan.impact.plain(),
        sessions=[
            {
                "index": change.given.index,
                "session": f"s{change.old.id}",
                "matched_by": change.matched_by,
                "differences": change.differences,
                "session_time": change.old.session_time,
                "new_session_time": None if change.inserted is None else change.inserted.session_time,
            }
            for change in plan.sessions
        ],
        clusterings=[
            {
                "index": change.given.index,
                "clustering": f"c{change.old.id}",
                "matched_by": change.matched_by,
                "differences": change.differences,
            }
            for change in plan.groups
        ],
        carried_over=[dependent.row.id for dependent in plan.becoming("carried-over")],
    )


# --- approve --------------------------------------------------------------------------------------------------------


class ApproveCorrection(Command[CorrectionDone | ImpactGrown]):
    """``plan`` is what the decision rests on: the requested replacements, as they stand and would be inserted now, of
    what may be kept of the file, ``looked_at`` at a position."""

    request: int
    accept_impact: bool = False
    looked_at: int
    plan: Any = Field(exclude=True, repr=False)

    def fingerprint(self) -> bytes:
        what = f"ApproveCorrection {self.command_id} {self.request} {self.accept_impact}"
        return sha256(what.encode()).digest()

    def authorise(self, world: World) -> None:
        require_decider(world, self.request, "approve")

    def decide(self, world: World) -> Decision[CorrectionDone | ImpactGrown]:
        plan: Plan = self.plan
        row = open_request(world, self.request)
        refuse_if_redacted(world, self.looked_at)
        refuse_if_moved(world, plan)
        impact = impact_of(
            world,
            sessions=[change.old.id for change in plan.sessions],
            clusterings=[change.old.id for change in plan.groups],
        )
        grown = refused_growth(world, row, impact, accept_impact=self.accept_impact)
        return grown if grown is not None else executed(world, row, plan)


def approve(
    daybook: Daybook, row: Deletion, *, accept_impact: bool, roots: Roots, command_id: str | None = None
) -> CorrectionDone:
    """Carry a requested correction out, on the ledger and the disk as they are now. Raises Refusal where it cannot be
    any more, and with ``impact-grown`` where more would go than was shown."""
    command_id = checked_command_id(command_id)
    daybook.require(lambda world: require_approver(world, row, "approve"))
    command: dict[str, Any] = {"command_id": command_id, "request": row.id, "accept_impact": accept_impact}
    earlier = daybook.earlier(ApproveCorrection.model_construct(**command))
    if earlier is not None:
        return _finished(daybook, earlier.result, roots, command_id)
    with daybook.reading() as world:
        open_request(world, row.id)
        request = body_of(log.read_positions(world.transaction, [row.id])[row.id])
        upload = world.state.uploads[int(row.upload or 0)]
        data = stored_bytes(world, upload)
    limits = replace(Limits(), input_file_bytes=len(data))  # it was taken in, under the limits of that time

    def matches_in(world: World, input_file: InputFile) -> Matches:
        open_request(world, row.id)
        _refuse_fallen(world, row, request)
        return requested_matches(world, input_file, request, roots)

    def attempt() -> CorrectionDone | ImpactGrown:
        # something that it says may have been redacted since
        file = kept_of(daybook, data, filename=upload.filename, roots=roots, limits=limits)
        plan = make_plan(daybook, replace(file.read, findings=()), roots, matches_in, whole=False)
        errors = [finding for finding in plan.findings if finding.severity == "error"]
        if errors:
            more = f" And {len(errors) - 1:,} more." if len(errors) > 1 else ""
            raise _unfit(row, errors[0].code, f"{errors[0].path}: {errors[0].message}{more}")
        if not plan.replaced:
            raise _unfit(row, "nothing-to-correct", "the ledger says the same by now")
        return daybook.submit(ApproveCorrection(**command, looked_at=file.at, plan=plan)).result

    return _finished(daybook, _until_it_holds(attempt), roots, command_id)


def _finished(
    daybook: Daybook, result: CorrectionDone | ImpactGrown, roots: Roots, command_id: str
) -> CorrectionDone:
    if isinstance(result, ImpactGrown):
        raise result.refusal()
    if (
        result.carried_over
    ):  # one may have waited for just this; if it is not done here, the next worker does it
        steps = Steps(daybook, command_id, repeatable=True)
        clusterings = [int(name[1:]) for name in result.carried_over]
        settle(daybook, roots, steps, sessions=(), clusterings=clusterings)
    return result


def _refuse_fallen(world: World, row: Deletion, request: dict[str, Any]) -> None:
    """Raises Refusal where a record that would be replaced does not stand any more."""
    rows: list[Session | Clustering] = [
        *(world.state.sessions[int(entry["session"][1:])] for entry in request["sessions"]),
        *(world.state.clusterings[int(entry["clustering"][1:])] for entry in request["clusterings"]),
    ]
    for old in rows:
        if old.status not in STANDING:
            name = f"{type(old).__name__[0].lower()}{old.id}"
            raise _unfit(row, "not-standing", f"{name}, which it would replace, is {old.status}")


def _unfit(row: Deletion, code: str, why: str) -> Refusal:
    return Refusal(
        code,
        f"d{row.id} cannot be carried out: {why.rstrip('.')}.",
        "Reject it, then correct again what is still wrong",
        NextStep("reject-request", f"d{row.id}", {"reason": None}),
    )
