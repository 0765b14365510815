"""Recordings that were moved: an entry whose location is new, and whose recordings are those of a session that does not
lie any more where it was.

Only new entries are read for it, and only where the subject has sessions that the file does not have: a file that grows
costs nothing. Reads the ledger and the disk, one after the other; the upload carries it out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from commands.door.permission import ADMIN, role_of
from commands.door.world import World
from commands.inputfile.canonical import session_entry_from_json
from commands.inputfile.entries import InputFile, SessionEntry
from commands.inputfile.fields import clipped
from commands.inputfile.findings import Finding, Severity
from commands.inputfile.known import HeldLocation, Known
from commands.inputfile.reference_values import quoted
from commands.intake.duplicates import place as place_of
from commands.intake.insertion import Opened, open_session
from commands.intake.plain_records import plain_record, time_text
from commands.intake.reading import looked_at_each
from commands.intake.same_recordings import marks, proven, renamed_probes
from commands.recordings.locations import LocationError, above
from commands.recordings.roots import Roots, normalise, sorted_place
from commands.recordings.session import SessionDirectoryError
from commands.stored import current_entries
from ledger import log
from ledger.bodies import body_of
from projections.records import Clustering, Session

Find = Callable[[str], str]
Plain = dict[str, Any]
_NOT_THERE = ("location-not-found", "location-not-directory")


@dataclass(frozen=True, slots=True)
class Move:
    """``session`` as it was when it was looked at; it lies at ``location`` (normalised) now, and its entry is
    ``completed`` then. ``renamed`` as in the event. ``clusterings`` go along, each to its new location, ``left``
    were not found there, ``others`` are other people's and stay. It is the uploader's to record only where it is
    ``own``."""

    session: Session
    location: str
    leads_to: str | None
    completed: SessionEntry
    renamed: list[tuple[str, str]]
    clusterings: list[tuple[Clustering, str]]
    left: list[Clustering]
    others: list[Clustering]
    own: bool


@dataclass(frozen=True, slots=True)
class Moves:
    """``by_index`` are the entries at the new place of a session. ``old_places`` are entries that still have the place
    which a session was moved from, and at which nothing lies: (index, session)."""

    by_index: Mapping[int, Move] = field(default_factory=dict)
    old_places: Mapping[int, int] = field(default_factory=dict)

    @property
    def own(self) -> dict[int, Move]:
        """Those that the upload records."""
        return {index: move for index, move in self.by_index.items() if move.own}


def find_moves(
    reading: Callable[[], AbstractContextManager[World]],
    input_file: InputFile,
    known: Known,
    roots: Roots,
    *,
    owner: str,
    find: Find,
) -> tuple[Known, Moves]:
    """What is known then: the entries of ``moves`` stand for the sessions that they are of."""
    new = dict(_new(input_file, known, roots))
    absent = set(known.session_times.values()) - {held.session for held in known.locations.values()}
    there = (
        {location for location in new if _found(find, location) is not None} if known.session_times else set()
    )
    old_places = _old_places(reading, known, {place: new[place] for place in new if place not in there})
    if not absent and not old_places:
        return known, Moves()
    opened = _opened(there if absent else (), find, roots)
    moves = {}
    for location, candidate in _candidates(reading, opened, known, absent, owner).items():
        move = _move(candidate, new[location], opened[location], known, roots, find)
        if move is not None and not _in_the_way(known, new, location, move):
            moves[new[location].index] = move
    if not moves and not old_places:
        return known, Moves()
    return _with(known, new, moves, old_places), Moves(
        moves, {index: row.id for index, row in old_places.items()}
    )


def _new(input_file: InputFile, known: Known, roots: Roots) -> Iterator[tuple[str, SessionEntry]]:
    for entry in input_file.sessions:
        try:
            location = normalise(entry.location, roots)
        except LocationError:
            continue  # a finding of stage 2
        if location not in known.locations:
            yield location, entry


def _found(find: Find, location: str) -> str | None:
    try:
        return find(location)
    except LocationError:
        return None


def _opened(there: Collection[str], find: Find, roots: Roots) -> dict[str, Opened]:
    """The directories that could be read."""

    def look(location: str) -> Opened | None:
        try:
            return open_session(location, find, clusterings=False, zone=roots.zone)
        except (SessionDirectoryError, LocationError):
            return None

    places = list(there)
    return {
        place: opened
        for place, opened in zip(places, looked_at_each(places, look), strict=True)
        if opened is not None
    }


def _in_the_way(known: Known, new: Collection[str], location: str, move: Move) -> bool:
    """Whether it lies around or inside another location: that is an error, which is told as any other."""
    others = [one for one in known.overlaps.get(location, ()) if one.session != move.session.id]
    around = any(place in new for place in above(location))
    return bool(others) or around or any(location in above(place) for place in new)


def _with(
    known: Known,
    new: Mapping[str, SessionEntry],
    moves: Mapping[int, Move],
    old_places: Mapping[int, Session],
) -> Known:
    rows = {index: move.session for index, move in moves.items()} | dict(old_places)
    locations = {
        place: HeldLocation(row.id, row.username, row.status)
        for place, entry in new.items()
        if (row := rows.get(entry.index)) is not None
    }
    return replace(known, locations={**known.locations, **locations})


# --- places that a session was moved from -----------------------------------------------------------------------------


def _old_places(
    reading: Callable[[], AbstractContextManager[World]], known: Known, lost: Mapping[str, SessionEntry]
) -> dict[int, Session]:
    """Of entries at whose location nothing lies, the session that lay there."""
    own = set(known.session_times.values())
    found: dict[int, Session] = {}
    if not lost or not own:
        return found
    with reading() as world:
        for row in world.state.sessions.where("moved_from IS NOT NULL AND status = 'inserted'", []):
            for place in orjson.loads(row.moved_from or "[]") if row.id in own else ():
                if place in lost:
                    found[lost[place].index] = row
    return found


# --- which session the recordings are of ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A session that began when the recordings did. ``recordings`` (but for the output of programs) and
    ``probes`` are those on record."""

    row: Session
    entry: SessionEntry
    recordings: list[Plain]
    probes: list[Plain]
    clusterings: list[Clustering]
    own: bool


