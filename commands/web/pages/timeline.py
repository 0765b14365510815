"""What happened to a record, newest first, for people; time in which nothing happened is folded. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from commands.answers.phrases import phrase
from commands.answers.sentences import authenticated
from ledger.plurals import plural

_IDLE = timedelta(days=1)
_TITLES = {
    "SessionInsertRequested": "Asked for", "SessionWaiting": "Waits", "SessionInserted": "Inserted",
    "SessionInsertFailed": "Failed", "ProbesAssociated": "Probes associated", "SessionSettled": "Settled",
    "MoreFound": "More was found", "SessionEntryRenewed": "Renewed by a newer file",
    "SessionSuperseded": "Its entry came again", "TasksAdded": "Tasks added", "SessionAnnotated": "Annotated",
    "SessionAmended": "Amended", "SessionMoved": "Moved", "SessionWithdrawn": "Withdrawn", "SessionDeleted": "Deleted",
    "SessionRestored": "Restored", "ClusteringInsertRequested": "Asked for", "ClusteringWaiting": "Waits",
    "ClusteringInserted": "Inserted", "ClusteringInsertFailed": "Failed", "ClusteringWithdrawn": "Withdrawn",
    "ClusteringDeleted": "Deleted", "ClusteringRestored": "Restored",
    "ClusteringCarriedOver": "Stands on other sessions", "ClusteringMoved": "Moved", "ClusteringAmended": "Amended",
    "ClusteringEntryRenewed": "Renewed by a newer file", "ClusteringSuperseded": "Its entry came again",
    "InputFileReceived": "Received", "InputFileValidated": "Found valid", "InputFileRejected": "Rejected",
    "InputFileProcessed": "Processed", "SessionSubjectRenamed": "Its subject renamed",
    "ClusteringSubjectRenamed": "Its subject renamed", "UploadSubjectRenamed": "Its subject renamed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """``idle``: how long nothing happened before the next one, empty where that was not long. ``later``: it came after
    the moment that is shown."""

    event: Any
    title: str
    says: str
    by: str
    idle: str
    later: bool


def title(kind: str) -> str:
    """An event's type as people read it: ``Session inserted``."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in kind).strip()
    return _TITLES.get(kind) or words.capitalize()


def timeline(events: Sequence[Any], *, shown_to: int) -> list[Moment]:
    """Newest first."""
    found = []
    before: Any = None
    for event in events:
        idle = "" if before is None else _idle(before.recorded_at, event.recorded_at)
        found.append(
            Moment(
                event, title(event.type), phrase(event.type, event.body), authenticated(event.via), idle,
                event.position > shown_to,
            )
        )  # fmt: skip
        before = event
    return found[::-1]


def _idle(start: str, end: str) -> str:
    try:
        passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except ValueError:
        return ""
    return f"{plural(passed.days, 'day')} without an event" if passed >= _IDLE else ""
