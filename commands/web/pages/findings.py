"""Findings of an input file as a page shows them: grouped by cause, each with its lines, with the form that its field
accepts, and where a finding says what was meant, with what mends it everywhere. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from commands.inputfile.document import path_parts
from commands.inputfile.field_notes import FIELD_NOTES
from commands.inputfile.findings import Finding
from commands.inputfile.kept_findings import MORE_FINDINGS, MoreFindings
from commands.inputfile.mending import Mending, mending_of
from commands.inputfile.schema import described_field
from commands.web.pages.next_steps import Way, ways

GROUPS = 40
"""Causes on one page."""
LINES = 60
"""Lines that a cause names; its others are counted."""
_MANY = 6  # messages of one code, beyond which they are one cause
_KINDS = ("inserted", "failed", "waiting", "pending")
_STAGES = {0: "can be read", 1: "keys and types", 2: "values and paths", 3: "insertion"}


@dataclass(frozen=True, slots=True)
class Place:
    """``message`` is what is found there, where that differs from place to place."""

    line: int | None
    message: str = ""


@dataclass(slots=True)
class Cause:
    """``accepts`` is what the field takes, ``mending`` what was meant in all of its places. ``repair``: the code by
    which the lines can be mended that do not parse."""

    stage: int
    severity: str
    code: str
    message: str
    hint: str
    accepts: str = ""
    mending: Mending | None = None
    repair: str = ""
    ways: list[Way] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    @property
    def lines(self) -> list[int]:
        return sorted({place.line for place in self.places if place.line is not None})

    @property
    def beyond(self) -> int:
        return max(0, len(self.places) - LINES)


@dataclass(frozen=True, slots=True)
class Stage:
    """``status`` is one of the marks of a page."""

    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Wordless:
    """Findings beyond those that have words: their code, the first of their lines, and how many there are."""

    severity: str
    code: str
    lines: list[int]
    count: int


def causes(findings: Iterable[Finding], repairable: Mapping[tuple[str, int], str] = {}) -> list[Cause]:
    """The gravest first, then as they come in the file."""
    told = [each for each in findings if each.code != MORE_FINDINGS]
    messages: dict[str, set[str]] = {}
    for each in told:
        messages.setdefault(each.code, set()).add(each.message)
    found: dict[tuple[str, str, str], Cause] = {}
    for each in told:
        many = len(messages[each.code]) > _MANY
        key = (each.severity, each.code, "" if many else each.message)
        cause = found.get(key)
        if cause is None:
            cause = found[key] = _cause(each, repairable)
        cause.places.append(Place(each.line, each.message if many else ""))
    for cause in found.values():
        _said_once(cause)
    order = {"error": 0, "warning": 1, "notice": 2}
    return sorted(found.values(), key=lambda cause: (order[cause.severity], cause.stage))


def _cause(finding: Finding, repairable: Mapping[tuple[str, int], str]) -> Cause:
    repair = finding.code if (finding.code, finding.line or 0) in repairable else ""
    return Cause(
        finding.stage, finding.severity, finding.code, finding.message, finding.hint,
        accepted(finding.path) if finding.severity == "error" else "",
        None if repair else mending_of(finding), repair, ways(finding.next_steps),
    )  # fmt: skip


def _said_once(cause: Cause) -> None:
    """What differs from place to place is said there, and mended there."""
    others = {place.message for place in cause.places if place.message}
    if len(others) > 1:
        cause.mending, cause.hint, cause.ways = None, "", []
        cause.message = f"{len(cause.places):,} of one kind, such as: {cause.message}"


def accepted(path: str) -> str:
    """What the field at a path takes: ``Optional: …; must match reference.Room.`` Empty for no known field."""
    kind, said = "input file", ""
    for part in path_parts(path) if path else ():
        if isinstance(part, int):
            said = ""  # an entry, of which the whole is meant
            continue
        note = FIELD_NOTES.get(kind, {}).get(part)
        if note is None:
            return ""
        said = f"{part}: {described_field(note)}"
        kind = note.entries or ""
    return said


def wordless(more: MoreFindings) -> list[Wordless]:
    found: dict[tuple[str, str], list[int]] = {}
    for each in more.placed:
        found.setdefault((each.severity, each.code), []).append(each.line or 0)
    return [
        Wordless(severity, code, sorted({line for line in lines if line})[:LINES], len(lines))
        for (severity, code), lines in found.items()
    ]


def stages(reached: int, ok: bool, found: list[Cause], more: MoreFindings) -> list[Stage]:
    """How far a file came, as a row of states."""
    told = []
    for number, what in _STAGES.items():
        errors = [cause for cause in found if cause.stage == number and cause.severity == "error"]
        if number == 3:
            told.append(Stage("pending", "3 insertion: after the upload"))
        elif errors:
            places = sum(len(cause.places) for cause in errors) + (more.errors if number == reached else 0)
            some = "1 cause" if len(errors) == 1 else f"{len(errors)} causes"
            told.append(
                Stage("failed", f"{number} {what}: {some}, {places:,} place{'' if places == 1 else 's'}")
            )
        elif number <= reached or ok:
            told.append(Stage("inserted", f"{number} {what}"))
        else:
            told.append(Stage("pending", f"{number} {what}: not reached"))
    return told


def marked(found: list[Cause], more: MoreFindings) -> dict[int, str]:
    """How the number of each line is marked: the gravest wins."""
    marks: dict[int, str] = {}
    for each in more.placed:
        if each.line:
            marks[each.line] = "bad" if each.severity == "error" else marks.get(each.line, "odd")
    for cause in found:
        if cause.severity == "notice":
            continue
        for line in cause.lines:
            marks[line] = "bad" if cause.severity == "error" else marks.get(line, "odd")
    return marks
