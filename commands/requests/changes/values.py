"""Propose a reference value, rename one, or take back one that was a mistake."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from commands.door.command import Command
from commands.door.permission import is_admin, require_writer
from commands.door.world import Decision, World
from commands.intake.reference_tables import checked_table
from commands.intake.registering import (
    add_value,
    reference_event,
    refuse_elsewhere,
    subject_event,
)
from commands.intake.spellings import forget_spellings
from commands.requests.changes.asking import ChangeMade, made_or_asked
from commands.requests.changes.plan import Plan, is_author, is_empty, nothing
from commands.requests.changes.using import (
    clusterings_using,
    renamed_entry,
    renamed_task,
    sessions_using,
    tasks_of,
)
from commands.requests.deletion import deleted
from commands.requests.impact import counted, impact_of
from commands.requests.naming import rows_of
from commands.requests.rules import checked_reason
from commands.stored import current_entries
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import (
    ClusteringAmended,
    ProbeInserted,
    ProbeInsertionTakenBack,
    ProbeRemoved,
    ReferenceValueTakenBack,
    SessionAmended,
)
from projections.asked_for import open_request
from projections.records import Clustering, ProbeInsertion, ReferenceValue, Session

_NO_REASON = "Proposed."
_PROBE = "reference.Probe"


# --- propose --------------------------------------------------------------------------------------------------


class ProposeValue(Command[ChangeMade]):
    """Who may add the value adds it by proposing it."""

    table: str
    value: str
    attributes: dict[str, Any] = {}
    reason: str = _NO_REASON

    def authorise(self, world: World) -> None:
        require_writer(world, "propose reference values")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        change = {
            "action": "add-value",
            "table": checked_table(self.table),
            "value": self.value,
            "attributes": self.attributes,
        }
        return made_or_asked(world, proposed_value(world, change, reason), reason)


def proposed_value(world: World, change: dict[str, Any], _reason: str) -> Plan:
    """Does nothing where the value is there by now."""
    table, value, attributes = change["table"], change["value"], change["attributes"]
    new = add_value(world, table, value, attributes)
    return Plan(
        kind="proposal",
        records=[named(table, value)],
        change=change,
        impact=nothing(world),
        at_once=is_admin(world) or not new,
        subject="",
        events=lambda causation: [replace(one, causation=causation) for one in new],
    )


def named(table: str, value: str) -> str:
    return f"{table}: {value}"


# --- take back ------------------------------------------------------------------------------------------------


class TakeBackValue(Command[ChangeMade]):
    """Only where nothing uses it: what does would name a value that never was."""

    table: str
    value: str
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "take reference values back")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        change = {"action": "take-back-value", "table": checked_table(self.table), "value": self.value}
        return made_or_asked(world, taken_back_value(world, change, reason), reason)


def taken_back_value(world: World, change: dict[str, Any], reason: str) -> Plan:
    """Whatever names it goes with it: that was never so. What is only called otherwise is renamed."""
    table, value = change["table"], change["value"]
    known_value(world, table, value)
    sessions, clusterings, insertions = _users(world, table, value)
    if insertions:
        raise _inserted(world, table, value, insertions)
    impact = impact_of(
        world, sessions=[row.id for row in sessions], clusterings=[row.id for row in clusterings]
    )
    body = ReferenceValueTakenBack(table=table, value=value, replaced_by=None, reason=reason)

    def events(causation: int) -> Sequence[NewEvent]:
        forget_spellings(world, table)
        rows = rows_of(world, impact.sessions, impact.clusterings)
        return [*deleted(rows, causation=causation), reference_event(table, body, causation)]

    return Plan(
        kind="taking-back",
        records=[named(table, value)],
        change=change,
        impact=impact,
        at_once=is_empty(impact) and is_author(world, _authors(world, table, value)),
        subject="",
        events=events,
    )


def _name(insertion: ProbeInsertion) -> str:
    return insertion.subject.partition("/")[2]


def known_value(world: World, table: str, value: str) -> ReferenceValue:
    """Finds retired values too. Raises Refusal where there is none."""
    known = world.state.reference.get((table, value))
    if known is None:
        raise Refusal(
            "unknown-value",
            f'"{value}" is not in {table}.',
            "",
            NextStep("list-values", arguments={"table": table}),
        )
    return known


def _authors(world: World, table: str, value: str) -> list[str]:
    """The user who added it last."""
    events = log.read_stream(world.transaction, f"reference/{table}")
    added = [e for e in events if e.type == "ReferenceValueAdded" and body_of(e)["value"] == value]
    return [event.actor for event in added[-1:]] or [""]


def _users(
    world: World, table: str, value: str
) -> tuple[list[Session], list[Clustering], list[ProbeInsertion]]:
    insertions = world.state.insertions.where("probe = ?", [value]) if table == _PROBE else []
    return sessions_using(world, table, value), clusterings_using(world, table, value), insertions


def _inserted(world: World, table: str, value: str, insertions: Sequence[ProbeInsertion]) -> Refusal:
    """Of a probe that is, or was, in a subject. What was asked for already is not advised again."""
    name = _name(insertions[0])
    message = f'"{value}" of {table} is used by {_told(insertions)}.'
    taking = open_request(world.state, "taking-back", f"probe:{value}", f"subject:{name}")
    renaming = open_request(world.state, "mending", named(table, value))
    if taking is not None:
        look = NextStep("show-request", f"d{taking.id}")
        return Refusal("value-in-use", message, "That its insertion is taken back is asked for", look)
    if renaming is not None:
        look = NextStep("show-request", f"d{renaming.id}")
        return Refusal("value-in-use", message, "Another name for it is asked for", look)
    where: dict[str, str | None] = {"subject": name, "probe": value, "reason": None}
    what: dict[str, str | None] = {"table": table, "value": value, "new_value": None, "reason": None}
    return Refusal(
        "value-in-use",
        message,
        "Take its insertion back first; or give it the right name",
        NextStep("take-back-insertion", arguments=where),
        NextStep("rename-value", arguments=what),
    )


def _told(insertions: Sequence[ProbeInsertion]) -> str:
    names = [f"subject {_name(row)}" for row in insertions]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


# --- call it otherwise ----------------------------------------------------------------------------------------


class RenameValue(Command[ChangeMade]):
    """A mistyped value gets its right name, and so does whatever uses it. Where the right value is there already, it
    takes over.
    """

    table: str
    value: str
    new_value: str
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "rename reference values")

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        change = {
            "action": "rename-value",
            "table": checked_table(self.table),
            "value": self.value,
            "new_value": self.new_value,
        }
        return made_or_asked(world, renamed_value(world, change, reason), reason)


def renamed_value(world: World, change: dict[str, Any], reason: str) -> Plan:
    table, old, new = change["table"], change["value"], change["new_value"]
    known = known_value(world, table, old)
    if old == new:
        raise Refusal("nothing-to-mend", f'"{old}" of {table} is called so already.', "Give another name.")
    there = world.state.reference.get((table, new))
    if there is not None and there.retired:
        raise Refusal(
            "retired-value",
            f'"{new}" was retired from {table}.',
            "Bring it back first",
            NextStep("propose-value", arguments={"reference": table, "value": new}),
        )
    attributes = orjson.loads(known.attributes)
    added = [] if there is not None else add_value(world, table, new, attributes, besides=old)
    sessions, clusterings, insertions = _users(world, table, old)
    for row in insertions:
        _refuse_taken(world, row, new)
    impact = counted(world, sessions, clusterings)
    taken_back = ReferenceValueTakenBack(table=table, value=old, replaced_by=new, reason=reason)

    def events(causation: int) -> Sequence[NewEvent]:
        forget_spellings(world, table)
        return [
            *(replace(one, causation=causation) for one in added),
            *_insertions_renamed(insertions, new, reason, causation),
            *_sessions_renamed(world, sessions, (table, old, new), causation),
            *(
                _of(f"clustering/{row.id}", ClusteringAmended(curator=new), row, causation)
                for row in clusterings
            ),
            reference_event(table, taken_back, causation),
        ]

    return Plan(
        kind="mending",
        records=[named(table, old)],
        change=change,
        impact=impact,
        at_once=is_empty(impact) and not insertions and is_author(world, _authors(world, table, old)),
        subject="",
        events=events,
    )


def _refuse_taken(world: World, row: ProbeInsertion, new: str) -> None:
    name = row.subject.partition("/")[2]
    if world.state.insertions.get((row.subject, new)) is not None:
        raise Refusal(
            "already-inserted",
            f'Probes "{row.probe}" and "{new}" are both on record as inserted in subject {name}.',
            "Take one of the two insertions back first",
            NextStep("take-back-insertion", arguments={"subject": name, "probe": row.probe, "reason": None}),
        )
    if row.removal_time is None:
        refuse_elsewhere(world, row.subject, new)


def _insertions_renamed(
    insertions: Sequence[ProbeInsertion], new: str, reason: str, causation: int
) -> Iterator[NewEvent]:
    for row in insertions:
        bodies = [
            ProbeInsertionTakenBack(
                probe=row.probe,
                insertion_time=row.insertion_time,
                removal_time=row.removal_time,
                earlier=None,
                reason=reason,
            ),
            ProbeInserted(probe=new, insertion_time=row.insertion_time),
            *([] if row.removal_time is None else [ProbeRemoved(probe=new, removal_time=row.removal_time)]),
        ]
        yield from (subject_event(row.subject, body, causation) for body in bodies)


def _sessions_renamed(
    world: World, sessions: Sequence[Session], names: tuple[str, str, str], causation: int
) -> Iterator[NewEvent]:
    table, old, new = names
    for row, text in zip(sessions, current_entries(world, sessions), strict=True):
        entry, fields = renamed_entry(orjson.loads(text), table, old, new)
        tasks, probes = None, None
        if row.status == "inserted":
            stored = tasks_of(world, row.id)
            renamed = [renamed_task(task, table, old, new) for task in stored]
            tasks = renamed if renamed != stored else None
            of_it = world.state.probes.where("session = ?", [row.id]) if table == _PROBE else []
            probes = [
                {"name": p.name, "probe": new, "matched_by": p.matched_by} for p in of_it if p.probe == old
            ] or None
        body = SessionAmended(fields=fields, completed=entry, tasks=tasks, probes=probes)
        yield _of(f"session/{row.id}", body, row, causation)


def _of(stream: str, body: Any, row: Session | Clustering, causation: int) -> NewEvent:
    return NewEvent(stream, body, row.version, row.subject, row.username, causation or row.status_position)
