"""From the plan of a correction to its events, decided under the append lock. Reads the ledger; touches no disk.

New records are numbered by the position of their first event, so every event before it is counted here.
"""

from dataclasses import dataclass
from typing import Any, Literal

from commands.door.world import Decision, Result, World
from commands.inputfile.canonical import entry_plain
from commands.intake.insertion import waits_for
from commands.intake.nested import overlapping
from commands.requests.correction.dependents import Dependent
from commands.requests.correction.plan import GroupChange, Plan, SessionChange
from commands.requests.impact import impact_of
from commands.requests.rules import request_event
from commands.stored import holders_at, probes_of
from ledger.envelope import NewEvent
from ledger.errors import Conflict
from ledger.events import (
    ClusteringCarriedOver,
    ClusteringDeleted,
    ClusteringInsertRequested,
    CorrectionExecuted,
    DeletionApproved,
    SessionAnnotated,
    SessionDeleted,
    SessionInsertRequested,
)
from projections.records import Clustering, Deletion


@dataclass(frozen=True, slots=True)
class Replacement:
    """The ids of a record and of the one that is in its place now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionDone(Result):
    """What an approved correction came to. ``sessions`` and ``clusterings`` count what was deleted; ``carried_over``
    are the clusterings that follow, ``deleted`` those that could not."""

    request: str
    kind: Literal["correction"] = "correction"
    status: Literal["executed"] = "executed"
    upload: str
    sessions: int
    clusterings: int
    tasks: int
    replaced: list[Replacement]
    carried_over: list[str]
    deleted: list[str]


def refuse_if_moved(world: World, plan: Plan) -> None:
    """Raises Conflict where something that the plan rests on has changed since it was made."""
    if world.head.size == plan.at:
        return
    if not (_records_hold(world, plan) and _keys_are_free(world, plan) and _catalogue_holds(world, plan)):
        raise Conflict(
            "ledger-moved", "The ledger changed while the correction was being prepared.", "Try again."
        )


def _records_hold(world: World, plan: Plan) -> bool:
    """What goes, what stands on it, and the sessions that clusterings will stand on are as they were seen."""
    old = {change.old.id: change.old for change in plan.sessions}
    world.state.sessions.prefetch([*old, *plan.statuses])
    impact = impact_of(world, sessions=old, clusterings=[change.old.id for change in plan.groups])
    dependents = {dependent.row.id: dependent.row for dependent in plan.dependents}
    return (
        all(world.state.sessions[number].version == row.version for number, row in old.items())
        and set(impact.clusterings) == set(dependents)
        and all(world.state.clusterings[number].version == row.version for number, row in dependents.items())
        and all(world.state.sessions[number].status == status for number, status in plan.statuses.items())
    )


def _keys_are_free(world: World, plan: Plan) -> bool:
    """Nobody holds the new locations, session times and group names, or only what goes does."""
    sessions = {change.old.id for change in plan.sessions}
    times = [
        (plan.subject, change.inserted.session_time)
        for change in plan.sessions
        if change.inserted is not None
    ]
    names = [change.given.group_name for change in plan.groups]
    state = world.state
    state.times.prefetch(times)
    state.groups.prefetch(names)
    places = [text for c in plan.sessions for text in (c.location, c.leads_to) if text is not None]
    held = [
        row
        for rows in (*holders_at(world, places).values(), *overlapping(world, places).values())
        for row in rows
    ]
    at = [state.times.get(key) for key in times]
    groups = [state.groups.get(name) for name in names]
    return (
        all(row is None or row.session in sessions for row in (*held, *at))
        and {row.clustering for row in groups if row is not None} <= {change.old.id for change in plan.groups}
    )  # fmt: skip


def _catalogue_holds(world: World, plan: Plan) -> bool:
    """A value in use may have been retired; one that was added again may need an arena from then on."""
    changed = world.transaction.run(
        "SELECT 1 FROM events WHERE position > ? AND type IN ('ReferenceValueAdded', 'ReferenceValueRetired') LIMIT 1",
        (plan.at,),
    ).fetchone()
    return changed is None and probes_of(world, plan.subject) == plan.probes


def executed(world: World, row: Deletion, plan: Plan) -> Decision[CorrectionDone]:
    """All of it: approved, the old records deleted, the new ones inserted, what stood on the old ones moved along."""
    return _Execution(world, row, plan).decision()


class _Execution:
    """Gathers the events of one correction, and knows at which position the next of them will stand."""

    def __init__(self, world: World, row: Deletion, plan: Plan) -> None:
        self.world, self.row, self.plan = world, row, plan
        self.approval = world.next_position
        self.upload = f"u{row.upload}"
        self.events: list[NewEvent] = [request_event(row, DeletionApproved())]
        self.waiting = {change.old.id for change in plan.sessions if change.inserted is None}
        self.falling = plan.becoming("replaced", "inserted-anew", "deleted")
        self.first = self.approval + 1 + len(plan.sessions) + len(self.falling)
        self.new_sessions = {change.old.id: self.first + i for i, change in enumerate(plan.sessions)}
        self.new_groups = {
            change.old.id: self.first + len(plan.sessions) + i for i, change in enumerate(plan.groups)
        }

    @property
    def position(self) -> int:
        return self.approval + len(self.events)

    def decision(self) -> Decision[CorrectionDone]:
        self.delete()
        assert self.position == self.first  # noqa: S101 - a record's number is the position of its first event
        self.request()
        for change in self.plan.sessions:
            self.insert_session(change)
        for dependent in self.plan.becoming("carried-over"):
            self.carry_over(dependent)
        for group in self.plan.groups:
            self.insert_group(group)
        pairs = sorted(self.new_sessions.items()), sorted(self.new_groups.items())
        body = CorrectionExecuted(
            upload=int(self.row.upload or 0), first=self.first, sessions=pairs[0], clusterings=pairs[1]
        )
        self.events.append(request_event(self.row, body, causation=self.approval))
        return Decision(self.events, self.result(), correlation=f"d{self.row.id}")

    def delete(self) -> None:
        for change in self.plan.sessions:
            old = change.old
            gone = SessionDeleted(was=old.status, replaced_by=self.new_sessions[old.id])
            self.events.append(
                NewEvent(f"session/{old.id}", gone, old.version, old.subject, old.username, self.approval)
            )
        for dependent in self.falling:
            fallen = dependent.row
            self.of_clustering(
                fallen, ClusteringDeleted(was=fallen.status, replaced_by=self.new_groups.get(fallen.id))
            )

    def of_clustering(self, row: Clustering, body: ClusteringDeleted | ClusteringCarriedOver) -> None:
        self.events.append(
            NewEvent(f"clustering/{row.id}", body, row.version, row.subject, row.username, self.approval)
        )

    def request(self) -> None:
        datasource, _, name = self.plan.subject.partition("/")
        subject: dict[str, Any] = {"datasource_id": int(datasource), "subject": name}
        for change in self.plan.sessions:
            wanted = SessionInsertRequested(
                **subject,
                location=change.location,
                leads_to=change.leads_to if change.leads_to is not None else _led_to(change),
                entry_index=change.given.index,
                entry=entry_plain(change.given),
                replaces=change.old.id,
            )
            self.of_new("session", self.new_sessions[change.old.id], wanted, change.old.username)
        for group in self.plan.groups:
            grouped = ClusteringInsertRequested(
                **subject,
                location=group.location,
                entry_index=group.given.index,
                sessions=[self.new_sessions.get(number, number) for number in group.sessions],
                entry=entry_plain(group.given),
                replaces=group.old.id,
            )
            self.of_new("clustering", self.new_groups[group.old.id], grouped, group.old.username)

    def of_new(self, kind: str, number: int, body: Any, username: str, causation: int = 0) -> None:
        self.events.append(
            NewEvent(
                f"{kind}/{number}",
                body,
                0,
                self.plan.subject,
                username,
                causation or self.approval,
                self.upload,
            )
        )

    def insert_session(self, change: SessionChange) -> None:
        assert change.outcome is not None  # noqa: S101 - the disk was read
        number, owner = self.new_sessions[change.old.id], change.old.username
        if change.kept:
            added = SessionAnnotated(fields=change.kept, completed=entry_plain(change.entry))
            self.of_new("session", number, added, owner, number)
        inserted = self.position
        self.of_new("session", number, change.outcome.event, owner, number)
        for clustering in change.outcome.clusterings:
            body = clustering.model_copy(update={"session": number})
            self.of_new("clustering", self.position, body, owner, inserted)

    def carry_over(self, dependent: Dependent) -> None:
        row, pairs = dependent.row, [(old, self.new_sessions[old]) for old in dependent.stands_on]
        self.of_clustering(row, ClusteringCarriedOver(sessions=pairs))
        missing = [new for old, new in pairs if old in self.waiting]
        if missing and row.status == "inserted":  # it stands on inserted sessions only
            waits = waits_for(missing)
            self.events.append(
                NewEvent(f"clustering/{row.id}", waits, row.version, row.subject, row.username, self.approval)
            )

    def insert_group(self, group: GroupChange) -> None:
        number = self.new_groups[group.old.id]
        waiting = self.waiting | {n for n, status in self.plan.statuses.items() if status != "inserted"}
        missing = [self.new_sessions.get(old, old) for old in group.sessions if old in waiting]
        body = waits_for(missing) if group.outcome is None else group.outcome
        self.of_new("clustering", number, body, group.old.username, number)

    def result(self) -> CorrectionDone:
        assert self.plan.impact is not None  # noqa: S101 - the ledger was read
        replaced = [
            *(Replacement(f"s{old}", f"s{new}") for old, new in self.new_sessions.items()),
            *(Replacement(f"c{old}", f"c{new}") for old, new in self.new_groups.items()),
        ]
        return CorrectionDone(
            request=f"d{self.row.id}",
            upload=self.upload,
            sessions=len(self.plan.sessions),
            clusterings=len(self.falling),
            tasks=self.plan.impact.tasks,
            replaced=replaced,
            carried_over=[f"c{d.row.id}" for d in self.plan.becoming("carried-over")],
            deleted=[f"c{d.row.id}" for d in self.plan.becoming("deleted")],
        )


def _led_to(change: SessionChange) -> str | None:
    """A location that stays as it was leads where it led."""
    return change.old.leads_to if change.location == change.old.location else None
