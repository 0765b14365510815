"""The events: what can happen, as frozen models.

A class name is the event's type in the log and is never reused for anything else. A field that changes its meaning
raises the type's number in ``SCHEMAS`` and adds a function to ``UPCASTS``, both in ``bodies``; what is stored is never
rewritten. Only who writes or verifies imports this module: the models take a while to be made.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from ledger.bodies import NO_MORE, SCHEMAS, body_of, known
from ledger.envelope import StoredEvent, payload_digest
from ledger.errors import IntegrityFailure


class Body(BaseModel):
    """What an event says besides its envelope."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    SCHEMA: ClassVar[int]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.SCHEMA = SCHEMAS[cls.__name__]

    def payload(self) -> str:
        """The text that is stored and hashed. (``model_dump_json`` gives the same in twice the time.)"""
        return self.__pydantic_serializer__.to_json(self).decode()


# --- ledger ---------------------------------------------------------------------------------------------------------


class LedgerCreated(Body):
    """The first event of every ledger. ``public_key`` is the verifier key of its checkpoints."""

    origin: str
    public_key: str


# --- upload/<id>, check/<id> ----------------------------------------------------------------------------------------


class InputFileReceived(Body):
    """Of the bytes as they are kept. ``replays`` is the earlier upload whose stored bytes were taken again. ``blanked``
    are lines that came with something that had been redacted, and were not kept: ``{"lines": [first, last],
    "position"}``, with the position that had been."""

    filename: str
    sha256: str
    size_bytes: int
    replays: int | None = None
    blanked: list[dict[str, Any]] = []


class InputFileValidated(Body):
    """``sessions`` and ``clusterings`` count the entries of the file. Of those that stood in the ledger already,
    ``unchanged_*`` holds inclusive index ranges of the ones that equal what is stored; the others are listed:
    ``{"index", "session" | "clustering", "differences"}``. ``more`` counts the findings beyond those in ``findings``
    by severity, and says of the first of them ``placed``: ``{"severity", "code", "line", "column"}``."""

    sessions: int
    clusterings: int
    findings: list[dict[str, Any]]
    unchanged_sessions: list[tuple[int, int]]
    unchanged_clusterings: list[tuple[int, int]]
    changed_sessions: list[dict[str, Any]]
    changed_clusterings: list[dict[str, Any]]
    more: dict[str, Any] = NO_MORE


class InputFileRejected(Body):
    """``stage`` is the last stage that was reached; the file itself is kept under its sha256. ``more`` as in
    InputFileValidated."""

    stage: int
    findings: list[dict[str, Any]]
    more: dict[str, Any] = NO_MORE


class InputFileProcessed(Body):
    """What became of each new entry when the file was first processed:
    ``{"index", "session" | "clustering", "outcome", "reason"}``."""

    sessions: list[dict[str, Any]]
    clusterings: list[dict[str, Any]]


class InputFileChecked(Body):
    """Somebody validated a file without uploading it; its bytes are not kept."""

    filename: str
    sha256: str
    size_bytes: int
    ok: bool
    stage: int
    errors: int
    warnings: int


# --- session/<id> ---------------------------------------------------------------------------------------------------


class SessionInsertRequested(Body):
    """``entry`` is the input file's entry, typed; ``location`` is its normalised form, the dedup key, as is what it
    ``leads_to`` over links. ``replaces`` is the session that a correction deletes for this one."""

    datasource_id: int
    subject: str
    location: str
    entry_index: int
    entry: dict[str, Any]
    replaces: int | None = None
    leads_to: str | None = None


