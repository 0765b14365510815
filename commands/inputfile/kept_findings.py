"""How many findings of a file are kept, and how much of each.

The first ones keep their text; the others keep code and place, up to a limit; the rest is counted. Errors go before
warnings and warnings before notices, so that what stops an upload is never left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from commands.inputfile.findings import SEVERITIES, Finding, Severity, in_file_order
from commands.inputfile.limits import DEFAULT_LIMITS, Limits
from ledger.plurals import plural

MORE_FINDINGS = "more-findings"


@dataclass(frozen=True, slots=True)
class PlacedFinding:
    """A finding without its words."""

    severity: Severity
    code: str
    line: int | None
    column: int | None


@dataclass(frozen=True, slots=True)
class MoreFindings:
    """The findings beyond those that are kept with their text: the first of them placed, all of them counted."""

    placed: tuple[PlacedFinding, ...] = ()
    errors: int = 0
    warnings: int = 0
    notices: int = 0

    @property
    def total(self) -> int:
        return self.errors + self.warnings + self.notices


NO_MORE = MoreFindings()


def plain_more(more: MoreFindings) -> dict[str, Any]:
    """As events hold it. (``dataclasses.asdict`` copies every value of thousands.)"""
    names = ("severity", "code", "line", "column")
    placed = [{name: getattr(one, name) for name in names} for one in more.placed]
    return {"placed": placed, "errors": more.errors, "warnings": more.warnings, "notices": more.notices}


def more_of(plain: Mapping[str, Any]) -> MoreFindings:
    """The reverse of ``plain_more``."""
    return MoreFindings(**{**plain, "placed": tuple(PlacedFinding(**each) for each in plain["placed"])})


def kept(
    findings: Iterable[Finding], more: Sequence[MoreFindings] = (), *, limits: Limits = DEFAULT_LIMITS
) -> tuple[tuple[Finding, ...], MoreFindings]:
    """What is kept of the findings of several stages together, in the order of the file.

    ``more`` is what the stages had beyond those. Where anything is beyond, a last notice says how much.
    """
    told = in_file_order(finding for finding in findings if finding.code != MORE_FINDINGS)
    told.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    beyond = told[limits.findings :]
    told = in_file_order(told[: limits.findings])
    placed = [PlacedFinding(f.severity, f.code, f.line, f.column) for f in beyond]
    placed += (finding for part in more for finding in part.placed)
    placed.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    counts = {
        "errors": sum(part.errors for part in more) + _count(beyond, "error"),
        "warnings": sum(part.warnings for part in more) + _count(beyond, "warning"),
        "notices": sum(part.notices for part in more) + _count(beyond, "notice"),
    }
    rest = MoreFindings(tuple(placed[: max(0, limits.placed_findings - len(told))]), **counts)
    if rest.total:
        told.append(_said(rest))
    return tuple(told), rest


class Gathered:
    """The findings of one stage while they come in: of each severity it holds no more than are kept."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counts: dict[Severity, int] = dict.fromkeys(SEVERITIES, 0)
        self._told: list[Finding] = []
        self._placed: list[PlacedFinding] = []

    @property
    def is_full(self) -> bool:
        """Whether the words of a further error would be thrown away: then nobody needs to find them."""
        return self._counts["error"] >= self._limits.findings

    def add(self, finding: Finding, position: Callable[[str], tuple[int, int] | None]) -> None:
        """``position`` is asked for line and column of the finding's path, where they are kept."""
        number = self._counts[finding.severity] = self._counts[finding.severity] + 1
        if number > self._limits.placed_findings:
            return
        line, column = position(finding.path) or (None, None)
        if number <= self._limits.findings:
            self._told.append(replace(finding, line=line, column=column))
        else:
            self._placed.append(PlacedFinding(finding.severity, finding.code, line, column))

    def kept(self) -> tuple[tuple[Finding, ...], MoreFindings]:
        if not self._placed and len(self._told) <= self._limits.findings:
            return tuple(in_file_order(self._told)), NO_MORE
        beyond = {f"{severity}s": max(0, n - self._limits.findings) for severity, n in self._counts.items()}
        return kept(self._told, [MoreFindings(tuple(self._placed), **beyond)], limits=self._limits)


def _count(findings: Iterable[Finding], severity: Severity) -> int:
    return sum(finding.severity == severity for finding in findings)


def _said(rest: MoreFindings) -> Finding:
    parts = [
        plural(number, what)
        for number, what in ((rest.errors, "error"), (rest.warnings, "warning"), (rest.notices, "notice"))
        if number
    ]
    shown = "is not shown" if rest.total == 1 else "are not shown"
    message = f"{plural(rest.total, 'more finding')} of this file {shown}: {', '.join(parts)}."
    return Finding(1, "notice", MORE_FINDINGS, "", None, None, message)
