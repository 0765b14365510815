"""Which stored record an entry of a corrected file stands for: by its location, its name, or its place. Reads the
ledger; never goes by likeness.

A location or a group_name that is held names its record, whatever subject and user that is of. A session whose
location was wrong is known by the name that it had, or by its place in the file as it was last uploaded.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from commands.door.permission import ADMIN, role_of
from commands.door.world import World
from commands.inputfile.entries import InputFile
from commands.inputfile.read import Limits, read_input_file
from commands.intake.duplicates import place
from commands.recordings.roots import Roots
from commands.requests.impact import STANDING
from commands.stored import held, stored_bytes
from ledger.errors import Refusal
from projections.records import Session, Upload

_LOOKED_AT = 10  # earlier files at most
_AT_ONCE = 500  # locations in a query
_STDIN = "stdin"  # what a file is called that came without a name


@dataclass(frozen=True, slots=True)
class Match:
    """``by``: location, name or place; group_name of a clustering. What ``stays`` is not replaced, however the entry
    differs from it."""

    record: int
    by: str
    stays: bool = False


@dataclass(slots=True)
class Matches:
    """By the index of the entry in the file; an entry that is in neither stands for no record."""

    sessions: dict[int, Match] = field(default_factory=dict)
    clusterings: dict[int, Match] = field(default_factory=dict)


def find_matches(
    world: World, input_file: InputFile, *, filename: str, requester: str, roots: Roots, limits: Limits
) -> Matches:
    """The standing records that the entries of the file stand for."""
    found = _held(world, input_file, roots)
    if len(found.sessions) < len(input_file.sessions):
        given = {entry.index: place(entry.location, roots) for entry in input_file.sessions}
        owners = _owners(world, found, requester)
        moved = _Moved(world, input_file, filename, given, owners, roots, limits)
        moved.by_name(found.sessions)
        moved.by_place(found.sessions)
    return found


def requested_matches(
    world: World, input_file: InputFile, request: Mapping[str, Any], roots: Roots
) -> Matches:
    """As they stood in a request: what came since is not replaced, because nobody has asked for it."""
    found = _held(world, input_file, roots, stays=True)
    found.clusterings.clear()  # nothing refers to a clustering: a new one of its name is in nobody's way
    for entry in request["sessions"]:
        found.sessions[entry["index"]] = Match(int(entry["session"][1:]), entry["matched_by"])
    for entry in request["clusterings"]:
        found.clusterings[entry["index"]] = Match(int(entry["clustering"][1:]), entry["matched_by"])
    return found


def _held(world: World, input_file: InputFile, roots: Roots, *, stays: bool = False) -> Matches:
    """By the keys that records hold."""
    found = Matches()
    given = {entry.index: place(entry.location, roots) for entry in input_file.sessions}
    subject = f"{input_file.subject.datasource_id}/{input_file.subject.name}"
    holders = held(world, subject, given.values())
    for index, location in given.items():
        if location in holders:
            found.sessions[index] = Match(holders[location].session, "location", stays)
    world.state.groups.prefetch(entry.group_name for entry in input_file.clustering)
    for entry in input_file.clustering:
        group = world.state.groups.get(entry.group_name)
        if group is not None:
            found.clusterings[entry.index] = Match(group.clustering, "group_name", stays)
    return found


def standing_sessions(
    world: World, subjects: Collection[str], owners: Collection[str] | None
) -> list[Session]:
    """The sessions of these subjects that stand, in order: of the owners, or of anybody where that is None."""
    marks = ", ".join("?" * len(subjects))
    numbers: set[int] = set()
    for sql in (
        f"SELECT session FROM {world.state.times.table} WHERE subject IN ({marks})",
        f"SELECT id FROM {world.state.sessions.table} WHERE status IN ('pending', 'waiting') "
        f"AND subject IN ({marks})",
    ):
        numbers.update(row[0] for row in world.transaction.run(sql, list(subjects)).fetchall())
    world.state.sessions.prefetch(numbers)
    rows = [world.state.sessions[number] for number in sorted(numbers)]
    return [row for row in rows if row.status in STANDING and (owners is None or row.username in owners)]


def _owners(world: World, found: Matches, requester: str) -> Collection[str] | None:
    """Whose records the file is about: of its known locations, else the requester's; an admin's may be anybody's."""
    numbers = [match.record for match in found.sessions.values()]
    world.state.sessions.prefetch(numbers)
    owners = {world.state.sessions[number].username for number in numbers}
    if not owners and role_of(world, requester) != ADMIN:
        owners = {requester}
    return owners or None