class SessionWaiting(Body):
    """Stage 3 cannot go on. ``reason``: probe-association, probe-of-another-subject, serial-contradicts, data-missing,
    starts-apart, no-start, sessions-txt, acquiring; or, where the disk is away for the moment, root-not-mounted,
    location-unreachable, session-changing. ``found`` are the probes on disk, ``inserted`` those of the subject;
    ``belongs`` says of probes on disk whose they are: ``{"name", "serial", "probe", "subject"}``. ``missing`` are data
    that cannot be taken as they are, ``starts`` when each recording began. Without ``holds`` its location is free for
    another session."""

    reason: str
    message: str
    found: list[dict[str, Any]] = []
    inserted: list[str] = []
    belongs: list[dict[str, Any]] = []
    missing: list[dict[str, Any]] = []
    starts: list[dict[str, Any]] = []
    holds: bool = True


class SessionInserted(Body):
    """``session_time`` is naive local time. ``sessions_txt`` is what tasks inherited from: its sha256 and rows.
    ``remarks`` stay with the session: ``{"code", "name", "files", "message"}``. ``open`` says what is looked for later:
    clustering, data."""

    session_time: str
    system: str
    recordings: list[dict[str, Any]]
    probes: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    sessions_txt: dict[str, Any] | None = None
    remarks: list[dict[str, Any]] = []
    open: list[str] = []


class SessionInsertFailed(Body):
    """``incident`` is the id of a fault of the program, where that was what failed the entry; ``taken_by`` the session
    that has its session_time, where it failed by that."""

    code: str
    message: str
    hint: str = ""
    incident: str | None = None
    taken_by: int | None = None


class ProbesAssociated(Body):
    """The waiting session is tried again. ``completed`` is the whole entry as it now stands. With ``despite_serial``
    somebody meant it although the serials on disk say otherwise, for this reason."""

    association: dict[str, str]
    completed: dict[str, Any]
    despite_serial: bool = False
    reason: str | None = None


class SessionSettled(Body):
    """A person decided on what a session waits for, and it is tried again: that its recordings are one session
    ``despite_dates``, that data are left out (``without``, by name), that its acquisition crashed, or when it
    started (naive local time)."""

    despite_dates: bool
    without: list[str]
    as_crashed: bool
    start: str | None
    reason: str


class MoreFound(Body):
    """A later look at an inserted session found more, or other, than the record has. ``recordings`` and ``probes`` go
    in as an addition; ``remarks`` and ``open`` are all that stay with it now."""

    recordings: list[dict[str, Any]]
    probes: list[dict[str, Any]]
    remarks: list[dict[str, Any]]
    open: list[str]


class TasksAdded(Body):
    """``tasks`` are resolved, or None while the session itself is not inserted yet; ``completed`` is the whole entry
    as it now stands."""

    completed: dict[str, Any]
    tasks: list[dict[str, Any]] | None
    sessions_txt: dict[str, Any] | None = None


class SessionAnnotated(Body):
    """Room, project, notes or a clustering that the file left out; with a correction, whatever was added to the session
    that it replaces. ``fields`` are those given now; ``completed`` is the whole entry as it now stands."""

    fields: dict[str, Any]
    completed: dict[str, Any]


class SessionEntryRenewed(Body):
    """It was never inserted, and its owner's newest file says otherwise: ``entry`` is what that says, ``completed`` the
    same with what commands have added. It is tried again."""

    entry: dict[str, Any]
    completed: dict[str, Any]


class SessionSuperseded(Body):
    """It had failed, and its entry came again: ``by`` is the session that it became then."""

    by: int


class SessionAmended(Body):
    """Something is added to what the session says already, or what it names is called otherwise now. ``fields`` are
    those given now; ``completed`` is the whole entry as it now stands. ``tasks`` are all of them, resolved; ``probes``
    those that are another probe now: ``{"name", "probe", "matched_by"}``. Both are None where they stay, and before the
    session is inserted. ``session_time`` is when it began after all, by the disk, or by the word of a person, which
    ``start`` holds. ``sessions_txt`` is what tasks inherit from now."""

    fields: dict[str, Any]
    completed: dict[str, Any]
    tasks: list[dict[str, Any]] | None
    probes: list[dict[str, Any]] | None
    despite_serial: bool = False
    reason: str | None = None
    session_time: str | None = None
    start: str | None = None
    sessions_txt: dict[str, Any] | None = None