def _candidates(
    reading: Callable[[], AbstractContextManager[World]],
    opened: Mapping[str, Opened],
    known: Known,
    absent: Collection[int],
    owner: str,
) -> dict[str, _Candidate]:
    """By the location at which its recordings may lie now."""
    starts = {
        place: time_text(one.found.start) for place, one in opened.items() if one.found.start is not None
    }
    if not starts:
        return {}
    with reading() as world:
        own = role_of(world, world.actor) == ADMIN
        given = _with_given_start(world, absent)
        found: dict[str, _Candidate] = {}
        for place, start in starts.items():
            numbers = [known.session_times.get(start), *given]
            for number in numbers:
                if number not in absent or place in found:
                    continue
                candidate = _candidate(world, int(number or 0), owner, own=own)
                if candidate is not None and marks(candidate.recordings) <= marks(_plain(opened[place])):
                    found[place] = candidate
    return found


def _with_given_start(world: World, absent: Collection[int]) -> list[int]:
    """The sessions whose start a person gave: the disk says another."""
    rows = world.transaction.run(
        f"SELECT id FROM {world.state.sessions.table} WHERE decided LIKE '%\"start\"%' AND status = 'inserted'"
    ).fetchall()
    return [row[0] for row in rows if row[0] in absent]


def _candidate(world: World, number: int, owner: str, *, own: bool) -> _Candidate | None:
    """None where something of it was redacted: nobody can say any more what lay where, and its new place would tell."""
    row = world.state.sessions[number]
    recordings: list[Plain] = []
    for event in log.read_stream(world.transaction, f"session/{number}"):
        if event.payload is None:
            return None
        if event.type in ("SessionInserted", "MoreFound"):
            recordings += body_of(event)["recordings"]
    raw = [recording for recording in recordings if not recording["derived"]]
    links = world.state.clustering_sessions.where("session = ?", [number])
    world.state.clusterings.prefetch(link.clustering for link in links)
    clusterings = [
        *world.state.clusterings.where("session = ?", [number]),
        *(world.state.clusterings[link.clustering] for link in links),
    ]
    return _Candidate(
        row,
        session_entry_from_json(current_entries(world, [row])[0], row.entry_index),
        raw or recordings,
        [{"name": p.name, "serial": p.serial} for p in world.state.probes.where("session = ?", [number])],
        [one for one in clusterings if one.status in ("pending", "waiting", "inserted")],
        own or row.username == owner,
    )


def _plain(opened: Opened) -> list[Plain]:
    return [plain_record(recording) for recording in opened.found.recordings]


# --- what moves -------------------------------------------------------------------------------------------------------


