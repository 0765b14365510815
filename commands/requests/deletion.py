"""Delete records on request: what is named, what would go with it, and the approval that carries it out at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import orjson

from commands.door.command import Command
from commands.door.permission import require_owner, require_writer
from commands.door.world import Decision, Result, World
from commands.requests.growth import ImpactGrown, refused_growth
from commands.requests.impact import STANDING, Impact, impact_at, impact_of_named
from commands.requests.naming import Named, name_of, named, requested, rows_of, some_of
from commands.requests.policy import own_requests_approved
from commands.requests.rules import (
    checked_reason,
    open_request,
    request_event,
    require_decider,
    to_decide,
)
from ledger.envelope import NewEvent
from ledger.errors import NextStep, Refusal
from ledger.events import (
    ClusteringDeleted,
    DeletionApproved,
    DeletionExecuted,
    DeletionRequested,
    SessionDeleted,
)
from ledger.ranges import ranges
from projections.records import Clustering, Deletion, Session

# --- request ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionLooked(Result):
    """What would go, as in ``DeletionAsked``; nothing was asked for."""

    records: list[str]
    sessions: list[tuple[int, int]]
    clusterings: list[tuple[int, int]]
    tasks: int
    probes: int
    users: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionAsked(Result):
    """What would go, the named ``records`` among it: numbers of sessions and clusterings as inclusive ranges, tasks,
    probes, and how many records of each user. ``own_approval``: the requester may approve it, if an admin."""

    request: str
    records: list[str]
    sessions: list[tuple[int, int]]
    clusterings: list[tuple[int, int]]
    tasks: int
    probes: int
    users: dict[str, int]
    own_approval: bool
    next_steps: tuple[NextStep, ...]


def looked_at(world: World, records: list[str]) -> DeletionLooked:
    """What a request for these records would take now. Raises as the request would."""
    require_writer(world, "request deletions")
    require_owner(world, "request the deletion of", named(world, records).owned)
    what = named(world, records)
    _refuse_fallen(what)
    impact = impact_of_named(world, what)
    _refuse_same_request(world, what, impact)
    return DeletionLooked(
        position=world.head.size,
        records=what.ids,
        sessions=ranges(impact.sessions),
        clusterings=ranges(impact.clusterings),
        tasks=impact.tasks,
        probes=impact.probes,
        users=impact.users,
    )


class RequestDeletion(Command[DeletionAsked]):
    """``records`` are exact ids; an upload stands for everything that came of it and stands when it is approved."""

    records: list[str]
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "request deletions")
        require_owner(world, "request the deletion of", named(world, self.records).owned)

    def decide(self, world: World) -> Decision[DeletionAsked]:
        reason = checked_reason(self.reason)
        what = named(world, self.records)
        _refuse_fallen(what)
        impact = impact_of_named(world, what)
        _refuse_same_request(world, what, impact)
        number = world.next_position
        body = DeletionRequested(records=what.ids, reason=reason, impact=impact.plain())
        subjects = {row.subject for row in rows_of(world, impact.sessions, impact.clusterings)}
        subject = subjects.pop() if len(subjects) == 1 else ""
        event = NewEvent(f"deletion/{number}", body, 0, subject, world.actor)
        result = DeletionAsked(
            request=f"d{number}",
            records=what.ids,
            sessions=ranges(impact.sessions),
            clusterings=ranges(impact.clusterings),
            tasks=impact.tasks,
            probes=impact.probes,
            users=impact.users,
            own_approval=own_requests_approved(world),
            next_steps=to_decide(f"d{number}"),
        )
        return Decision([event], result, correlation=f"d{number}")


def _refuse_fallen(what: Named) -> None:
    """Raises Refusal for what does not stand: who asks for it has something else in mind."""
    for row in what.direct:
        name = name_of(row)
        if row.status == "error":
            raise Refusal(
                "not-standing",
                f"{name} failed, so there is nothing to delete.",
                "It was never inserted. Take it back",
                NextStep("withdraw", name),
            )
        if row.status not in STANDING:
            raise Refusal("not-standing", f"{name} is already {row.status}.", "", NextStep("why", name))
    if not any(row.status in STANDING for row in what.records):
        names = some_of([name_of(upload) for upload in what.uploads])
        raise Refusal(
            "not-standing",
            f"Nothing that came of {names} stands any more.",
            "",
            NextStep("show", name_of(what.uploads[0])),
        )


def _refuse_same_request(world: World, what: Named, impact: Impact) -> None:
    """Raises Refusal where an open request asks for the same records, under whatever ids."""
    for row in world.state.deletions.where("status = 'requested' AND kind = 'deletion'", []):
        counts = (row.sessions, row.clusterings) == (len(impact.sessions), len(impact.clusterings))
        if set(orjson.loads(row.records)) == set(what.ids) or (
            counts and impact.beyond(impact_at(world, row.shown_position)) == ([], [])
        ):
            raise Refusal(
                "already-requested",
                f"{row.requested_by} has already requested the deletion of the same records: d{row.id}.",
                "",
                NextStep("show-request", f"d{row.id}"),
            )


# --- approve ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDone(Result):
    """How many records are deleted."""

    request: str
    kind: Literal["deletion"] = "deletion"
    status: Literal["executed"] = "executed"
    sessions: int
    clusterings: int
    tasks: int
    next_steps: tuple[NextStep, ...] = ()


class ApproveDeletion(Command[DeletionDone | ImpactGrown]):
    """Carry a deletion out, if all that it takes was shown: by the request, or with ``accept_impact`` by the last
    approval that was refused for what had come to stand on the records since."""

    request: int
    accept_impact: bool = False

    def authorise(self, world: World) -> None:
        require_decider(world, self.request, "approve")

    def decide(self, world: World) -> Decision[DeletionDone | ImpactGrown]:
        row = open_request(world, self.request)
        if row.kind != "deletion":
            raise Refusal(
                "other-kind", f"d{row.id} is a {row.kind}.", "", NextStep("show-request", f"d{row.id}")
            )
        impact = impact_of_named(world, requested(world, row))
        if not impact.sessions and not impact.clusterings:
            raise Refusal(
                "not-standing",
                f"Nothing of d{row.id} stands any more.",
                "Close it",
                NextStep("reject-request", f"d{row.id}", {"reason": None}),
            )
        grown = refused_growth(world, row, impact, accept_impact=self.accept_impact)
        return grown if grown is not None else _carried_out(world, row, impact)


def _carried_out(world: World, row: Deletion, impact: Impact) -> Decision[DeletionDone]:
    approved = world.next_position
    events = [
        request_event(row, DeletionApproved()),
        *deleted(rows_of(world, impact.sessions, impact.clusterings), causation=approved),
        request_event(
            row,
            DeletionExecuted(
                sessions=len(impact.sessions), clusterings=len(impact.clusterings), tasks=impact.tasks
            ),
            causation=approved,
        ),
    ]
    result = DeletionDone(
        request=f"d{row.id}",
        sessions=len(impact.sessions),
        clusterings=len(impact.clusterings),
        tasks=impact.tasks,
        next_steps=(NextStep("restore", f"d{row.id}"),),
    )
    return Decision(events, result, correlation=f"d{row.id}")


def deleted(rows: Iterable[Session | Clustering], *, causation: int) -> list[NewEvent]:
    """The events that delete these records; each is about its own subject and owner."""
    return [
        NewEvent(
            f"session/{row.id}" if isinstance(row, Session) else f"clustering/{row.id}",
            SessionDeleted(was=row.status) if isinstance(row, Session) else ClusteringDeleted(was=row.status),
            row.version,
            row.subject,
            row.username,
            causation,
        )
        for row in rows
    ]
