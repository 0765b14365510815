"""Add to a session what its file left out: probe association, tasks, a clustering, room, project, notes.

The same checks as for an input file, by the same code: what is given is put into the session's entry, and the entry
is checked as stage 2 checks a new one. Only what is missing can be added; nothing here overwrites.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from commands.door.submit import Daybook
from commands.inputfile.canonical import entry_json
from commands.inputfile.check import check
from commands.inputfile.entries import ClusteringEntry, InputFile, SessionEntry, SubjectEntry
from commands.inputfile.findings import Finding
from commands.inputfile.read import Limits, read_tasks
from commands.intake.completing import (
    ACTIONS,
    ADD_CLUSTERING,
    ClusteringAdded,
    CompletedSession,
    Current,
    Order,
)
from commands.intake.completing import (
    current_session as _current,
)
from commands.intake.duplicates import place
from commands.intake.insertion import (
    Present,
    SessionOutcome,
    insert_single,
    is_local_time,
    open_session,
    refuse_association,
    resolve_given_tasks,
)
from commands.intake.known import load_known
from commands.intake.settling import present_for
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from commands.recordings.search import Search
from commands.recordings.session import SessionDirectoryError
from commands.stored import probes_of, standing_remarks
from ledger.errors import NextStep, Refusal
from ledger.events import (
    MoreFound,
    ProbesAssociated,
    SessionAnnotated,
    SessionWaiting,
    TasksAdded,
)
from ledger.plurals import plural

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Rejected(Refusal):
    """What was given does not pass the checks; ``findings`` say why."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        errors = [finding for finding in findings if finding.severity == "error"]
        super().__init__(errors[0].code, errors[0].message, errors[0].hint)
        self.findings = findings


def associate(
    daybook: Daybook,
    session: int,
    association: Mapping[str, str],
    *,
    roots: Roots,
    despite_serial: bool = False,
    reason: str | None = None,
    command_id: str | None = None,
) -> CompletedSession:
    """Say which probe of the subject each probe on disk is, and try the session again at once. ``despite_serial``:
    this is meant although the serial numbers on disk say otherwise, for this ``reason``.
    """
    given = {**association, "despite_serial": despite_serial, "reason": reason}
    order = Order(daybook, session, command_id, ACTIONS[ProbesAssociated], given)
    if order.done is not None:
        return order.session(roots)
    current = _current(daybook, session, ACTIONS[ProbesAssociated])
    if current.row.status not in ("pending", "waiting"):
        raise Refusal(
            "not-waiting",
            f"Session s{session} is {current.row.status}; its probes are not open.",
            "Write which probe it is into the probe_association of the input file, and add what it says by that",
            NextStep("amend", f"s{session}", {"file": None}),
        )
    if not association:
        raise Refusal("nothing-given", "There is no probe to associate.", "Give NAME_ON_DISK=PROBE.")
    require_reason(reason if despite_serial else "")
    with daybook.reading() as world:
        probes = probes_of(world, current.row.subject)
        present = present_for(world, [current.row])[current.row.id]
    before = current.entry.probe_association or {}
    contradicts = current.row.reason in ("serial-contradicts", "probe-of-another-subject")
    for name, probe in association.items():
        if contradicts:
            break  # what was said before is to be mended
        if before.get(name, probe) != probe and probes.get(before[name], "gone") is None:
            raise Refusal(
                "has-association",
                f'"{name}" of session s{session} is associated with probe "{before[name]}" already.',
                "Mend the input file, take the session back, and upload it again",
                NextStep("withdraw", f"s{session}"),
            )
    entry = replace(current.entry, probe_association={**before, **association})
    check_completed(daybook, current, entry, roots)
    if despite_serial:
        present = replace(present, decided=replace(present.decided, despite_serial=True))
    _try_association(current, entry, present, association, roots)
    order.submit(
        current,
        ProbesAssociated(
            association=dict(association),
            completed=_plain(entry),
            despite_serial=despite_serial,
            reason=reason if despite_serial else None,
        ),
    )
    return order.session(roots)


def require_reason(reason: str | None) -> None:
    """A decision against what the disk says needs the person's reason. Raises Refusal."""
    if reason is None or (reason and not reason.strip()):
        raise Refusal(
            "no-reason", "This needs a reason, which stays with the session.", "Say why, in a sentence."
        )
    _refuse_control_characters(reason, "reason")


def _try_association(
    current: Current, entry: SessionEntry, present: Present, association: Mapping[str, str], roots: Roots
) -> None:
    """Raises Refusal where the session would fail by it, or would still wait because the serial numbers say
    otherwise: a slip of the pen must not cost the session.
    """
    try:
        against = refuse_association(entry, current.row.location, roots, present)
    except (SessionDirectoryError, LocationError) as error:
        raise Refusal(error.code, error.message, error.hint) from error
    if against is not None:
        meant: dict[str, str | None] = {**association, "despite_serial": "yes", "reason": None}
        raise Refusal(
            against.reason,
            against.message,
            "Nothing was changed. If it is meant all the same",
            NextStep("associate", f"s{current.row.id}", meant),
        )


