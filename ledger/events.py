"""The events: what can happen, as frozen models with a schema version, and how older versions are read.

A class name is the event's type in the log and is never reused for anything else. A field that changes its meaning
raises ``SCHEMA`` and adds a function to ``UPCASTS``; what is stored is never rewritten.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel, ConfigDict

from ledger.envelope import StoredEvent
from ledger.errors import IntegrityFailure


class Body(BaseModel):
    """What an event says beyond its envelope."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    SCHEMA: ClassVar[int] = 1

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
    filename: str
    sha256: str
    size_bytes: int


class InputFileValidated(Body):
    """``sessions`` and ``clusterings`` count the entries of the file. Of those that stood in the ledger already,
    ``unchanged_*`` holds inclusive index ranges of the ones that equal what is stored; the others are listed:
    ``{"index", "session" | "clustering", "differences"}``."""

    sessions: int
    clusterings: int
    findings: list[dict[str, Any]]
    unchanged_sessions: list[tuple[int, int]]
    unchanged_clusterings: list[tuple[int, int]]
    changed_sessions: list[dict[str, Any]]
    changed_clusterings: list[dict[str, Any]]


class InputFileRejected(Body):
    """``stage`` is the last stage that was reached; the file itself is kept under its sha256."""

    stage: int
    findings: list[dict[str, Any]]


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
    """``entry`` is the input file's entry, typed; ``location`` is its normalised form, the dedup key."""

    datasource_id: int
    subject: str
    location: str
    entry_index: int
    entry: dict[str, Any]


class SessionWaiting(Body):
    """Stage 3 cannot go on. ``reason``: probe-association, sessions-txt, acquiring; or, where the disk is away for
    the moment, root-not-mounted, location-unreachable, session-changing. ``found`` are the probes on disk,
    ``inserted`` those of the subject."""

    reason: str
    message: str
    found: list[dict[str, Any]] = []
    inserted: list[str] = []


class SessionInserted(Body):
    """``session_time`` is naive local time. ``sessions_txt`` is what tasks inherited from: its sha256 and rows."""

    session_time: str
    system: str
    recordings: list[dict[str, Any]]
    probes: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    sessions_txt: dict[str, Any] | None = None


class SessionInsertFailed(Body):
    code: str
    message: str
    hint: str = ""


class ProbesAssociated(Body):
    """The waiting session is tried again. ``completed`` is the whole entry as it now stands."""

    association: dict[str, str]
    completed: dict[str, Any]


class TasksAdded(Body):
    """``tasks`` are resolved, or None while the session itself is not inserted yet; ``completed`` is the whole entry
    as it now stands."""

    completed: dict[str, Any]
    tasks: list[dict[str, Any]] | None
    sessions_txt: dict[str, Any] | None = None


class SessionAnnotated(Body):
    """Room, project, notes or a clustering that the file left out: ``fields`` names those given now;
    ``completed`` is the whole entry as it now stands."""

    fields: dict[str, Any]
    completed: dict[str, Any]


# --- clustering/<id> ------------------------------------------------------------------------------------------------


class ClusteringInsertRequested(Body):
    """A multi-session clustering. ``sessions`` are the ids of the sessions that it stands on."""

    datasource_id: int
    subject: str
    location: str
    entry_index: int
    sessions: list[int]
    entry: dict[str, Any]


class ClusteringWaiting(Body):
    reason: str
    message: str


class ClusteringInserted(Body):
    """``session`` is set for a single-session clustering, which has no request of its own. ``curation_time`` is
    naive local time; ``outputs`` has one item per probe."""

    session: int | None
    curator: str
    location: str
    curation_time: str
    curation_time_inherited: bool
    notes: str | None
    outputs: list[dict[str, Any]]


class ClusteringInsertFailed(Body):
    code: str
    message: str
    hint: str = ""


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


class ReferenceValueAdded(Body):
    table: str
    value: str
    attributes: dict[str, Any] = {}


class ReferenceValueRetired(Body):
    table: str
    value: str


TYPES: dict[str, type[Body]] = {
    model.__name__: model
    for model in (
        LedgerCreated, InputFileReceived, InputFileValidated, InputFileRejected, InputFileProcessed, InputFileChecked,
        SessionInsertRequested, SessionWaiting, SessionInserted, SessionInsertFailed, ProbesAssociated, TasksAdded,
        SessionAnnotated, ClusteringInsertRequested, ClusteringWaiting, ClusteringInserted, ClusteringInsertFailed,
        SubjectRegistered, ProbeInserted, ProbeRemoved, ReferenceValueAdded, ReferenceValueRetired,
    )
}  # fmt: skip

UPCASTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""(type, schema version) -> how a body of that version is read as one of the next version."""


def known(event: StoredEvent) -> type[Body]:
    """The event's model. Raises IntegrityFailure for an event that this version of the program does not know."""
    model = TYPES.get(event.type)
    if model is None or event.schema > model.SCHEMA:
        raise IntegrityFailure(
            "unknown-event",
            f"Position {event.position} holds {event.type} version {event.schema}, which this version cannot read.",
            "Install the version of daybook that wrote it, or a newer one.",
        )
    return model


def body_of(event: StoredEvent) -> dict[str, Any]:
    """The event's body in the newest schema version, as plain data: reading a million must stay fast.

    Raises IntegrityFailure for an event that this version of the program does not know.
    """
    body: dict[str, Any] = orjson.loads(event.payload or "{}")
    model = TYPES.get(event.type)
    if model is not None and event.schema == model.SCHEMA:  # nearly always
        return body
    model = known(event)
    for version in range(event.schema, model.SCHEMA):
        body = UPCASTS[event.type, version](body)
    return body
