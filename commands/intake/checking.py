"""What a check of an input file answers, and its stages 0 and 1, which need no ledger. Imports no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from commands.door.incidents import record_beside
from commands.door.result import Result
from commands.inputfile.findings import FAULT, Finding, in_file_order
from commands.inputfile.kept_findings import NO_MORE, MoreFindings
from commands.inputfile.limits import Limits
from commands.inputfile.read import ReadResult, read_input_file
from commands.intake.blanked_lines import BlankedLines

if TYPE_CHECKING:
    from ledger.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCounts:
    """How many entries a file has, and how many of them are new or in the ledger already."""

    entries: int
    new: int
    known: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an entry, such as ``tasks[0].notes``: what is stored, and what was given. Values as in the input
    format."""

    field: str
    stored: Any
    given: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferingEntry:
    """An entry of which the ledger says something else: ``record`` (s12, c56) is ``username``'s. ``renewed``: it was
    never inserted, and an upload of the file gives it what the file says. ``moved_from``: its recordings lay there, and
    an upload says on its record where they lie now."""

    index: int
    record: str
    username: str
    differences: list[Difference]
    renewed: bool
    moved_from: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile(Result):
    """What was found in an input file. ``stage`` is the last that could be reached; the counts are None below 2.
    ``blanked`` are lines with something that had been redacted, which no upload would keep; ``differing`` are known
    entries that the ledger has otherwise. ``unrecorded`` says why the ledger does not say that it was checked; None
    where it does."""

    stage: int
    findings: list[Finding]
    more: MoreFindings
    blanked: list[BlankedLines]
    sessions: EntryCounts | None
    clusterings: EntryCounts | None
    differing: list[DifferingEntry] = field(default_factory=list)
    unrecorded: Literal["not-asked", "not-a-writer", "read-only", "no-ledger"] | None


def check_alone(data: bytes, *, filename: str, limits: Limits = Limits()) -> CheckedFile:  # noqa: B008 - frozen
    """Stages 0 and 1: quick enough for an editor, without asking any database."""
    read = with_incidents(read_input_file(data, filename=filename, limits=limits), None)
    return _alone(read.stage, in_file_order(read.findings), read.more)


def checked_too_large(size_bytes: int, limits: Limits) -> CheckedFile | None:
    """What a check answers for a file beyond the limit, which is not read to its end."""
    found = too_large(size_bytes, limits)
    return None if found is None else _alone(0, [found])


def _alone(stage: int, findings: list[Finding], more: MoreFindings = NO_MORE) -> CheckedFile:
    return CheckedFile(
        ok=not any(finding.severity == "error" for finding in findings),
        stage=stage,
        findings=findings,
        more=more,
        blanked=[],
        sessions=None,
        clusterings=None,
        unrecorded="no-ledger",
    )


def too_large(size_bytes: int, limits: Limits) -> Finding | None:
    """What is found in a file beyond the limit; ``size_bytes`` may be one byte beyond it, where it was not read on."""
    most = limits.input_file_bytes
    if size_bytes <= most:
        return None
    size = f"{size_bytes:,} bytes" if size_bytes > most + 1 else f"more than {most:,} bytes"
    message = f"The file has {size}; at most {most:,} are read."
    hint = "Split it, or raise limits.input_file_bytes in daybook.toml."
    return Finding(0, "error", "file-too-large", "", None, None, message, hint)


def counted(duplicates: Sequence[int | None]) -> EntryCounts:
    new = duplicates.count(None)
    return EntryCounts(entries=len(duplicates), new=new, known=len(duplicates) - new)


def with_incidents(read: ReadResult, database: "Database | None") -> ReadResult:
    """Stage 1, where the program stumbled over an entry: the finding that it left there says under which incident."""
    if not read.faults:
        return read
    said = {}
    for path, fault in read.faults:
        incident = record_beside(fault, verb="stage 1", database=database)
        said[path] = f"The entry cannot be read, by a fault of daybook itself (incident {incident})."
    findings = tuple(
        replace(each, message=said[each.path], hint="Report it under this number.")
        if each.code == FAULT and each.path in said
        else each
        for each in read.findings
    )
    return replace(read, findings=findings, faults=())
