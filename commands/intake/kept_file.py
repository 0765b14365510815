"""What a file brings again of what was redacted: it is taken out before anything of the file is kept or looked at.

Everything else works on what is left, so nothing of it can come into an event, a finding or the stored bytes. Reads the
ledger; of the disk only where links lead to.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePath

from commands.door.memory import COMMENT, FILENAME, GROUP, LOCATION, TEXT, Memory
from commands.door.submit import Daybook
from commands.door.world import World
from commands.inputfile.blanking import BLANK, Source, words_of
from commands.inputfile.findings import Finding
from commands.inputfile.input_file import same_location
from commands.inputfile.read import Limits, ReadResult, read_input_file
from commands.intake.checking import with_incidents
from commands.intake.nested import Finder
from commands.intake.recognised import Blanked, Search, merged, normalised, when
from commands.recordings.roots import Roots
from ledger import input_files, log
from projections.records import Redaction, Upload
from projections.renamed import every_name


@dataclass(frozen=True, slots=True)
class Kept:
    """An input file as it may be kept, looked at ``at`` a position; ``read`` are stages 0 and 1 of that."""

    data: bytes
    filename: str
    read: ReadResult
    at: int
    blanked: tuple[Blanked, ...] = ()
    notices: tuple[Finding, ...] = ()


def kept_of(
    daybook: Daybook,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits,
    finder: Finder | None = None,
    before: int | None = None,
) -> Kept:
    """The file without what was redacted; ``before`` a position, of what was by then."""
    digest = sha256(data).hexdigest()
    with daybook.reading() as world:
        at, memory = world.head.size, Memory.of(world)
        is_known = input_files.erased(world.transaction, digest)
    read = with_incidents(read_input_file(data, filename=filename, limits=limits), daybook.database)
    if not memory and not is_known:
        return Kept(data, filename, read, at)
    look = _Look(data, digest, filename, read, roots, limits)
    while True:
        with daybook.reading() if before is None else daybook.reading_past(before - 1) as world:
            kept, places = look.at(world)
        if not places:
            return kept
        look.links = (finder or Finder(roots)).links(places)


def carried_out_at(daybook: Daybook, command_id: str) -> int | None:
    """The position of the first event of a command that was carried out before: what it kept of its file was looked at
    for what had been redacted by then."""
    with daybook.reading() as world:
        found = log.read_receipt(world.transaction, command_id)
    return None if found is None else found[1]


@dataclass(slots=True)
class _Look:
    """``links`` are the locations of the file that lead to others; None before the disk was asked."""

    data: bytes
    digest: str
    filename: str
    read: ReadResult
    roots: Roots
    limits: Limits
    links: Mapping[str, str] | None = None

    def at(self, world: World) -> tuple[Kept, list[str]]:
        """What is kept at this moment, and the locations of which it first has to be known where they lead."""
        memory = Memory.of(world)
        receipt = _erased_receipt(world, self.digest)
        if receipt is not None:
            return self._known_file(world, *receipt), []
        if self.read.document is None:
            return self._unreadable(world, memory), []
        subjects = _subjects(world, self.read)
        search = Search(world, memory, Source.of(self.read.document), self.roots, subjects, self.links)
        search.entries()
        search.words()
        search.comments()
        name = _filename(memory, subjects, self.filename)
        if not search.replaced and not search.taken:
            return Kept(self.data, name, self.read, world.head.size), search.unknown
        data = search.source.blanked(search.replaced, search.taken).encode()
        receipt = _erased_receipt(world, sha256(data).hexdigest())
        if receipt is not None:
            return self._known_file(world, *receipt), []
        read = read_input_file(data, filename=self.filename, limits=self.limits)
        found = Kept(
            data, name, read, world.head.size, tuple(merged(search.lines)), tuple(search.notices(read))
        )
        return found, search.unknown

    def _known_file(self, world: World, upload: Upload, row: Redaction) -> Kept:
        """The very file whose receipt was redacted, with its bytes: nobody can say which of them had to go."""
        came = f"This very file came as u{upload.id}, which was redacted {when(row)}"
        said = f"{came}: nothing of it is looked at or kept."
        hint = "Upload it when what had to go is out of it. What came of it before stays as it is."
        name = upload.subject.partition("/")[2]
        data = f"subject: {{name: {json.dumps(name)}}}\n".encode() if name else b"#\n"
        read, notices = read_input_file(data, limits=self.limits), list[Finding]()
        if upload.status == "rejected" or read.input_file is None:
            refused = Finding(0, "error", "redacted-file", "", None, None, said, hint)
            read = ReadResult(0, None, (refused,))
        else:
            notices.append(Finding(2, "notice", "redacted-file", "", None, None, said, hint))
        blanked = Blanked(1, max(1, len(self.data.splitlines())), row.position)
        name = _filename(Memory.of(world), every_name(world.transaction, upload.subject), self.filename)
        return Kept(data, name, read, world.head.size, (blanked,), tuple(notices))

    def _unreadable(self, world: World, memory: Memory) -> Kept:
        text = _as_text(self.data)
        subjects = _subjects(world, self.read)

        def find(words: str) -> Redaction | None:
            place = normalised(words, self.roots)
            return (
                (place is not None and memory.find(LOCATION, place))
                or memory.find(LOCATION, same_location(words))
                or memory.find(GROUP, words)
                or memory.find_of(subjects, TEXT, words)
                or memory.find_of(subjects, COMMENT, words)
                or None
            )

        row = next((row for words in words_of(text) if (row := find(words)) is not None), None)
        if row is None:
            return Kept(self.data, self.filename, self.read, world.head.size)
        lines = max(1, len(self.data.splitlines()))
        said = f"What it says is not kept: somewhere in the file stands what was redacted {when(row)}."
        findings = [
            replace(finding, message="The file cannot be read here.", hint=said, next_steps=())
            for finding in self.read.findings
        ]
        read = ReadResult(0, None, tuple(findings))
        blanked = (Blanked(1, lines, row.position),)
        return Kept(b"#\n" * lines, self.filename, read, world.head.size, blanked)


def _erased_receipt(world: World, digest: str) -> tuple[Upload, Redaction] | None:
    """The receipt that the bytes of this file went with, where they are gone."""
    if not input_files.erased(world.transaction, digest):
        return None
    rows = world.state.uploads.where("sha256 = ?", [digest])
    found = [(row, gone) for row in rows if (gone := world.state.redactions.get(row.id)) is not None]
    return found[-1] if found else None


def _as_text(data: bytes) -> str:
    """In whichever encoding it may be: one that is wrong makes words of it that nobody has."""
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    encodings = ("utf-16", "utf-8", "cp1252") if data.count(0) else ("utf-8", "cp1252")
    return "\n".join(data.decode(encoding, "replace") for encoding in encodings)


def _subjects(world: World, read: ReadResult) -> list[str]:
    """The file's, by every name that it had. Where it names none that is registered, all that are, and the one that it
    names: somebody has to mend the file, and it is kept all the same."""
    given = read.input_file.subject if read.input_file is not None else None
    named = "" if given is None else f"{given.datasource_id}/{given.name}"
    own = every_name(world.transaction, named) if named else []
    if world.state.subjects.get(named) is not None:
        return own
    registered = [row.subject for row in world.state.subjects.where("subject >= ?", [""])]
    return list(dict.fromkeys([*own, *registered]))


def _filename(memory: Memory, subjects: Sequence[str], filename: str) -> str:
    """Its ending stays: it says how the file is written."""
    if memory.find_of(subjects, FILENAME, filename) is None:
        return filename
    return f"{BLANK}{PurePath(filename).suffix}"
