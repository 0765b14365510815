"""What a corrected file would change, and the request that was made for it: one document for every face."""

from dataclasses import dataclass

from commands.door.submit import Daybook
from commands.door.world import Result
from commands.inputfile.findings import Finding, in_file_order
from commands.inputfile.read import Limits
from commands.intake.checking import Difference, too_large
from commands.intake.insertion import waits_for
from commands.intake.validation import Validation
from commands.recordings.roots import Roots
from commands.requests.correction import correct as correction
from commands.requests.correction.plan import GroupChange, Plan, SessionChange
from commands.requests.rules import to_decide
from ledger.errors import NextStep
from ledger.events import SessionInserted
from projections.lines import subject_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedSession:
    """A session that would be deleted and inserted again. ``outcome`` is what stage 3 makes of it, None where that was
    not reached; ``kept`` are the fields that were added since and stay."""

    index: int
    session: str
    location: str
    username: str
    matched_by: str
    differences: list[Difference]
    kept: list[str]
    session_time: str | None
    outcome: str | None
    new_session_time: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedClustering:
    """As of a session."""

    index: int
    clustering: str
    group_name: str | None
    username: str
    matched_by: str
    differences: list[Difference]
    outcome: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedClustering:
    """A clustering that stands on what is replaced, and what ``becomes`` of it."""

    clustering: str
    username: str
    group_name: str | None
    location: str
    stands_on: list[str]
    becomes: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    index: int
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClustering:
    index: int
    group_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntries:
    """Entries that are left to an upload."""

    sessions: list[NewSession]
    clusterings: list[NewClustering]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    sessions: int
    clusterings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentSession:
    """A session that the file does not have; it stays as it is."""

    session: str
    subject: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutEntry:
    """Somebody else's record that the file differs from; it stays as it is."""

    record: str
    username: str
    index: int
    differences: list[Difference]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionReport(Result):
    """``sessions`` and ``clusterings`` are what would be deleted and inserted again, ``left_out`` what is not, because
    it is another person's; ``request`` and ``upload`` are
    there once that was requested. ``ok`` is False where a finding is an error."""

    request: str | None
    upload: str | None
    subject: str
    sessions: list[CorrectedSession]
    clusterings: list[CorrectedClustering]
    dependents: list[TouchedClustering]
    left_out: list[LeftOutEntry]
    new: NewEntries
    unchanged: Unchanged
    absent: list[AbsentSession]
    findings: list[Finding]
    next_steps: tuple[NextStep, ...]


def correct(
    daybook: Daybook,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    reason: str | None = None,
    command_id: str | None = None,
) -> CorrectionReport:
    """Compare a corrected file with what is stored, and with a ``reason`` request that it is corrected."""
    return correction_report(
        correction.correct(
            daybook, data, filename=filename, roots=roots, limits=limits, reason=reason, command_id=command_id
        )
    )


def correction_too_large(size_bytes: int, limits: Limits) -> CorrectionReport | None:
    """What a correction answers of a file beyond the limit, which nobody reads to its end."""
    found = too_large(size_bytes, limits)
    if found is None:
        return None
    return correction_report(correction.Corrected(Plan(Validation(0, (found,)), (found,))))


def correction_report(corrected: correction.Corrected) -> CorrectionReport:
    plan, request = corrected.plan, corrected.request
    steps: tuple[NextStep, ...] = ()
    if request is not None:
        steps = to_decide(request)
    elif plan.ok and plan.replaced:
        steps = (NextStep("request-correction", arguments={"file": None, "reason": None}),)
    return CorrectionReport(
        ok=plan.ok,
        position=corrected.position,
        request=request,
        upload=corrected.upload,
        subject=subject_name(plan.subject),
        sessions=[_session(change) for change in plan.sessions],
        clusterings=[_group(change, plan) for change in plan.groups],
        dependents=[
            TouchedClustering(
                clustering=f"c{dependent.row.id}",
                username=dependent.row.username,
                group_name=dependent.row.group_name,
                location=dependent.row.location,
                stands_on=[f"s{number}" for number in dependent.stands_on],
                becomes=dependent.becomes,
                reason=dependent.reason,
            )
            for dependent in plan.dependents
        ],
        left_out=[
            LeftOutEntry(
                record=f"{type(each.row).__name__[0].lower()}{each.row.id}",
                username=each.row.username,
                index=each.index,
                differences=[Difference(**difference) for difference in each.differences],
            )
            for each in plan.left_out
        ],
        new=NewEntries(sessions=_new_sessions(plan), clusterings=_new_groups(plan)),
        unchanged=Unchanged(sessions=len(plan.unchanged_sessions), clusterings=len(plan.unchanged_groups)),
        absent=[
            AbsentSession(session=f"s{row.id}", subject=subject_name(row.subject), location=row.location)
            for row in plan.absent
        ],
        findings=in_file_order(plan.findings),
        next_steps=steps,
    )


def _session(change: SessionChange) -> CorrectedSession:
    event = None if change.outcome is None else change.outcome.event
    return CorrectedSession(
        index=change.given.index,
        session=f"s{change.old.id}",
        location=change.old.location,
        username=change.old.username,
        matched_by=change.matched_by,
        differences=[Difference(**each) for each in change.differences],
        kept=sorted(change.kept),
        session_time=change.old.session_time,
        outcome=_outcome(event),
        new_session_time=event.session_time if isinstance(event, SessionInserted) else None,
        reason=getattr(event, "message", None),
    )


def _group(change: GroupChange, plan: Plan) -> CorrectedClustering:
    event = waits_for(change.sessions) if change.outcome is None and plan.ok else change.outcome
    return CorrectedClustering(
        index=change.given.index,
        clustering=f"c{change.old.id}",
        group_name=change.old.group_name,
        username=change.old.username,
        matched_by=change.matched_by,
        differences=[Difference(**each) for each in change.differences],
        outcome=_outcome(event),
        reason=getattr(event, "message", None),
    )


def _outcome(event: object) -> str | None:
    outcomes = {"Inserted": "inserted", "Waiting": "waiting", "InsertFailed": "error"}
    kind = type(event).__name__.removeprefix("Session").removeprefix("Clustering")
    return outcomes.get(kind)


def _new_sessions(plan: Plan) -> list[NewSession]:
    entries = plan.validation.input_file.sessions if plan.validation.input_file is not None else ()
    new = set(plan.new_sessions)
    return [NewSession(index=e.index, location=e.location) for e in entries if e.index in new]


def _new_groups(plan: Plan) -> list[NewClustering]:
    entries = plan.validation.input_file.clustering if plan.validation.input_file is not None else ()
    new = set(plan.new_groups)
    return [NewClustering(index=e.index, group_name=e.group_name) for e in entries if e.index in new]
