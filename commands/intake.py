"""Take an input file in: validate it, keep its bytes, accept or reject it whole, then process what is new.

Reading, checking and the disk come first and outside of any lock. The append checks again what can have changed in
between: when something has, the file is looked at anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from pydantic import Field

from commands.door import Command, Daybook, Decision, World
from commands.duplicates import compare_clusterings, compare_sessions
from commands.inputfile.canonical import entry_json
from commands.inputfile.check import Checked, CheckedClustering, CheckedSession, check
from commands.inputfile.entries import InputFile
from commands.inputfile.findings import Finding
from commands.inputfile.read import Limits, ReadResult, read_input_file
from commands.known import LONGEST_NAME, foreign_sessions, load_known
from commands.recordings.disk import shown
from commands.recordings.roots import Roots
from commands.work import work
from ledger import input_files, log
from ledger.envelope import NewEvent
from ledger.errors import Conflict
from ledger.events import (
    ClusteringInsertRequested,
    InputFileChecked,
    InputFileProcessed,
    InputFileReceived,
    InputFileRejected,
    InputFileValidated,
    SessionInsertRequested,
)
from projections.rows import requested_by

_ATTEMPTS = 10
# What can make a file that was checked a moment ago wrong now, or a duplicate new again.
_UNSETTLING = (
    "ReferenceValueRetired", "ProbeRemoved", "SessionInsertFailed", "ClusteringInsertFailed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Validation:
    """``stage`` is the last stage that could be reached; ``checked`` is set where stage 2 was."""

    stage: int
    findings: tuple[Finding, ...]
    input_file: InputFile | None = None
    checked: Checked | None = None
    known_at: int = 0

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def subject(self) -> str:
        """The subject's key; empty where the file names none that could be registered."""
        if self.input_file is None or len(self.input_file.subject.name) > LONGEST_NAME:
            return ""
        return f"{self.input_file.subject.datasource_id}/{self.input_file.subject.name}"


@dataclass(slots=True)
class UploadReport:
    """What ``upload`` answers; the entries as the command line prints them."""

    ok: bool
    upload: str
    findings: tuple[Finding, ...]
    sessions: list[dict[str, Any]] = field(default_factory=list)
    clusterings: list[dict[str, Any]] = field(default_factory=list)


# --- validating -----------------------------------------------------------------------------------------------------


class RecordCheck(Command):
    """Somebody validated a file: who and what, not the bytes."""

    filename: str
    sha256: str
    size_bytes: int
    ok: bool
    stage: int
    errors: int
    warnings: int
    subject: str

    def decide(self, world: World) -> Decision:
        facts = self.model_dump(exclude={"command_id", "subject"})
        stream = f"check/{world.next_position}"
        return Decision([NewEvent(stream, InputFileChecked(**facts), 0, self.subject, world.actor)])


def validate(
    daybook: Daybook | None,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    record: bool = True,
) -> Validation:
    """Stages 0 to 2, or 0 and 1 where there is no ledger; ``record`` appends that it was done."""
    filename = shown(filename)  # a name on disk may be no text
    read = read_input_file(data, filename=filename, limits=limits)
    if daybook is None:
        return Validation(read.stage, read.findings, read.input_file)
    validation = _check(daybook, read, roots)
    if record:
        severities = [finding.severity for finding in validation.findings]
        daybook.submit(
            RecordCheck(
                filename=filename,
                sha256=sha256(data).hexdigest(),
                size_bytes=len(data),
                ok=validation.ok,
                stage=validation.stage,
                errors=severities.count("error"),
                warnings=severities.count("warning"),
                subject=validation.subject,
            )
        )
    return validation


def _check(daybook: Daybook, read: ReadResult, roots: Roots) -> Validation:
    if read.input_file is None:
        return Validation(read.stage, read.findings)
    with daybook.reading() as world:
        known = load_known(world, read.input_file, roots)
        foreign = foreign_sessions(world, known, read.input_file)
        known_at = world.head.size
    checked = check(
        read.input_file,
        known,
        roots,
        username=daybook.actor.user,
        position=read.position,
        left_out_names=read.left_out_names,
    )
    findings = (*read.findings, *checked.findings, *_foreign_sessions(read, checked, foreign))
    return Validation(2, in_file_order(findings), read.input_file, checked, known_at)


