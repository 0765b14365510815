"""Add what a session's file left out, also to what it says already, and change which probe was which.

By now the file says what is to be added: its entry at the session's location is compared with what is on record, and
checked as stage 2 checks a new one. It goes in at once where nothing of another person stands on the session, else
by a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from commands.door.command import Command, checked_command_id
from commands.door.submit import Daybook
from commands.door.world import Decision, World
from commands.inputfile.canonical import entry_plain
from commands.inputfile.entries import SessionEntry
from commands.inputfile.limits import Limits
from commands.inputfile.read import read_input_file
from commands.intake.completing import Current, current_session, require_session_owner
from commands.intake.completion import Rejected, check_completed, require_reason, resolve_tasks
from commands.intake.duplicates import place
from commands.intake.insertion import Present, refuse_association
from commands.intake.settling import present_for
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots
from commands.recordings.session import SessionDirectoryError
from commands.requests.changes.asking import ChangeMade, made_or_asked
from commands.requests.changes.merging import Merged, merged
from commands.requests.changes.plan import Plan, is_empty
from commands.requests.changes.using import tasks_of
from commands.requests.impact import counted
from commands.requests.rules import checked_reason
from commands.stored import insertions, standing_remarks
from ledger.envelope import NewEvent
from ledger.errors import Conflict, NextStep, Refusal
from ledger.events import Body, MoreFound, SessionAmended
from projections.records import Session

ACTION = "add to a session"
_LEFT_OUT = "It was left out of the file."
_OF_A_TASK = ("arena_apparatus", "light_level", "notes", "objects", "cue_cards", "curtains")


class AmendSession(Command[ChangeMade]):
    """Decided on the session as it was at ``version``. ``fields`` are those of the entry that have more now; ``tasks``
    and ``probes`` as in the event. ``asked`` is a digest of what somebody gave, and tells a repeated command."""

    session: int
    version: int
    fields: dict[str, Any]
    completed: dict[str, Any]
    tasks: list[dict[str, Any]] | None = None
    probes: list[dict[str, Any]] | None = None
    remarks: list[dict[str, Any]] = []
    despite_serial: bool = False
    session_time: str | None = None
    start: str | None = None
    sessions_txt: dict[str, Any] | None = None
    reason: str = _LEFT_OUT
    asked: str = ""

    def fingerprint(self) -> bytes:
        return sha256(f"AmendSession {self.command_id} {self.session} {self.asked}".encode()).digest()

    def authorise(self, world: World) -> None:
        require_session_owner(world, ACTION, self.session)

    def decide(self, world: World) -> Decision[ChangeMade]:
        reason = checked_reason(self.reason)
        row = world.state.sessions.get(self.session)
        if row is None or row.version != self.version:
            raise Conflict(
                "session-moved",
                f"Session s{self.session} was changed by somebody else meanwhile.",
                "Look at it again, and repeat what you did",
                NextStep("show", f"s{self.session}"),
            )
        change = {
            "action": "amend-session",
            "session": self.session,
            "version": self.version,
            "fields": self.fields,
            "completed": self.completed,
            "tasks": self.tasks,
            "probes": self.probes,
            "remarks": self.remarks,
            "despite_serial": self.despite_serial,
            "session_time": self.session_time,
            "start": self.start,
            "sessions_txt": self.sessions_txt,
        }
        return made_or_asked(world, amended_session(world, change, reason), reason)


def amended_session(world: World, change: dict[str, Any], reason: str) -> Plan:
    """Raises Refusal where the session has changed meanwhile: the result would not be what was asked for."""
    row = world.state.sessions[change["session"]]
    if row.version != change["version"]:
        raise Refusal(
            "session-moved",
            f"Session s{row.id} has changed since this was asked for.",
            "Reject the request; what is still missing can be asked for anew",
            NextStep("show", f"s{row.id}"),
        )
    _refuse_time(world, row, change.get("session_time"))
    impact = counted(world, [], _of_others(world, row))
    body = SessionAmended(
        fields=change["fields"],
        completed=change["completed"],
        tasks=change["tasks"],
        probes=change["probes"],
        despite_serial=change["despite_serial"],
        reason=reason if reason != _LEFT_OUT else None,
        session_time=change.get("session_time"),
        start=change.get("start"),
        sessions_txt=change.get("sessions_txt"),
    )
    remarks, names = standing_remarks(world, row.id) if row.status == "inserted" else ([], [])
    stay = [*(each for each in remarks if each["code"] not in _settled_by(body)), *change["remarks"]]

    def events(causation: int) -> Sequence[NewEvent]:
        bodies: list[Body] = [body]
        if stay != remarks:
            bodies.append(MoreFound(recordings=[], probes=[], remarks=stay, open=names))
        cause = causation or row.status_position
        return [
            NewEvent(f"session/{row.id}", each, row.version + at, row.subject, row.username, cause)
            for at, each in enumerate(bodies)
        ]

    return Plan(
        kind="addition",
        records=[f"s{row.id}"],
        change=change,
        impact=impact,
        at_once=is_empty(impact),
        subject=row.subject,
        events=events,
    )


def _settled_by(body: SessionAmended) -> set[str]:
    """The remarks that are not so any more, as the record says now what they say."""
    settled = {"start-differs"} if body.session_time is not None else set()
    return settled | ({"sessions-txt-differs", "task-outside-recording"} if body.sessions_txt else set())


def _refuse_time(world: World, row: Session, time: str | None) -> None:
    """Raises Refusal where another session of the subject began then, or a probe was in another animal."""
    held = None if time is None else world.state.times.get((row.subject, time))
    if held is not None and held.session != row.id:
        raise Refusal(
            "session-time-taken",
            f"Session s{held.session} of this subject began at {time} already.",
            "One of the two is a copy, or a clock was wrong",
            NextStep("why", f"s{held.session}"),
        )
    if time is None:
        return
    probes = {one.probe for one in world.state.probes.where("session = ?", [row.id])}
    there = [one for one in insertions(world) if one.probe in probes and one.at(time)]
    own = {one.probe for one in there if one.subject == row.subject}
    for one in there:
        if one.subject != row.subject and one.probe not in own:
            raise Refusal(
                "probe-in-another-subject",
                f'At {time} probe "{one.probe}" was in subject {one.subject.partition("/")[2]}.',
                "Mend the insertion if that is wrong",
                NextStep("list-subjects"),
            )


def _of_others(world: World, row: Session) -> list[Any]:
    """The clusterings of other people that stand on the session."""
    links = world.state.clustering_sessions.where("session = ?", [row.id])
    world.state.clusterings.prefetch(link.clustering for link in links)
    found = [world.state.clusterings[link.clustering] for link in links]
    found += world.state.clusterings.where("session = ?", [row.id])
    return [
        one
        for one in found
        if one.username != row.username and one.status in ("pending", "waiting", "inserted")
    ]


# --- what is added ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Resolved:
    tasks: list[dict[str, Any]] | None = None
    probes: list[dict[str, Any]] | None = None
    remarks: list[dict[str, Any]] = field(default_factory=list)


def amend(
    daybook: Daybook,
    session: int,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    reason: str | None = None,
    despite_serial: bool = False,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    command_id: str | None = None,
) -> ChangeMade:
    """Add what the file says of the session beyond what is on record. Raises Refusal where it says something else, or
    no more; Rejected where what it says is wrong."""
    asked = sha256(data + (reason or "").encode()).hexdigest()
    known_id = checked_command_id(command_id)
    if command_id is not None:
        daybook.require(lambda world: require_session_owner(world, ACTION, session))
        again = AmendSession.model_construct(command_id=known_id, session=session, asked=asked)
        earlier = daybook.earlier(again)
        if earlier is not None:
            return earlier.result
    current = current_session(daybook, session, ACTION)
    given = _entry_at(data, current, filename, roots, limits)
    found = merged(current.entry, given)
    if found.overwritten:
        raise Refusal(
            "would-overwrite",
            f"The file says something else than session s{session} in {', '.join(found.overwritten[:5])}.",
            "What is on record is replaced by a correction",
            NextStep("request-correction", arguments={"file": filename, "reason": None}),
        )
    if not found.fields:
        raise Refusal(
            "nothing-to-add", f"The file says no more of session s{session} than is on record.", "",
            NextStep("show", f"s{session}"),
        )  # fmt: skip
    _refuse_waiting_association(current, found.fields)
    check_completed(daybook, current, found.entry, roots)
    require_reason(reason if despite_serial else "")
    resolved = _resolve(daybook, current, found, roots, filename if not despite_serial else None)
    plain = entry_plain(found.entry)
    command = AmendSession(
        command_id=known_id,
        session=session,
        version=current.row.version,
        fields={name: plain[name] for name in sorted(found.fields)},
        completed=plain,
        tasks=resolved.tasks,
        probes=resolved.probes,
        remarks=resolved.remarks,
        despite_serial=despite_serial,
        asked=asked,
        reason=_LEFT_OUT if reason is None else reason,
    )
    return daybook.submit(command).result


def _entry_at(data: bytes, current: Current, filename: str, roots: Roots, limits: Limits) -> SessionEntry:
    """The file's entry at the session's location."""
    read = read_input_file(data, filename=filename, limits=limits)
    entries = read.input_file.sessions if read.input_file is not None else ()
    for entry in entries:
        if place(entry.location, roots) == current.row.location:
            return entry
    if any(finding.severity == "error" for finding in read.findings):
        raise Rejected(tuple(read.findings))
    raise Refusal(
        "no-entry",
        f"The file has no session at {current.row.location}, which is that of s{current.row.id}.",
        "Give the input file that describes it.",
    )


def _refuse_waiting_association(current: Current, fields: set[str]) -> None:
    if "probe_association" in fields and current.row.status != "inserted":
        raise Refusal(
            "not-inserted",
            f"Session s{current.row.id} is {current.row.status}: its probes are not settled yet.",
            "Say which is which",
            NextStep("associate", f"s{current.row.id}", {"NAME_ON_DISK": "PROBE"}),
        )


def _resolve(
    daybook: Daybook, current: Current, found: Merged, roots: Roots, heeding: str | None
) -> _Resolved:
    """Of an inserted session: its tasks as they stand, with what is added, and the probes that are others. ``heeding``:
    the name of the file, where the serial numbers on disk are not to be contradicted."""
    if current.row.status != "inserted":
        return _Resolved()
    tasks, probes = None, None
    remarks: list[dict[str, Any]] = []
    if "tasks" in found.fields:
        tasks, remarks = _resolved_tasks(daybook, current, found.entry, roots)
    if "probe_association" in found.fields:
        probes = _other_probes(daybook, current, found.entry, roots, heeding)
    return _Resolved(tasks, probes, remarks)


def _resolved_tasks(
    daybook: Daybook, current: Current, entry: SessionEntry, roots: Roots
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with daybook.reading() as world:
        stored = tasks_of(world, current.row.id)
    new: list[dict[str, Any]] = []
    remarks: list[dict[str, Any]] = []
    if len(entry.tasks) > len(stored):
        resolved, _, remarks = resolve_tasks(current, entry, roots)
        new = resolved[len(stored) :]
    plain = [entry_plain(task) for task in entry.tasks]
    together = []
    for row, before, now in zip(stored, current.entry.tasks, plain, strict=False):
        was = entry_plain(before)
        together.append(row | {name: now[name] for name in _OF_A_TASK if now.get(name) != was.get(name)})
    return [*together, *stored[len(together) :], *new], remarks


def _other_probes(
    daybook: Daybook, current: Current, entry: SessionEntry, roots: Roots, heeding: str | None
) -> list[dict[str, Any]] | None:
    with daybook.reading() as world:
        present = present_for(world, [current.row])[current.row.id]
        rows = world.state.probes.where("session = ?", [current.row.id])
    association = entry.probe_association or {}
    names = {row.name for row in rows}
    unknown = [name for name in association if name not in names]
    if unknown:
        raise Refusal(
            "unknown-probe-on-disk",
            f'Session s{current.row.id} has no probe "{unknown[0]}" on record.',
            f"Its probes are {', '.join(sorted(names))}.",
            NextStep("show", f"s{current.row.id}"),
        )
    if heeding is None:
        present = replace(present, decided=replace(present.decided, despite_serial=True))
    _refuse_contradicted(current, entry, present, roots, heeding)
    others = [
        {"name": row.name, "probe": association[row.name], "matched_by": "given"}
        for row in rows
        if association.get(row.name, row.probe) != row.probe
    ]
    return others or None


def _refuse_contradicted(
    current: Current, entry: SessionEntry, present: Present, roots: Roots, heeding: str | None
) -> None:
    try:
        against = refuse_association(entry, current.row.location, roots, present)
    except (SessionDirectoryError, LocationError) as error:
        raise Refusal(error.code, error.message, error.hint) from error
    if against is not None:
        raise Refusal(
            against.reason,
            against.message,
            "Nothing was changed. If it is meant all the same",
            NextStep(
                "amend", f"s{current.row.id}", {"file": heeding, "despite_serial": "yes", "reason": None}
            ),
        )
