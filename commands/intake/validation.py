"""Validate an input file: stages 0 to 2, as far as they can be reached, and the record that somebody did."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from commands.door.permission import WRITERS, require_writer, role_of
from commands.door.submit import Daybook
from commands.door.world import Command, Decision, World
from commands.inputfile.check import Checked, check
from commands.inputfile.entries import InputFile
from commands.inputfile.findings import Finding
from commands.inputfile.known import Known
from commands.inputfile.read import Limits, ReadResult, read_input_file
from commands.intake.known import LONGEST_NAME, foreign_sessions, load_known
from commands.recordings.disk import shown
from commands.recordings.roots import Roots
from ledger.envelope import NewEvent
from ledger.events import InputFileChecked


@dataclass(frozen=True, slots=True)
class Validation:
    """``stage`` is the last stage that could be reached; ``checked`` is set where stage 2 was."""

    stage: int
    findings: tuple[Finding, ...]
    input_file: InputFile | None = None
    checked: Checked | None = None
    known_at: int = 0

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def subject(self) -> str:
        """The subject's key; empty where the file names none that could be registered."""
        if self.input_file is None or len(self.input_file.subject.name) > LONGEST_NAME:
            return ""
        return f"{self.input_file.subject.datasource_id}/{self.input_file.subject.name}"


class RecordCheck(Command):
    """Somebody validated a file: who and what, not the bytes."""

    filename: str
    sha256: str
    size_bytes: int
    ok: bool
    stage: int
    errors: int
    warnings: int
    subject: str

    def authorise(self, world: World) -> None:
        require_writer(world, "validate input files")

    def decide(self, world: World) -> Decision:
        facts = self.model_dump(exclude={"command_id", "subject"})
        stream = f"check/{world.next_position}"
        return Decision([NewEvent(stream, InputFileChecked(**facts), 0, self.subject, world.actor)])


def validate(
    daybook: Daybook | None,
    data: bytes,
    *,
    filename: str,
    roots: Roots,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    record: bool = True,
) -> Validation:
    """Stages 0 to 2, or 0 and 1 where there is no ledger; ``record`` appends that it was done, unless by somebody
    who changes nothing."""
    filename = shown(filename)  # a name on disk may be no text
    read = read_input_file(data, filename=filename, limits=limits)
    if daybook is None:
        return Validation(read.stage, read.findings, read.input_file)
    validation = check_file(daybook, read, roots)
    with daybook.reading() as world:
        record = record and role_of(world, world.actor) in WRITERS
    if record:
        severities = [finding.severity for finding in validation.findings]
        daybook.submit(
            RecordCheck(
                filename=filename,
                sha256=sha256(data).hexdigest(),
                size_bytes=len(data),
                ok=validation.ok,
                stage=validation.stage,
                errors=severities.count("error"),
                warnings=severities.count("warning"),
                subject=validation.subject,
            )
        )
    return validation


def check_file(daybook: Daybook, read: ReadResult, roots: Roots, owner: str | None = None) -> Validation:
    """Stage 2 of a file that was read, against the ledger and the disk as they are now.

    ``owner`` is the user whose records its entries are; else the one who acts."""
    if read.input_file is None:
        return Validation(read.stage, read.findings)
    with daybook.reading() as world:
        known = load_known(world, read.input_file, roots)
        foreign = foreign_sessions(world, known, read.input_file)
        known_at = world.head.size
    return check_against(read, known, roots, owner=owner or daybook.actor.user, foreign=foreign, at=known_at)


def check_against(
    read: ReadResult, known: Known, roots: Roots, *, owner: str, foreign: Mapping[int, str], at: int
) -> Validation:
    """Stage 2 of a file that passed stage 1, against what is known ``at`` a position; only the disk is looked at."""
    assert read.input_file is not None  # noqa: S101 - it passed stage 1
    checked = check(
        read.input_file,
        known,
        roots,
        username=owner,
        position=read.position,
        left_out_names=read.left_out_names,
    )
    findings = (
        *_of_what_is_new(read, checked),
        *checked.findings,
        *_foreign_sessions(read, checked, foreign),
    )
    return Validation(2, _in_file_order(findings), read.input_file, checked, at)


def _of_what_is_new(read: ReadResult, checked: Checked) -> Iterator[Finding]:
    """Without the notices about duplicates: nothing will be done about them, and a file that grows has thousands."""
    known = {f"sessions[{s.entry.index}]" for s in checked.sessions if s.duplicate_of is not None}
    known |= {f"clustering[{c.entry.index}]" for c in checked.clusterings if c.duplicate_of is not None}
    for finding in read.findings:
        if finding.severity != "notice" or finding.path.partition(".")[0] not in known:
            yield finding


def _foreign_sessions(read: ReadResult, checked: Checked, foreign: Mapping[int, str]) -> Iterator[Finding]:
    """A name leads to a session of another subject where its location is held by one."""
    for clustering in checked.clusterings:
        path = f"clustering[{clustering.entry.index}].sessions"
        line, column = read.position(path) or (None, None)
        for session in [s for reference in clustering.sessions if (s := reference.session) in foreign]:
            message = f"session s{session} is of subject {foreign[int(session or 0)]}."
            hint = "The sessions of a clustering are of one subject: check the location of that session."
            yield Finding(2, "error", "session-of-another-subject", path, line, column, message, hint)


def _in_file_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.line or 0, finding.column or 0)))
