"""Accept an input file, or reject it whole: its bytes, its findings, and a record for each new entry.

The append checks again what can have changed since the file was checked: when something has, it is checked anew.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from pydantic import Field

from commands.door.command import Command
from commands.door.permission import require_owner, require_writer
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.canonical import entry_plain
from commands.inputfile.check import Checked, CheckedClustering, CheckedSession
from commands.inputfile.kept_findings import plain_more
from commands.intake.differing import compared
from commands.intake.duplicates import Compared
from commands.intake.settled import failure
from commands.intake.still_so import refuse_if_moved, refuse_if_redacted
from commands.intake.validation import Validation
from commands.recordings.roots import Roots
from commands.stored import failures
from ledger import input_files
from ledger.envelope import NewEvent
from ledger.events import (
    ClusteringEntryRenewed,
    ClusteringInsertFailed,
    ClusteringInsertRequested,
    ClusteringMoved,
    ClusteringSuperseded,
    InputFileProcessed,
    InputFileReceived,
    InputFileRejected,
    InputFileValidated,
    SessionEntryRenewed,
    SessionInsertFailed,
    SessionInsertRequested,
    SessionMoved,
    SessionSuperseded,
)
from ledger.ranges import expanded, ranges
from projections.records import Clustering, Session

_OPEN = ("pending", "waiting")
Run = tuple[int, int, int]
"""Entries in a row whose records are in a row: the index of the first, the number of its record, how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Result):
    """Which record each entry of a file stands for, a new one or one that was there, and which of the latter waited.
    A rejected file has none.
    """

    upload: int
    accepted: bool
    sessions: tuple[Run, ...] = ()
    clusterings: tuple[Run, ...] = ()
    waiting: tuple[str, ...] = ()


def runs(records: Iterable[tuple[int, int]]) -> tuple[Run, ...]:
    """``records`` are (index, record): a file that grows by a thousand sessions a year takes a line."""
    found: list[Run] = []
    for index, record in records:
        if found and (index, record) == (found[-1][0] + found[-1][2], found[-1][1] + found[-1][2]):
            found[-1] = (found[-1][0], found[-1][1], found[-1][2] + 1)
        else:
            found.append((index, record, 1))
    return tuple(found)


def in_runs(found: Iterable[Run]) -> Iterator[tuple[int, int]]:
    """Each index with its record."""
    for index, record, count in found:
        for offset in range(count):
            yield index + offset, record + offset


class _TakesInputFile(Command[Taken]):
    """``content`` is what may be kept of the file, ``looked_at`` the position by which that was found, ``blanked`` the
    lines that may not. ``replays`` is the earlier upload whose stored bytes are taken again: what comes of them belongs
    to its owner.

    Accepted or rejected, it is one command: the same file under the same id gives what came of it the first time.
    """

    content: bytes
    filename: str
    looked_at: int
    blanked: list[dict[str, Any]] = []
    replays: int | None = None

    def fingerprint(self) -> bytes:
        what = f"{self.command_id} {sha256(self.content).hexdigest()} {self.replays} {self.filename}"
        return sha256(f"TakeInputFile {what}".encode()).digest()

    def authorise(self, world: World) -> None:
        require_writer(world, "upload input files")
        if self.replays is not None:
            require_owner(world, "replay an upload", [world.state.uploads[self.replays]])

    def owner(self, world: World) -> str:
        return world.owner if self.replays is None else world.state.uploads[self.replays].username

    def received(self, world: World) -> InputFileReceived:
        refuse_if_redacted(world, self.looked_at)
        return InputFileReceived(
            filename=self.filename,
            sha256=input_files.keep(world.transaction, self.content),
            size_bytes=len(self.content),
            replays=self.replays,
            blanked=self.blanked,
        )


class RejectInputFile(_TakesInputFile):
    subject: str
    stage: int
    findings: list[dict[str, Any]]
    more: dict[str, Any]

    def decide(self, world: World) -> Decision[Taken]:
        upload = world.next_position
        stream = f"upload/{upload}"
        owner: dict[str, Any] = {"subject": self.subject, "username": self.owner(world)}
        received = self.received(world)
        rejected = InputFileRejected(stage=self.stage, findings=self.findings, more=self.more)
        events = [
            NewEvent(stream, received, 0, **owner),
            NewEvent(stream, rejected, 0, **owner, causation=upload),
        ]
        return Decision(events, Taken(upload=upload, accepted=False), correlation=f"u{upload}")


@dataclass(frozen=True, slots=True)
class Numbered:
    """The new entries of a file, and the record that each becomes, by its index in the file."""

    sessions: list[CheckedSession]
    clusterings: list[CheckedClustering]
    session_numbers: dict[int, int]
    clustering_numbers: dict[int, int]


def numbered(checked: Checked, upload: int) -> Numbered:
    """Sessions, then clusterings, in the order of the file, right after the first two events of the upload."""
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
    """The records that a file's duplicates stand for, as they were when it was checked, and how the entries differ."""

    sessions: dict[int, Session]
    clusterings: dict[int, Clustering]
    compared_sessions: Compared
    compared_clusterings: Compared

    @property
    def open(self) -> bool:
        """Whether one of them is not settled yet: this upload looks at it again."""
        rows: list[Session | Clustering] = [*self.sessions.values(), *self.clusterings.values()]
        return any(row.status in _OPEN for row in rows)


