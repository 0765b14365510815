"""What a corrected file would change: which records it replaces, with what, and what becomes of all that stands on
them.

The file is compared with the ledger at one moment, then checked by stages 2 and 3 as if the replaced records were gone.
Reads the ledger and the disk, one after the other; appends nothing.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from commands.door.submit import Daybook
from commands.door.world import World
from commands.inputfile.check import Checked
from commands.inputfile.entries import GroupClusteringEntry, InputFile, SessionEntry
from commands.inputfile.findings import Finding
from commands.inputfile.known import Known
from commands.inputfile.read import ReadResult
from commands.intake.additions import with_additions
from commands.intake.association import Implanted
from commands.intake.duplicates import Meant, group_differences, place, session_differences, stands_on
from commands.intake.insertion import (
    Decided,
    Find,
    Present,
    SessionOutcome,
    StoodOn,
    insert_group,
    insert_session,
)
from commands.intake.known import links_of, load_known
from commands.intake.nested import Finder
from commands.intake.reading import looked_at_each
from commands.intake.redacted_entries import redacted_entries
from commands.intake.validation import Validation, check_against
from commands.recordings.insertions import Insertion
from commands.recordings.roots import Roots
from commands.requests.correction.dependents import Dependent, with_fates
from commands.requests.correction.matching import Matches, standing_sessions
from commands.requests.impact import Impact, impact_of
from commands.stored import (
    current_entries,
    experimenters,
    insertions,
    probes_of,
    requested_entries,
    requested_groups,
    taken_at,
)
from ledger.events import (
    ClusteringInserted,
    ClusteringInsertFailed,
    ClusteringWaiting,
    SessionInserted,
    SessionInsertFailed,
)
from projections.records import Clustering, Session


@dataclass(slots=True)
class SessionChange:
    """``given`` is the file's entry; ``entry`` the same with what commands have added since and the file does not
    contradict, which is ``kept``. ``location`` is normalised. ``outcome`` is what stage 3 makes of the entry."""

    old: Session
    matched_by: str
    given: SessionEntry
    entry: SessionEntry
    kept: dict[str, Any]
    location: str
    differences: list[dict[str, Any]]
    leads_to: str | None = None
    outcome: SessionOutcome | None = None

    @property
    def inserted(self) -> SessionInserted | None:
        event = self.outcome.event if self.outcome is not None else None
        return event if isinstance(event, SessionInserted) else None


@dataclass(slots=True)
class GroupChange:
    """Of a multi-session clustering. ``sessions`` are those that it will stand on, a replaced one for its
    replacement. ``outcome`` is None where it waits for one of them."""

    old: Clustering
    matched_by: str
    given: GroupClusteringEntry
    location: str
    differences: list[dict[str, Any]]
    sessions: tuple[int, ...] = ()
    outcome: ClusteringInserted | ClusteringWaiting | ClusteringInsertFailed | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry whose record is another person's: it differs, and stays as it is."""

    index: int
    row: Session | Clustering
    differences: list[dict[str, Any]]


