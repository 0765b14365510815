"""What is said about an input file: one finding per fact, with its place, its code and what to do next."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "notice"]


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

    def __str__(self) -> str:
        where = "" if self.line is None else f"{self.line}:{self.column}: "
        hint = f" {self.hint}" if self.hint else ""
        return f"{where}{self.severity}: {self.message}{hint} [{self.code}]"