class SessionMoved(Body):
    """Its recordings were known again at ``location``, ``instead_of`` where they lay. ``leads_to`` as in its request;
    ``completed`` is the whole entry as it now stands. ``renamed`` are the probes that are called otherwise on disk:
    ``{"name", "new_name"}``; ``left`` the clusterings that were not found at the new place."""

    location: str
    leads_to: str | None
    instead_of: str
    completed: dict[str, Any]
    renamed: list[dict[str, str]]
    left: list[int]


class SessionWithdrawn(Body):
    """Its owner took back an entry that was never inserted."""


class SessionDeleted(Body):
    """``was`` is the status before: inserted, pending or waiting. The deletion is the event's correlation;
    ``replaced_by`` is the session that a correction puts in its place."""

    was: str
    replaced_by: int | None = None


class SessionRestored(Body):
    """``status``: inserted, or pending, which is tried again."""

    status: str


# --- clustering/<id> ------------------------------------------------------------------------------------------------


class ClusteringInsertRequested(Body):
    """A multi-session clustering; or one of ``session`` alone, which has to wait. ``sessions`` are the ids of the
    sessions that it stands on; ``replaces`` is the clustering that a correction deletes for this one."""

    datasource_id: int
    subject: str
    location: str
    entry_index: int
    sessions: list[int]
    entry: dict[str, Any]
    replaces: int | None = None
    session: int | None = None


class ClusteringWaiting(Body):
    reason: str
    message: str


class ClusteringInserted(Body):
    """``session`` is set for a single-session clustering, which has a request of its own only where it had to wait.
    ``curation_time`` is naive local time; ``outputs`` has one item per probe. ``remarks`` stay with it, as of a
    session."""

    session: int | None
    curator: str
    location: str
    curation_time: str
    curation_time_inherited: bool
    notes: str | None
    outputs: list[dict[str, Any]]
    remarks: list[dict[str, Any]] = []


class ClusteringInsertFailed(Body):
    """``incident`` as of a session."""

    code: str
    message: str
    hint: str = ""
    incident: str | None = None


class ClusteringEntryRenewed(Body):
    """As of a session. ``sessions`` are those that it stands on now, ``instead_of`` those that it stood on."""

    location: str
    sessions: list[int]
    instead_of: list[int]
    entry: dict[str, Any]


class ClusteringSuperseded(Body):
    """As of a session."""

    by: int


class ClusteringWithdrawn(Body):
    """Its owner took back an entry that was never inserted."""


class ClusteringDeleted(Body):
    """``was`` is the status before: inserted, pending or waiting. The deletion is the event's correlation;
    ``replaced_by`` is the clustering that a correction puts in its place."""

    was: str
    replaced_by: int | None = None


class ClusteringRestored(Body):
    """``status``: inserted, or pending, which is tried again."""

    status: str


class ClusteringCarriedOver(Body):
    """A multi-session clustering follows the sessions that replace those it stood on: pairs of (old, new)."""

    sessions: list[tuple[int, int]]


class ClusteringMoved(Body):
    """It went along with its session, to ``location``."""

    location: str
    instead_of: str


class ClusteringAmended(Body):
    """What it names is called otherwise now."""

    curator: str


# --- deletion/<id>, redaction/<position> ----------------------------------------------------------------------------


class DeletionRequested(Body):
    """``records`` are those that were named (u34, s12, c56), ``impact`` everything that would go with them, as it
    was shown: ``{"sessions", "clusterings"}`` in inclusive ranges of ids, ``{"tasks", "probes"}`` counted, and
    ``users``, the number of records of each owner."""

    records: list[str]
    reason: str
    impact: dict[str, Any]


