"""Take an input file in: check it, keep its bytes, accept or reject it whole, then process what is new.

Reading, checking and the disk come first and outside of any lock. The append checks again what can have changed in
between: when something has, the file is looked at anew.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from pydantic import Field

from commands.door.permission import require_owner, require_writer
from commands.door.submit import Daybook
from commands.door.world import Command, Decision, World
from commands.inputfile.canonical import entry_json
from commands.inputfile.check import Checked, CheckedClustering, CheckedSession
from commands.inputfile.findings import Finding
from commands.inputfile.read import Limits, read_input_file
from commands.intake.duplicates import Compared, compare_clusterings, compare_sessions
from commands.intake.settling import work
from commands.intake.validation import Validation, check_file
from commands.recordings.disk import shown
from commands.recordings.roots import Roots
from commands.stored import stored_bytes
from ledger import input_files
from ledger.envelope import NewEvent
from ledger.errors import Conflict, NextStep, Refusal
from ledger.events import (
    ClusteringInsertRequested,
    InputFileProcessed,
    InputFileReceived,
    InputFileRejected,
    InputFileValidated,
    SessionInsertRequested,
)
from projections.records import Clustering, Session, Upload

_ATTEMPTS = 10
_OPEN = ("pending", "waiting")
# What can make a file that was checked a moment ago wrong now, or a duplicate new again.
_UNSETTLING = (
    "ReferenceValueRetired", "ProbeRemoved", "SessionInsertFailed", "ClusteringInsertFailed", "SessionWithdrawn",
    "SessionDeleted", "ClusteringWithdrawn", "ClusteringDeleted",
)  # fmt: skip


@dataclass(slots=True)
class UploadReport:
    """What ``upload`` answers; the entries as the command line prints them."""

    ok: bool
    upload: str
    findings: tuple[Finding, ...]
    sessions: list[dict[str, Any]] = field(default_factory=list)
    clusterings: list[dict[str, Any]] = field(default_factory=list)


# --- accepting and rejecting ----------------------------------------------------------------------------------------


class _TakesInputFile(Command):
    """``replays`` is the earlier upload whose stored bytes are taken again: what comes of them is its owner's."""

    content: bytes
    filename: str
    replays: int | None = None

    def authorise(self, world: World) -> None:
        require_writer(world, "upload input files")
        if self.replays is not None:
            require_owner(world, "replay an upload", [world.state.uploads[self.replays]])

    def owner(self, world: World) -> str:
        return world.actor if self.replays is None else world.state.uploads[self.replays].username

    def received(self, world: World) -> InputFileReceived:
        digest = input_files.keep(world.transaction, self.content)
        return InputFileReceived(
            filename=self.filename, sha256=digest, size_bytes=len(self.content), replays=self.replays
        )


class RejectInputFile(_TakesInputFile):
    subject: str
    stage: int
    findings: list[dict[str, Any]]

    def decide(self, world: World) -> Decision:
        upload = world.next_position
        stream = f"upload/{upload}"
        owner: dict[str, Any] = {"subject": self.subject, "username": self.owner(world)}
        received = self.received(world)
        rejected = InputFileRejected(stage=self.stage, findings=self.findings)
        events = [
            NewEvent(stream, received, 0, **owner),
            NewEvent(stream, rejected, 0, **owner, causation=upload),
        ]
        return Decision(events, {"upload": upload}, correlation=f"u{upload}")


@dataclass(frozen=True, slots=True)
class Numbered:
    """The new entries of a file, and the record that each becomes, by its index in the file."""

    sessions: list[CheckedSession]
    clusterings: list[CheckedClustering]
    session_numbers: dict[int, int]
    clustering_numbers: dict[int, int]


