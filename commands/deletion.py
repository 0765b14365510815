"""Delete records on request: what is named, what would go with it, and the approval that carries it out at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from commands.approval import checked_reason, open_request, request_event, require_decider
from commands.door import Command, Daybook, Decision, World
from commands.impact import STANDING, Impact, impact_of
from commands.permission import require_owner, require_writer
from commands.recordings.roots import Roots
from ledger import log
from ledger.envelope import NewEvent
from ledger.errors import Refusal
from ledger.events import (
    ClusteringDeleted,
    DeletionApproved,
    DeletionExecuted,
    DeletionImpactGrown,
    DeletionRequested,
    SessionDeleted,
    body_of,
)
from projections.records import Clustering, Deletion, Session, Upload
from projections.rows import Rows, requested_by

R = TypeVar("R", Session, Clustering, Upload)
_ID = re.compile(r"([suc])([1-9][0-9]{0,17})")
_LISTS = {"s": "sessions", "c": "clusterings", "u": "uploads"}
_NAMED = 10  # records in one sentence


# --- what is named ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Named:
    """The records that somebody named by their ids, whatever their status, and what came of the uploads among them."""

    ids: list[str] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    clusterings: list[Clustering] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    uploaded: list[Session | Clustering] = field(default_factory=list)

    @property
    def direct(self) -> list[Session | Clustering]:
        """Those that were named themselves."""
        return [*self.sessions, *self.clusterings]

    @property
    def owned(self) -> list[Session | Clustering | Upload]:
        """All that one has to own: the file of a correction may have brought records of several users."""
        return [*self.sessions, *self.clusterings, *self.uploads, *self.uploaded]

    @property
    def records(self) -> list[Session | Clustering]:
        """All of them, each once."""
        rows = [*self.sessions, *self.clusterings, *self.uploaded]
        return list({(type(row), row.id): row for row in rows}.values())


def named(world: World, texts: Iterable[str]) -> Named:
    """Only exact ids name what is to be deleted. Raises Refusal for anything else, and for ids that there are not."""
    found = Named(ids=list(dict.fromkeys(texts)))
    found.sessions = _known(world.state.sessions, "s", found.ids)
    found.clusterings = _known(world.state.clusterings, "c", found.ids)
    found.uploads = _known(world.state.uploads, "u", found.ids)
    if not found.ids:
        raise Refusal("nothing-named", "No record was named.", "Give ids: s12, c34, or u56 for an upload.")
    for upload in found.uploads:
        found.uploaded += requested_by(world.state.sessions, upload)
        found.uploaded += requested_by(world.state.clusterings, upload)
    return found


def _known(rows: Rows[R], letter: str, ids: Sequence[str]) -> list[R]:
    numbers = [int(text[1:]) for text in ids if _exact(text) == letter]
    rows.prefetch(numbers)
    found = []
    for number in numbers:
        row = rows.get(number)
        if row is None:
            raise Refusal("not-found", f"There is no {letter}{number}.", f"See: daybook {_LISTS[letter]}")
        found.append(row)
    return found


def _exact(text: str) -> str:
    """The letter of an id."""
    match = _ID.fullmatch(text)
    if match is None:
        raise Refusal(
            "not-an-id",
            f'"{text}" is not the id of a session, a clustering or an upload.',
            "Give exact ids, never a location or a beginning: s12, c34, or u56 for all that came of an upload. "
            "Ids are told by: daybook sessions, daybook show LOCATION",
        )
    return match[1]


def name_of(row: Session | Clustering | Upload) -> str:
    return f"{type(row).__name__[0].lower()}{row.id}"


def some_of(names: Sequence[str]) -> str:
    """For a sentence: the first few, and how many more."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def requested(world: World, row: Deletion) -> Named:
    """What a request for a deletion named."""
    return named(world, orjson.loads(row.records))


def impact_of_named(world: World, what: Named) -> Impact:
    records = what.records
    return impact_of(
        world,
        sessions=[row.id for row in records if isinstance(row, Session)],
        clusterings=[row.id for row in records if isinstance(row, Clustering)],
    )


# --- request ------------------------------------------------------------------------------------------------


class RequestDeletion(Command):
    """``records`` are exact ids; an upload stands for everything that came of it and stands when it is approved."""

    records: list[str]
    reason: str

    def authorise(self, world: World) -> None:
        require_writer(world, "request deletions")
        require_owner(world, "request the deletion of", named(world, self.records).owned)

    def decide(self, world: World) -> Decision:
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
        result = {"request": f"d{number}", "impact": impact.plain()}
        return Decision([event], result, correlation=f"d{number}")