class CorrectionRequested(Body):
    """``upload`` holds the corrected file. ``sessions`` and ``clusterings`` are what it would replace:
    ``{"index", "session" | "clustering", "matched_by", "differences"}``, of a session ``session_time`` and
    ``new_session_time`` too; ``carried_over`` the multi-session
    clusterings that would follow."""

    upload: int
    reason: str
    impact: dict[str, Any]
    sessions: list[dict[str, Any]]
    clusterings: list[dict[str, Any]]
    carried_over: list[int]


class RedactionRequested(Body):
    position: int
    reason: str


class ChangeRequested(Body):
    """``kind``: proposal, addition, mending, taking-back or role. ``records`` say what it is about, as people name it;
    ``change`` is what is carried out when it is approved: ``{"action": ...}`` and its arguments. ``impact`` is what
    stands on it, as of a deletion: of a taking-back it goes, of the others it stays and says something else."""

    kind: str
    records: list[str]
    reason: str
    change: dict[str, Any]
    impact: dict[str, Any]


class DeletionImpactGrown(Body):
    """An approval was not carried out, because more would go than had been shown; this is what was shown now."""

    impact: dict[str, Any]


class DeletionApproved(Body):
    """Carried out at once: the events behind it, in the same transaction."""


class DeletionRejected(Body):
    reason: str


class DeletionCancelled(Body):
    """Taken back by whoever had requested it."""


class DeletionExecuted(Body):
    """How many records were deleted, and the tasks that stood on them."""

    sessions: int
    clusterings: int
    tasks: int


class CorrectionExecuted(Body):
    """``first`` is the number of the first new record of ``upload``; the pairs are (old, new)."""

    upload: int
    first: int
    sessions: list[tuple[int, int]]
    clusterings: list[tuple[int, int]]


class DeletionRestored(Body):
    """All that the deletion had deleted stands again."""

    sessions: int
    clusterings: int


class PayloadRedacted(Body):
    """On the stream ``redaction/<position>``: the payload at that position was removed. ``kept`` is what its body
    still says where every text is blanked: numbers, and which fields there were. ``marks`` are keyed hashes of what it
    is known by when it comes again, by their kind; ``key`` is the id of their key (``ledger.marks``)."""

    position: int
    stream: str
    type: str
    reason: str
    requested_by: str
    deletion: int
    kept: dict[str, Any]
    key: str = ""
    marks: dict[str, list[str]] = {}


class InputFileErased(Body):
    """On the stream ``input-file/<sha256>``: the stored bytes were removed with the redaction of their receipt."""

    sha256: str
    deletion: int


# --- look/<position> ------------------------------------------------------------------------------------------------


class DiskLookedAt(Body):
    """What is open of these inserted sessions was looked for again, at its time: inclusive ranges of ids."""

    sessions: list[tuple[int, int]]


# --- user/<name> ----------------------------------------------------------------------------------------------------


class RoleGranted(Body):
    """``role``: researcher, admin or auditor. A user has one role: the latest. ``user`` may be "everyone"."""

    user: str
    role: str


class RoleRevoked(Body):
    """The user is left with the role of everyone, if that has one."""

    user: str
    role: str


class ActionRefused(Body):
    """Somebody tried what he or she may not do. ``record`` is a reference such as s12, or empty."""

    action: str
    record: str
    role: str
    needed: str


class ApprovalPolicySet(Body):
    """On the stream ``ledger``: whether admins may approve what they requested themselves."""

    own_requests: bool


class ServiceAccountAdded(Body):
    """An account for a rig or a script, which signs in with tokens alone. ``owner`` answers for it."""

    user: str
    owner: str


class RightGranted(Body):
    """What a service account may do besides its role. ``right`` is work (on anybody's entries; ``of`` is empty) or
    on-behalf-of (the user ``of``)."""

    user: str
    right: str
    of: str


class RightRevoked(Body):
    user: str
    right: str
    of: str


class UserDisabled(Body):
    """The account's sign-ins, tokens and invitations end; its records stay."""

    user: str


class UserEnabled(Body):
    user: str


class UserInvited(Body):
    """``role`` is what the user gets by joining, unless he or she has one by then; empty: none. ``until`` is the time
    that the invitation expires."""

    user: str
    role: str
    until: str