def numbered(checked: Checked, upload: int) -> Numbered:
    """Sessions, then clusterings, in the order of the file, right behind the first two events of the upload."""
    sessions = [session for session in checked.sessions if session.duplicate_of is None]
    clusterings = [clustering for clustering in checked.clusterings if clustering.duplicate_of is None]
    first = upload + 2
    return Numbered(
        sessions,
        clusterings,
        {session.entry.index: first + i for i, session in enumerate(sessions)},
        {clustering.entry.index: first + len(sessions) + i for i, clustering in enumerate(clusterings)},
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """The records that the duplicates of a file stand for, as they were when it was checked, and how the file's
    entries differ from them."""

    sessions: dict[int, Session]
    clusterings: dict[int, Clustering]
    compared_sessions: Compared
    compared_clusterings: Compared


def look_at_duplicates(daybook: Daybook, validation: Validation, roots: Roots) -> Standing:
    checked = validation.checked
    assert checked is not None  # noqa: S101 - only a file that was checked is accepted
    with daybook.reading() as world:
        compared = compare_sessions(world, checked.sessions, validation.subject, roots)
        groups = compare_clusterings(world, checked.clusterings, roots)
        sessions = [s.duplicate_of for s in checked.sessions if s.duplicate_of is not None]
        clusterings = [c.duplicate_of for c in checked.clusterings if c.duplicate_of is not None]
        world.state.clusterings.prefetch(clusterings)
        return Standing(
            {number: world.state.sessions[number] for number in sessions},
            {number: world.state.clusterings[number] for number in clusterings},
            compared,
            groups,
        )


class AcceptInputFile(_TakesInputFile):
    """A file that passed stages 0 to 2. ``validation`` and ``standing`` are what the decision rests on; they follow
    from the content and the ledger."""

    validation: Any = Field(exclude=True, repr=False)
    standing: Any = Field(exclude=True, repr=False)

    def decide(self, world: World) -> Decision:
        username = self.owner(world)
        _refuse_if_moved(world, self.validation, username)
        upload = world.next_position
        new = numbered(self.validation.checked, upload)
        owner: dict[str, Any] = {"subject": self.validation.subject, "username": username}
        stream = f"upload/{upload}"
        events = [
            NewEvent(stream, self.received(world), 0, **owner),
            NewEvent(stream, self._validated(), 0, **owner, causation=upload),
        ]
        owner["causation"] = upload + 1
        for session in new.sessions:
            number = new.session_numbers[session.entry.index]
            events.append(NewEvent(f"session/{number}", self._session(session), 0, **owner))
        for clustering in new.clusterings:
            number = new.clustering_numbers[clustering.entry.index]
            body = self._clustering(clustering, new.session_numbers)
            events.append(NewEvent(f"clustering/{number}", body, 0, **owner))
        if not new.sessions and not new.clusterings:
            events.append(NewEvent(stream, InputFileProcessed(sessions=[], clusterings=[]), 0, **owner))
        return Decision(events, {"upload": upload}, correlation=f"u{upload}")

    def _validated(self) -> InputFileValidated:
        standing: Standing = self.standing
        return InputFileValidated(
            sessions=len(self.validation.checked.sessions),
            clusterings=len(self.validation.checked.clusterings),
            findings=[asdict(finding) for finding in self.validation.findings],
            unchanged_sessions=standing.compared_sessions.unchanged,
            unchanged_clusterings=standing.compared_clusterings.unchanged,
            changed_sessions=standing.compared_sessions.changed,
            changed_clusterings=standing.compared_clusterings.changed,
        )

    def _session(self, session: CheckedSession) -> SessionInsertRequested:
        subject = self.validation.input_file.subject
        return SessionInsertRequested(
            datasource_id=subject.datasource_id,
            subject=subject.name,
            location=session.location,
            entry_index=session.entry.index,
            entry=orjson.loads(entry_json(session.entry)),
        )

    def _clustering(
        self, clustering: CheckedClustering, numbers: dict[int, int]
    ) -> ClusteringInsertRequested:
        subject = self.validation.input_file.subject
        return ClusteringInsertRequested(
            datasource_id=subject.datasource_id,
            subject=subject.name,
            location=str(clustering.location),  # only a duplicate has none
            entry_index=clustering.entry.index,
            sessions=[
                reference.session if reference.session is not None else numbers[int(reference.index or 0)]
                for reference in clustering.sessions
            ],
            entry=orjson.loads(entry_json(clustering.entry)),
        )


def _refuse_if_moved(world: World, validation: Validation, owner: str) -> None:
    """Raises Conflict where the check no longer holds: a key was taken or given up, a value was retired."""
    if world.head.size == validation.known_at:
        return
    assert validation.checked is not None  # noqa: S101 - an accepted file was checked
    marks = ", ".join("?" * len(_UNSETTLING))
    unsettled = world.transaction.run(
        f"SELECT 1 FROM events WHERE position > ? AND type IN ({marks}) "
        "AND (subject IN (?, '') OR username = ?) LIMIT 1",
        (validation.known_at, *_UNSETTLING, validation.subject, owner),
    ).fetchone()
    fresh = [session.location for session in validation.checked.sessions if session.duplicate_of is None]
    names = [c.entry.group_name for c in validation.checked.clusterings if c.duplicate_of is None]
    world.state.locations.prefetch(fresh)
    world.state.groups.prefetch(names)
    taken = any(world.state.locations.get(location) is not None for location in fresh)
    if unsettled or taken or any(world.state.groups.get(name) is not None for name in names):
        raise Conflict("ledger-moved", "The ledger changed while the file was checked.", "Upload it again.")


# --- uploading ------------------------------------------------------------------------------------------------------


def upload(
    daybook: Daybook,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Callable[[int, int], None] = lambda done, total: None,
    replayed: Upload | None = None,
) -> UploadReport:
    """Validate, accept or reject, and process: the whole way of one input file.

    Killed anywhere, the same call again finishes the job: an entry that was accepted and not processed is a
    duplicate that is still pending, and is processed now. ``replayed`` is the upload that the bytes are from.
    """
    filename = shown(filename)
    daybook.require(lambda world: require_writer(world, "upload input files"))
    read = read_input_file(data, filename=filename, limits=limits)
    taken: dict[str, Any] = {"content": data, "filename": filename}
    if replayed is not None:
        taken["replays"] = replayed.id
    for attempt in range(1, _ATTEMPTS + 1):
        validation = check_file(daybook, read, roots, replayed.username if replayed else daybook.actor.user)
        if not validation.ok:
            return _reject(daybook, validation, taken)
        standing = look_at_duplicates(daybook, validation, roots)
        command = AcceptInputFile(**taken, validation=validation, standing=standing)
        try:
            number = daybook.submit(command).result["upload"]
            break
        except Conflict as conflict:
            if conflict.code != "ledger-moved" or attempt == _ATTEMPTS:
                raise
    return _process(daybook, number, validation, standing, roots, progress)


def replay(
    daybook: Daybook,
    number: int,
    *,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> UploadReport:
    """Take the stored bytes of an earlier upload again, against the ledger and the disk as they are now.

    A new upload, of the same owner whoever asks. Raises Refusal where there is no such upload, or its bytes were
    erased.
    """

    def owned(world: World) -> None:
        row = world.state.uploads.get(number)
        require_owner(world, "replay an upload", [] if row is None else [row])

    daybook.require(owned)
    earlier = _earlier(daybook, number)
    with daybook.reading() as world:
        first = earlier if earlier.replays is None else world.state.uploads[earlier.replays]
        data = stored_bytes(world, earlier)
    return upload(
        daybook, data, filename=first.filename, roots=roots, limits=limits, progress=progress, replayed=first
    )


def _earlier(daybook: Daybook, number: int) -> Upload:
    with daybook.reading() as world:
        row = world.state.uploads.get(number)
    if row is None:
        raise Refusal("not-found", f"There is no upload u{number}.", "", NextStep("list-uploads"))
    return row


def _reject(daybook: Daybook, validation: Validation, taken: dict[str, Any]) -> UploadReport:
    command = RejectInputFile(
        **taken,
        subject=validation.subject,
        stage=validation.stage,
        findings=[asdict(finding) for finding in validation.findings],
    )
    number = daybook.submit(command).result["upload"]
    return UploadReport(False, f"u{number}", validation.findings)


def _process(
    daybook: Daybook,
    upload: int,
    validation: Validation,
    standing: Standing,
    roots: Roots,
    progress: Callable[[int, int], None],
) -> UploadReport:
    checked = validation.checked
    assert checked is not None  # noqa: S101 - an accepted file was checked
    new = numbered(checked, upload)
    open_sessions = {row.id for row in standing.sessions.values() if row.status in _OPEN}
    open_sessions.update(new.session_numbers.values())
    open_clusterings = {row.id for row in standing.clusterings.values() if row.status in _OPEN}
    open_clusterings.update(new.clustering_numbers.values())
    # with nothing open too: an upload that was killed before its last step is finished here
    work(daybook, roots, sessions=open_sessions, clusterings=open_clusterings, progress=progress)
    with daybook.reading() as world:
        world.state.sessions.prefetch(open_sessions)
        world.state.clusterings.prefetch(open_clusterings)
        sessions = standing.sessions | {number: world.state.sessions[number] for number in open_sessions}
        clusterings = standing.clusterings | {
            number: world.state.clusterings[number] for number in open_clusterings
        }
    report = UploadReport(True, f"u{upload}", validation.findings)
    changed = {entry["index"]: entry["differences"] for entry in standing.compared_sessions.changed}
    for session in checked.sessions:
        index = session.entry.index
        row = sessions[session.duplicate_of or new.session_numbers[index]]
        report.sessions.append(
            {
                "index": index,
                "location": row.location,
                "session": f"s{row.id}",
                "outcome": "duplicate" if row.id not in open_sessions else row.status,
                "session_time": row.session_time,
                "reason": row.message,
                "differences": changed.get(index, []),
            }
        )
    changed = {entry["index"]: entry["differences"] for entry in standing.compared_clusterings.changed}
    for clustering in checked.clusterings:
        index = clustering.entry.index
        group = clusterings[clustering.duplicate_of or new.clustering_numbers[index]]
        report.clusterings.append(
            {
                "index": index,
                "group_name": group.group_name,
                "clustering": f"c{group.id}",
                "outcome": "duplicate" if group.id not in open_clusterings else group.status,
                "reason": group.message,
                "differences": changed.get(index, []),
            }
        )
    return report
