"""How the bodies of stored events are read: as plain data, in the newest version of their type.

Reading needs no model: a verb that prints a list needs no more than this. ``events`` says what the fields are.
"""

from collections.abc import Callable
from typing import Any

import orjson

from ledger.envelope import StoredEvent
from ledger.errors import IntegrityFailure, NextStep

SCHEMAS: dict[str, int] = {
    "LedgerCreated": 1,
    "InputFileReceived": 3,
    "InputFileValidated": 2,
    "InputFileRejected": 2,
    "InputFileProcessed": 1,
    "InputFileChecked": 1,
    "SessionInsertRequested": 3,
    "SessionWaiting": 2,
    "SessionInserted": 2,
    "SessionInsertFailed": 2,
    "ProbesAssociated": 2,
    "SessionSettled": 1,
    "MoreFound": 1,
    "DiskLookedAt": 1,
    "SessionEntryRenewed": 1,
    "ClusteringEntryRenewed": 1,
    "SessionSuperseded": 1,
    "ClusteringSuperseded": 1,
    "TasksAdded": 1,
    "SessionAnnotated": 1,
    "SessionAmended": 2,
    "SessionMoved": 1,
    "ClusteringMoved": 1,
    "ClusteringAmended": 1,
    "ChangeRequested": 1,
    "ProbeInsertionMended": 1,
    "ProbeInsertionTakenBack": 1,
    "SubjectTakenBack": 1,
    "ReferenceValueTakenBack": 1,
    "ClusteringInsertRequested": 3,
    "ClusteringWaiting": 1,
    "ClusteringInserted": 2,
    "ClusteringInsertFailed": 2,
    "SubjectRegistered": 2,
    "SubjectRenamed": 1,
    "SessionSubjectRenamed": 1,
    "ClusteringSubjectRenamed": 1,
    "UploadSubjectRenamed": 1,
    "ProbeInserted": 1,
    "ProbeRemoved": 1,
    "ReferenceValueAdded": 1,
    "ReferenceValueRetired": 1,
    "SessionWithdrawn": 1,
    "SessionDeleted": 1,
    "SessionRestored": 1,
    "ClusteringWithdrawn": 1,
    "ClusteringDeleted": 1,
    "ClusteringRestored": 1,
    "ClusteringCarriedOver": 1,
    "DeletionRequested": 1,
    "CorrectionRequested": 1,
    "RedactionRequested": 1,
    "DeletionImpactGrown": 1,
    "DeletionApproved": 1,
    "DeletionRejected": 1,
    "DeletionCancelled": 1,
    "DeletionExecuted": 1,
    "CorrectionExecuted": 1,
    "DeletionRestored": 1,
    "PayloadRedacted": 2,
    "InputFileErased": 1,
    "RoleGranted": 1,
    "RoleRevoked": 1,
    "ActionRefused": 1,
    "ApprovalPolicySet": 1,
    "ServiceAccountAdded": 1,
    "RightGranted": 1,
    "RightRevoked": 1,
    "UserDisabled": 1,
    "UserEnabled": 1,
    "UserInvited": 1,
    "InvitationRevoked": 1,
    "UserJoined": 1,
    "ResetIssued": 1,
    "PasswordChanged": 1,
    "SecondFactorAdded": 1,
    "SecondFactorRemoved": 1,
    "SecondFactorPolicySet": 1,
    "SignInsFailed": 1,
    "TokenIssued": 1,
    "TokenRevoked": 1,
    "WebhookAdded": 1,
    "WebhookRemoved": 1,
    "AuthenticationPolicySet": 1,
}
"""Every type of event, and the newest version of its body."""

NO_MORE = {"placed": [], "errors": 0, "warnings": 0, "notices": 0}
"""``more`` of a file all of whose findings have their text."""

UPCASTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("InputFileValidated", 1): lambda body: body | {"more": NO_MORE},
    ("InputFileRejected", 1): lambda body: body | {"more": NO_MORE},
    ("InputFileReceived", 1): lambda body: body | {"replays": None},
    ("InputFileReceived", 2): lambda body: body | {"blanked": []},
    ("PayloadRedacted", 1): lambda body: body | {"key": "", "marks": {}},
    ("SessionAmended", 1): lambda body: body | {"session_time": None, "start": None, "sessions_txt": None},
    ("SessionInsertRequested", 1): lambda body: body | {"replaces": None},
    ("SessionInsertRequested", 2): lambda body: body | {"leads_to": None},
    ("ClusteringInsertRequested", 1): lambda body: body | {"replaces": None},
    ("SessionInsertFailed", 1): lambda body: body | {"incident": None, "taken_by": None},
    ("ClusteringInsertFailed", 1): lambda body: body | {"incident": None},
    ("SessionWaiting", 1): lambda body: body | {"belongs": [], "missing": [], "starts": [], "holds": True},
    ("SessionInserted", 1): lambda body: body | {"remarks": [], "open": []},
    ("ProbesAssociated", 1): lambda body: body | {"despite_serial": False, "reason": None},
    ("ClusteringInsertRequested", 2): lambda body: body | {"session": None},
    ("ClusteringInserted", 1): lambda body: body | {"remarks": []},
    ("SubjectRegistered", 1): lambda body: body | {"instead_of": None},
}
"""(type, schema version) -> how a body of that version is read as one of the next version."""


def known(event: StoredEvent) -> int:
    """The newest version of the event's body. Raises IntegrityFailure for an event that this version of the program
    does not know."""
    newest = SCHEMAS.get(event.type)
    # SQLite keeps a text where a number was
    if newest is None or type(event.schema) is not int or not 0 < event.schema <= newest:
        raise IntegrityFailure(
            "unknown-event",
            f"Position {event.position} holds {event.type} version {event.schema}, which this version cannot read.",
            "Install the version of daybook that wrote it, or a newer one.",
        )
    return newest


def body_of(event: StoredEvent) -> dict[str, Any]:
    """The event's body in the newest schema version, as plain data: reading a million must stay fast.

    Raises IntegrityFailure for an event that this version of the program does not know, and for one whose payload is
    gone without a redaction. Of a redacted one it is what was kept (see ``ledger.log``).
    """
    if event.payload is None:
        raise IntegrityFailure(
            "payload-missing",
            f"The payload of position {event.position} is gone, and no redaction says why.",
            "Verify the ledger",
            NextStep("verify"),
        )
    try:
        body: dict[str, Any] = orjson.loads(event.payload)
    except (TypeError, ValueError):  # SQLite keeps a number where a text was
        raise _unreadable(event) from None
    if type(body) is not dict:
        raise _unreadable(event)
    newest = SCHEMAS.get(event.type)
    if event.schema == newest:  # nearly always
        return body
    newest = known(event)
    for version in range(event.schema, newest):
        body = UPCASTS[event.type, version](body)
    return body


def _unreadable(event: StoredEvent) -> IntegrityFailure:
    return IntegrityFailure(
        "payload-unreadable",
        f"The payload of position {event.position} is not what any event holds.",
        "Verify the ledger",
        NextStep("verify"),
    )
