"""Ask the projections what stage 2 has to know about one input file."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

import orjson

from commands.door.memory import Memory
from commands.door.world import World
from commands.inputfile.entries import InputFile
from commands.inputfile.known import HeldGroup, HeldLocation, Known, Overlap, Renamed
from commands.intake.duplicates import Meant
from commands.intake.nested import Finder, overlapping, shared
from commands.intake.redacted_entries import redacted_around, redacted_sessions
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from commands.stored import held, probes_of
from ledger.look_alikes import folded
from ledger.moments import shown
from projections.asked_for import proposed_values
from projections.lines import subject_name
from projections.portions import marks, portions
from projections.records import SessionLocation
from projections.renamed import called_now, renamed

LONGEST_NAME = 255  # characters; of a subject or a reference value: an index has to hold it on every database


def load_known(
    world: World,
    input_file: InputFile,
    roots: Roots,
    links: Mapping[str, str] = MappingProxyType({}),
    cut: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Known:
    """Everything that ``check`` looks up, at the moment of ``world``: one query a table, not one an entry. ``links``
    are the locations that lead to others, ``cut`` is that of the ReadResult. Of a subject that was renamed since, what
    is known of it by its name of now."""
    named = f"{input_file.subject.datasource_id}/{input_file.subject.name}"
    subject = named if world.state.subjects.get(named) is not None else called_now(world.transaction, named)
    reference: dict[str, set[str]] = {}
    retired: dict[str, set[str]] = {}
    arena_not_required = set()
    for value in world.state.reference.where("reference >= ?", [""]):
        (retired if value.retired else reference).setdefault(value.reference, set()).add(value.value)
        if (
            value.reference == "behavior.TaskType"
            and orjson.loads(value.attributes).get("arena_required") is False
        ):
            arena_not_required.add(value.value)
    locations = list(_normalised((entry.location for entry in input_file.sessions), roots))
    rows = held(world, subject, [*locations, *links.values()])
    rows |= {place: rows[there] for place, there in links.items() if place not in rows and there in rows}
    rows = {place: rows[place] for place in locations if place in rows}
    new = [place for place in locations if place not in rows]
    memory = Memory.of(world)
    overlaps = overlapping(world, [*new, *(links[place] for place in new if place in links)])
    world.state.sessions.prefetch(row.session for row in rows.values())
    holders = {place: world.state.sessions[row.session] for place, row in rows.items()}
    names = [entry.group_name for entry in input_file.clustering]
    longer = [name for path, texts in cut.items() if path.endswith(".group_name") for name in texts]
    world.state.groups.prefetch([*names, *longer])
    groups = {
        name: group for name in [*names, *longer] if (group := world.state.groups.get(name)) is not None
    }
    world.state.clusterings.prefetch(group.clustering for group in groups.values())
    return Known(
        reference=reference,
        retired=retired,
        arena_not_required=arena_not_required,
        subjects={row.subject.partition("/")[2] for row in world.state.subjects.where("subject >= ?", [""])},
        probes=frozenset(probes_of(world, subject)),
        session_times=session_times(world, subject),
        locations={
            place: HeldLocation(
                row.id, row.username, row.status, "" if row.subject == subject else subject_name(row.subject)
            )
            for place, row in holders.items()
        },
        similar_groups=_similar_groups(world, [name for name in names if name not in groups]),
        leads_to=links,
        overlaps={
            place: around for place in new if (around := _around(world, memory, overlaps, place, links))
        },
        groups={
            name: HeldGroup(
                row.clustering,
                subject_name(row.subject),
                int(row.subject.partition("/")[0]),
                world.state.clusterings[row.clustering].username,
            )
            for name, row in groups.items()
        },
        redacted=redacted_sessions(world, input_file, subject),
        proposed=proposed_values(world.state),
        renamed=None if subject == named else _renamed(world, named, subject),
    )


def _renamed(world: World, named: str, subject: str) -> Renamed | None:
    event = renamed(world.transaction, named)
    by = "" if event is None else f"renamed by {event.actor} at {shown(event.recorded_at)}"
    return Renamed(subject_name(subject), by)


def _around(
    world: World,
    memory: Memory,
    overlaps: Mapping[str, list[SessionLocation]],
    place: str,
    links: Mapping[str, str],
) -> list[Overlap]:
    """What lies around or inside of a new location, or of where it leads."""
    there = links.get(place)
    rows = shared(overlaps, place, there)
    gone = redacted_around(world, memory, [place] if there is None else [place, there])
    return [*(Overlap(row.location, row.session, row.username) for row in rows), *gone]


def _similar_groups(world: World, names: Collection[str]) -> dict[str, str]:
    """The held group_name that looks like each of these new ones, by their folded form."""
    found: dict[str, str] = {}
    for some in portions({folded(name) for name in names}):
        rows = world.transaction.run(
            f"SELECT looks_like, group_name FROM {world.state.groups.table} WHERE looks_like IN ({marks(some)})",
            some,
        ).fetchall()
        found |= dict(rows)
    return found


def links_of(input_file: InputFile, known: Known, roots: Roots, finder: Finder) -> dict[str, str]:
    """The locations of new entries that lead to others. Looks at the disk."""
    locations = _normalised((entry.location for entry in input_file.sessions), roots)
    return finder.links(place for place in locations if place not in known.locations)


def meant_by(input_file: InputFile, known: Known, roots: Roots) -> Meant:
    """What a file means by its sessions."""
    names: dict[str, int | None] = {}
    for entry in input_file.sessions:
        if entry.name is None:
            continue
        place = next(iter(_normalised([entry.location], roots)), "")
        names[entry.name] = known.locations[place].session if place in known.locations else None
    return Meant(names, known.session_times)


def _normalised(locations: Iterable[str], roots: Roots) -> Iterable[str]:
    for location in locations:
        try:
            yield normalise(location, roots)
        except LocationError:
            continue  # a finding of stage 2; nobody can hold it


def session_times(world: World, subject: str) -> dict[str, int]:
    """The sessions of a subject by their session_time."""
    rows = world.transaction.run(
        f"SELECT session_time, session FROM {world.state.times.table} WHERE subject = ?",
        (subject,),
    )
    return dict(rows.fetchall())
