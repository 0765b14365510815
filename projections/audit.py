"""Who did how much, counted: the columns of the audit report, and which types of events each of them counts.

It counts events by days (UTC), from the projection ``activity``. Every type of event is in one column or in
``NOT_COUNTED``. Sessions and clusterings count one by one: an upload that inserts ten sessions counts ten inserts,
and a deletion that takes ten sessions and three clusterings counts thirteen deletions.

By user, an event counts for the actor: who uploaded, requested, withdrew, completed, approved (deletions,
corrections, restores, redactions) or was refused. Only what stage 3 makes of an entry, inserts and failures, counts
for the owner of the record, whoever had it processed. By authentication, it counts for how the actor was
authenticated.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import orjson

from ledger.database import Transaction
from projections.lines import subject_name

By = Literal["user", "subject", "project", "week", "month", "authentication"]


@dataclass(frozen=True, slots=True)
class Count:
    """A column of the report. ``of_owner``: by user, it counts for the record's owner, not for the actor."""

    name: str
    types: tuple[str, ...]
    of_owner: bool = False


COUNTS = (
    Count("uploads", ("InputFileReceived",)),
    Count("rejected", ("InputFileRejected",)),
    Count("sessions_inserted", ("SessionInserted",), of_owner=True),
    Count("clusterings_inserted", ("ClusteringInserted",), of_owner=True),
    Count("failures", ("SessionInsertFailed", "ClusteringInsertFailed"), of_owner=True),
    Count(
        "completions",
        ("ProbesAssociated", "SessionSettled", "TasksAdded", "SessionAnnotated", "SessionAmended"),
    ),
    Count("withdrawals", ("SessionWithdrawn", "ClusteringWithdrawn")),
    Count("requests", ("DeletionRequested", "CorrectionRequested", "RedactionRequested", "ChangeRequested")),
    Count("deletions", ("SessionDeleted", "ClusteringDeleted")),
    Count("corrections", ("CorrectionExecuted",)),
    Count("restores", ("SessionRestored", "ClusteringRestored")),
    Count("redactions", ("PayloadRedacted",)),
    Count("refusals", ("ActionRefused",)),
)

NOT_COUNTED = frozenset(
    {
        "LedgerCreated", "ApprovalPolicySet", "RoleGranted", "RoleRevoked",
        "RightGranted", "RightRevoked",
        "ServiceAccountAdded", "UserDisabled", "UserEnabled", "TokenIssued", "TokenRevoked",
        "WebhookAdded", "WebhookRemoved", "AuthenticationPolicySet",
        "UserInvited", "InvitationRevoked", "UserJoined", "ResetIssued", "PasswordChanged", "SecondFactorAdded",
        "SecondFactorRemoved", "SecondFactorPolicySet", "SignInsFailed",
        "InputFileValidated", "InputFileProcessed",  # the upload is counted when it is received
        "InputFileChecked", "InputFileErased",
        "SessionInsertRequested", "SessionWaiting", "ClusteringInsertRequested", "ClusteringWaiting",
        "ClusteringCarriedOver", "SessionMoved", "ClusteringMoved", "SessionSuperseded", "ClusteringSuperseded",
        "SessionEntryRenewed", "ClusteringEntryRenewed",
        "MoreFound", "DiskLookedAt",  # what was found counts where it is inserted
        "ClusteringAmended",
        "DeletionImpactGrown", "DeletionApproved", "DeletionRejected", "DeletionCancelled",
        "DeletionExecuted", "DeletionRestored",  # what they delete and restore counts record by record
        "SubjectRegistered", "ProbeInserted", "ProbeRemoved", "ReferenceValueAdded", "ReferenceValueRetired",
        "ProbeInsertionMended", "ProbeInsertionTakenBack", "SubjectTakenBack", "ReferenceValueTakenBack",
        "SubjectRenamed", "SessionSubjectRenamed", "ClusteringSubjectRenamed", "UploadSubjectRenamed",
    }
)  # fmt: skip

_COUNT_OF = {kind: count for count in COUNTS for kind in count.types}
_KEYS: dict[By | None, str] = {
    "user": "actor, username", "subject": "subject", "project": "project", "week": "day", "month": "substr(day, 1, 7)",
    "authentication": "authentication", None: "type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """``key`` is the user, subject, project, week (its Monday), month (``2026-01``) or authentication; None for what
    has none."""

    key: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Audit:
    """``lines`` are in the order of their keys, the one without a key last. In ``total`` every event counts once."""

    lines: list[Line]
    total: dict[str, int]


def audit(transaction: Transaction, slot: str, by: By | None, *, since: str = "", until: str = "") -> Audit:
    """Count from the day ``since`` up to, but not including, the day ``until`` (``2026-01-31``; empty: no limit)."""
    conditions, values = ["type IN (" + ", ".join("?" * len(_COUNT_OF)) + ")"], [*_COUNT_OF]
    for condition, day in (("day >= ?", since), ("day < ?", until)):
        if day:
            conditions.append(condition)
            values.append(day)
    rows = transaction.run(
        f"SELECT {_KEYS[by]}, type, sum(events) FROM activity_{slot} WHERE {' AND '.join(conditions)} "
        f"GROUP BY {_KEYS[by]}, type",
        values,
    ).fetchall()
    total = _nothing()
    found: dict[str | None, dict[str, int]] = {}
    for *key, kind, events in rows:
        count = _COUNT_OF[kind]
        total[count.name] += int(events)
        for name in _names(by, key, count):
            found.setdefault(name, _nothing())[count.name] += int(events)
    ordered = sorted(found.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return Audit([Line(key, counts) for key, counts in ordered] if by else [], total)


def _nothing() -> dict[str, int]:
    return dict.fromkeys((count.name for count in COUNTS), 0)


def _names(by: By | None, key: list[Any], count: Count) -> list[str | None]:
    """The lines that a count belongs to: one, or several for a session with several projects."""
    if by == "user":
        actor, owner = key
        return [(owner if count.of_owner else actor) or actor or None]
    if by == "project":
        projects = [name or None for name in orjson.loads(key[0] or "[]")]
        return list(dict.fromkeys(projects)) or [None]
    if by == "week":
        return [_monday(key[0])]
    return [subject_name(key[0]) or None]


def _monday(day: str) -> str:
    """The first day of its week."""
    at = date.fromisoformat(day)
    return (at - timedelta(days=at.weekday())).isoformat()
