"""Two animals that were recorded in one run: their sessions share a location, each with its own probes.

A location that another subject's session holds is a duplicate, unless probes of this subject lie there that no
session has. Only such entries are looked at here, before the file is accepted.
"""

from dataclasses import replace

from commands.door.submit import Daybook
from commands.inputfile.entries import InputFile, SessionEntry
from commands.inputfile.known import Known
from commands.intake.association import Implanted
from commands.intake.insertion import Find, Present, look, open_session
from commands.intake.stopping import Waits
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from commands.recordings.search import Search
from commands.recordings.session import SessionDirectoryError
from commands.stored import experimenters, holders_at, insertions, probes_held


def without_shared_runs(daybook: Daybook, input_file: InputFile, known: Known, roots: Roots) -> Known:
    """Without the locations at which this subject has probes of its own beside another's."""
    others = {location for location, held in known.locations.items() if held.subject}
    if not others:
        return known
    subject = f"{input_file.subject.datasource_id}/{input_file.subject.name}"
    with daybook.reading() as world:
        everywhere, people = insertions(world), experimenters(world)
        taken = {location: probes_held(world, rows) for location, rows in holders_at(world, others).items()}
    find = Search(roots).directory
    shared: set[str] = set()
    for entry in input_file.sessions:
        location = _normalised(entry, roots)
        if location in others and taken.get(location):
            present = Present(Implanted(subject, everywhere, taken[location]), people)
            if _has_own(entry, location, roots, find, present):
                shared.add(location)
    if not shared:
        return known
    return replace(
        known, locations={place: held for place, held in known.locations.items() if place not in shared}
    )


def _normalised(entry: SessionEntry, roots: Roots) -> str:
    try:
        return normalise(entry.location, roots)
    except LocationError:
        return ""  # a finding of stage 2


def _has_own(entry: SessionEntry, location: str, roots: Roots, find: Find, present: Present) -> bool:
    try:
        opened = open_session(location, find, clusterings=False, zone=roots.zone)
        return bool(look(entry, opened, roots, present).association.matches)
    except (Waits, SessionDirectoryError, LocationError):
        return False
