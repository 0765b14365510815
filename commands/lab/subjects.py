"""Subjects, and the probes that are in them: registered, inserted, removed. Every command is idempotent."""

from dataclasses import dataclass

from commands.door.command import Command
from commands.door.permission import require_writer
from commands.door.world import Decision, Result, World
from commands.inputfile.nearest import did_you_mean
from commands.intake.registering import (
    checked_time,
    insert_probe,
    register,
    registered_subject,
    subject_event,
)
from ledger.errors import NextStep, Refusal
from ledger.events import ProbeRemoved
from projections.asked_for import open_request


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


class RegisterSubject(Command[SubjectAdded]):
    """``another``: the name was another animal's, which is called otherwise since."""

    name: str
    datasource_id: int = 0
    another: bool = False

    def authorise(self, world: World) -> None:
        require_writer(world, "register subjects")

    def decide(self, world: World) -> Decision[SubjectAdded]:
        events = register(world, self.datasource_id, self.name, another=self.another)
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
            raise _unknown_probe(world, self.probe, retired=known is not None)
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
        return Decision([subject_event(subject, event)], Removed(removed=1))


def _unknown_probe(world: World, probe: str, *, retired: bool) -> Refusal:
    asked = open_request(world.state, "proposal", f"reference.Probe: {probe}")
    if asked is not None:
        message = f'Probe "{probe}" is not in reference.Probe yet.'
        look = NextStep("show-request", f"d{asked.id}")
        return Refusal("unknown-probe", message, "It is proposed, and waits for an admin", look)
    rows = world.state.reference.where("reference = ? AND retired = 0", ["reference.Probe"])
    near = "" if retired else did_you_mean(probe, [row.value for row in rows])
    return Refusal(
        "unknown-probe",
        f'Probe "{probe}" is not in reference.Probe{" any more" if retired else ""}.',
        near or "Propose it",
        *(
            ()
            if near
            else [NextStep("propose-value", arguments={"reference": "reference.Probe", "value": probe})]
        ),
    )
