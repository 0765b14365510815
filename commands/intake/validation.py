"""Validate an input file: stages 0 to 2, as far as they can be reached, and the record that somebody did."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from commands.door.command import Command, checked_command_id
from commands.door.permission import WRITERS, require_writer, role_of
from commands.door.submit import Daybook
from commands.door.world import Decision, Result, World
from commands.inputfile.check import Checked, CheckedClustering, CheckedSession, check
from commands.inputfile.entries import InputFile
from commands.inputfile.findings import Finding, in_file_order
from commands.inputfile.kept_findings import NO_MORE, MoreFindings, kept
from commands.inputfile.known import Known
from commands.inputfile.read import Limits, ReadResult
from commands.intake.at_fault import AtFault, Place
from commands.intake.blanked_lines import blanked_lines
from commands.intake.checking import CheckedFile, EntryCounts, check_alone, counted
from commands.intake.differing import differing_entries
from commands.intake.kept_file import Kept, carried_out_at, kept_of
from commands.intake.known import LONGEST_NAME, links_of, load_known
from commands.intake.moved import Moves, find_moves, moves_told
from commands.intake.nested import Finder
from commands.intake.others import OthersEntry, entries_of_others, notices
from commands.intake.redacted_entries import redacted_entries
from commands.intake.renewing import Renewals, renewals, with_renewed
from commands.intake.returning import returning
from commands.intake.said_of_file import foreign_sessions, of_what_is_new, without_curator
from commands.intake.shared_runs import without_shared_runs
from commands.recordings.disk import shown
from commands.recordings.roots import Roots
from commands.stored import held
from ledger.envelope import NewEvent
from ledger.errors import LedgerUnavailable
from ledger.events import InputFileChecked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Validation:
    """``stage`` is the last stage that was reached; ``checked`` is set where stage 2 was. ``more`` are the findings
    beyond those that are kept with their text; ``renewals`` are entries that were never inserted and take what the file
    says; ``faults`` are entries that the program itself cannot check, with their incidents: they fail."""

    stage: int
    findings: tuple[Finding, ...]
    input_file: InputFile | None = None
    checked: Checked | None = None
    known_at: int = 0
    more: MoreFindings = NO_MORE
    renewals: Renewals = field(default_factory=Renewals)
    moves: Moves = field(default_factory=Moves)
    faults: Mapping[Place, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def subject(self) -> str:
        """The subject's key; empty where the file names none that could be registered."""
        if self.input_file is None or len(self.input_file.subject.name) > LONGEST_NAME:
            return ""
        return f"{self.input_file.subject.datasource_id}/{self.input_file.subject.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecorded(Result):
    """``at`` is the position that the file was checked against."""

    at: int


class RecordCheck(Command[CheckRecorded]):
    """Record that somebody validated a file: who and what, not the bytes."""

    filename: str
    sha256: str
    size_bytes: int
    ok: bool
    stage: int
    errors: int
    warnings: int
    subject: str
    at: int = 0

    def fingerprint(self) -> bytes:
        """Goes by the file, whatever is found in it the second time."""
        return sha256(f"RecordCheck {self.command_id} {self.filename} {self.sha256}".encode()).digest()

    def authorise(self, world: World) -> None:
        require_writer(world, "validate input files")

    def decide(self, world: World) -> Decision[CheckRecorded]:
        facts = self.model_dump(exclude={"command_id", "subject", "at"})
        stream = f"check/{world.next_position}"
        return Decision(
            [NewEvent(stream, InputFileChecked(**facts), 0, self.subject, world.owner)],
            CheckRecorded(at=self.at),
        )