@dataclass(slots=True)
class Plan:
    """``sessions`` and ``groups`` are what is replaced; ``left_out`` are other people's records in a file that has some
    of the requester's too; ``unchanged_*`` and ``new_*`` are indexes of the file; ``absent`` are sessions of the same
    owners and subjects that the file does not have. ``statuses`` are those of the other sessions that replaced
    clusterings will stand on."""

    validation: Validation
    findings: tuple[Finding, ...]
    subject: str = ""
    at: int = 0
    probes: dict[str, str | None] = field(default_factory=dict)
    insertions: tuple[Insertion, ...] = ()
    experimenters: Collection[str] = frozenset()
    taken: dict[int, dict[str, str]] = field(default_factory=dict)
    sessions: list[SessionChange] = field(default_factory=list)
    groups: list[GroupChange] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    unchanged_sessions: list[int] = field(default_factory=list)
    unchanged_groups: list[int] = field(default_factory=list)
    new_sessions: list[int] = field(default_factory=list)
    new_groups: list[int] = field(default_factory=list)
    absent: list[Session] = field(default_factory=list)
    impact: Impact | None = None
    dependents: list[Dependent] = field(default_factory=list)
    statuses: dict[int, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def replaced(self) -> list[Session | Clustering]:
        return [*(change.old for change in self.sessions), *(change.old for change in self.groups)]

    def becoming(self, *fates: str) -> list[Dependent]:
        return [dependent for dependent in self.dependents if dependent.becomes in fates]


def make_plan(
    daybook: Daybook,
    read: ReadResult,
    roots: Roots,
    matches_in: Callable[[World, InputFile], Matches],
    *,
    whole: bool = True,
    requester: str | None = None,
    reading: Callable[[], AbstractContextManager[World]] | None = None,
    notices: Sequence[Finding] = (),
) -> Plan:
    """``matches_in`` says which record each entry stands for; unless the ``whole`` file is wanted, the others are left
    out. Of a file that has records of the ``requester`` and of others, only the former are replaced. Where a finding
    is an error, the plan cannot be carried out, and is made only as far as it could be. ``notices`` are what there is
    to say of the file beyond what is read of it."""
    if read.input_file is None:
        return Plan(Validation(read.stage, read.findings, more=read.more), read.findings)
    reading = reading or daybook.reading
    finder, links = Finder(roots), dict[str, str]()
    while True:
        plan = Plan(Validation(read.stage, read.findings, more=read.more), read.findings)
        with reading() as world:
            matches = matches_in(world, read.input_file)
            input_file = read.input_file if whole else _matched_only(read.input_file, matches)
            _compare(world, plan, input_file, matches, roots, requester)
            everything = load_known(world, input_file, roots, links, read.cut)
            said = [*notices, *redacted_entries(world, input_file, read.position)]
        found = links_of(input_file, everything, roots, finder)
        if found.keys() <= links.keys():
            break
        links |= found  # what they lead to has to be asked of the ledger as well
    known = _without_replaced(everything, plan)
    find = finder.find
    for change in plan.sessions:
        change.leads_to = links.get(change.location)
    if plan.ok:
        _look_at_sessions(plan, roots, find)
    known = _with_new_times(known, plan)
    read = replace(read, input_file=input_file)
    plan.validation = check_against(read, known, roots, at=plan.at, find=find, said=said)
    assert plan.validation.checked is not None  # noqa: S101 - the file passed stage 1
    located = _Located(read)
    plan.findings = (
        *plan.validation.findings,
        *_references(plan, plan.validation.checked, located),
    )
    if plan.ok:
        _look_at_groups(reading, plan, find, roots)
        plan.findings = (*plan.findings, *_failures(plan, known, located))
    plan.dependents = with_fates(
        plan.dependents,
        subject=plan.subject,
        outcomes={change.old.id: change.outcome for change in plan.sessions},
        replaced={change.old.id for change in plan.groups},
    )
    return plan


def _matched_only(input_file: InputFile, matches: Matches) -> InputFile:
    return replace(
        input_file,
        sessions=tuple(entry for entry in input_file.sessions if entry.index in matches.sessions),
        clustering=tuple(entry for entry in input_file.clustering if entry.index in matches.clusterings),
    )


# --- against the ledger ---------------------------------------------------------------------------------------------


def _compare(
    world: World, plan: Plan, input_file: InputFile, matches: Matches, roots: Roots, requester: str | None
) -> None:
    plan.subject = f"{input_file.subject.datasource_id}/{input_file.subject.name}"
    plan.at = world.head.size
    plan.probes = probes_of(world, plan.subject)
    plan.insertions, plan.experimenters = insertions(world), experimenters(world)
    matched = _compare_sessions(world, plan, input_file, matches, roots)
    _compare_groups(world, plan, input_file, matches, roots)
    if requester is not None:
        _leave_others_out(world, plan, matched, matches, requester)
    plan.taken = taken_at(world, [change.old for change in plan.sessions])
    plan.impact = impact_of(
        world,
        sessions=[change.old.id for change in plan.sessions],
        clusterings=[change.old.id for change in plan.groups],
    )
    gone = set(plan.impact.sessions)
    links = stands_on(world, plan.impact.clusterings)
    for number in plan.impact.clusterings:
        row = world.state.clusterings[number]
        on = (row.session,) if row.session is not None else links[number]
        plan.dependents.append(Dependent(row, tuple(session for session in on if session in gone), ""))
    owners = {row.username for row in matched} or {world.owner}
    subjects = {plan.subject, *(row.subject for row in matched)}
    in_file = {row.id for row in matched}
    plan.absent = [row for row in standing_sessions(world, subjects, owners) if row.id not in in_file]


def _leave_others_out(
    world: World, plan: Plan, sessions: list[Session], matches: Matches, requester: str
) -> None:
    """Several people keep one file: each corrects his or her own records, and the rest stays."""
    rows: list[Session | Clustering] = [*sessions]
    rows += [world.state.clusterings[match.record] for match in matches.clusterings.values()]
    if {requester} >= (owners := {row.username for row in rows}) or requester not in owners:
        return
    changes: list[SessionChange | GroupChange] = [*plan.sessions, *plan.groups]
    for change in changes:
        if change.old.username != requester:
            plan.left_out.append(LeftOut(change.given.index, change.old, change.differences))
    plan.sessions = [change for change in plan.sessions if change.old.username == requester]
    plan.groups = [change for change in plan.groups if change.old.username == requester]


def _compare_sessions(
    world: World, plan: Plan, input_file: InputFile, matches: Matches, roots: Roots
) -> list[Session]:
    """Returns the sessions that the entries stand for."""
    entries = [entry for entry in input_file.sessions if entry.index in matches.sessions]
    plan.new_sessions = [entry.index for entry in input_file.sessions if entry.index not in matches.sessions]
    numbers = [matches.sessions[entry.index].record for entry in entries]
    world.state.sessions.prefetch(numbers)
    rows = [world.state.sessions[number] for number in numbers]
    requested = requested_entries(world, [row for row in rows if row.entry is not None])
    for given, row, stored in zip(entries, rows, current_entries(world, rows), strict=True):
        match = matches.sessions[given.index]
        entry, kept = given, dict[str, Any]()
        if row.id in requested:
            entry, kept = with_additions(given, requested[row.id], stored, probes=plan.probes, roots=roots)
        found = [] if match.stays else session_differences(row, stored, entry, plan.subject, roots)
        if found:
            location = place(given.location, roots)
            plan.sessions.append(SessionChange(row, match.by, given, entry, kept, location, found))
        else:
            plan.unchanged_sessions.append(given.index)
    return rows


def _compare_groups(world: World, plan: Plan, input_file: InputFile, matches: Matches, roots: Roots) -> None:
    numbers = {index: match.record for index, match in matches.clusterings.items()}
    world.state.clusterings.prefetch(numbers.values())
    stored = requested_groups(world, numbers.values())
    links = stands_on(world, numbers.values())
    names = {
        entry.name: matches.sessions[entry.index].record if entry.index in matches.sessions else None
        for entry in input_file.sessions
        if entry.name is not None
    }
    times = {row.session_time: row.session for row in world.state.times.where("subject = ?", [plan.subject])}
    meant = Meant(names, times)
    for given in input_file.clustering:
        if given.index not in numbers:
            plan.new_groups.append(given.index)
            continue
        match, row = matches.clusterings[given.index], world.state.clusterings[numbers[given.index]]
        found: list[dict[str, Any]] = []
        if not match.stays:
            if row.subject != plan.subject:
                names_of = (row.subject.partition("/")[2], plan.subject.partition("/")[2])
                found += [{"field": "subject", "stored": names_of[0], "given": names_of[1]}]
            found += group_differences(stored[row.id], given, links[row.id], meant, roots)
        if found:
            plan.groups.append(GroupChange(row, match.by, given, place(given.location, roots), found))
        else:
            plan.unchanged_groups.append(given.index)


# --- as if the replaced records were gone ---------------------------------------------------------------------------


def _without_replaced(known: Known, plan: Plan) -> Known:
    """Their keys are free."""
    gone = {change.old.id for change in plan.sessions}
    groups = {change.old.id for change in plan.groups}
    return replace(
        known,
        session_times={time: session for time, session in known.session_times.items() if session not in gone},
        locations={place: held for place, held in known.locations.items() if held.session not in gone},
        overlaps={
            place: [one for one in found if one.session not in gone]
            for place, found in known.overlaps.items()
        },
        groups={name: held for name, held in known.groups.items() if held.clustering not in groups},
    )


def _look_at_sessions(plan: Plan, roots: Roots, find: Find) -> None:
    def look(change: SessionChange) -> SessionOutcome:
        return insert_session(
            change.entry, change.location, roots=roots, find=find, present=_present(plan, change),
            uploader=change.old.username, session=change.old.id,
        )  # fmt: skip

    for change, outcome in zip(plan.sessions, looked_at_each(plan.sessions, look), strict=True):
        change.outcome = outcome


def _present(plan: Plan, change: SessionChange) -> Present:
    """What was decided on the old session holds of the new one, and what other subjects' sessions have stays theirs."""
    taken = plan.taken.get(change.old.id, {})
    return Present(
        Implanted(plan.subject, plan.insertions, taken), plan.experimenters, Decided.of(change.old.decided)
    )


def _with_new_times(known: Known, plan: Plan) -> Known:
    """A replaced session is found by the time that it will have, under its old number; where that is not known yet, by
    the one it had."""
    times = dict(known.session_times)
    for change in plan.sessions:
        if change.inserted is not None:
            times.setdefault(change.inserted.session_time, change.old.id)
    for change in plan.sessions:
        if change.inserted is None and change.old.session_time is not None:
            times.setdefault(change.old.session_time, change.old.id)
    return replace(known, session_times=times)


@dataclass(frozen=True, slots=True)
class _Located:
    """Findings of a correction, with their places in the file."""

    read: ReadResult

    def error(self, stage: int, path: str, code: str, message: str, hint: str) -> Finding:
        line, column = self.read.position(path) or (None, None)
        return Finding(stage, "error", code, path, line, column, message, hint)


def _references(plan: Plan, checked: Checked, located: _Located) -> Iterator[Finding]:
    """Find what replaced clusterings will stand on. An entry whose new location was taken, or that stands on an
    entry which is not in the ledger, is an error."""
    by_index = {change.given.index: change.old.id for change in plan.sessions}
    others = {each.index: each.row.id for each in plan.left_out if isinstance(each.row, Session)}
    for session in checked.sessions:
        if session.entry.index in by_index and session.duplicate_of is not None:
            path = f"sessions[{session.entry.index}].location"
            message = f"location {session.location} is that of session s{session.duplicate_of}."
            yield located.error(2, path, "location-taken", message, "A session is entered once.")
    groups = {change.given.index: change for change in plan.groups}
    for clustering in checked.clusterings:
        change = groups.get(clustering.entry.index)
        if change is None:
            continue
        numbers: list[int] = []
        for reference in clustering.sessions:
            number = reference.session or (others | by_index).get(int(reference.index or 0))
            if number is None:
                path = f"clustering[{change.given.index}].sessions"
                message = f"sessions[{reference.index}], on which it stands, is not in the ledger yet."
                hint = "Upload the file first, then correct."
                yield located.error(2, path, "session-is-new", message, hint)
            else:
                numbers.append(number)
        change.sessions = tuple(numbers)


def _look_at_groups(
    reading: Callable[[], AbstractContextManager[World]], plan: Plan, find: Find, roots: Roots
) -> None:
    replaced = {change.old.id: change for change in plan.sessions}
    others = {number for change in plan.groups for number in change.sessions if number not in replaced}
    with reading() as world:
        world.state.sessions.prefetch(others)
        plan.statuses = {number: world.state.sessions[number].status for number in sorted(others)}
    inserted = {number for number, status in plan.statuses.items() if status == "inserted"}
    inserted.update(number for number, change in replaced.items() if change.inserted is not None)
    for group in plan.groups:
        if inserted.issuperset(group.sessions):
            sessions = dict.fromkeys(group.sessions, StoodOn("inserted"))
            group.outcome = insert_group(
                group.given, group.location, roots=roots, find=find, sessions=sessions
            )


def _contradicted(plan: Plan, change: SessionChange, holder: int | None, located: _Located) -> Finding | None:
    """A name or a place in the file counts only where the recording does not contradict it: it is not that of another
    session. ``holder`` has its session_time, unless that is replaced as well."""
    if change.matched_by not in ("name", "place") or change.inserted is None:
        return None
    time = change.inserted.session_time
    if holder in {c.old.id for c in plan.sessions}:
        holder = next((c.old.id for c in plan.sessions if c.old.session_time == time), None)
    elif holder not in {row.id for row in plan.absent}:
        return None  # the file has that too: this is a copy of it
    if holder is None or change.old.session_time == time:
        return None
    path = f"sessions[{change.given.index}].{'name' if change.matched_by == 'name' else 'location'}"
    by = f'name "{change.given.name}"' if change.matched_by == "name" else "place in the file"
    message = (
        f"By its {by} this is s{change.old.id}, but its recording began at {time}, as that of s{holder} did."
    )
    hint = (
        "If the recordings were only moved, upload the file: an upload knows them by what was recorded. Else give each "
        "entry the name that it had when it was uploaded."
    )
    return located.error(3, path, "match-contradicted", message, hint)


def _only_moved(change: SessionChange, located: _Located) -> Finding | None:
    """An upload keeps the session and all that stands on it; a correction deletes it and inserts it again."""
    if [each["field"] for each in change.differences] != ["location"] or change.inserted is None:
        return None
    if change.old.status != "inserted" or change.inserted.session_time != change.old.session_time:
        return None
    path = f"sessions[{change.given.index}].location"
    line, column = located.read.position(path) or (None, None)
    message = f"s{change.old.id} was recorded at the same time: if its recordings were only moved, nothing has to go."
    hint = "Upload the file instead: an upload knows them, and the session keeps its number."
    return Finding(3, "warning", "only-moved", path, line, column, message, hint)


def _failures(plan: Plan, known: Known, located: _Located) -> Iterator[Finding]:
    """What would fail at stage 3."""
    for change in plan.sessions:
        path = f"sessions[{change.given.index}]"
        event = change.outcome.event if change.outcome is not None else None
        if isinstance(event, SessionInsertFailed):
            yield located.error(3, path, event.code, event.message, event.hint)
        if (moved := _only_moved(change, located)) is not None:
            yield moved
        if change.inserted is not None:
            holder = known.session_times.get(change.inserted.session_time)
            contradicted = _contradicted(plan, change, holder, located)
            if contradicted is not None:
                yield contradicted
            elif holder != change.old.id:
                name = plan.subject.partition("/")[2]
                message = f"Session s{holder} of subject {name} has the same session_time, "
                hint = "One of the two locations is a copy, or belongs to another subject."
                time = change.inserted.session_time
                yield located.error(3, f"{path}.location", "session-time-taken", f"{message}{time}.", hint)
    for group in plan.groups:
        if isinstance(group.outcome, ClusteringInsertFailed):
            outcome, path = group.outcome, f"clustering[{group.given.index}]"
            yield located.error(3, path, outcome.code, outcome.message, outcome.hint)