def add_tasks(
    daybook: Daybook,
    session: int,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008
    command_id: str | None = None,
) -> CompletedSession:
    """Add the tasks of a YAML or JSON file (a list of tasks, or a mapping with the key ``tasks``) to a session."""
    order = Order(daybook, session, command_id, ACTIONS[TasksAdded], sha256(data).hexdigest())
    if order.done is not None:
        return order.session(roots)
    current = _current(daybook, session, ACTIONS[TasksAdded])
    if current.entry.tasks:
        raise Refusal(
            "has-tasks",
            f"Session s{session} already has {plural(len(current.entry.tasks), 'task')}.",
            "Write the further ones behind them into the input file, and add what it says by that",
            NextStep("amend", f"s{session}", {"file": None}),
        )
    tasks, findings = read_tasks(data, filename=filename, limits=limits)
    if tasks is None:
        raise Rejected(findings)
    if not tasks:
        raise Refusal("nothing-given", "The file lists no tasks.", "List one entry for each task.")
    entry = replace(current.entry, tasks=tasks)
    check_completed(daybook, current, entry, roots)
    resolved, sessions_txt, more = None, None, None
    if current.row.status == "inserted":
        resolved, sessions_txt, outside = resolve_tasks(current, entry, roots)
        more = _with_remarks(daybook, session, outside)
    event = TasksAdded(completed=_plain(entry), tasks=resolved, sessions_txt=sessions_txt)
    order.submit(current, event, more=more)
    return order.session(roots if resolved is None else None)


def _with_remarks(daybook: Daybook, session: int, added: list[dict[str, Any]]) -> MoreFound | None:
    """The event that leaves these remarks on an inserted session; None where there are none."""
    if not added:
        return None
    with daybook.reading() as world:
        remarks, names = standing_remarks(world, session)
    return MoreFound(recordings=[], probes=[], remarks=[*remarks, *added], open=names)


def resolve_tasks(
    current: Current, entry: SessionEntry, roots: Roots
) -> tuple[list[dict[str, Any]], dict[str, Any] | None, list[dict[str, Any]]]:
    outcome = resolve_given_tasks(entry, current.row.location, roots)
    if isinstance(outcome, SessionOutcome):
        event = outcome.event
        code = event.reason if isinstance(event, SessionWaiting) else getattr(event, "code", "tasks")
        raise Refusal(
            code, str(getattr(event, "message", "")), "Nothing was added: mend it and repeat the command."
        )
    return outcome


def add_clustering(
    daybook: Daybook,
    session: int,
    clustering: ClusteringEntry,
    *,
    roots: Roots,
    command_id: str | None = None,
) -> ClusteringAdded:
    """Add a single-session clustering to an inserted session."""
    order = Order(daybook, session, command_id, ADD_CLUSTERING, asdict(clustering))
    if order.done is not None:
        return order.clustering()
    current = _current(daybook, session, ADD_CLUSTERING)
    if current.row.status != "inserted":
        raise Refusal(
            "not-inserted",
            f"Session s{session} is {current.row.status}: a clustering stands on an inserted session.",
            "",
            NextStep("why", f"s{session}"),
        )
    _refuse_bad_time(clustering)
    _refuse_control_characters(clustering.notes)
    check_completed(daybook, current, replace(current.entry, clustering=(clustering,)), roots)
    known = _known_clusterings(daybook, current, roots)
    entry = replace(current.entry, clustering=(*known.values(), clustering))
    _refuse_known_clustering(session, clustering, known, roots)
    try:
        find = Search(roots).directory
        probes = open_session(current.row.location, find, clusterings=False, zone=roots.zone).found.probes
        with daybook.reading() as world:
            names = {row.name for row in world.state.probes.where("session = ?", [session])}
        inserted = insert_single(
            clustering, roots=roots, find=find, probes=[probe for probe in probes if probe.name in names or not names],
            session=session, start=datetime.fromisoformat(str(current.row.session_time)),
        )  # fmt: skip
    except (SessionDirectoryError, LocationError) as error:
        raise Refusal(error.code, error.message, error.hint) from error
    event = SessionAnnotated(fields={"clustering": inserted.location}, completed=_plain(entry))
    order.submit(current, event, inserted, settles=_waiting_at(daybook, session, inserted.location))
    return order.clustering()


def _waiting_at(daybook: Daybook, session: int, location: str) -> tuple[int, int] | None:
    """The clustering of the session that waits for just this: at the location, or above it; and its version."""
    with daybook.reading() as world:
        rows = world.state.clusterings.where("session = ? AND status IN ('pending', 'waiting')", [session])
    for row in rows:
        if location == row.location or location.startswith(f"{row.location.rstrip('/')}/"):
            return row.id, row.version
    return (rows[0].id, rows[0].version) if len(rows) == 1 else None


