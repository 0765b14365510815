"""Subjects, and the probes that are in them: registered, inserted, removed. Every command is idempotent."""

from dataclasses import dataclass

from commands.door.command import Command
from commands.door.permission import require_writer
from commands.door.world import Decision, Result, World
from commands.intake.insertion import is_local_time
from commands.intake.known import LONGEST_NAME
from commands.recordings.disk import shown
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import (
    Body,
    ProbeInserted,
    ProbeRemoved,
    SubjectRegistered,
)
from projections.records import ProbeInsertion

A_NAME = f"A name is one line of text, of {LONGEST_NAME} characters at most."


@dataclass(frozen=True, slots=True, kw_only=True)
class Added(Result):
    """How many facts were new: 0 where it was known already."""

    added: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAdded(Added):
    subject: str
    next_steps: tuple[NextStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(Result):
    """How many probes were removed: 0 where that was on record already."""

    removed: int


def is_name(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= LONGEST_NAME


class RegisterSubject(Command[SubjectAdded]):
    name: str
    datasource_id: int = 0

    def authorise(self, world: World) -> None:
        require_writer(world, "register subjects")

    def decide(self, world: World) -> Decision[SubjectAdded]:
        events = register(world, self.datasource_id, self.name)
        insert = NextStep("insert-probe", arguments={"subject": self.name, "probe": None, "at": None})
        steps = (insert,) if events else ()
        return Decision(events, SubjectAdded(added=len(events), subject=self.name, next_steps=steps))


class InsertProbe(Command[Added]):
    """``insertion_time`` is naive local time, ``YYYY-MM-DD HH:MM:SS``."""

    subject: str
    probe: str
    insertion_time: str

    def authorise(self, world: World) -> None:
        require_writer(world, "record probe insertions")

    def decide(self, world: World) -> Decision[Added]:
        subject = registered_subject(world, self.subject)
        known = world.state.reference.get(("reference.Probe", self.probe))
        if known is None or known.retired:
            raise Refusal(
                "unknown-probe",
                f'Probe "{self.probe}" is not in reference.Probe{"" if known is None else " any more"}.',
                "Add it first",
                NextStep("add-value", arguments={"table": "reference.Probe", "value": self.probe}),
            )
        events = insert_probe(world, subject, self.probe, self.insertion_time)
        return Decision(events, Added(added=len(events)))


class RemoveProbe(Command[Removed]):
    subject: str
    probe: str
    removal_time: str

    def authorise(self, world: World) -> None:
        require_writer(world, "record probe removals")

    def decide(self, world: World) -> Decision[Removed]:
        subject = registered_subject(world, self.subject)
        insertion = world.state.insertions.get((subject, self.probe))
        if insertion is None:
            raise Refusal(
                "not-inserted",
                f'Probe "{self.probe}" is not inserted in subject {self.subject}.',
                "",
                NextStep("list-subjects"),
            )
        if insertion.removal_time == self.removal_time:
            return Decision((), Removed(removed=0))
        if insertion.removal_time is not None:
            raise Refusal(
                "already-removed",
                f'Probe "{self.probe}" was already removed from subject {self.subject}, at {insertion.removal_time}.',
                "If it was inserted again since, record that first",
                NextStep(
                    "insert-probe", arguments={"subject": self.subject, "probe": self.probe, "at": None}
                ),
            )
        if checked_time(self.removal_time) < insertion.insertion_time:
            raise Refusal(
                "removed-before-inserted",
                f'Probe "{self.probe}" went into subject {self.subject} at {insertion.insertion_time}, '
                f"which is after {self.removal_time}.",
                "Check the time of removal.",
            )
        event = ProbeRemoved(probe=self.probe, removal_time=self.removal_time)
        return Decision([_subject_event(subject, event)], Removed(removed=1))


def registered_subject(world: World, name: str) -> str:
    """The subject's key, ``datasource_id/name``. Raises Refusal where it is not registered."""
    key = name if name.startswith("0/") else f"0/{name}"
    if world.state.subjects.get(key) is None:
        raise Refusal(
            "unknown-subject",
            f"Subject {name} is not registered.",
            "Register it",
            NextStep("register-subject", arguments={"subject": name}),
        )
    return key


def register(world: World, datasource_id: int, name: str) -> list[NewEvent]:
    if not is_name(name) or "/" in name or datasource_id != 0:
        raise Refusal(
            "subject-name",
            f'"{shown(name[:60])}" of datasource {datasource_id} cannot be registered.',
            f"{A_NAME} It has no slash, and 0 is the only datasource.",
        )
    key = f"{datasource_id}/{name}"
    if world.state.subjects.get(key) is not None:
        return []
    return [_subject_event(key, SubjectRegistered(datasource_id=datasource_id, name=name))]


def insert_probe(world: World, subject: str, probe: str, insertion_time: str) -> list[NewEvent]:
    checked_time(insertion_time)
    known = world.state.insertions.get((subject, probe))
    if known is not None and _was_inserted_at(world, known, insertion_time):
        return []  # a probe that was removed since comes back only with a new insertion time
    if known is not None and known.removal_time is None:
        raise Refusal(
            "already-inserted",
            f'Probe "{probe}" has been in subject {subject.partition("/")[2]} since {known.insertion_time}.',
            "Remove it first",
            NextStep(
                "remove-probe", arguments={"subject": subject.partition("/")[2], "probe": probe, "at": None}
            ),
        )
    _refuse_elsewhere(world, subject, probe)
    return [_subject_event(subject, ProbeInserted(probe=probe, insertion_time=insertion_time))]


def _was_inserted_at(world: World, known: ProbeInsertion, insertion_time: str) -> bool:
    """Now or earlier: a catalogue goes on naming an insertion after others have followed it."""
    if known.insertion_time == insertion_time:
        return True
    bodies = [
        body_of(event)
        for event in log.read_stream(world.transaction, f"subject/{known.subject}")
        if event.type == ProbeInserted.__name__
    ]
    return any((b["probe"], b["insertion_time"]) == (known.probe, insertion_time) for b in bodies)


def _refuse_elsewhere(world: World, subject: str, probe: str) -> None:
    """A probe is in one subject at a time; recovered from there, it may be used again."""
    elsewhere = world.state.insertions.where(
        "probe = ? AND subject <> ? AND removal_time IS NULL", [probe, subject]
    )
    for known in elsewhere:
        name = known.subject.partition("/")[2]
        raise Refusal(
            "inserted-elsewhere",
            f'Probe "{probe}" has been in subject {name} since {known.insertion_time}.',
            "If it was recovered from there",
            NextStep("remove-probe", arguments={"subject": name, "probe": probe, "at": None}),
        )


def checked_time(text: str) -> str:
    if not is_local_time(text):
        raise Refusal(
            "date-time", f'"{shown(text)}" is not a local time.', "Write it as in 2023-03-01 00:00:00."
        )
    return text


def _subject_event(subject: str, body: Body) -> NewEvent:
    return NewEvent(f"subject/{subject}", body, expected_version=None, subject=subject)
