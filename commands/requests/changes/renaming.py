"""Give a subject its right name: at once where nothing stands on it, else by a request. Its records keep their numbers
and follow it, whatever became of them, and so do its probe insertions and the uploads of its files.

The old name stays in the log. It leads to the new one (``projections.renamed``) until somebody takes it again.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from commands.door.command import Command
from commands.door.permission import require_writer
from commands.door.world import Decision, World
from commands.intake.registering import THE_SUBJECTS, new_subject_name, registered_subject, subject_event
from commands.intake.spellings import forget_spellings
from commands.requests.changes.asking import ChangeMade, made_or_asked
from commands.requests.changes.insertions import insertions_of
from commands.requests.changes.plan import Plan, is_author, is_empty
from commands.requests.impact import STANDING, counted
from commands.requests.rules import checked_reason
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import (
    Body,
    ClusteringSubjectRenamed,
    ProbeInserted,
    ProbeInsertionTakenBack,
    ProbeRemoved,
    SessionSubjectRenamed,
    SubjectRegistered,
    SubjectRenamed,
    UploadSubjectRenamed,
)
from projections.records import Clustering, Session, Upload


class RenameSubject(Command[ChangeMade]):
    """``another``: the new name was another animal's, which is called otherwise since."""

    subject: str
    new_name: str
    reason: str
    another: bool = False

    def authorise(self, world: World) -> None:
        require_writer(world, "rename subjects")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        change = {
            "action": "rename-subject",
            "subject": registered_subject(world, self.subject),
            "new_name": self.new_name,
            "another": self.another,
        }
        return made_or_asked(world, renamed_subject(world, change, reason), reason)


def renamed_subject(world: World, change: dict[str, Any], reason: str) -> Plan:
    """Raises Refusal where it is not there, and where the new name is taken, looks like another, or leads to another
    subject."""
    subject = registered_subject(world, change["subject"])
    datasource, _, name = subject.partition("/")
    new_name = new_subject_name(
        world, datasource, change["new_name"], besides=name, another=change["another"]
    )
    if new_name == name:
        raise Refusal("nothing-to-mend", f"Subject {name} is called so already.", "Give another name.")
    new = f"{datasource}/{new_name}"
    if world.state.subjects.get(new) is not None:
        raise Refusal(
            "name-taken",
            f"There is a subject {new_name} already, and two subjects do not become one by a name.",
            "Sessions that were entered under the wrong one of two are moved by a correction of their file",
            NextStep("request-correction", arguments={"file": None, "reason": None}),
        )
    sessions = world.state.sessions.where("subject = ?", [subject])
    clusterings = world.state.clusterings.where("subject = ?", [subject])
    impact = counted(
        world,
        [row for row in sessions if row.status in STANDING],
        [row for row in clusterings if row.status in STANDING],
    )
    moving = _Moving(world, subject, new, reason)

    def events(causation: int) -> Sequence[NewEvent]:
        forget_spellings(world, THE_SUBJECTS)
        uploads = world.state.uploads.where("subject = ?", [subject])
        rows: list[Upload | Session | Clustering] = [*uploads, *sessions, *clusterings]
        return [*moving.names(causation), *map(moving.follower, rows)]

    return Plan(
        kind="mending",
        records=[f"subject:{name}"],
        change=change,
        impact=impact,
        at_once=is_empty(impact) and is_author(world, moving.authors()),
        subject=subject,
        events=events,
    )


class _Moving:
    """The events. Those of the records and of the new name are led to by that of the old one."""

    def __init__(self, world: World, subject: str, new: str, reason: str) -> None:
        self._world, self._subject, self._new, self._reason = world, subject, new, reason
        self._name, self._new_name = subject.partition("/")[2], new.partition("/")[2]
        self._renamed = 0
        self._insertions = world.state.insertions.where("subject = ?", [subject])
        self._all = {row.probe: insertions_of(world, subject, row.probe) for row in self._insertions}

    def authors(self) -> list[str]:
        recorded = [one for some in self._all.values() for one in some]
        registered_by = self._world.state.subjects[self._subject].registered_by
        return [registered_by, *(author for one in recorded for author in one.authors)]

    def names(self, approval: int) -> Iterator[NewEvent]:
        """``approval`` is the position of what approved it, and stands right before; 0 where nobody had to."""
        self._renamed = (approval or self._world.head.size) + 1
        body = SubjectRenamed(name=self._name, new_name=self._new_name, reason=self._reason)
        yield subject_event(self._subject, body, approval)
        for row in self._insertions:
            gone = ProbeInsertionTakenBack(
                probe=row.probe,
                insertion_time=row.insertion_time,
                removal_time=row.removal_time,
                earlier=None,
                reason=self._reason,
            )
            yield subject_event(self._subject, gone, self._renamed)
        datasource = int(self._subject.partition("/")[0])
        registered = SubjectRegistered(datasource_id=datasource, name=self._new_name, instead_of=self._name)
        yield subject_event(self._new, registered, self._renamed)
        for probe, some in self._all.items():
            for one in some:
                inserted = ProbeInserted(probe=probe, insertion_time=one.insertion_time)
                yield subject_event(self._new, inserted, self._renamed)
                if one.removal_time is not None:
                    removed = ProbeRemoved(probe=probe, removal_time=one.removal_time)
                    yield subject_event(self._new, removed, self._renamed)

    def follower(self, row: Upload | Session | Clustering) -> NewEvent:
        names = {"subject": self._new_name, "instead_of": self._name}
        kinds: dict[type, type[Body]] = {
            Upload: UploadSubjectRenamed, Session: SessionSubjectRenamed, Clustering: ClusteringSubjectRenamed,
        }  # fmt: skip
        stream = f"{type(row).__name__.lower()}/{row.id}"
        return NewEvent(
            stream, kinds[type(row)](**names), row.version, self._new, row.username, self._renamed
        )