@dataclass(frozen=True, slots=True)
class _Moved:
    """Looks for the sessions whose location the file no longer has. ``given`` are its locations, by index."""

    world: World
    input_file: InputFile
    filename: str
    given: Mapping[int, str]
    owners: Collection[str] | None
    roots: Roots
    limits: Limits

    @property
    def subject(self) -> str:
        return f"{self.input_file.subject.datasource_id}/{self.input_file.subject.name}"

    def by_name(self, matched: dict[int, Match]) -> None:
        """Of the file's subject, or of the one that its other sessions are of yet. A name is unique in a file, not
        in the ledger: where several sessions had it, it names none of them."""
        unmatched = {
            entry.name: entry.index
            for entry in self.input_file.sessions
            if entry.name is not None and entry.index not in matched
        }
        if not unmatched:
            return
        here = set(self.given.values())
        named: dict[str, list[int]] = {}
        known = [self.world.state.sessions[match.record].subject for match in matched.values()]
        for row in standing_sessions(self.world, {self.subject, *known}, self.owners):
            if row.name in unmatched and row.location not in here:
                named.setdefault(row.name, []).append(row.id)
        for name, numbers in named.items():
            if len(numbers) == 1:
                matched[unmatched[name]] = Match(numbers[0], "name")

    def by_place(self, matched: dict[int, Match]) -> None:
        earlier = self._earlier_file() if len(matched) < len(self.given) else None
        if earlier is None:
            return
        at = {
            location: row.session
            for location, row in held(self.world, self.subject, earlier.values()).items()
            if self.owners is None or row.username in self.owners
        }
        matched |= in_step(self.given, earlier, at, matched)

    def _earlier_file(self) -> Mapping[int, str] | None:
        """The locations, by index, of the file as it was last accepted: the newest of this name and subject, or of
        either of them that has a location in common with the corrected file. One whose new locations failed already
        is not it: what it should replace stands in the file before."""
        failed = self._failed()
        for row in self._uploads()[:_LOOKED_AT]:
            earlier = self._locations(row)
            if not failed.isdisjoint(earlier.values()):
                continue
            is_same = row.subject == self.subject and row.filename == self.filename
            if is_same or not set(earlier.values()).isdisjoint(self.given.values()):
                return earlier
        return None

    def _failed(self) -> set[str]:
        """The locations of the file that no session holds, and at which one of the subject has failed."""
        given = list(self.given.values())
        holders = held(self.world, self.subject, given)
        found: set[str] = set()
        for start in range(0, len(given), _AT_ONCE):
            some = given[start : start + _AT_ONCE]
            rows = self.world.state.sessions.where(
                f"status = 'error' AND subject = ? AND location IN ({', '.join('?' * len(some))})",
                [self.subject, *some],
            )
            found.update(row.location for row in rows if row.location not in holders)
        return found

    def _uploads(self) -> list[Upload]:
        """The accepted ones of this subject or name, newest first; the file of a correction counts once that was
        carried out."""
        deletions = self.world.state.deletions.table
        rows = self.world.state.uploads.where(
            "status IN ('validated', 'processed') AND (subject = ? OR filename = ?) AND NOT EXISTS "
            f"(SELECT 1 FROM {deletions} d WHERE d.upload = {self.world.state.uploads.table}.id "
            "AND d.kind = 'correction' AND d.status NOT IN ('executed', 'restored'))",
            [self.subject, self.filename],
        )
        return [
            row
            for row in reversed(rows)
            if (self.owners is None or row.username in self.owners)
            and (row.subject == self.subject or self.filename != _STDIN)
        ]

    def _locations(self, row: Upload) -> Mapping[int, str]:
        try:
            data = stored_bytes(self.world, row)
        except Refusal:  # erased
            return {}
        read = read_input_file(data, filename=row.filename, limits=self.limits)
        entries = read.input_file.sessions if read.input_file is not None else ()
        return {entry.index: place(entry.location, self.roots) for entry in entries}


def in_step(
    given: Mapping[int, str],
    earlier: Mapping[int, str],
    held: Mapping[str, int],
    matched: Mapping[int, Match],
) -> dict[int, Match]:
    """The entries in whose place the earlier file had one whose location is gone from the corrected file.

    Both files, as locations by index, are gone through side by side. Where either has a location that the other has
    elsewhere, the rest is out of step, and nothing more is matched. ``held``: which session holds a location.
    """
    here, there = set(given.values()), set(earlier.values())
    taken = {match.record for match in matched.values()}
    found: dict[int, Match] = {}
    for index in range(min(len(given), len(earlier))):
        now, before = given.get(index), earlier.get(index)
        if now == before:
            continue
        if now is None or before is None or now in there or before in here:
            break
        session = held.get(before)
        if index not in matched and session is not None and session not in taken:
            found[index] = Match(session, "place")
    return found