def _foreign_sessions(read: ReadResult, checked: Checked, foreign: Mapping[int, str]) -> Iterator[Finding]:
    """A name leads to a session of another subject where its location is held by one."""
    for clustering in checked.clusterings:
        path = f"clustering[{clustering.entry.index}].sessions"
        line, column = read.position(path) or (None, None)
        for session in [s for reference in clustering.sessions if (s := reference.session) in foreign]:
            message = f"session s{session} is of subject {foreign[int(session or 0)]}."
            hint = "The sessions of a clustering are of one subject: check the location of that session."
            yield Finding(2, "error", "session-of-another-subject", path, line, column, message, hint)


def in_file_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.line or 0, finding.column or 0)))


# --- accepting and rejecting ----------------------------------------------------------------------------------------


class RejectInputFile(Command):
    content: bytes
    filename: str
    subject: str
    stage: int
    findings: list[dict[str, Any]]

    def decide(self, world: World) -> Decision:
        upload = world.next_position
        stream = f"upload/{upload}"
        owner: dict[str, Any] = {"subject": self.subject, "username": world.actor}
        received = _received(world, self.content, self.filename)
        rejected = InputFileRejected(stage=self.stage, findings=self.findings)
        events = [
            NewEvent(stream, received, 0, **owner),
            NewEvent(stream, rejected, 0, **owner, causation=upload),
        ]
        return Decision(events, {"upload": upload}, correlation=f"u{upload}")