class InvitationRevoked(Body):
    user: str


class UserJoined(Body):
    """The user has chosen a password. ``role`` and ``invited_by`` are those of the invitation."""

    user: str
    role: str
    invited_by: str


class ResetIssued(Body):
    """A link was made by which the user gets in again. ``what`` is password or second-factor, ``until`` the time that
    it expires."""

    user: str
    what: str
    until: str


class PasswordChanged(Body):
    """``by_reset``: by the link of a reset, by which all sign-ins of the user ended."""

    user: str
    by_reset: bool


class SecondFactorAdded(Body):
    user: str


class SecondFactorRemoved(Body):
    """``by_reset``: by the link of a reset, by which all sign-ins of the user ended."""

    user: str
    by_reset: bool


class SecondFactorPolicySet(Body):
    """On the stream ``ledger``: whether a password alone is not enough for whoever has this role."""

    role: str
    required: bool


class SignInsFailed(Body):
    """On the stream ``ledger``: so many attempts failed within an hour that no more are taken. ``of`` is an account,
    whose user is named, a name that nobody has, or an address; neither of these stands in an event.
    """

    of: str
    user: str
    failures: int


class TokenIssued(Body):
    """``token`` is its public id, never the secret. ``scope``: read or write. ``until`` is the time that it expires."""

    user: str
    token: str
    name: str
    scope: str
    until: str


class TokenRevoked(Body):
    user: str
    token: str


class WebhookAdded(Body):
    """``host`` is where events are sent from then on; the rest of the address may be a secret, and stands beside the
    accounts. ``since`` is the position behind which it begins."""

    user: str
    webhook: str
    host: str
    since: int


class WebhookRemoved(Body):
    user: str
    webhook: str


class AuthenticationPolicySet(Body):
    """On the stream ``ledger``: whether a command is taken from whoever is not authenticated."""

    required: bool


# --- subject/<datasource>/<name>, reference/<table> -----------------------------------------------------------------


class SubjectRegistered(Body):
    datasource_id: int
    name: str


class ProbeInserted(Body):
    """``insertion_time`` is naive local time."""

    probe: str
    insertion_time: str


class ProbeRemoved(Body):
    probe: str
    removal_time: str


class ProbeInsertionMended(Body):
    """The insertion that is on record has these times; ``removal_time`` is None where the probe is still in there."""

    probe: str
    insertion_time: str
    removal_time: str | None
    reason: str


class ProbeInsertionTakenBack(Body):
    """The probe was never inserted then: what was on record before it is again. ``earlier`` are the times of the
    insertion before, ``{"insertion_time", "removal_time"}``, or None."""

    probe: str
    insertion_time: str
    removal_time: str | None
    earlier: dict[str, str] | None
    reason: str


class SubjectTakenBack(Body):
    """There is no such subject: nothing stood on it, or went with it."""

    name: str
    reason: str


class ReferenceValueAdded(Body):
    table: str
    value: str
    attributes: dict[str, Any] = {}


class ReferenceValueRetired(Body):
    table: str
    value: str


class ReferenceValueTakenBack(Body):
    """It was a mistake; ``replaced_by`` is what those that used it use now."""

    table: str
    value: str
    replaced_by: str | None
    reason: str


TYPES: dict[str, type[Body]] = {name: globals()[name] for name in SCHEMAS}


def misfit(event: StoredEvent) -> str | None:
    """Why the event is none that this program could have written, in a few words; None where it is. Of a redacted one,
    what was kept of its body is judged."""
    try:
        body = body_of(event)
        if "redacted" in body and payload_digest(event.payload or "") != event.payload_sha256:
            del body["redacted"]
        known(event)
        TYPES[event.type].model_validate(body)
    except IntegrityFailure as failure:
        return failure.message
    except ValueError as error:  # of pydantic
        return " ".join(str(error).split()[:20])
    return None
