"""What became of a clustering. Stream ``clustering/<id>``."""

from typing import Any

from ledger.events.body import Body


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


class ClusteringSubjectRenamed(Body):
    """The subject that it belongs to is called ``subject`` now: a name, as ``instead_of`` is."""

    subject: str
    instead_of: str
