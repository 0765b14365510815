"""What is said about an input file: one finding per fact, with its place, its code and what to do next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ledger.errors import NextStep as NextStep

Severity = Literal["error", "warning", "notice"]
FAULT = "incident"
"""The code of what the program itself stumbled over."""
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "notice")  # the gravest first

# What a next step can do. Its arguments are texts, as they must be passed on: never cut, never quoted.
PROPOSE_VALUE = "propose-value"  # reference, value
RESTORE_VALUE = "restore-value"  # reference, value
LOAD_CATALOGUE = "load-catalogue"
REGISTER_SUBJECT = "register-subject"  # subject
INSERT_PROBE = "insert-probe"  # subject
SHOW_REQUEST = "show-request"
UPLOAD = "upload"  # file
AMEND = "amend"  # file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in an input file.

    ``stage`` is 0 (can it be loaded), 1 (keywords and types), 2 (values against the ledger and the disk) or
    3 (the insertion itself). ``code`` is stable, in kebab-case: scripts may match it. ``path`` is the place
    in the document (``sessions[3].tasks[0].task_start``; empty for the whole file). ``line`` and ``column``
    count from 1; both are None where a finding is about no single place. Only errors stop an upload.
    """

    stage: int
    severity: Severity
    code: str
    path: str
    line: int | None
    column: int | None
    message: str
    hint: str = ""
    next_steps: tuple[NextStep, ...] = ()

    def __str__(self) -> str:
        where = "" if self.line is None else f"{self.line}:{self.column}: "
        hint = f" {self.hint}" if self.hint else ""
        return f"{where}{self.severity}: {self.message}{hint} [{self.code}]"


def finding_of(plain: Mapping[str, Any]) -> Finding:
    """A finding from its plain form, ``dataclasses.asdict`` of it, as events and documents hold it."""
    steps = tuple(NextStep(**step) for step in plain.get("next_steps", ()))
    return Finding(**{**plain, "next_steps": steps})


def in_file_order(findings: Iterable[Finding]) -> list[Finding]:
    """By line and column, at each place the gravest first; findings about no single place come last."""
    rank = SEVERITIES.index
    return sorted(findings, key=lambda f: (f.line is None, f.line or 0, f.column or 0, rank(f.severity)))
