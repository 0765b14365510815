"""Which entries that were never inserted take what their owner's newest file says, and what that is.

Reads the ledger; the events are those of the upload that brings the file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from commands.door.world import World
from commands.inputfile.entries import InputFile, SessionEntry
from commands.inputfile.known import Known
from commands.intake.additions import with_additions
from commands.intake.duplicates import group_differences, session_differences, stands_on
from commands.intake.known import meant_by
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from commands.stored import current_entries, probes_of, requested_entries, requested_groups

OPEN = ("pending", "waiting")


@dataclass(frozen=True, slots=True)
class Renewals:
    """By the index of the entry. ``sessions`` are the entries as they will stand: what commands have added stays
    where the file still says what it said before. ``clusterings`` are the sessions that each has stood on.
    """

    sessions: dict[int, SessionEntry] = field(default_factory=dict)
    clusterings: dict[int, tuple[int, ...]] = field(default_factory=dict)


def renewals(world: World, input_file: InputFile, known: Known, roots: Roots, owner: str) -> Renewals:
    """The owner's own entries that still wait and that the file says something else about."""
    subject = f"{input_file.subject.datasource_id}/{input_file.subject.name}"
    return Renewals(
        _sessions(world, input_file.sessions, known, roots, owner, subject),
        _clusterings(world, input_file, known, roots, owner, subject),
    )


def _sessions(
    world: World, entries: Iterable[SessionEntry], known: Known, roots: Roots, owner: str, subject: str
) -> dict[int, SessionEntry]:
    open_ones = []
    for entry in entries:
        try:
            held = known.locations.get(normalise(entry.location, roots))
        except LocationError:
            continue  # a finding of stage 2
        if held is not None and held.username == owner and held.status in OPEN and not held.subject:
            open_ones.append((entry, world.state.sessions[held.session]))
    if not open_ones:
        return {}
    rows = [row for _, row in open_ones]
    requested, probes = requested_entries(world, rows), probes_of(world, subject)
    found = {}
    for (entry, row), stored in zip(open_ones, current_entries(world, rows), strict=True):
        given, _ = with_additions(entry, requested[row.id], stored, probes=probes, roots=roots)
        differing = session_differences(row, stored, given, subject, roots)
        if any(each["field"] != "location" for each in differing):
            found[entry.index] = given
    return found


def _clusterings(
    world: World,
    input_file: InputFile,
    known: Known,
    roots: Roots,
    owner: str,
    subject: str,
) -> dict[int, tuple[int, ...]]:
    name = subject.partition("/")[2]
    held = {
        entry: world.state.clusterings[group.clustering]
        for entry in input_file.clustering
        if (group := known.groups.get(entry.group_name)) is not None
        and (group.subject, group.username) == (name, owner)
    }
    held = {entry: row for entry, row in held.items() if row.status in OPEN}
    if not held:
        return {}
    numbers = [row.id for row in held.values()]
    stored, links = requested_groups(world, numbers), stands_on(world, numbers)
    meant = meant_by(input_file, known, roots)
    return {
        entry.index: links[row.id]
        for entry, row in held.items()
        if group_differences(stored[row.id], entry, links[row.id], meant, roots)
    }


def with_renewed(known: Known, found: Renewals) -> Known:
    """Makes these be checked like new ones."""
    return replace(known, renewed=frozenset(found.sessions), renewed_groups=frozenset(found.clusterings))
