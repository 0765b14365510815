"""Make the plan of a correction.

The file is compared with the ledger at one moment, then checked by stages 2 and 3 as if the replaced records were gone.
Reads the ledger and the disk, one after the other; appends nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from commands.door.submit import Daybook
from commands.door.world import World
from commands.inputfile.entries import InputFile
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
from commands.recordings.roots import Roots
from commands.requests.correction.dependents import Dependent, with_fates
from commands.requests.correction.matching import Matches, standing_sessions
from commands.requests.correction.objections import Located, failures, references
from commands.requests.correction.plan import GroupChange, LeftOut, Plan, SessionChange
from commands.requests.impact import impact_of
from commands.stored import (
    current_entries,
    experimenters,
    insertions,
    probes_of,
    requested_entries,
    requested_groups,
    taken_at,
)
from projections.records import Clustering, Session


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
    located = Located(read)
    plan.findings = (
        *plan.validation.findings,
        *references(plan, plan.validation.checked, located),
    )
    if plan.ok:
        _look_at_groups(reading, plan, find, roots)
        plan.findings = (*plan.findings, *failures(plan, known, located))
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
