"""Mend the times of a probe insertion, or take it back: the probe was never in that subject then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commands.door.command import Command
from commands.door.permission import require_writer
from commands.door.world import Decision, World
from commands.inputfile.canonical import session_entry_from_json
from commands.intake.registering import (
    checked_time,
    refuse_elsewhere,
    registered_subject,
    subject_event,
)
from commands.requests.changes.asking import ChangeMade, made_or_asked
from commands.requests.changes.plan import Plan, is_author, is_empty
from commands.requests.deletion import deleted
from commands.requests.impact import STANDING, counted, impact_of
from commands.requests.naming import rows_of
from commands.requests.rules import checked_reason
from commands.stored import current_entries
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import ProbeInsertionMended, ProbeInsertionTakenBack
from projections.records import Session


@dataclass(slots=True)
class Insertion:
    """Naive local times; ``authors`` are who recorded it, and its removal."""

    insertion_time: str
    removal_time: str | None
    authors: list[str]

    def times(self) -> dict[str, str]:
        """Of an insertion that is over."""
        return {"insertion_time": self.insertion_time, "removal_time": self.removal_time or ""}


def insertions_of(world: World, subject: str, probe: str) -> list[Insertion]:
    """Every insertion of the probe in the subject that is on record, oldest first."""
    found: list[Insertion] = []
    for event in log.read_stream(world.transaction, f"subject/{subject}"):
        body = body_of(event)
        if body.get("probe") != probe:
            continue
        if event.type == "ProbeInserted":
            found.append(Insertion(body["insertion_time"], None, [event.actor]))
        elif not found:
            continue
        elif event.type == "ProbeRemoved":
            found[-1].removal_time = body["removal_time"]
            found[-1].authors.append(event.actor)
        elif event.type == "ProbeInsertionMended":
            found[-1].insertion_time, found[-1].removal_time = body["insertion_time"], body["removal_time"]
        elif event.type == "ProbeInsertionTakenBack":
            found = found[:-1] if body["earlier"] is not None else []
    return found


def on_record(world: World, subject: str, probe: str) -> list[Insertion]:
    """Raises Refusal where the probe is not inserted in the subject."""
    found = insertions_of(world, subject, probe)
    if world.state.insertions.get((subject, probe)) is None or not found:
        name = subject.partition("/")[2]
        raise Refusal(
            "not-inserted",
            f'No insertion of probe "{probe}" in subject {name} is on record.',
            "",
            NextStep("list-subjects"),
        )
    return found


def standing_on(world: World, subject: str, probe: str, since: str = "") -> list[Session]:
    """The sessions of the subject that recorded with the probe, or say that they did; only those recorded after
    ``since``.
    """
    sessions, probes = world.state.sessions.table, world.state.probes.table
    recorded = world.transaction.run(
        f"SELECT s.id FROM {sessions} s JOIN {probes} p ON p.session = s.id WHERE s.subject = ? AND p.probe = ? "
        "AND s.status = 'inserted' AND s.session_time > ?",
        (subject, probe, since),
    ).fetchall()
    world.state.sessions.prefetch(row[0] for row in recorded)
    open_ = world.state.sessions.where("subject = ? AND status IN ('pending', 'waiting')", [subject])
    entries = zip(open_, current_entries(world, open_), strict=True)
    named = [
        row
        for row, text in entries
        if probe in (session_entry_from_json(text, row.entry_index).probe_association or {}).values()
    ]
    rows = [*(world.state.sessions[row[0]] for row in recorded), *named]
    return sorted((row for row in rows if row.status in STANDING), key=lambda row: row.id)


def _records(subject: str, probe: str) -> list[str]:
    return [f"probe:{probe}", f"subject:{subject.partition('/')[2]}"]


# --- taking back ----------------------------------------------------------------------------------------------


class TakeBackInsertion(Command[ChangeMade]):
    """Concerns the last insertion, where the probe was inserted several times."""

    subject: str
    probe: str
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "take probe insertions back")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        change = {
            "action": "take-back-insertion",
            "subject": registered_subject(world, self.subject),
            "probe": self.probe,
        }
        last = on_record(world, change["subject"], self.probe)[-1]
        return made_or_asked(
            world,
            taken_back_insertion(world, change | {"insertion_time": last.insertion_time}, reason),
            reason,
        )


def taken_back_insertion(world: World, change: dict[str, Any], reason: str) -> Plan:
    subject, probe = change["subject"], change["probe"]
    *before, last = on_record(world, subject, probe)
    if last.insertion_time != change["insertion_time"]:
        raise _other_now(subject, probe, last)
    earlier = before[-1] if before else None
    since = "" if earlier is None else str(earlier.removal_time)
    standing = standing_on(world, subject, probe, since)
    impact = impact_of(world, sessions=[row.id for row in standing], clusterings=())
    body = ProbeInsertionTakenBack(
        probe=probe,
        insertion_time=last.insertion_time,
        removal_time=last.removal_time,
        earlier=None if earlier is None else earlier.times(),
        reason=reason,
    )

    def events(causation: int) -> Sequence[NewEvent]:
        rows = rows_of(world, impact.sessions, impact.clusterings)
        return [*deleted(rows, causation=causation), subject_event(subject, body, causation)]

    return Plan(
        kind="taking-back",
        records=_records(subject, probe),
        change=change,
        impact=impact,
        at_once=is_empty(impact) and is_author(world, last.authors),
        subject=subject,
        events=events,
    )


def _other_now(subject: str, probe: str, last: Insertion) -> Refusal:
    return Refusal(
        "insertion-moved",
        f'The insertion of probe "{probe}" in subject {subject.partition("/")[2]} that is on record now is that of '
        f"{last.insertion_time}.",
        "Reject the request, and ask for what is meant now.",
    )


# --- mending --------------------------------------------------------------------------------------------------


class MendInsertion(Command[ChangeMade]):
    """``insertion_time`` and ``removal_time`` are naive local times; what is None stays as it is. ``still_in``: the
    probe was not removed."""

    subject: str
    probe: str
    insertion_time: str | None = None
    removal_time: str | None = None
    still_in: bool = False
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "mend probe insertions")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason, subject = checked_reason(self.reason), registered_subject(world, self.subject)
        last = on_record(world, subject, self.probe)[-1]
        change = {
            "action": "mend-insertion",
            "subject": subject,
            "probe": self.probe,
            "insertion_time": self.insertion_time or last.insertion_time,
            "removal_time": None if self.still_in else self.removal_time or last.removal_time,
        }
        if (change["insertion_time"], change["removal_time"]) == (last.insertion_time, last.removal_time):
            raise Refusal(
                "nothing-to-mend",
                f'The insertion of probe "{self.probe}" in subject {self.subject} has these times already.',
                "",
                NextStep("list-subjects"),
            )
        return made_or_asked(world, mended_insertion(world, change, reason), reason)


def mended_insertion(world: World, change: dict[str, Any], reason: str) -> Plan:
    """The sessions that the new times leave outside stand on it."""
    subject, probe = change["subject"], change["probe"]
    inserted, removed = change["insertion_time"], change["removal_time"]
    *before, last = on_record(world, subject, probe)
    _check_times(world, subject, probe, inserted, removed, before)
    since = "" if not before else str(before[-1].removal_time)
    outside = [
        row
        for row in standing_on(world, subject, probe, since)
        if row.session_time is not None
        and (row.session_time < inserted or (removed is not None and row.session_time > removed))
    ]
    impact = counted(world, outside, [])
    body = ProbeInsertionMended(probe=probe, insertion_time=inserted, removal_time=removed, reason=reason)
    return Plan(
        kind="mending",
        records=_records(subject, probe),
        change=change,
        impact=impact,
        at_once=is_empty(impact) and is_author(world, last.authors),
        subject=subject,
        events=lambda causation: [subject_event(subject, body, causation)],
    )


def _check_times(
    world: World, subject: str, probe: str, inserted: str, removed: str | None, before: list[Insertion]
) -> None:
    checked_time(inserted)
    if removed is not None and checked_time(removed) < inserted:
        raise Refusal(
            "removed-before-inserted",
            f'Probe "{probe}" cannot leave subject {subject.partition("/")[2]} at {removed}, before it went in at '
            f"{inserted}.",
            "Check both times.",
        )
    if before and inserted < str(before[-1].removal_time):
        raise Refusal(
            "inserted-before-removed",
            f'Probe "{probe}" was in subject {subject.partition("/")[2]} until {before[-1].removal_time} already, '
            f"which is after {inserted}.",
            "Check the time of insertion.",
        )
    if removed is None:
        refuse_elsewhere(world, subject, probe)
