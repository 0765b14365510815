"""Findings while they are gathered: a place in the document is turned into path and position at the end,
once.
"""

from commands.inputfile.document import Document, Part, Place, parts_of, path_text
from commands.inputfile.findings import Finding, Severity

# What a finding points at: the value, its key, or the second occurrence of the key.
VALUE, KEY, REPEAT = 0, 1, 2


class Report:
    """Stage-1 findings of one document. ``readings`` remembers bare scalars that were looked at before."""

    def __init__(self, document: Document, limit: int) -> None:
        self.document = document
        self.limit = limit
        self.errors = 0
        self._left_out = 0
        self.readings: dict[str, str | None] = {}
        self._found: list[tuple[Severity, str, list[Part], int, str, str]] = []

    def error(
        self, code: str, place: Place, key: Part | None, message: str, hint: str = "", at: int = VALUE
    ) -> None:
        self.errors += 1
        self._add("error", code, place, key, message, hint, at)

    def warning(self, code: str, place: Place, key: Part | None, message: str, hint: str = "") -> None:
        self._add("warning", code, place, key, message, hint, VALUE)

    def notice(self, code: str, place: Place, key: Part | None, message: str, hint: str = "") -> None:
        self._add("notice", code, place, key, message, hint, VALUE)

    @property
    def is_full(self) -> bool:
        return len(self._found) >= self.limit

    def left_out(self) -> None:
        """Count an error that is no longer shown."""
        self.errors += 1
        self._left_out += 1

    def _add(
        self, severity: Severity, code: str, place: Place, key: Part | None, message: str, hint: str, at: int
    ) -> None:
        if self.is_full:
            self._left_out += 1
        else:
            parts = parts_of(place if key is None else (place, key))
            self._found.append((severity, code, parts, at, message, hint))

    def rest_of_line(self, place: Place, key: Part) -> str:
        """What the user wrote from that value to the end of its line."""
        return self.document.rest_of_line(parts_of((place, key)))

    def findings(self) -> list[Finding]:
        """In the order of the file."""
        found = list(self.document.remarks)
        for severity, code, parts, at, message, hint in self._found:
            if at == KEY:
                position = self.document.key_position(parts)
            elif at == REPEAT:
                position = self.document.repeat_position(parts)
            else:
                position = self.document.position(parts)
            found.append(Finding(1, severity, code, path_text(parts), *position, message, hint))
        found.sort(key=lambda finding: (finding.line or 0, finding.column or 0))
        if self._left_out:
            message = f"{self._left_out} further findings are not shown (the limit is {self.limit})."
            found.append(Finding(1, "notice", "more-findings", "", None, None, message))
        return found