def _move(
    one: _Candidate, entry: SessionEntry, opened: Opened, known: Known, roots: Roots, find: Find
) -> Move | None:
    """None where it is not proven, or lies at both places."""
    row, location = one.row, opened.location
    probes = [plain_record(probe) for probe in opened.found.probes]
    renamed = renamed_probes(one.probes, probes)
    if renamed is None or not proven(one.recordings) or not _is_gone(one, opened, roots, find):
        return None
    along: list[tuple[Clustering, str]] = []
    left: list[tuple[Clustering, str]] = []
    others: list[Clustering] = []
    for clustering in one.clusterings:
        place = follows(clustering.location, row.location, location, roots)
        if place is None:
            continue
        if clustering.username != row.username:
            others.append(clustering)
        elif clustering.status != "inserted" or _found(find, place) is not None:
            along.append((clustering, place))
        else:
            left.append((clustering, place))
    followed = {c.location: place for c, place in [*along, *left]}
    completed = _moved_entry(one.entry, entry, followed, dict(renamed), roots)
    leads_to, missing = known.leads_to.get(location), [clustering for clustering, _ in left]
    return Move(row, location, leads_to, completed, renamed, along, missing, others, one.own)


def _is_gone(one: _Candidate, opened: Opened, roots: Roots, find: Find) -> bool:
    """Whether its recordings lie no longer where they were: nothing is there, or a link to the new place alone, or
    other recordings. Where it cannot be looked at, they are not gone."""
    location = one.row.location
    try:
        there = find(location)
    except LocationError as problem:
        return problem.code in _NOT_THERE
    if there == opened.root:
        return True
    try:
        found = open_session(location, find, clusterings=False, zone=roots.zone)
    except SessionDirectoryError as problem:
        return problem.code == "no-recordings"
    except LocationError as problem:
        return problem.code in _NOT_THERE
    return marks(one.recordings).isdisjoint(marks(_plain(found)))


def follows(place: str, before: str, now: str, roots: Roots) -> str | None:
    """Where what lies at or below one location lies now, as far as the session's folder goes, or the folder of its
    sorted output; None for what lies elsewhere."""
    for old, new in ((before, now), (sorted_place(before, roots), sorted_place(now, roots))):
        if old is not None and new is not None and (place == old or place.startswith(f"{old}/")):
            return new + place[len(old) :]
    return None


def _moved_entry(
    stored: SessionEntry,
    given: SessionEntry,
    followed: Mapping[str, str],
    renamed: Mapping[str, str],
    roots: Roots,
) -> SessionEntry:
    """The entry on record, with its new places and names on disk."""
    clustering = stored.clustering
    if isinstance(clustering, tuple):
        places = [place_of(each.location, roots) for each in clustering]
        clustering = tuple(
            replace(each, location=followed.get(place, each.location))
            for each, place in zip(clustering, places, strict=True)
        )
    association = stored.probe_association
    if association:
        association = {renamed.get(name, name): probe for name, probe in association.items()}
    return replace(stored, location=given.location, clustering=clustering, probe_association=association)


# --- what is said of it -----------------------------------------------------------------------------------------------


def moves_told(moves: Moves, position: Callable[[str], tuple[int, int] | None]) -> Iterator[Finding]:
    """What is one's own to record is a notice; what another has to do, or does not follow, a warning."""

    def finding(index: int, severity: Severity, code: str, message: str, hint: str = "") -> Finding:
        path = f"sessions[{index}].location"
        line, column = position(path) or (None, None)
        return Finding(2, severity, code, path, line, column, message, hint)

    for index, move in moves.by_index.items():
        row = move.session
        whose = "" if move.own else f" of {clipped(row.username)}"
        message = (
            f"This is s{row.id}{whose}: its recordings lie here now, and no longer at {quoted(row.location)}."
        )
        if move.own:
            yield finding(index, "notice", "moved", message)
        else:
            hint = f"Its record says so once {clipped(row.username)} or an admin uploads a file with this location."
            yield finding(index, "warning", "moved-of-another-user", message, hint)
            continue
        for clustering in move.left:
            message = f"Clustering c{clustering.id} lay at {quoted(clustering.location)}, and is not at the new place."
            hint = "Once it is there, work and the next upload of the file find it."
            yield finding(index, "warning", "clustering-left", message, hint)
        for clustering in move.others:
            user, lay_at = clipped(clustering.username), quoted(clustering.location)
            message = f"Clustering c{clustering.id} of {user} lay at {lay_at}: its record stays as it is."
            hint = f"Tell {user} that its session was moved."
            yield finding(index, "warning", "clustering-of-another-user", message, hint)
    for index, number in moves.old_places.items():
        message = f"Session s{number} was moved from here: nothing lies here any more."
        yield finding(index, "warning", "moved-away", message, "Give its new location instead.")