def look_at_duplicates(daybook: Daybook, validation: Validation, roots: Roots) -> Standing:
    checked = validation.checked
    assert checked is not None  # noqa: S101 - only a file that was checked is accepted
    with daybook.reading() as world:
        of_sessions, of_clusterings = compared(
            world, checked, validation.subject, roots, validation.moves.own
        )
        sessions = [s.duplicate_of for s in checked.sessions if s.duplicate_of is not None]
        clusterings = [c.duplicate_of for c in checked.clusterings if c.duplicate_of is not None]
        world.state.clusterings.prefetch(clusterings)
        return Standing(
            {number: world.state.sessions[number] for number in sessions},
            {number: world.state.clusterings[number] for number in clusterings},
            of_sessions,
            of_clusterings,
        )


class AcceptInputFile(_TakesInputFile):
    """A file that passed stages 0 to 2. ``validation`` and ``standing`` are what the decision rests on; they follow
    from the content and the ledger."""

    validation: Any = Field(exclude=True, repr=False)
    standing: Any = Field(exclude=True, repr=False)

    def decide(self, world: World) -> Decision[Taken]:
        username = self.owner(world)
        refuse_if_moved(world, self.validation)
        upload = world.next_position
        new = numbered(self.validation.checked, upload)
        owner: dict[str, Any] = {"subject": self.validation.subject, "username": username}
        stream = f"upload/{upload}"
        events = [
            NewEvent(stream, self.received(world), 0, **owner),
            NewEvent(stream, self._validated(), 0, **owner, causation=upload),
        ]
        owner["causation"] = upload + 1
        who = (self.validation.subject, username)
        state = world.state
        # the rows that the events will look for: one by one they are many queries
        places = [text for s in new.sessions for text in (s.location, s.leads_to) if text is not None]
        state.locations.prefetch((self.validation.subject, place) for place in places)
        failed = failures(state.sessions, "location", (s.location for s in new.sessions), *who)
        lost = failures(state.clusterings, "group_name", (c.entry.group_name for c in new.clusterings), *who)
        superseded: list[NewEvent] = []
        for session in new.sessions:
            number = new.session_numbers[session.entry.index]
            before = failed.get(session.location, [])
            events.append(NewEvent(f"session/{number}", self._session(session, before), 0, **owner))
            superseded += [
                NewEvent(f"session/{row.id}", SessionSuperseded(by=number), row.version, **owner)
                for row in before
            ]
        for clustering in new.clusterings:
            number = new.clustering_numbers[clustering.entry.index]
            earlier = lost.get(clustering.entry.group_name, [])
            body = self._clustering(clustering, new.session_numbers, earlier)
            events.append(NewEvent(f"clustering/{number}", body, 0, **owner))
            superseded += [
                NewEvent(f"clustering/{row.id}", ClusteringSuperseded(by=number), row.version, **owner)
                for row in earlier
            ]
        events += superseded
        events += self._at_fault(new, owner)
        events += self._renewed(new.session_numbers, upload + 1)
        events += self._moved(world, upload + 1)
        if not new.sessions and not new.clusterings and not self.standing.open:
            events.append(NewEvent(stream, InputFileProcessed(sessions=[], clusterings=[]), 0, **owner))
        return Decision(events, self._taken(upload, new), correlation=f"u{upload}")

    def _at_fault(self, new: "Numbered", owner: dict[str, Any]) -> Iterator[NewEvent]:
        """The entries that the program itself could not check fail at once."""
        numbers = {"sessions": new.session_numbers, "clustering": new.clustering_numbers}
        for (name, index), incident in sorted(self.validation.faults.items()):
            number = numbers[name].get(index)
            if number is None:
                continue  # it is in the ledger already, and stays as it is there
            about = owner | {"causation": number}
            if name == "sessions":
                yield NewEvent(f"session/{number}", SessionInsertFailed(**failure(incident)), 1, **about)
            else:
                yield NewEvent(
                    f"clustering/{number}", ClusteringInsertFailed(**failure(incident)), 1, **about
                )

    def _taken(self, upload: int, new: "Numbered") -> Taken:
        checked, standing = self.validation.checked, self.standing
        sessions = [(s.entry.index, s.duplicate_of) for s in checked.sessions]
        clusterings = [(c.entry.index, c.duplicate_of) for c in checked.clusterings]
        for each in self.validation.input_file.redacted:
            (sessions if each.list == "sessions" else clusterings).append((each.index, each.record))
        sessions.sort()
        clusterings.sort()
        rows = [*standing.sessions.values(), *standing.clusterings.values()]
        return Taken(
            upload=upload,
            accepted=True,
            sessions=runs((i, new.session_numbers[i] if n is None else n) for i, n in sessions),
            clusterings=runs((i, new.clustering_numbers[i] if n is None else n) for i, n in clusterings),
            waiting=tuple(f"{type(r).__name__[0].lower()}{r.id}" for r in rows if r.status == "waiting"),
        )

    def _validated(self) -> InputFileValidated:
        standing: Standing = self.standing
        redacted = self.validation.input_file.redacted
        gone = {
            name: [each.index for each in redacted if each.list == name]
            for name in ("sessions", "clustering")
        }
        return InputFileValidated(
            sessions=len(self.validation.checked.sessions) + len(gone["sessions"]),
            clusterings=len(self.validation.checked.clusterings) + len(gone["clustering"]),
            findings=[asdict(finding) for finding in self.validation.findings],
            more=plain_more(self.validation.more),
            unchanged_sessions=_with(standing.compared_sessions.unchanged, gone["sessions"]),
            unchanged_clusterings=_with(standing.compared_clusterings.unchanged, gone["clustering"]),
            changed_sessions=_marked(standing.compared_sessions.changed, self.validation.renewals.sessions),
            changed_clusterings=_marked(
                standing.compared_clusterings.changed, self.validation.renewals.clusterings
            ),
        )

    def _renewed(self, numbers: dict[int, int], validated: int) -> Iterator[NewEvent]:
        """Records that were never inserted take what the file says, and are tried again."""
        renewed, checked = self.validation.renewals, self.validation.checked
        for session in checked.sessions:
            completed = renewed.sessions.get(session.entry.index)
            if completed is not None:
                row = self.standing.sessions[int(session.duplicate_of or 0)]
                body = SessionEntryRenewed(entry=entry_plain(session.entry), completed=entry_plain(completed))
                yield NewEvent(f"session/{row.id}", body, row.version, row.subject, row.username, validated)
        for clustering in checked.clusterings:
            stood_on = renewed.clusterings.get(clustering.entry.index)
            if stood_on is not None:
                group = self.standing.clusterings[int(clustering.duplicate_of or 0)]
                regrouped = ClusteringEntryRenewed(
                    location=str(clustering.location),
                    sessions=_stands_on(clustering, numbers),
                    instead_of=list(stood_on),
                    entry=entry_plain(clustering.entry),
                )
                yield NewEvent(
                    f"clustering/{group.id}",
                    regrouped,
                    group.version,
                    group.subject,
                    group.username,
                    validated,
                )

    def _moved(self, world: World, validated: int) -> Iterator[NewEvent]:
        """Sessions whose recordings lie elsewhere now, with their clusterings; what failed there is superseded."""
        for move in self.validation.moves.own.values():
            row = move.session
            body = SessionMoved(
                location=move.location,
                leads_to=move.leads_to,
                instead_of=row.location,
                completed=entry_plain(move.completed),
                renamed=[{"name": old, "new_name": new} for old, new in move.renamed],
                left=[clustering.id for clustering in move.left],
            )
            about = (row.subject, row.username, validated)
            yield NewEvent(f"session/{row.id}", body, row.version, *about)
            for clustering, location in move.clusterings:
                follows = ClusteringMoved(location=location, instead_of=clustering.location)
                yield NewEvent(f"clustering/{clustering.id}", follows, clustering.version, *about)
            failed = failures(world.state.sessions, "location", [move.location], row.subject, row.username)
            for lost in failed.get(move.location, []):
                yield NewEvent(f"session/{lost.id}", SessionSuperseded(by=row.id), lost.version, *about)

    def _session(self, session: CheckedSession, failed: list[Session]) -> SessionInsertRequested:
        subject = self.validation.input_file.subject
        return SessionInsertRequested(
            datasource_id=subject.datasource_id,
            subject=subject.name,
            location=session.location,
            leads_to=session.leads_to,
            entry_index=session.entry.index,
            replaces=failed[-1].id if failed else None,
            entry=entry_plain(session.entry),
        )

    def _clustering(
        self, clustering: CheckedClustering, numbers: dict[int, int], failed: list[Clustering]
    ) -> ClusteringInsertRequested:
        subject = self.validation.input_file.subject
        return ClusteringInsertRequested(
            datasource_id=subject.datasource_id,
            subject=subject.name,
            location=str(clustering.location),  # only a duplicate has none
            entry_index=clustering.entry.index,
            replaces=failed[-1].id if failed else None,
            sessions=_stands_on(clustering, numbers),
            entry=entry_plain(clustering.entry),
        )


def _with(unchanged: list[tuple[int, int]], indexes: list[int]) -> list[tuple[int, int]]:
    """Entries that were redacted are known, and say nothing else."""
    return ranges(sorted([*expanded(unchanged), *indexes])) if indexes else unchanged


def _stands_on(clustering: CheckedClustering, numbers: dict[int, int]) -> list[int]:
    """``numbers`` are those of the file's new sessions, by their index."""
    return [
        reference.session if reference.session is not None else numbers[int(reference.index or 0)]
        for reference in clustering.sessions
    ]


def _marked(changed: list[dict[str, Any]], renewed: Collection[int]) -> list[dict[str, Any]]:
    return [each | {"renewed": True} if each["index"] in renewed else each for each in changed]
