"""What each event means for the projections. The one code path of live appends and rebuilds.

A handler changes rows through the ``State`` and does nothing else: no clock, no disk, no settings. What a handler
means is part of its projection's version (``projections.records.VERSIONS``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ledger.bodies import body_of, known
from ledger.envelope import StoredEvent, authentication
from ledger.errors import IntegrityFailure, NextStep, Refusal
from projections.handlers import clusterings, deletions, lab, sessions, uploads, users
from projections.handlers.record_status import Payload, number_of
from projections.records import Activity
from projections.rows import State

_LONGEST_COUNTED = 500
_Counted = tuple[str, str, str, str, str, str, str]
_DO_NOT_FOLD = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(slots=True)
class _Count:
    events: int
    last_at: str


class DoesNotFold(IntegrityFailure):
    """An event that does not fit its type, or does not follow from those before it."""

    def __init__(self, event: StoredEvent, error: Exception) -> None:
        super().__init__(
            "event-does-not-fold",
            f"The {event.type} at position {event.position} does not follow from the events before it "
            f"({type(error).__name__}: {error}): it was not written by Daybook.",
            "Verify the ledger",
            NextStep("verify"),
        )
        self.position = event.position


def apply(state: State, events: Iterable[StoredEvent]) -> None:
    """Bring the projections from the position before the first of these events to that of the last.

    Raises IntegrityFailure for an event that no version of the program wrote, or a newer one: projections that skip
    it would look whole without being so.
    """
    counts: dict[_Counted, _Count] = {}
    event: StoredEvent | None = None
    try:
        for event in events:
            kind, stream, at = event.type, event.stream, event.recorded_at
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(state, event, body_of(event))
            else:
                known(event)
            project = _project(state, stream) if stream.startswith("session/") else ""
            key = (
                event.actor, event.username, event.subject, project, at[:10], kind,
                authentication(event.via),
            )  # fmt: skip
            counted = counts.get(key)
            if counted is None:
                counts[key] = _Count(1, at)
            else:
                counted.events += 1
                counted.last_at = at
    except _DO_NOT_FOLD as error:
        if event is None or isinstance(error, Refusal):
            raise
        raise DoesNotFold(event, error) from error
    _add_counts(state, counts)


def apply_to_records(state: State, events: Iterable[StoredEvent]) -> None:
    """Everything but the counts of who did how much: they take half as long again, and nobody asks a record for
    them.
    """
    event: StoredEvent | None = None
    try:
        for event in events:
            _handle(state, event)
    except _DO_NOT_FOLD as error:
        if event is None or isinstance(error, Refusal):
            raise
        raise DoesNotFold(event, error) from error


def _handle(state: State, event: StoredEvent) -> None:
    handler = _HANDLERS.get(event.type)
    if handler is not None:
        handler(state, event, body_of(event))
    else:
        known(event)


def _project(state: State, stream: str) -> str:
    """A project that no index could hold is left out of the count."""
    project = state.sessions[number_of(stream)].project
    return project if len(project) <= _LONGEST_COUNTED else ""


def _add_counts(state: State, counts: dict[_Counted, _Count]) -> None:
    for key, count in counts.items():
        if state.activity.get(key) is None:
            state.activity.add(Activity(*key, count.events, count.last_at))
        else:
            counted = state.activity.change(key)
            counted.events += count.events
            counted.last_at = count.last_at


def prefetch(state: State, events: Iterable[StoredEvent]) -> None:
    """Load in bulk the rows that ``apply`` of these events will change."""
    ids: dict[str, list[int]] = {"session": [], "clustering": [], "upload": []}
    moving: dict[str, dict[int, str]] = {"session": {}, "clustering": {}}
    for event in events:
        kind, _, number = event.stream.partition("/")
        if event.stream_version > 1 and kind in ids and number.isdecimal():
            ids[kind].append(int(number))
            if event.type in _GIVE_OR_TAKE_KEYS:
                moving[kind][int(number)] = event.subject
    for rows, kind in (
        (state.sessions, "session"),
        (state.clusterings, "clustering"),
        (state.uploads, "upload"),
    ):
        if len(ids[kind]) > 1:
            rows.prefetch(ids[kind])
    if len(moving["session"]) + len(moving["clustering"]) > 1:
        _prefetch_keys(state, moving["session"], moving["clustering"])


_GIVE_OR_TAKE_KEYS = frozenset(
    f"{record}{change}"
    for record in ("Session", "Clustering")
    for change in ("Withdrawn", "Deleted", "Restored", "SubjectRenamed")
)


def _prefetch_keys(state: State, sessions: Mapping[int, str], clusterings: Iterable[int]) -> None:
    """``sessions`` with the subject of the event, whose the keys are from then on."""
    held = [(row, subject) for n, subject in sessions.items() if (row := state.sessions.get(n)) is not None]
    groups = [group for number in clusterings if (group := state.clusterings.get(number)) is not None]
    state.uploads.prefetch([*(row.upload for row, _ in held), *(group.upload for group in groups)])
    state.locations.prefetch(
        (subject, text)
        for row, later in held
        for subject in (row.subject, later)
        for text in (row.location, row.leads_to)
        if text is not None
    )
    state.times.prefetch(
        (subject, row.session_time)
        for row, later in held
        for subject in (row.subject, later)
        if row.session_time is not None
    )
    state.groups.prefetch(group.group_name for group in groups if group.group_name is not None)


_HANDLERS: dict[str, Callable[[State, StoredEvent, Payload], None]] = {
    "InputFileReceived": uploads.received,
    "InputFileValidated": uploads.validated,
    "InputFileRejected": uploads.rejected,
    "InputFileProcessed": uploads.processed,
    "SessionInsertRequested": sessions.session_requested,
    "SessionWaiting": sessions.session_waiting,
    "SessionInserted": sessions.session_inserted,
    "SessionInsertFailed": sessions.session_failed,
    "ProbesAssociated": sessions.probes_associated,
    "SessionSettled": sessions.session_settled,
    "MoreFound": sessions.more_found,
    "DiskLookedAt": sessions.disk_looked_at,
    "SessionEntryRenewed": sessions.session_entry_renewed,
    "ClusteringEntryRenewed": clusterings.clustering_entry_renewed,
    "SessionSuperseded": sessions.session_superseded,
    "ClusteringSuperseded": clusterings.clustering_superseded,
    "TasksAdded": sessions.tasks_added,
    "SessionAnnotated": sessions.session_annotated,
    "ClusteringInsertRequested": clusterings.clustering_requested,
    "ClusteringWaiting": clusterings.clustering_waiting,
    "ClusteringInserted": clusterings.clustering_inserted,
    "ClusteringInsertFailed": clusterings.clustering_failed,
    "SessionWithdrawn": sessions.session_withdrawn,
    "SessionDeleted": sessions.session_deleted,
    "SessionRestored": sessions.session_restored,
    "ClusteringWithdrawn": clusterings.clustering_withdrawn,
    "ClusteringDeleted": clusterings.clustering_deleted,
    "ClusteringRestored": clusterings.clustering_restored,
    "ClusteringCarriedOver": clusterings.clustering_carried_over,
    "DeletionRequested": deletions.deletion_requested,
    "CorrectionRequested": deletions.correction_requested,
    "RedactionRequested": deletions.redaction_requested,
    "DeletionImpactGrown": deletions.impact_grown,
    "DeletionApproved": deletions.decided("executed"),
    "DeletionRejected": deletions.decided("rejected"),
    "DeletionCancelled": deletions.decided("cancelled"),
    "DeletionExecuted": deletions.deletion_executed,
    "CorrectionExecuted": deletions.correction_executed,
    "DeletionRestored": deletions.deletion_restored,
    "PayloadRedacted": deletions.payload_redacted,
    "LedgerCreated": users.ledger_created,
    "RoleGranted": users.role_granted,
    "RoleRevoked": users.role_revoked,
    "ServiceAccountAdded": users.service_added,
    "UserInvited": users.user_invited,
    "InvitationRevoked": users.invitation_revoked,
    "UserJoined": users.user_joined,
    "SecondFactorAdded": users.second_factor_added,
    "SecondFactorRemoved": users.second_factor_removed,
    "SecondFactorPolicySet": users.second_factor_policy_set,
    "RightGranted": users.right_granted,
    "RightRevoked": users.right_revoked,
    "UserDisabled": users.user_disabled,
    "UserEnabled": users.user_enabled,
    "AuthenticationPolicySet": users.authentication_policy_set,
    "SubjectRegistered": lab.subject_registered,
    "ProbeInserted": lab.probe_inserted,
    "ProbeRemoved": lab.probe_removed,
    "ReferenceValueAdded": lab.reference_added,
    "ReferenceValueRetired": lab.reference_retired,
    "SessionAmended": sessions.session_amended,
    "ClusteringAmended": clusterings.clustering_amended,
    "SessionMoved": sessions.session_moved,
    "ClusteringMoved": clusterings.clustering_moved,
    "ChangeRequested": deletions.change_requested,
    "ProbeInsertionMended": lab.insertion_mended,
    "ProbeInsertionTakenBack": lab.insertion_taken_back,
    "SubjectTakenBack": lab.subject_taken_back,
    "SubjectRenamed": lab.subject_renamed,
    "UploadSubjectRenamed": uploads.subject_renamed,
    "SessionSubjectRenamed": sessions.session_subject_renamed,
    "ClusteringSubjectRenamed": clusterings.clustering_subject_renamed,
    "ReferenceValueTakenBack": lab.reference_taken_back,
}