def _known_clusterings(daybook: Daybook, current: Current, roots: Roots) -> dict[int, ClusteringEntry]:
    """The clusterings that the session has now, as its input file would list them. Its entry may still list one that
    was deleted, or added again since.
    """
    with daybook.reading() as world:
        rows = world.state.clusterings.where("session = ? AND status = 'inserted'", [current.row.id])
    listed = current.entry.clustering if isinstance(current.entry.clustering, tuple) else ()
    by_location = {place(entry.location, roots): entry for entry in listed}
    in_order = listed if len(listed) == len(rows) else ()  # a root may be gone, and a location spelled anew
    known = {}
    for index, row in enumerate(rows):
        entry = by_location.get(row.location) or (in_order[index] if in_order else None)
        known[row.id] = entry or ClusteringEntry(row.curator, row.location, notes=row.notes)
    return known


def _refuse_bad_time(clustering: ClusteringEntry) -> None:
    """The same text as stage 1 makes of a date-time."""
    if clustering.curation_time is not True and not is_local_time(str(clustering.curation_time)):
        raise Refusal(
            "date-time",
            f'curation_time "{clustering.curation_time}" is not a local time.',
            "Write it as in 2023-04-05 12:13:14, without a time zone.",
        )


def _refuse_control_characters(notes: str | None, what: str = "notes") -> None:
    """What stage 1 refuses in the notes of an input file."""
    found = _CONTROL.search(notes or "")
    if found is not None:
        raise Refusal(
            "control-character",
            f"{what} holds the character U+{ord(found[0]):04X}; expected text without control characters.",
            "Type the text anew rather than copying it.",
        )


def _refuse_known_clustering(
    session: int, clustering: ClusteringEntry, known: Mapping[int, ClusteringEntry], roots: Roots
) -> None:
    location = normalise(clustering.location, roots)
    for number, other in known.items():
        if place(other.location, roots) == location:
            raise Refusal(
                "clustering-known",
                f"Session s{session} has the clustering at {location} already: c{number}.",
                "",
                NextStep("show", f"c{number}"),
            )


def annotate(
    daybook: Daybook,
    session: int,
    *,
    roots: Roots,
    room: str | None = None,
    project: tuple[str, ...] = (),
    notes: str | None = None,
    command_id: str | None = None,
) -> CompletedSession:
    """Add room, project or notes where the session has none."""
    projects = tuple(dict.fromkeys(project))
    given: dict[str, Any] = {"room": room, "project": projects or None, "notes": notes}
    fields = {name: value for name, value in given.items() if value not in (None, "")}
    order = Order(daybook, session, command_id, ACTIONS[SessionAnnotated], fields)
    if order.done is not None:
        return order.session()
    current = _current(daybook, session, ACTIONS[SessionAnnotated])
    _refuse_control_characters(notes)
    if not fields:
        raise Refusal("nothing-given", "There is nothing to add.", "Give a room, a project or notes.")
    for name in fields:
        if getattr(current.entry, name):
            raise Refusal(
                f"has-{name}",
                f'Session s{session} has its {name} already: "{_shown(getattr(current.entry, name))}".',
                "Write it into the input file, then add what is new, or correct what is there",
                NextStep("amend", f"s{session}", {"file": None}),
                NextStep("request-correction", arguments={"file": None, "reason": None}),
            )
    entry = replace(current.entry, **fields)
    check_completed(daybook, current, entry, roots)
    order.submit(current, SessionAnnotated(fields=fields, completed=_plain(entry)))
    return order.session()


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


# --- the way of every one of them ------------------------------------------------------------------------------------


def check_completed(daybook: Daybook, current: Current, entry: SessionEntry, roots: Roots) -> None:
    """Stage 2 on the completed entry, as if it were new. Raises Rejected for findings that it did not have before."""
    datasource, _, name = current.row.subject.partition("/")
    with daybook.reading() as world:
        known = load_known(world, InputFile(SubjectEntry(name, int(datasource)), (entry,)), roots)
    known = replace(known, locations={})  # it holds its own location
    found = [
        check(
            InputFile(SubjectEntry(name, int(datasource)), (candidate,)), known, roots,
            position=lambda path: None,
        ).findings
        for candidate in (current.entry, entry)
    ]  # fmt: skip
    before = {(finding.code, finding.message) for finding in found[0]}
    new = tuple(finding for finding in found[1] if (finding.code, finding.message) not in before)
    if any(finding.severity == "error" for finding in new):
        raise Rejected(new)


def _plain(entry: SessionEntry) -> dict[str, Any]:
    plain: dict[str, Any] = orjson.loads(entry_json(entry))
    return plain