def _refuse_fallen(what: Named) -> None:
    """Raises Refusal for what does not stand: who asks for it has something else in mind."""
    for row in what.direct:
        name = name_of(row)
        if row.status == "error":
            hint = f"It was never inserted. Take it back: daybook withdraw {name}"
            raise Refusal("not-standing", f"{name} failed, so there is nothing to delete.", hint)
        if row.status not in STANDING:
            raise Refusal("not-standing", f"{name} is {row.status} already.", f"See: daybook why {name}")
    if not any(row.status in STANDING for row in what.records):
        names = some_of([name_of(upload) for upload in what.uploads])
        raise Refusal(
            "not-standing",
            f"Nothing that came of {names} stands any more.",
            f"See: daybook show {name_of(what.uploads[0])}",
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
                f"{row.requested_by} requested the deletion of the same records already: d{row.id}.",
                f"See: daybook delete show d{row.id}",
            )


def impact_at(world: World, position: int) -> dict[str, Any]:
    """The impact as an event showed it."""
    impact: dict[str, Any] = body_of(log.read_positions(world.transaction, [position])[position])["impact"]
    return impact


def rows_of(world: World, sessions: Iterable[int], clusterings: Iterable[int]) -> list[Session | Clustering]:
    return [
        *(world.state.sessions[number] for number in sessions),
        *(world.state.clusterings[number] for number in clusterings),
    ]


# --- approve ------------------------------------------------------------------------------------------------


class ApproveDeletion(Command):
    """Carry a deletion out, if all that it takes was shown: by the request, or with ``accept_impact`` by the last
    approval that was refused for what had come to stand on the records since."""

    request: int
    accept_impact: bool = False

    def authorise(self, world: World) -> None:
        require_decider(world, self.request, "approve")

    def decide(self, world: World) -> Decision:
        row = open_request(world, self.request)
        if row.kind != "deletion":
            raise Refusal("other-kind", f"d{row.id} is a {row.kind}.", f"See: daybook delete show d{row.id}")
        impact = impact_of_named(world, requested(world, row))
        if not impact.sessions and not impact.clusterings:
            raise Refusal(
                "not-standing",
                f"Nothing of d{row.id} stands any more.",
                f"Close it: daybook delete reject d{row.id} --reason TEXT",
            )
        grown = refused_growth(world, row, impact, accept_impact=self.accept_impact)
        return grown if grown is not None else _carried_out(world, row, impact)


def refused_growth(world: World, row: Deletion, impact: Impact, *, accept_impact: bool) -> Decision | None:
    """Where more would go than was requested, or than was shown and is accepted: what was shown now is on record, and
    the result says under ``grown`` what has come."""
    shown = impact_at(world, row.shown_position)
    accepted = shown if accept_impact else impact_at(world, row.id)
    if not impact.exceeds(accepted):
        return None
    grown = {"request": f"d{row.id}", "grown": added(world, impact, accepted)}
    if not impact.exceeds(shown):
        return Decision((), grown)
    event = request_event(row, DeletionImpactGrown(impact=impact.plain()))
    return Decision([event], grown, correlation=f"d{row.id}")


def added(world: World, impact: Impact, shown: dict[str, Any]) -> dict[str, Any]:
    """What an impact holds that an earlier one did not: ``{"records": ["c56 of user_2"], "tasks": 0}``."""
    sessions, clusterings = impact.beyond(shown)
    rows = rows_of(world, sessions, clusterings)
    records = [f"{name_of(row)} of {row.username}" for row in rows]
    return {"records": records, "tasks": max(0, impact.tasks - int(shown["tasks"]))}


def _carried_out(world: World, row: Deletion, impact: Impact) -> Decision:
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
    result = {
        "request": f"d{row.id}",
        "kind": row.kind,
        "status": "executed",
        "sessions": len(impact.sessions),
        "clusterings": len(impact.clusterings),
        "tasks": impact.tasks,
    }
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


def approve(daybook: Daybook, number: int, *, accept_impact: bool, roots: Roots) -> dict[str, Any]:
    """Carry a request of any kind out. Raises Refusal with ``impact-grown`` where more would go than was shown: what
    would go now is then on record as shown, and the same call with ``accept_impact`` accepts just that."""
    daybook.require(lambda world: require_decider(world, number, "approve"))
    with daybook.reading() as world:
        row = open_request(world, number)
    if row.kind == "correction":
        from commands.correction import approve as correct

        return correct(daybook, row, accept_impact=accept_impact, roots=roots)
    if row.kind == "redaction":
        from commands import redaction

        redacted: dict[str, Any] = redaction.approve(daybook, row)
        return redacted
    result = daybook.submit(ApproveDeletion(request=number, accept_impact=accept_impact)).result
    if "grown" in result:
        raise impact_grown(number, result["grown"])
    return result


def impact_grown(number: int, grown: dict[str, Any]) -> Refusal:
    return Refusal(
        "impact-grown",
        f"d{number} would take more now than had been shown: {told_growth(grown)}.",
        f"Look at it (daybook delete show d{number}), then: daybook delete approve d{number} --accept-impact",
    )


def told_growth(grown: dict[str, Any]) -> str:
    """``c56 of user_2, and 2 tasks more``."""
    tasks = grown["tasks"]
    parts = [some_of(grown["records"])] if grown["records"] else []
    parts += [f"{tasks:,} task{'s' if tasks > 1 else ''} more"] if tasks else []
    return ", and ".join(parts)
