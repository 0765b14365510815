"""What of a file was redacted before: whole entries by their keys, and words that somebody had written.

Looks at one moment of the ledger, and at no disk.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.door.memory import COMMENT, GROUP, LOCATION, TEXT, TIME, VALUE, Memory, record_number
from commands.door.world import World
from commands.inputfile.blanking import BLANK, Source, placeholder
from commands.inputfile.document import path_text
from commands.inputfile.findings import Finding
from commands.inputfile.input_file import same_location
from commands.inputfile.pieces import Path, Piece
from commands.inputfile.read import ReadResult
from commands.recordings.locations import LocationError
from commands.recordings.roots import Roots, normalise
from commands.stored import holders_at
from ledger.look_alikes import comparable
from ledger.moments import shown
from projections.records import Redaction

WORDS = frozenset({"notes", "note"})
_TABLES = {
    "experimenter": "reference.Experimenter", "curator": "reference.Experimenter", "room": "reference.ExperimentRoom",
    "project": "acquisition.Project", "task_type": "behavior.TaskType", "arena_apparatus": "reference.ArenaApparatus",
    "light_level": "behavior.TaskLightLevel", "object_name": "reference.ArenaObject", "card_name": "reference.CueCard",
    "probe_association": "reference.Probe",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Blanked:
    """Lines of the file as it came, and the position that was redacted."""

    first_line: int
    last_line: int
    position: int

    def plain(self) -> dict[str, Any]:
        return {"lines": [self.first_line, self.last_line], "position": self.position}


@dataclass(slots=True)
class Search:
    """``replaced`` are the pieces that go, with what stands there instead; ``taken`` the comments. ``unknown`` are the
    locations of which it is not known yet where they lead."""

    world: World
    memory: Memory
    source: Source
    roots: Roots
    subjects: Sequence[str]
    links: Mapping[str, str] | None
    unknown: list[str] = field(default_factory=list)
    replaced: dict[Piece, str] = field(default_factory=dict)
    taken: set[tuple[int, int]] = field(default_factory=set)
    lines: list[Blanked] = field(default_factory=list)
    told: list[tuple[Path, Redaction]] = field(default_factory=list)
    remarks: list[tuple[int, Redaction]] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)

    def entries(self) -> None:
        """Whole entries, by their keys; whoever refers to one by its name goes on to refer to it."""
        if not self.memory.has(LOCATION, GROUP):
            return
        for piece, row in [*self._sessions(), *self._clusterings()]:
            number = record_number(row)
            self._take(piece, placeholder(number), row, self.source.comments_about(piece))
            name = piece.get("name")
            if name is not None and row.type == "SessionInsertRequested":
                self._names[comparable(name.text)] = number

    def _sessions(self) -> Iterator[tuple[Piece, Redaction]]:
        found: list[tuple[Piece, str, str | None]] = []
        for path, piece in self.source.root.fields():
            location = piece.get("location")
            if location is not None and location.kind == "scalar" and "clustering" not in path:
                found.append((piece, location.text, normalised(location.text, self.roots)))
        holders = holders_at(self.world, [place for _, _, place in found if place is not None])
        links = self.links or {}
        for piece, written, place in found:
            texts = [
                text for text in (place, links.get(place or ""), same_location(written)) if text is not None
            ]
            held_by = {holder.subject for holder in holders.get(place or "", ())}
            row = self._recording(texts, held_by)
            if row is not None:
                yield piece, row
            elif self.links is None and place is not None and not held_by:
                self.unknown.append(place)

    def _recording(self, locations: Iterable[str], held_by: set[str]) -> Redaction | None:
        """Which redacted recording lies there, unless it is in the ledger all the same: as what a correction made of
        it, or as another animal's. What a correction has moved away is not there any more."""
        if held_by.intersection(self.subjects):
            return None
        for row in (row for text in locations for row in self.memory.all_of(LOCATION, text)):
            session = self.world.state.sessions[record_number(row)]
            if session.replaced_by is None and (not held_by or session.subject in self.subjects):
                return row
        return None

    def _clusterings(self) -> Iterator[tuple[Piece, Redaction]]:
        for _, piece in self.source.root.fields():
            name = piece.get("group_name")
            if name is not None and name.kind == "scalar":
                row = self.memory.find(GROUP, name.text)
                if row is not None and self.world.state.groups.get(name.text) is None:
                    yield piece, row

    def words(self) -> None:
        gone = [(piece.start, piece.end) for piece in self.replaced]
        for path, piece in self.source.root.fields():
            if piece.kind != "scalar" or not path or any(start <= piece.start < end for start, end in gone):
                continue
            names = [part for part in path if isinstance(part, str)]
            row = None
            if names[-1] in WORDS:
                row = self.memory.find_of(self.subjects, TEXT, piece.text)
            elif names[-2:] == ["clustering", "sessions"]:
                self._refer(piece)
            elif (table := _TABLES.get(names[-1]) or _TABLES.get(names[-2] if names[1:] else "")) is not None:
                row = self._value(table, piece.text)
            if row is not None:
                self._take(piece, BLANK, row)
                self.told.append((path, row))

    def _value(self, table: str, text: str) -> Redaction | None:
        """Of a value of the catalogue, unless somebody has brought it back."""
        row = self.memory.find(VALUE, table, text)
        return None if row is None or self.world.state.reference.get((table, text)) is not None else row

    def _refer(self, piece: Piece) -> None:
        """A session of a multi-session clustering, by a name of the file or by its time."""
        row = self.memory.find_of(self.subjects, TIME, piece.text)
        number = self._names.get(comparable(piece.text))
        if number is None and row is not None:
            number = record_number(row)
        if number is not None:
            self.replaced[piece] = placeholder(number)

    def comments(self) -> None:
        if not self.memory.has(COMMENT, TEXT):
            return
        gone = [(piece.start, piece.end) for piece in self.replaced]
        for start, end in self.source.comments():
            if (start, end) in self.taken or any(first <= start < last for first, last in gone):
                continue
            text = self.source.comment(start, end)
            row = self.memory.find_of(self.subjects, COMMENT, text)
            row = row or self.memory.find_of(self.subjects, TEXT, text)
            if row is not None:
                self.taken.add((start, end))
                lines = self.source.lines(start, end)
                self.lines.append(Blanked(*lines, row.position))
                self.remarks.append((lines[0], row))

    def _take(
        self, piece: Piece, instead: str, row: Redaction, comments: Iterable[tuple[int, int]] = ()
    ) -> None:
        self.replaced[piece] = instead
        self.lines.append(Blanked(*self.source.lines(piece.start, piece.end), row.position))
        for start, end in comments:
            self.taken.add((start, end))
            self.lines.append(Blanked(*self.source.lines(start, end), row.position))

    def notices(self, read: ReadResult) -> Iterator[Finding]:
        """Of texts; what becomes of an entry is told by ``redacted_entries``, each time that its file is looked at."""
        for line_number, row in self.remarks:
            said = f"This comment was redacted {when(row)}: it is not kept."
            yield Finding(1, "notice", "redacted-text", "", line_number, 1, said, "Take it out of the file.")
        for path, row in self.told:
            at = path_text(path)
            line, column = read.position(at) or (None, None)
            yield Finding(
                1, "notice", "redacted-text", at, line, column,
                f"What stands here was redacted {when(row)}: it is left out, and not kept.",
                "Take it out of the file.",
            )  # fmt: skip


def merged(found: Iterable[Blanked]) -> Iterator[Blanked]:
    last: Blanked | None = None
    for one in sorted(found, key=lambda one: (one.first_line, one.last_line)):
        if last is not None and one.position == last.position and one.first_line <= last.last_line + 1:
            last = Blanked(last.first_line, max(last.last_line, one.last_line), last.position)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def normalised(location: str, roots: Roots) -> str | None:
    try:
        return normalise(location, roots)
    except LocationError:
        return None


def when(row: Redaction) -> str:
    """When it was redacted, by whom and why, for a sentence."""
    return (
        f"at {shown(row.redacted_at)} by {row.requested_by} and {row.approved_by} ({row.reason.rstrip('.')})"
    )