def validate(
    daybook: Daybook | None,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    record: bool = True,
    command_id: str | None = None,
) -> CheckedFile:
    """Stages 0 to 2, or 0 and 1 where there is no ledger. ``record`` appends that it was done, unless the actor may
    change nothing or the ledger cannot be written.

    A command id that was used for the same file before answers for the ledger as it was then."""
    filename = shown(filename)  # a name on disk may be no text
    if daybook is None:
        return check_alone(data, filename=filename, limits=limits)
    command_id, again = checked_command_id(command_id), None
    before, finder = carried_out_at(daybook, command_id), Finder(roots)
    kept = kept_of(daybook, data, filename=filename, roots=roots, limits=limits, finder=finder, before=before)
    digest = sha256(kept.data).hexdigest()
    if before is not None:
        again = daybook.earlier(
            RecordCheck.model_construct(command_id=command_id, filename=kept.filename, sha256=digest)
        )
    at = None if again is None else again.result.at

    def then(validation: Validation) -> tuple[CheckedFile, bool]:
        with daybook.reading() if again is None else daybook.reading_past(again.result.at) as world:
            checked = _checked_file(world, validation, roots, kept)
            checked = replace(checked, position=world.head.size, unrecorded="not-asked")
            return checked, role_of(world, world.actor) in WRITERS

    validation, (checked, is_writer) = check_file(
        daybook, kept.read, roots, at=at, finder=finder, notices=kept.notices, then=then
    )
    if again is not None:
        return replace(checked, position=again.result.position, unrecorded=None)
    if not (record and is_writer):
        return replace(checked, unrecorded="not-a-writer") if record else checked
    severities = [finding.severity for finding in validation.findings]
    command = RecordCheck(
        command_id=command_id,
        filename=kept.filename,
        sha256=digest,
        size_bytes=len(kept.data),
        ok=validation.ok,
        stage=validation.stage,
        errors=severities.count("error") + validation.more.errors,
        warnings=severities.count("warning") + validation.more.warnings,
        subject=validation.subject,
        at=validation.known_at,
    )
    try:
        position = daybook.submit(command).result.position
    except LedgerUnavailable as unavailable:
        if unavailable.code != "read-only":
            raise
        return replace(checked, unrecorded="read-only")
    return replace(checked, position=position, unrecorded=None)


def _checked_file(world: World, validation: Validation, roots: Roots, kept: Kept) -> CheckedFile:
    checked = validation.checked
    differing = (
        []
        if checked is None
        else differing_entries(
            world, checked, validation.subject, roots, validation.renewals, validation.moves
        )
    )
    redacted = validation.input_file.redacted if validation.input_file is not None else ()

    def entries(name: str, duplicates: list[int | None]) -> EntryCounts:
        return counted([*duplicates, *(each.record for each in redacted if each.list == name)])

    return CheckedFile(
        ok=validation.ok,
        stage=validation.stage,
        findings=in_file_order(validation.findings),
        more=validation.more,
        blanked=blanked_lines(world, [each.plain() for each in kept.blanked]),
        sessions=None if checked is None else entries("sessions", [s.duplicate_of for s in checked.sessions]),
        clusterings=None
        if checked is None
        else entries("clustering", [c.duplicate_of for c in checked.clusterings]),
        differing=differing,
        unrecorded="no-ledger",
    )


def check_file(
    daybook: Daybook,
    read: ReadResult,
    roots: Roots,
    owner: str | None = None,
    *,
    then: Callable[[Validation], T],
    at: int | None = None,
    newest: bool = True,
    finder: Finder | None = None,
    notices: Sequence[Finding] = (),
    at_fault: AtFault | None = None,
) -> tuple[Validation, T]:
    """Stage 2 of a file that was read, against the ledger, now or ``at`` a position, and the disk as it is now; and
    what ``then`` makes of it. ``notices`` are what there is to say of it beyond what is read of it.

    ``owner`` is the user whose records its entries are; else the one who acts. Only the ``newest`` file renews what was
    never inserted, not one that is taken again. What the program stumbles over is kept in ``at_fault``, and fails."""
    if read.input_file is None:
        validation = Validation(read.stage, (*read.findings, *notices), more=read.more)
        return validation, then(validation)
    without = at_fault or AtFault(daybook)

    def look(rest: InputFile) -> tuple[Validation, T]:
        found = _check_file(
            daybook, replace(read, input_file=rest), roots, owner, at=at, newest=newest, finder=finder,
            notices=notices, without=without,
        )  # fmt: skip
        return found, then(found)

    return without.look(read.input_file, look)