class AcceptInputFile(Command):
    """A file that passed stages 0 to 2. ``validation`` is what the decision rests on; it follows from the content."""

    content: bytes
    filename: str
    validation: Any = Field(exclude=True, repr=False)
    roots: Any = Field(exclude=True, repr=False)

    def decide(self, world: World) -> Decision:
        checked: Checked = self.validation.checked
        _refuse_if_moved(world, self.validation)
        upload = world.next_position
        new = [session for session in checked.sessions if session.duplicate_of is None]
        numbers = {session.entry.index: upload + 2 + offset for offset, session in enumerate(new)}
        first_clustering = upload + 2 + len(new)
        groups = [clustering for clustering in checked.clusterings if clustering.duplicate_of is None]
        owner = {"subject": self.validation.subject, "username": world.actor}
        stream = f"upload/{upload}"
        events = [
            NewEvent(stream, _received(world, self.content, self.filename), 0, **owner),
            NewEvent(stream, self._validated(world, checked), 0, **owner, causation=upload),
        ]
        for session in new:
            number = numbers[session.entry.index]
            events.append(
                NewEvent(f"session/{number}", self._session(session), 0, **owner, causation=upload + 1)
            )
        for offset, clustering in enumerate(groups):
            body = self._clustering(clustering, numbers)
            number = first_clustering + offset
            events.append(NewEvent(f"clustering/{number}", body, 0, **owner, causation=upload + 1))
        if not new and not groups:
            done = InputFileProcessed(sessions=[], clusterings=[])
            events.append(NewEvent(stream, done, 0, **owner, causation=upload + 1))
        return Decision(events, {"upload": upload}, correlation=f"u{upload}")

    def _validated(self, world: World, checked: Checked) -> InputFileValidated:
        sessions = compare_sessions(world, checked.sessions, self.validation.subject, self.roots)
        clusterings = compare_clusterings(world, checked.clusterings, self.roots)
        return InputFileValidated(
            sessions=len(checked.sessions),
            clusterings=len(checked.clusterings),
            findings=[asdict(finding) for finding in self.validation.findings],
            unchanged_sessions=sessions.unchanged,
            unchanged_clusterings=clusterings.unchanged,
            changed_sessions=sessions.changed,
            changed_clusterings=clusterings.changed,
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


def _received(world: World, content: bytes, filename: str) -> InputFileReceived:
    digest = input_files.keep(world.transaction, content)
    return InputFileReceived(filename=filename, sha256=digest, size_bytes=len(content))


def _refuse_if_moved(world: World, validation: Validation) -> None:
    """Raises Conflict where the check no longer holds: a key was taken or given up, a value was retired."""
    if world.head.size == validation.known_at:
        return
    assert validation.checked is not None  # noqa: S101 - an accepted file was checked
    marks = ", ".join("?" * len(_UNSETTLING))
    unsettled = world.transaction.run(
        f"SELECT 1 FROM events WHERE position > ? AND type IN ({marks}) "
        "AND (subject IN (?, '') OR username = ?) LIMIT 1",
        (validation.known_at, *_UNSETTLING, validation.subject, world.actor),
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
) -> UploadReport:
    """Validate, accept or reject, and process: the whole way of one input file.

    Killed anywhere, the same call again finishes the job: an entry that was accepted and not processed is a
    duplicate that is still pending, and is processed now.
    """
    filename = shown(filename)
    read = read_input_file(data, filename=filename, limits=limits)
    for attempt in range(1, _ATTEMPTS + 1):
        validation = _check(daybook, read, roots)
        if not validation.ok:
            return _reject(daybook, data, filename, validation)
        try:
            receipt = daybook.submit(
                AcceptInputFile(content=data, filename=filename, validation=validation, roots=roots)
            )
            break
        except Conflict as conflict:
            if conflict.code != "ledger-moved" or attempt == _ATTEMPTS:
                raise
    return _process(daybook, receipt.result["upload"], validation, roots, progress)


def _reject(daybook: Daybook, data: bytes, filename: str, validation: Validation) -> UploadReport:
    command = RejectInputFile(
        content=data,
        filename=filename,
        subject=validation.subject,
        stage=validation.stage,
        findings=[asdict(finding) for finding in validation.findings],
    )
    number = daybook.submit(command).result["upload"]
    return UploadReport(False, f"u{number}", validation.findings)


def _process(
    daybook: Daybook, upload: int, validation: Validation, roots: Roots, progress: Callable[[int, int], None]
) -> UploadReport:
    checked = validation.checked
    assert checked is not None  # noqa: S101 - an accepted file was checked
    sessions, clusterings, before = _entries(daybook, upload, checked)
    unsettled = {number for number, status in before.items() if status in ("pending", "waiting")}
    # with nothing unsettled too: an upload that was killed before its last step is finished here
    work(
        daybook,
        roots,
        sessions=unsettled.intersection(sessions.values()),
        clusterings=unsettled.intersection(clusterings.values()),
        progress=progress,
    )
    with daybook.reading() as world:
        validated = log.read_positions(world.transaction, [upload + 1])[upload + 1]
        body = orjson.loads(validated.payload or "{}")
        changed_sessions = {entry["index"]: entry["differences"] for entry in body["changed_sessions"]}
        changed_clusterings = {entry["index"]: entry["differences"] for entry in body["changed_clusterings"]}
        world.state.sessions.prefetch(sessions.values())
        world.state.clusterings.prefetch(clusterings.values())
        report = UploadReport(True, f"u{upload}", validation.findings)
        for session in checked.sessions:
            row = world.state.sessions[sessions[session.entry.index]]
            report.sessions.append(
                {
                    "index": session.entry.index,
                    "location": row.location,
                    "session": f"s{row.id}",
                    "outcome": _outcome(row.status, before[row.id]),
                    "session_time": row.session_time,
                    "reason": row.message,
                    "differences": changed_sessions.get(session.entry.index, []),
                }
            )
        for clustering in checked.clusterings:
            found = world.state.clusterings[clusterings[clustering.entry.index]]
            report.clusterings.append(
                {
                    "index": clustering.entry.index,
                    "group_name": found.group_name,
                    "clustering": f"c{found.id}",
                    "outcome": _outcome(found.status, before[found.id]),
                    "reason": found.message,
                    "differences": changed_clusterings.get(clustering.entry.index, []),
                }
            )
    return report


def _entries(
    daybook: Daybook, upload: int, checked: Checked
) -> tuple[dict[int, int], dict[int, int], dict[int, str]]:
    """The record of each entry of the file, by index, new or not; and the status of each before processing."""
    with daybook.reading() as world:
        sessions = {s.entry.index: s.duplicate_of for s in checked.sessions if s.duplicate_of is not None}
        clusterings = {
            c.entry.index: c.duplicate_of for c in checked.clusterings if c.duplicate_of is not None
        }
        row = world.state.uploads[upload]
        new_sessions = requested_by(world.state.sessions, row)
        new_clusterings = requested_by(world.state.clusterings, row)
        sessions.update((session.entry_index, session.id) for session in new_sessions)
        clusterings.update((group.entry_index, group.id) for group in new_clusterings)
        world.state.sessions.prefetch(sessions.values())
        world.state.clusterings.prefetch(clusterings.values())
        before = {number: world.state.sessions[number].status for number in sessions.values()}
        before |= {number: world.state.clusterings[number].status for number in clusterings.values()}
        return sessions, clusterings, before


def _outcome(status: str, before: str) -> str:
    """An entry that was inserted before this upload is a duplicate; one that this run settled is what it became."""
    return "duplicate" if before == status == "inserted" else status
