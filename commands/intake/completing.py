"""One more fact about a session: the command that adds it, its answers, and how it is repeated."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from commands.door.command import Command, checked_command_id
from commands.door.permission import require_owner
from commands.door.steps import Steps
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.canonical import session_entry_from_json
from commands.inputfile.entries import SessionEntry
from commands.intake.settling import settle
from commands.intake.working import incidents
from commands.recordings.roots import Roots
from commands.stored import current_entries
from ledger import log
from ledger.bodies import body_of
from ledger.envelope import NewEvent
from ledger.errors import Conflict, NextStep, Refusal
from ledger.events import (
    ClusteringInserted,
    MoreFound,
    ProbesAssociated,
    SessionAnnotated,
    SessionSettled,
    TasksAdded,
)
from projections.records import Session

ACTIONS = {
    ProbesAssociated: "associate probes with a session",
    TasksAdded: "add tasks to a session",
    SessionAnnotated: "annotate a session",
    SessionSettled: "settle what a session waits for",
}
ADD_CLUSTERING = "add a clustering to a session"


@dataclass(frozen=True, slots=True)
class Current:
    """A session as it stands, with its entry."""

    row: Session
    entry: SessionEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Result):
    session: str
    clustering: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedSession(Result):
    """How the session stands now. ``reason`` says why it waits or failed, ``incident`` where that was a fault of the
    program."""

    session: str
    status: str
    reason: str | None
    incident: str | None
    session_time: str | None
    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringAdded(Result):
    """``curation_time`` is naive local time."""

    session: str
    clustering: str
    location: str
    curation_time: str


class CompleteSession(Command[Completed]):
    """One more fact about a session, decided on the session as it was at ``version``.

    ``clustering`` is inserted with it: ``event`` then says that the session's entry has it now; it ``settles`` one that
    waited (its number and version). ``more`` are remarks that stay with the session from then on. ``asked`` is a digest
    of what somebody gave; where there is one, it tells a repeated command.
    """

    session: int
    version: int
    event: ProbesAssociated | TasksAdded | SessionAnnotated | SessionSettled
    clustering: ClusteringInserted | None = None
    settles: tuple[int, int] | None = None
    more: MoreFound | None = None
    asked: str = ""

    def fingerprint(self) -> bytes:
        if not self.asked:
            return super().fingerprint()
        what = f"CompleteSession {self.command_id} {self.session} {self.asked}"
        return sha256(what.encode()).digest()

    def authorise(self, world: World) -> None:
        action = ADD_CLUSTERING if self.clustering is not None else ACTIONS[type(self.event)]
        require_session_owner(world, action, self.session)

    def decide(self, world: World) -> Decision[Completed]:
        row = world.state.sessions.get(self.session)
        if row is None or row.version != self.version:
            raise Conflict(
                "session-moved",
                f"Session s{self.session} was changed by somebody else meanwhile.",
                "Look at it again, and repeat what you did",
                NextStep("show", f"s{self.session}"),
            )
        owner: dict[str, Any] = {
            "subject": row.subject, "username": row.username, "correlation": f"u{row.upload}",
        }  # fmt: skip
        number = world.next_position
        event = NewEvent(f"session/{row.id}", self.event, row.version, **owner, causation=row.status_position)
        events = [event]
        if self.more is not None:
            events.append(
                NewEvent(f"session/{row.id}", self.more, row.version + 1, **owner, causation=number)
            )
        if self.clustering is None:
            return Decision(events, Completed(session=f"s{row.id}"))
        clustering, version = self.settles or (number + len(events), 0)
        events.append(
            NewEvent(f"clustering/{clustering}", self.clustering, version, **owner, causation=number)
        )
        return Decision(events, Completed(session=f"s{row.id}", clustering=f"c{clustering}"))


def require_session_owner(world: World, action: str, session: int) -> None:
    row = world.state.sessions.get(session)
    require_owner(world, action, [] if row is None else [row])


def current_session(daybook: Daybook, session: int, action: str) -> Current:
    """Raises NotPermitted before anything else."""
    daybook.require(lambda world: require_session_owner(world, action, session))
    with daybook.reading() as world:
        row = world.state.sessions.get(session)
        if row is None:
            raise Refusal("not-found", f"There is no session s{session}.", "", NextStep("list-sessions"))
        if row.status not in ("pending", "waiting", "inserted"):
            state = "failed" if row.status == "error" else f"is {row.status}"
            raise Refusal(
                "session-closed",
                f"Session s{session} {state}: nothing can be added to it.",
                "See why, and upload the input file again: that makes of its entry a session that can be completed",
                NextStep("why", f"s{session}"),
                NextStep("upload", arguments={"file": None}),
            )
        text = current_entries(world, [row])[0]
    return Current(row, session_entry_from_json(text, row.entry_index))


class Order:
    """One completion that somebody asked for, under its command id; ``done`` is what came of it, if it was carried
    out before.
    """

    def __init__(
        self, daybook: Daybook, session: int, command_id: str | None, action: str, given: object
    ) -> None:
        self._daybook, self._number = daybook, session
        given_text = json.dumps(
            [action, given], sort_keys=True, default=str
        )  # whatever it holds: it is checked later
        self._asked = sha256(given_text.encode()).hexdigest()
        self._steps = Steps(daybook, checked_command_id(command_id), repeatable=command_id is not None)
        self.done: Completed | None = None
        if self._steps.repeatable:
            daybook.require(lambda world: require_session_owner(world, action, session))
            command = CompleteSession.model_construct(
                command_id=self._steps.command_id, session=session, asked=self._asked
            )
            earlier = daybook.earlier(command)
            self.done = None if earlier is None else earlier.result

    def submit(
        self,
        current: Current,
        event: ProbesAssociated | TasksAdded | SessionAnnotated | SessionSettled,
        clustering: ClusteringInserted | None = None,
        *,
        settles: tuple[int, int] | None = None,
        more: MoreFound | None = None,
    ) -> None:
        command = CompleteSession(
            command_id=self._steps.command_id,
            session=current.row.id,
            version=current.row.version,
            event=event,
            clustering=clustering,
            settles=settles,
            more=more,
            asked=self._asked,
        )
        self.done = self._daybook.submit(command).result

    def session(self, try_again: Roots | None = None) -> CompletedSession:
        """How the session stands after it was tried again, which needs the roots."""
        assert self.done is not None  # noqa: S101 - it was submitted
        if try_again is not None:
            settle(self._daybook, try_again, self._steps, sessions=[self._number])
        position = self._steps.last_position(self.done.position)
        with self._daybook.reading_at(position, now=not self._steps.repeatable) as world:
            row = world.state.sessions[self._number]
            return CompletedSession(
                position=position,
                session=f"s{row.id}",
                status=row.status,
                reason=row.message,
                incident=incidents(world, [row]).get(row.id),
                session_time=row.session_time,
                next_steps=(NextStep("why", f"s{row.id}"),) if row.status in ("waiting", "error") else (),
            )

    def clustering(self) -> ClusteringAdded:
        assert self.done is not None  # noqa: S101 - it was submitted
        number = int(str(self.done.clustering)[1:])
        with self._daybook.reading() as world:
            stream = log.read_stream(world.transaction, f"clustering/{number}")
            body = next(body_of(event) for event in stream if event.type == "ClusteringInserted")
        return ClusteringAdded(
            position=self.done.position,
            session=self.done.session,
            clustering=f"c{number}",
            location=body["location"],
            curation_time=body["curation_time"],
        )