def _check_file(
    daybook: Daybook,
    read: ReadResult,
    roots: Roots,
    owner: str | None,
    *,
    at: int | None,
    newest: bool,
    finder: Finder | None,
    notices: Sequence[Finding],
    without: AtFault,
) -> Validation:
    assert read.input_file is not None  # noqa: S101 - it passed stage 1

    def reading() -> AbstractContextManager[World]:
        return daybook.reading() if at is None else daybook.reading_past(at)

    owner, finder, links = owner or daybook.actor.owner, finder or Finder(roots), dict[str, str]()
    subject = f"{read.input_file.subject.datasource_id}/{read.input_file.subject.name}"
    while True:
        with reading() as world:
            known = load_known(world, read.input_file, roots, links, read.cut)
            others = entries_of_others(world, read.input_file, known, roots, owner)
            renewed = renewals(world, read.input_file, known, roots, owner) if newest else Renewals()
            said = [*notices, *redacted_entries(world, read.input_file, read.position)]
            said += returning(world, read.input_file, known, roots, read.position)
            known_at = world.head.size
            failed = _failed(world, without, subject, roots)
        found = links_of(read.input_file, known, roots, finder)
        if found.keys() <= links.keys():
            known, others = _with_shared_runs(daybook, read, known, others, roots, owner, reading)
            known, moves = find_moves(reading, read.input_file, known, roots, owner=owner, find=finder.find)
            if moves.by_index or moves.old_places:
                with reading() as world:
                    others = entries_of_others(world, read.input_file, known, roots, owner)
            known = with_renewed(known, renewed)
            checked = check_against(
                read, known, roots, owner=owner, others=others, at=known_at, find=finder.find, said=said,
                beside=failed.sessions,
            )  # fmt: skip
            told = [*moves_told(moves, read.position), *without.findings(read.position)]
            findings = tuple(in_file_order([*checked.findings, *told]))
            checked = replace(checked, findings=findings, renewals=renewed, moves=moves)
            return failed.beside(checked)
        links |= found  # what they lead to has to be asked of the ledger as well


@dataclass(frozen=True, slots=True)
class _Failed:
    """The entries at fault. Those in the ledger already stay as they are there: a clustering of the file may stand on
    them."""

    sessions: list[CheckedSession]
    clusterings: list[CheckedClustering]
    incidents: Mapping[Place, str]

    def beside(self, validation: Validation) -> Validation:
        """With those that become records, which fail."""
        checked = validation.checked
        if checked is None or not self.incidents:
            return validation
        there = {text for each in checked.sessions for text in (each.location, each.leads_to)}
        new = [each for each in self.sessions if each.duplicate_of is None and each.location not in there]
        whole = replace(
            checked,
            sessions=tuple(sorted([*checked.sessions, *new], key=lambda each: each.entry.index)),
            clusterings=tuple(
                sorted([*checked.clusterings, *self.clusterings], key=lambda each: each.entry.index)
            ),
        )
        return replace(validation, checked=whole, faults=self.incidents)


def _failed(world: World, without: AtFault, subject: str, roots: Roots) -> _Failed:
    sessions, clusterings = without.sessions(roots), without.clusterings(roots)
    holders = held(world, subject, [each.location for each in sessions]) if sessions else {}
    return _Failed(
        [
            replace(each, duplicate_of=holders[each.location].session) if each.location in holders else each
            for each in sessions
        ],
        [each for each in clusterings if world.state.groups.get(each.entry.group_name) is None],
        without.incidents,
    )


def _with_shared_runs(
    daybook: Daybook,
    read: ReadResult,
    known: Known,
    others: list[OthersEntry],
    roots: Roots,
    owner: str,
    reading: Callable[[], AbstractContextManager[World]],
) -> tuple[Known, list[OthersEntry]]:
    """Two animals may have been recorded in one run: then another's location is news."""
    assert read.input_file is not None  # noqa: S101 - it passed stage 1
    without = without_shared_runs(daybook, read.input_file, known, roots)
    if without is known:
        return known, others
    with reading() as world:
        return without, entries_of_others(world, read.input_file, without, roots, owner)


def check_against(
    read: ReadResult,
    known: Known,
    roots: Roots,
    *,
    at: int,
    owner: str = "",
    others: Iterable[OthersEntry] = (),
    find: Callable[[str], object] | None = None,
    said: Iterable[Finding] = (),
    beside: Sequence[CheckedSession] = (),
) -> Validation:
    """Stage 2 of a file that passed stage 1, against what is known ``at`` a position; only the disk and the clock are
    looked at.
    ``others`` are the entries that other people than ``owner`` have in the ledger, ``said`` further findings."""
    assert read.input_file is not None  # noqa: S101 - it passed stage 1
    checked = check(
        read.input_file,
        known,
        roots,
        position=read.position,
        left_out_names=read.left_out_names,
        cut=read.cut,
        find=find,
        now=datetime.now(roots.zone).replace(tzinfo=None),
        beside=beside,
    )
    findings = (
        *of_what_is_new(read, checked),
        *checked.findings,
        *without_curator(read, checked, known, owner),
        *foreign_sessions(read, checked, known),
        *notices(others, read.position, owner),
        *said,
    )
    told, more = kept(findings, [read.more, checked.more])
    return Validation(2, told, read.input_file, checked, at, more)
