"""Take back a subject that was registered by mistake, together with its probe insertions."""

from collections.abc import Sequence
from typing import Any

from commands.door.command import Command
from commands.door.permission import require_writer
from commands.door.world import Decision, World
from commands.intake.registering import THE_SUBJECTS, registered_subject, subject_event
from commands.intake.spellings import forget_spellings
from commands.requests.changes.asking import ChangeMade, made_or_asked
from commands.requests.changes.insertions import insertions_of
from commands.requests.changes.plan import Plan, is_author, is_empty
from commands.requests.deletion import deleted
from commands.requests.impact import impact_of
from commands.requests.naming import rows_of
from commands.requests.rules import checked_reason
from ledger.envelope import NewEvent
from ledger.events import ProbeInsertionTakenBack, SubjectTakenBack


class TakeBackSubject(Command[ChangeMade]):
    subject: str
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "take subjects back")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        change = {"action": "take-back-subject", "subject": registered_subject(world, self.subject)}
        return made_or_asked(world, taken_back_subject(world, change, reason), reason)


def taken_back_subject(world: World, change: dict[str, Any], reason: str) -> Plan:
    """All sessions and clusterings of the subject stand on it; its insertions go with it."""
    subject: str = change["subject"]
    name = subject.partition("/")[2]
    registered_subject(world, subject)
    insertions = world.state.insertions.where("subject = ?", [subject])
    authors = [world.state.subjects[subject].registered_by]
    for row in insertions:
        authors += [author for one in insertions_of(world, subject, row.probe) for author in one.authors]
    standing = [
        [
            row.id
            for row in rows.where("subject = ? AND status IN ('pending', 'waiting', 'inserted')", [subject])
        ]
        for rows in (world.state.sessions, world.state.clusterings)
    ]
    impact = impact_of(world, sessions=standing[0], clusterings=standing[1])

    def events(causation: int) -> Sequence[NewEvent]:
        forget_spellings(world, THE_SUBJECTS)
        rows = rows_of(world, impact.sessions, impact.clusterings)
        gone = [
            ProbeInsertionTakenBack(
                probe=row.probe,
                insertion_time=row.insertion_time,
                removal_time=row.removal_time,
                earlier=None,
                reason=reason,
            )
            for row in insertions
        ]
        bodies = [*gone, SubjectTakenBack(name=name, reason=reason)]
        return [
            *deleted(rows, causation=causation),
            *(subject_event(subject, body, causation) for body in bodies),
        ]

    return Plan(
        kind="taking-back",
        records=[f"subject:{name}"],
        change=change,
        impact=impact,
        at_once=is_empty(impact) and is_author(world, authors),
        subject=subject,
        events=events,
    )
